"""Make what a stranger may have written safe to show, and to count with.

A name of a folder or a plugin can hold what moves a terminal's cursor or renames its window, and a
number can have four thousand digits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

MAX_TEXT = 400
MAX_ITEMS = 500
MAX_SHARES = 100_000
COMMAND = re.compile(r"ganzoo [^;&|<>$`\\\n\r]*")


def text(value: Any, limit: int = MAX_TEXT) -> str:
    """A value as one line of at most `limit` characters, all of which can be seen.

    >>> text(0.0002), text([28, 28, 1]), text(None), text(True)
    ('0.0002', '28 x 28 x 1', 'none', 'yes')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**15 else text(number(value))
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)) and value and all(type(v) is int for v in value[:9]):
        return " x ".join(map(text, value[:9]))[:limit]
    line = visible(str(value)[: limit + 1])
    return line if len(line) <= limit else line[: limit - 1] + "…"


def visible(written: str) -> str:
    """The text on one line; what cannot be seen stands as Python writes it, white space as a space.

    >>> visible("a\\x1b[2Jb\\nc \\udcff")
    'a\\\\x1b[2Jb c \\\\udcff'
    """
    return "".join(c if c.isprintable() else " " if c.isspace() else repr(c)[1:-1] for c in written)


def lines(written: str) -> str:
    """The same for a text of several lines, which stay apart."""
    return "\n".join(map(visible, written.split("\n")))


def number(value: Any) -> float | None:
    """A number, or the name of one that is not finite; None for everything else.

    >>> number(3), number("nan"), number("3"), number(True), number(10**400)
    (3.0, nan, None, None, inf)
    """
    if isinstance(value, bool):
        return None
    if value in ("nan", "inf", "-inf"):
        return float(value)
    if not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def step(value: Any, otherwise: int | None = None) -> int | None:
    """A whole, finite number of steps, or `otherwise`."""
    found = number(value)
    return int(found) if found is not None and 0 <= found < 1e15 else otherwise


def command(value: Any) -> str:
    """A command of ganzoo's that runs nothing else, or an empty string.

    >>> command("ganzoo train dcgan"), command("ganzoo train; curl example.org | sh")
    ('ganzoo train dcgan', '')
    """
    line = text(value or "")
    return line if COMMAND.fullmatch(line) else ""


def shares(value: Any) -> list[float]:
    """A histogram: numbers from 0 to 1, or an empty list."""
    found = [number(v) for v in value[:MAX_SHARES]] if isinstance(value, list) else []
    return found if all(v is not None and 0 <= v <= 1 for v in found) else []


def flat(value: Any, prefix: str = "", skip: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Nested mappings as (`outer inner`, text), without what is None, empty or in `skip`."""
    for name, inner in list(value.items())[:MAX_ITEMS] if isinstance(value, dict) else ():
        if name in skip or inner is None or inner in ({}, []):
            continue
        if isinstance(inner, dict):
            yield from flat(inner, f"{prefix}{text(name)} ", skip)
        else:
            yield f"{prefix}{text(name)}", text(inner)
