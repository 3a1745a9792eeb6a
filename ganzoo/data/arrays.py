"""Arrays in `.npz` and `.npy` files: images or points, labels, and others beside them. No pickles.

A name with a slash makes a group: `a/image` and `a/label` belong together, `b/image` does not.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ganzoo import reading
from ganzoo.data import beside, naming
from ganzoo.data.array_file import read
from ganzoo.data.beside import Column, Values, held_out, plain
from ganzoo.data.dataset import Dataset
from ganzoo.data.naming import TEST_LABELS, TEST_VALUES, Stored
from ganzoo.data.resize import check_size, in_proportion, resize
from ganzoo.data.values import (
    PIXELS,
    checked,
    class_count,
    range_of,
    rescaled,
)
from ganzoo.errors import GanzooError, UsageError
from ganzoo.spec import ArraySpec, DataSpec

__all__ = ["PIXELS", "check_sha256", "dataset", "load", "read", "samples"]


def load(name: str, size: int | None = None, split: str = "train") -> Dataset:
    """Images or points from an array file, and what it holds beside them.

    The values are the array called image(s), x, x_train, point(s) or arr_0, or the only one; labels
    are label(s), y or y_train; every other array keeps its name. The test split is x_test with
    y_test where they exist, and otherwise the last 10 % of the rows, which are then kept out of
    train. Names with a slash make groups, each with values, labels and splits of its own.
    """
    check_size(size)
    return dataset(read(Path(name)), name, size, split)


def dataset(stored: Stored, name: str, size: int | None = None, split: str = "train") -> Dataset:
    """The data set that these arrays make, found by their names as `load` says."""
    groups = naming.by_prefix(stored)
    first = naming.first(groups, name)
    own, unused = _columns(first, groups.pop(first), split, name, first)
    if size is not None and len(own[0].spec.shape) < 3:
        raise UsageError(f"{name} holds points, which have no size in pixels: leave --size out.")
    for prefix, members in groups.items():
        more, no_more = _columns(prefix, members, split, name, first)
        own, unused = own + more, unused + no_more
    _check_names(own, name)
    key, *others = [_resized(column, size, own[0]) for column in own]
    label = next((column.spec for column in others if column.name == "label"), None)
    spec = DataSpec(
        key.spec.shape,
        key.spec.range,
        label.classes if label is not None else 0,
        key.name,
        {column.name: column.spec for column in others if column.name != "label"},
        key.spec.group,
    )
    note = f"not used from {Path(name).name}: {', '.join(unused)}" if unused else None
    found = {column.name: column.rows for column in [key, *others]}
    return Dataset(name, spec, found, "not known: a file of yours", name, note)


def samples(name: str, pixels: str = "auto") -> tuple[np.ndarray, np.ndarray | None, str | None]:
    """All values of an array file, found as `load` finds them, the labels beside them, and a note.

    Images come as uint8 (n, h, w, 1 or 3), points as float32 (n, d). `pixels` says what range of
    values is meant, a key of `PIXELS`, where the values alone do not tell; where they do, the note
    says as what they were read.
    """
    groups = naming.by_prefix(read(Path(name)))
    members = groups[naming.first(groups, name)]
    key, label = naming.choose(members, name)
    values, labels = members[key], members[label] if label else None
    note = None
    if pixels != "auto" and values.ndim > 2:
        values = rescaled(values, pixels, name)
    found = checked(values, None, name)
    if found.dtype == np.uint8 and values.dtype not in (np.uint8, bool):
        note = (
            f"{name}: {values.dtype} pixels from {values.min():g} to {values.max():g} are read as "
            f"{range_of(values.dtype, values.min(), values.max())} (--pixels says otherwise)"
        )
    return found, labels, note


def check_sha256(path: Path, expected: str) -> None:
    """Refuse a file whose content is not the published one."""
    digest = hashlib.sha256()
    with reading.told(path), reading.opened(path, follow=True) as file:
        for part in iter(lambda: file.read(2**20), b""):
            digest.update(part)
    if (came := digest.hexdigest()) != expected:
        raise GanzooError(
            f"{path} is damaged: expected SHA-256 {expected}, not {came}; delete it or "
            "fetch it again."
        )


def _columns(
    prefix: str, members: Stored, split: str, name: str, first: str
) -> tuple[list[Column], list[str]]:
    """The arrays of one group, its values and labels first, and which of them are not used."""
    group = plain(prefix)
    where = f"{name}, {prefix}/" if prefix else name
    found, values, used = [], Values(group), set()
    if prefix == first or (prefix and naming.values_of(members, where) is not None):
        main = _main(members, split, where)
        called = group or ("image" if main.rows.ndim == 4 else "point")
        bounds = (-1.0, 1.0) if main.rows.ndim == 4 else None
        found.append(Column(called, ArraySpec(main.rows.shape[1:], bounds, group=group), main.rows))
        if main.labels is not None:
            label = "label" if prefix == first else f"{group}_label"
            spec = ArraySpec((), None, main.classes, group)
            found.append(Column(label, spec, main.labels.reshape(-1).astype(np.int32)))
        values = Values(group, main.train, main.test, main.rows.shape[1:3])
        used = {main.key, *(k for k in members if k.lower() in naming.KNOWN)}
    rest = {key: array for key, array in members.items() if key not in used}
    more, unused = beside.columns(rest, values, split, where)
    return found + more, [f"{prefix}/{one}" if prefix else one for one in unused]


class _Main(NamedTuple):
    """The values and labels of a group in the split that was asked for, and how many it has."""

    key: str
    rows: np.ndarray
    labels: np.ndarray | None
    classes: int
    train: int
    """How many values."""
    test: int | None
    """How many test values the file has of its own, or None."""


def _main(stored: Stored, split: str, name: str) -> _Main:
    key, label = naming.choose(stored, name)
    values, labels = stored[key], stored[label] if label else None
    test = naming.pick(stored, TEST_VALUES, "test values", name)
    if test is None:
        rows = checked(values, None, name)
        classes = class_count(labels, len(rows), name)
        if split == "test" and not len(held_out(rows, split)):
            raise GanzooError(
                f"{name} has {len(rows)} samples: too few to hold 10 % out for a test."
            )
        own = None if labels is None else held_out(labels, split)
        return _Main(key, held_out(rows, split), own, classes, len(rows), None)
    test_label = naming.pick(stored, TEST_LABELS, "test labels", name)
    if (label is None) != (test_label is None):
        raise GanzooError(f"{name}: one of train and test has labels and the other has none.")
    both = _both(values, stored[test], test, name)
    both_labels = (labels, stored[test_label] if test_label else None)
    classes = max(
        class_count(both_labels[0], len(both[0]), name),
        class_count(both_labels[1], len(both[1]), name, lowest=False),
    )
    place = ("train", "test").index(split)
    return _Main(key, both[place], both_labels[place], classes, *map(len, both))


def _both(
    values: np.ndarray, test_values: np.ndarray, test: str, name: str
) -> tuple[np.ndarray, np.ndarray]:
    if values.shape[1:] != test_values.shape[1:]:
        raise GanzooError(
            f"{name}: {test} has samples of {test_values.shape[1:]}, expected "
            f"{values.shape[1:]} as in train."
        )
    return checked(values, test_values, name), checked(test_values, values, name)


def _check_names(found: list[Column], name: str) -> None:
    names = [column.name for column in found]
    twice = next((one for one in names if names.count(one) > 1), None)
    if twice is not None:
        raise GanzooError(
            f"{name}: two of its arrays would be called {twice!r}, since letters are made small "
            "and signs become _: rename one of them."
        )
    key = found[0]
    wrong = [c for c in found if c.name == "label" and (c is key or c.spec.group != key.spec.group)]
    if wrong:
        raise GanzooError(
            f"{name}: 'label' is the name of the labels of {key.name!r}: put them into its group, "
            "as in a/label beside a/image, or call them something else."
        )


def _resized(column: Column, size: int | None, key: Column) -> Column:
    """The images with the side `size`; those beside the key's in the same proportion to them."""
    if size is None or column.rows.dtype != np.uint8:
        return column
    paired = column.spec.group == key.spec.group
    rows = resize(column.rows, in_proportion(size, column.spec, key.spec) if paired else size)
    return column._replace(rows=rows, spec=replace(column.spec, shape=rows.shape[1:]))
