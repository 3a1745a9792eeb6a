"""What every source returns: named arrays with their description, and how pixels become floats."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ganzoo.errors import GanzooError
from ganzoo.spec import DataSpec


@dataclass(frozen=True, eq=False)
class Dataset:
    """One split of a data set, in memory.

    Images are uint8 in [0, 255], shape (n, h, w, c); points are float32, shape (n, d); labels are
    int32, shape (n,). The training loop converts pixels on the device, as `to_float` does here.
    Raises GanzooError where the arrays are not what the spec says: a source may be a stranger's.
    """

    name: str
    """What `load` finds it by: a name, or the absolute path of a folder or file."""
    spec: DataSpec
    arrays: dict[str, np.ndarray]
    licence: str = "unknown"
    source: str = ""
    """Where it was found, or how it was made."""
    note: str | None = None
    """One line that the user must see, for instance which images were skipped."""
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wanted = {self.spec.key: self.spec.shape, **self.spec.others}
        if self.spec.classes:
            wanted["label"] = ()
        for key, shape in wanted.items():
            if key not in self.arrays:
                raise self._wrong(f"an array {key!r}", ", ".join(self.arrays) or "none")
            array = self.arrays[key]
            if array.shape[1:] != tuple(shape) or len(array) != len(self):
                raise self._wrong(f"{key!r} of shape {(len(self), *shape)}", array.shape)
            kinds = ("int32",) if key == "label" else ("uint8", "float32")
            if array.dtype.name not in kinds:
                raise self._wrong(f"{key!r} as {' or '.join(kinds)}", array.dtype)
        if len(self) == 0:
            raise self._wrong("at least one sample", "none")
        labels = self.arrays.get("label")
        if self.spec.classes and not 0 <= labels.min() <= labels.max() < self.spec.classes:
            raise self._wrong(f"labels from 0 to {self.spec.classes - 1}",
                              f"{labels.min()} to {labels.max()}")

    def _wrong(self, expected: str, came: object) -> GanzooError:
        return GanzooError(f"data set {self.name!r}: expected {expected}, got {came}.")

    def __len__(self) -> int:
        return len(self.arrays[self.spec.key])

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the names, types, shapes and bytes of the arrays: equal data, equal text."""
        return fingerprint(self.arrays)


def fingerprint(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 in hex over named arrays, the same on every machine and for every order of names."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(memoryview(array).cast("B") if array.size else b"")
    return digest.hexdigest()


def to_float(pixels: np.ndarray) -> np.ndarray:
    """uint8 in [0, 255] -> float32 in [-1, 1]; both ends are met exactly."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Floats in [-1, 1] -> uint8 in [0, 255], rounded, clipped outside.

    Undoes `to_float`. Raises GanzooError on NaN or infinity: no pixel shows those.
    """
    images = np.asarray(images)
    if not np.isfinite(images).all():
        raise GanzooError("expected images in [-1, 1], got some that are NaN or infinite.")
    return np.clip(np.rint((images + 1) * 127.5), 0, 255).astype(np.uint8)
