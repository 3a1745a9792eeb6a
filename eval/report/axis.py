"""The axes of charts: linear, logarithmic or signed logarithmic, with ticks."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

LOG_FROM = 100.0
"""Positive values that span this factor stand on a logarithmic axis, where one is allowed."""
LOG_ASKED_FROM = 8.0
"""The same where one is asked for: below it, round ticks would be too few."""
SIGNED_LOG_FROM = 300.0
"""Others do on a signed one, once the largest exceeds this multiple of the middle one."""
DENSE_FROM = 1.7
"""Decades from which ticks at 1, 2 and 5 would be too many."""
LARGEST = 1e100
"""Values beyond it stand where it stands, and those nearer to 0 than its inverse at 0."""


@dataclass(frozen=True)
class Axis:
    """`place` maps a value to 0 (low end) .. 1 (high end); `ticks` are (value, label)."""

    kind: str
    place: Callable[[float], float]
    ticks: tuple[tuple[float, str], ...]


def axis(values: Iterable[float], *, kind: str = "auto", ticks: int = 5) -> Axis:
    """An axis that holds all finite values.

    `kind` is `unit` (0 to 1, and further only for values that are), `linear`, `log` (where the
    values allow and need it), or `auto`: linear unless they span decades.
    """
    found = sorted(_bounded(v) for v in values if math.isfinite(v)) or [0.0, 1.0]
    if kind == "unit":
        return linear(min(0.0, found[0]), max(1.0, found[-1]), ticks)
    if kind != "linear":
        above = [v for v in found if v > 0]
        factor = LOG_ASKED_FROM if kind == "log" else LOG_FROM
        if above and found[0] >= 0 and above[-1] > factor * above[0]:
            return _log(above[0], above[-1], ticks)
        middle = _middle([abs(v) for v in found])
        if max(-found[0], found[-1]) > SIGNED_LOG_FROM * middle > 0:
            return _signed_log(found[0], found[-1], middle, ticks)
    margin = 0.04 * (found[-1] - found[0]) or 0.1 * abs(found[0]) or 0.5
    return linear(found[0] - margin, found[-1] + margin, ticks)


def linear(low: float, high: float, ticks: int = 5) -> Axis:
    """From low to high exactly, with ticks at round values."""
    step = _round_step((high - low) / ticks)
    first = math.ceil(low / step - 1e-9)
    values = [i * step for i in range(first, first + 3 * ticks) if i * step <= high + 1e-9 * step]
    return Axis("linear", _scale(low, high), tuple(zip(values, labels(values, step), strict=True)))


def _log(low: float, high: float, ticks: int) -> Axis:
    """With ticks at powers of ten, and between them where fewer than three powers are inside."""
    low, high = math.log10(low), math.log10(high)
    margin = max(0.04 * (high - low), 0.05)
    first, last = low - margin, high + margin
    powers = range(math.ceil(first), math.floor(last) + 1)
    if len(powers) < 3:
        around = range(math.floor(first), math.ceil(last))
        multiples = (1, 3) if last - first > DENSE_FROM else (1, 2, 5)
        values = [m * 10.0**e for e in around for m in multiples]
    else:
        values = [10.0**e for e in powers[:: math.ceil(len(powers) / (ticks + 1))]]
    place = _scale(first, last)
    return Axis(
        "log",
        lambda v: place(math.log10(v)) if v > 0 else 0.0,
        tuple((v, _times_power(v)) for v in values if first <= math.log10(v) <= last),
    )


def _signed_log(low: float, high: float, unit: float, ticks: int) -> Axis:
    unit = 10.0 ** math.floor(math.log10(unit))

    def squeeze(v: float) -> float:
        return math.copysign(math.log10(1 + abs(v) / unit), v)

    place = _scale(squeeze(min(low, 0.0)), squeeze(max(high, 0.0)))
    sides = [math.log10(side / unit) for side in (-low, high) if side > unit]
    every = max(1, math.ceil(sum(sides) / ticks))
    first = round(math.log10(unit))
    exponents = range(first + math.floor(max(sides)), first, -every)
    sizes = [(10.0**e, _times_power(10.0**e)) for e in exponents]
    marks = [(0.0, "0")]
    marks += [(size, label) for size, label in sizes if size <= high]
    marks += [(-size, _signed(f"-{label}")) for size, label in sizes if -size >= low]
    return Axis("signed log", lambda v: place(squeeze(v)), tuple(sorted(marks)))


def _scale(low: float, high: float) -> Callable[[float], float]:
    width = high - low or 1.0
    return lambda v: min(1.0, max(0.0, (v - low) / width))


def _bounded(value: float) -> float:
    return 0.0 if abs(value) < 1 / LARGEST else max(-LARGEST, min(LARGEST, value))


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _round_step(rough: float) -> float:
    """The least of 1, 2, 2.5 and 5 times a power of ten that is no smaller."""
    power = 10.0 ** math.floor(math.log10(max(rough, 1e-300)))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * (1 - 1e-9))


def labels(values: Sequence[float], step: float) -> list[str]:
    """Labels of ticks that are `step` apart: as exact as needed, in one unit.

    >>> labels([0, 0.25, 0.5], 0.25), labels([0, 5000, 10000], 5000), labels([-1, 0], 1)
    (['0', '0.25', '0.50'], ['0', '5k', '10k'], ['−1', '0'])
    """
    largest = max(map(abs, values), default=0.0)
    if largest >= 1e13 or largest < 1e-3:
        return [_signed(_short(value)) for value in values]
    units = ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"), (0.0, 1.0, ""))
    unit, letter = next((unit, letter) for least, unit, letter in units if largest >= least)
    digits = next(d for d in range(16) if round(step / unit * 10**d, 6) % 1 == 0)
    return [_signed(f"{v / unit:,.{digits}f}{letter}") if v else "0" for v in values]


def _short(value: float) -> str:
    """
    >>> _short(2e13), _short(-1.5e-5), _short(0.0)
    ('2e13', '-1.5e-5', '0')
    """
    return re.sub(r"e\+?(-?)0*", r"e\1", f"{value + 0.0:.3g}")


def _times_power(value: float) -> str:
    """
    >>> _times_power(0.02), _times_power(5), _times_power(2e4), _times_power(5e-6)
    ('0.02', '5', '2e4', '5e-6')
    """
    exponent = math.floor(math.log10(value) + 1e-9)
    if -3 <= exponent <= 3:
        return f"{value:,.{max(0, -exponent)}f}"
    return f"{value / 10.0**exponent:.0f}e{exponent}"


def _signed(text: str) -> str:
    """With a minus sign as wide as a digit."""
    return text.replace("-", "\N{MINUS SIGN}", 1) if text.startswith("-") else text
