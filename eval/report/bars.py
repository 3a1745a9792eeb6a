"""Shares of classes as SVG bars.

A page styles `.bar`, its `rect` for the samples and its `path` for the real data, and `.missing`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ganzoo.eval.report import axis
from ganzoo.eval.report.axis import Axis
from ganzoo.eval.report.chart_frame import BOTTOM, HEIGHT, LEFT, RIGHT, down, grid, svg


def bars(
    fake: Sequence[float], real: Sequence[float], *, missing: Sequence[int], top: float
) -> str:
    """Shares of classes: a bar for the samples, a line across it for the real data.

    `top` is the share at the upper end; `missing` classes have their number struck.
    """
    y = axis.linear(0, max(top, 1e-9), 4)
    percent = Axis(y.kind, y.place, tuple((v, f"{100 * v:.3g} %") for v, _ in y.ticks))
    body = grid(Axis("linear", lambda _: 0.0, ()), percent)
    slot = (RIGHT - LEFT) / max(1, len(fake))
    every = math.ceil(len(fake) / 20)
    for i, share in enumerate(fake):
        left, at = LEFT + slot * (i + 0.16), down(y, share)
        real_share = f", real {real[i]:.1%}" if i < len(real) else ""
        state = " missing" if i in missing else ""
        body.append(
            f'<g class="bar{state}"><title>class {i}: {share:.1%}{real_share}</title>'
            f'<rect x="{left:.1f}" y="{at}" width="{slot * 0.68:.1f}" '
            f'height="{BOTTOM - at:.1f}"/>'
        )
        if i < len(real):
            body.append(
                f'<path d="M{LEFT + slot * (i + 0.06):.1f} {down(y, real[i])}h{slot * 0.88:.1f}"/>'
            )
        if i % every == 0:
            middle = LEFT + slot * (i + 0.5)
            body.append(f'<text class="x" x="{middle:.1f}" y="{HEIGHT - 8}">{i}</text>')
        body.append("</g>")
    return svg("shares of classes", body)
