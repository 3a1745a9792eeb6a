"""Plain data against what is expected of it: each check says what is wrong, and where.

A check takes a value and the words for where it stands, and gives the value as our code has it; it
raises ValueError for anything else.

>>> point = record({"name": name, "sides": listed(whole(9), most=2)})
>>> point({"name": "a", "sides": [1, 2]}, "the file")
{'name': 'a', 'sides': (1, 2)}
>>> point({"name": "a", "sides": [1, 10]}, "the file")
Traceback (most recent call last):
    ...
ValueError: the file: sides must be a whole number from 0 to 9, not 10
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Check = Callable[[Any, str], Any]


def wrong(value: Any, where: str, what: str) -> ValueError:
    """The error about a value that is not what it must be."""
    return ValueError(f"{where} must be {what}, not {short(value)}")


def short(value: Any) -> str:
    """A value as a line that is not long, whatever it is."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def record(fields: Mapping[str, Check], maybe: Mapping[str, Check] | None = None) -> Check:
    """Names and values: these names, perhaps those in `maybe`, and no other."""
    known = {**fields, **(maybe or {})}

    def check(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise wrong(value, where, "names and values")
        for one in sorted(value.keys() - known.keys()):
            raise ValueError(f"{where} has {short(one)}, which is not known")
        for one in sorted(fields.keys() - value.keys()):
            raise ValueError(f"{where} has no {one!r}")
        return {one: known[one](inner, f"{where}: {one}") for one, inner in value.items()}

    return check


def listed(one: Check, most: int, least: int = 0) -> Check:
    """A list of what `one` lets through, as a tuple."""

    def check(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise wrong(value, where, f"a list of {least} to {most:,}")
        return tuple(one(inner, where) for inner in value)

    return check


def whole(most: int) -> Check:
    """A whole number from 0 to `most`."""

    def check(value: Any, where: str) -> int:
        if type(value) is not int or not 0 <= value <= most:
            raise wrong(value, where, f"a whole number from 0 to {most:,}")
        return value

    return check


def one_of(known: Sequence[str]) -> Check:
    """One of these names."""

    def check(value: Any, where: str) -> str:
        if value not in known:
            raise wrong(value, where, f"one of {', '.join(known)}")
        return str(value)

    return check


def name(value: Any, where: str) -> str:
    """A text that can be shown, of one character or more."""
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 200:
        raise wrong(value, where, "a name")
    return value
