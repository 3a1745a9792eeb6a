"""The frame of a small chart as SVG: no script, no font, colours from the page's style sheet.

A page styles `.grid`, `.axis` and `text`, and what stands in the frame. All text is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ganzoo.eval.report.axis import Axis

WIDTH, HEIGHT = 420, 205
LEFT, RIGHT, TOP, BOTTOM = 48, WIDTH - 12, 20, HEIGHT - 24
"""The corners of the plane; x grows to the right and y downwards."""


def svg(title: str, body: Sequence[str]) -> str:
    """The elements as a picture that fills its place; `title` is what a screen reader says."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        + "".join(body)
        + "</svg>"
    )


def across(x: Axis, step: float) -> float:
    """The horizontal place of a step."""
    return round(LEFT + (RIGHT - LEFT) * x.place(step), 1)


def down(y: Axis, value: float) -> float:
    """The vertical place of a value."""
    return round(BOTTOM - (BOTTOM - TOP) * y.place(value), 1)


def grid(x: Axis, y: Axis) -> list[str]:
    """Lines at the ticks of y, the axis of x, and the labels of both."""
    lines = "".join(f"M{LEFT} {down(y, v)}H{RIGHT}" for v, _ in y.ticks)
    found = [f'<path class="grid" d="{lines}"/>']
    found += [f'<path class="axis" d="M{LEFT} {BOTTOM}H{RIGHT}"/>']
    found += [
        f'<text class="y" x="{LEFT - 7}" y="{down(y, v) + 3.5:.1f}">{escape(text)}</text>'
        for v, text in y.ticks
    ]
    for step, text in x.ticks:
        at = across(x, step)
        side = ' class="x end"' if at > RIGHT - 14 else ' class="x"'
        found.append(f'<text{side} x="{at}" y="{HEIGHT - 8}">{escape(text)}</text>')
    return found
