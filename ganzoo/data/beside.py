"""Arrays that a file holds beside its values: which rows they have, and what they are paired with.

An array as long as the values is paired with them, row by row. One of another length is a group of
its own, together with those that are as long as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ganzoo.data.values import further, why_not
from ganzoo.errors import GanzooError
from ganzoo.spec import ArraySpec

HELD_OUT = 0.1
FEWEST = 10
"""Rows of which 10 % can be held out."""


class Column(NamedTuple):
    """One array of a data set, in the split that was asked for."""

    name: str
    spec: ArraySpec
    rows: np.ndarray


@dataclass(frozen=True)
class Values:
    """What the arrays of one prefix are beside: how many values there are, and of which size."""

    group: str
    train: int | None = None
    """How many values, None where there are none: then nothing is paired with them."""
    test: int | None = None
    """How many test values the file has; None where the last rows are held out."""
    sides: tuple[int, ...] = ()


class _Pair(NamedTuple):
    stored: str
    name: str
    train: np.ndarray
    test: np.ndarray | None


def plain(name: str) -> str:
    """What a stored name is called in a data set.

    >>> plain("A/Eye-Mask")
    'a_eye_mask'
    """
    return re.sub(r"\W", "_", name.lower())


def held_out(rows: np.ndarray, split: str) -> np.ndarray:
    """The last 10 % of the rows for the split "test", and the others for "train"."""
    cut = len(rows) - int(HELD_OUT * len(rows))
    return rows[:cut] if split == "train" else rows[cut:]


def columns(
    stored: dict[str, np.ndarray], values: Values, split: str, where: str
) -> tuple[list[Column], list[str]]:
    """The arrays beside the values, and those that are not used, each with the reason."""
    reasons = {name: why_not(array) for name, array in stored.items()}
    unused = [f"{name} ({reason})" for name, reason in reasons.items() if reason]
    found, groups = [], {}
    for pair in _pairs({n: a for n, a in stored.items() if not reasons[n]}, values.group):
        fits = len(pair.train) == values.train
        reason = _unsplit(pair, fits, values)
        if reason:
            unused.append(f"{pair.stored} ({reason})")
            continue
        if fits and values.test is None:
            pair = pair._replace(test=None)
        _check_pair(pair, values.test if fits else None, where)
        lengths = (len(pair.train), None if pair.test is None else len(pair.test))
        unnamed = values.group and values.train is None and not groups
        own = values.group if unnamed else pair.name
        group = values.group if fits else groups.setdefault(lengths, own)
        found.append(_column(pair, group, values.sides, split))
    return found, unused


def _pairs(stored: dict[str, np.ndarray], prefix: str) -> list[_Pair]:
    """Each array with its test part: `mask` or `mask_train` with `mask_test` or `test_mask`."""
    whole = {_without(name, "train"): name for name in stored}
    tests = {_without(name, "test"): name for name in stored if _without(name, "test") in whole}
    tests = {stem: name for stem, name in tests.items() if stem != name.lower()}
    found = []
    for name, array in stored.items():
        if name in tests.values():
            continue
        stem = _without(name, "train")
        test = tests.get(stem)
        called = plain(f"{prefix}_{stem if test else name}" if prefix else stem if test else name)
        found.append(_Pair(name, called, array, stored[test] if test else None))
    return found


def _without(name: str, part: str) -> str:
    return name.lower().removesuffix(f"_{part}").removeprefix(f"{part}_")


def _unsplit(pair: _Pair, fits: bool, values: Values) -> str | None:
    """Why the array has no test split of its own, or None where it has one."""
    if fits and values.test is not None and pair.test is None:
        return f"no {pair.stored}_test beside the test values"
    if not fits and pair.test is None and len(pair.train) < FEWEST:
        return f"{len(pair.train)} rows: too few to hold 10 % out for a test"
    return None


def _check_pair(pair: _Pair, test: int | None, where: str) -> None:
    if pair.test is None:
        return
    if test is not None and len(pair.test) != test:
        raise GanzooError(
            f"{where}: expected {test} rows in the test part of {pair.stored}, one for each test "
            f"value, not {len(pair.test)}."
        )
    kinds = [f"{part.dtype} of {part.shape[1:]}" for part in (pair.train, pair.test)]
    if kinds[0] != kinds[1]:
        raise GanzooError(
            f"{where}: the test part of {pair.stored} has rows of {kinds[1]}, expected {kinds[0]} "
            "as in train."
        )


def _column(pair: _Pair, group: str, sides: tuple[int, ...], split: str) -> Column:
    parts, classes = further([p for p in (pair.train, pair.test) if p is not None], sides)
    if pair.test is None:
        rows = held_out(parts[0], split)
    else:
        rows = parts[0] if split == "train" else parts[1]
    bounds = (-1.0, 1.0) if rows.dtype == np.uint8 else None
    return Column(pair.name, ArraySpec(rows.shape[1:], bounds, classes, group), rows)
