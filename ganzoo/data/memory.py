"""Data sets that Python gives as objects: an array, arrays by name, values and labels, a Dataset.

Arrays are taken as if they had been read from an `.npz` file: the same names, ranges and held-out
rows, so the same run comes out of both.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from ganzoo import handles
from ganzoo.data import arrays
from ganzoo.data.dataset import Dataset
from ganzoo.data.resize import check_size, in_proportion, resize
from ganzoo.errors import UsageError


class Held:
    """Data that is alive while this object is kept; `data.load(held.name)` loads it."""

    def __init__(self, given: Any):
        self.given = given if isinstance(given, Dataset) else _by_name(given)
        self.name = "<array>"
        found = self.load()
        stem = "".join(c if c.isalnum() else "-" for c in found.name).strip("-")
        self.name = handles.hold(f"{stem}-{found.fingerprint[:8]}", self)

    def load(self, size: int | None = None, split: str = "train") -> Dataset:
        """As `data.load`; a Dataset has no test split."""
        check_size(size)
        if not isinstance(self.given, Dataset):
            found = arrays.dataset(self.given, self.name, size, split)
            return dataclasses.replace(found, licence="not known: yours", source="memory")
        if split == "test":
            raise UsageError(
                f"{self.name} was given as one Dataset, which has no test split: judge against "
                "split='train' or another data set, or give arrays x_train and x_test."
            )
        return _resized(dataclasses.replace(self.given, name=self.name), size)


def _by_name(given: Any) -> dict[str, np.ndarray]:
    """The arrays as a file would hold them."""
    if isinstance(given, tuple):
        if len(given) != 2:
            raise UsageError(f"data as a tuple is (values, labels), not {len(given)} things.")
        given = dict(zip(("x", "y"), given, strict=True))
    named = given if isinstance(given, Mapping) else {"x": given}
    return {str(name): _array(value) for name, value in named.items()}


def _array(value: Any) -> np.ndarray:
    try:
        return np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:  # of another library's tensor: any
        raise UsageError(
            f"data must be an array, or what NumPy makes one of, not a {type(value).__name__} "
            f"({error})."
        ) from error


def _resized(found: Dataset, size: int | None) -> Dataset:
    if size is None:
        return found
    if not found.spec.is_image:
        raise UsageError(f"{found.name} holds points, which have no size in pixels.")
    described = found.spec.arrays

    def resized(name: str, array: np.ndarray) -> np.ndarray:
        if array.ndim != 4 or array.dtype != np.uint8:
            return array
        paired = described[name].group == found.spec.group
        side = in_proportion(size, described[name], found.spec.shape) if paired else size
        return resize(array, side)

    arrays = {name: resized(name, array) for name, array in found.arrays.items()}
    others = {
        n: dataclasses.replace(spec, shape=arrays[n].shape[1:])
        for n, spec in found.spec.others.items()
    }
    shape = arrays[found.spec.key].shape[1:]
    spec = dataclasses.replace(found.spec, shape=shape, others=others)
    return dataclasses.replace(found, spec=spec, arrays=arrays)
