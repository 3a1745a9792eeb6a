"""Curves as SVG, with the findings marked on them.

A page styles `.line`, `.raw`, `.band`, `.dot`, `.cross`, `.level`, `.mark` and the series `s0` to
`s7`. All text is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from ganzoo.eval.report import axis
from ganzoo.eval.report.axis import Axis
from ganzoo.eval.report.chart_frame import BOTTOM, LEFT, RIGHT, TOP, across, down, grid, svg

POINTS = 240
"""Buckets along a line: each keeps its lowest and its highest value."""
SMOOTH_FROM = 60
"""Rows from which a line is drawn as its moving mean, over the thin line of the rows."""
MAX_CROSSES = 40


@dataclass(frozen=True)
class Line:
    """A named curve; `spread` is a deviation for each value, drawn as a band."""

    name: str
    steps: Sequence[int]
    values: Sequence[float]
    spread: Sequence[float] = ()
    smooth: bool = True
    """Whether its rows are means of noisy values: many of them get a moving mean."""


@dataclass(frozen=True)
class Mark:
    """A finding on the curves: raised at `step`, begun at `since`."""

    number: int
    severity: str
    since: int
    step: int
    title: str


def chart(
    lines: Sequence[Line],
    *,
    title: str,
    y: Axis,
    last: int,
    marks: Sequence[Mark] = (),
    level: float | None = None,
) -> str:
    """The lines over steps 0 to `last`, with findings marked and a dashed line at `level`."""
    x = axis.linear(0, max(last, 1), 5)
    body = [*grid(x, y), *_marks(marks, x)]
    if level is not None:
        at = down(y, level)
        body.append(f'<path class="level" d="M{LEFT} {at}H{RIGHT}"/>')
    for number, line in enumerate(lines):
        body += _line(line, f"s{number % 8}", x, y)
    return svg(title, body)


# -- lines --------------------------------------------------------------------------------------


def _line(line: Line, style: str, x: Axis, y: Axis) -> list[str]:
    points = list(zip(line.steps, line.values, strict=True))
    found = []
    if line.spread:
        found.append(_band(line, style, x, y))
    smooth = line.smooth and len(points) >= SMOOTH_FROM
    found.append(
        f'<path class="{"raw" if smooth else "line"} {style}" d="{_path(points, x, y)}">'
        f"<title>{escape(line.name)}</title></path>"
    )
    if smooth:
        path = _path(moving_mean(points, window(len(points))), x, y)
        found.append(f'<path class="line {style}" d="{path}"/>')
    elif len(points) <= 25:
        found += [_dot(line.name, step, value, style, x, y) for step, value in points]
    return found + _crosses(line.name, points, x)


def window(rows: int) -> int:
    """The rows that a moving mean takes in."""
    return max(5, rows // 20)


def moving_mean(points: Sequence[tuple[int, float]], width: int) -> list[tuple[int, float]]:
    """The mean of `width` values around each point, of fewer at the ends and beside a gap."""
    found: list[tuple[int, float]] = []
    for finite, run in groupby(points, lambda point: math.isfinite(point[1])):
        part = list(run)
        if not finite:
            found += part
            continue
        total = [0.0]
        for _, value in part:
            total.append(total[-1] + value)
        for i, (step, _) in enumerate(part):
            first, behind = max(0, i - width // 2), min(len(part), i + width // 2 + 1)
            found.append((step, (total[behind] - total[first]) / (behind - first)))
    return found


def thin(points: Sequence[tuple[int, float]], buckets: int = POINTS) -> list[tuple[int, float]]:
    """At most two points a bucket, its lowest and its highest: no peak is lost."""
    if len(points) <= 2 * buckets:
        return list(points)
    kept = []
    for i in range(buckets):
        part = points[i * len(points) // buckets : (i + 1) * len(points) // buckets]
        finite = [point for point in part if math.isfinite(point[1])]
        ends = {min(finite, key=lambda p: p[1]), max(finite, key=lambda p: p[1])} if finite else ()
        kept += (
            sorted(ends) if len(finite) == len(part) else [*sorted(ends), (part[-1][0], math.nan)]
        )
    return kept


def _path(points: Sequence[tuple[int, float]], x: Axis, y: Axis) -> str:
    """Finite stretches as polylines; a point alone becomes a short stroke."""
    parts = []
    for finite, run in groupby(thin(points), lambda point: math.isfinite(point[1])):
        if finite:
            places = [f"{across(x, step):g} {down(y, value):g}" for step, value in run]
            parts.append("M" + "L".join(places) + ("h0.1" if len(places) == 1 else ""))
    return "".join(parts)


def _band(line: Line, style: str, x: Axis, y: Axis) -> str:
    rows = [
        (step, value - spread, value + spread)
        for step, value, spread in zip(line.steps, line.values, line.spread, strict=True)
        if math.isfinite(value) and math.isfinite(spread)
    ]
    width = window(len(rows)) if len(rows) >= SMOOTH_FROM else 1
    low = thin(moving_mean([(step, value) for step, value, _ in rows], width))
    high = thin(moving_mean([(step, value) for step, _, value in rows], width))
    places = [f"{across(x, s):g} {down(y, v):g}" for s, v in [*high, *reversed(low)]]
    return f'<path class="band {style}" d="M{"L".join(places)}Z"/>' if places else ""


def _dot(name: str, step: int, value: float, style: str, x: Axis, y: Axis) -> str:
    if not math.isfinite(value):
        return ""
    title = escape(f"{name} at step {step:,}: {value:.4g}")
    return (
        f'<circle class="dot {style}" cx="{across(x, step)}" cy="{down(y, value)}" r="2.6">'
        f"<title>{title}</title></circle>"
    )


def _crosses(name: str, points: Sequence[tuple[int, float]], x: Axis) -> list[str]:
    """A cross where the values stop being finite, each time that they do."""
    stretches = groupby(points, lambda point: math.isfinite(point[1]))
    first = [next(stretch) for finite, stretch in stretches if not finite]
    return [_cross(name, step, value, x) for step, value in first[:MAX_CROSSES]]


def _cross(name: str, step: int, value: float, x: Axis) -> str:
    at, title = across(x, step), escape(f"{name} is {value} from step {step:,} on")
    return (
        f'<path class="cross" d="M{at - 4:g} {TOP + 2}l8 8m0 -8l-8 8"><title>{title}</title></path>'
    )


# -- marks --------------------------------------------------------------------------------------


def _marks(marks: Sequence[Mark], x: Axis) -> list[str]:
    """A shade from where each began, a line where it was raised, and its number above."""
    found = []
    marks = sorted(marks, key=lambda mark: mark.step)
    badges = spaced([across(x, mark.step) for mark in marks], 16, LEFT + 7, RIGHT - 7)
    for mark, badge in zip(marks, badges, strict=True):
        first, at = across(x, mark.since), across(x, mark.step)
        height = BOTTOM - TOP
        found.append(
            f'<g class="mark {escape(mark.severity)}"><title>{escape(mark.title)}</title>'
            f'<rect x="{first}" y="{TOP}" width="{at - first:.1f}" height="{height}"/>'
            f'<path d="M{at} {BOTTOM}V{TOP}L{badge:g} {TOP - 4}"/>'
            f'<circle cx="{badge:g}" cy="9" r="7.5"/>'
            f'<text x="{badge:g}" y="12.4">{mark.number}</text></g>'
        )
    return found


def spaced(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Sorted places moved apart to `gap` where they are nearer, between `low` and `high`.

    >>> spaced([10, 12, 90], 16, 0, 100), spaced([98, 99], 16, 0, 100)
    ([10, 26, 90], [84, 100])
    """
    if len(places) > 1:
        gap = min(gap, (high - low) / (len(places) - 1))
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + gap if found else low))
    for i in range(len(found) - 1, -1, -1):
        found[i] = min(found[i], found[i + 1] - gap if i + 1 < len(found) else high)
    return found
