"""What a loaded data set is: arrays, their description, and where they came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ganzoo.errors import GanzooError
from ganzoo.spec import DataSpec


@dataclass(frozen=True, eq=False)
class Dataset:
    """Arrays in memory, one row a sample, with the description that architectures are built from.

    Images are uint8 in [0, 255], `(n, h, w, c)`: the training loop converts them on the device by
    the formula of `to_float`. Points are float32 and used as they are. Labels are int32.
    """

    name: str
    """The resolved name (`auto` becomes `mnist` or `digits`), or the path."""
    spec: DataSpec
    arrays: dict[str, np.ndarray]
    licence: str
    source: str
    """Where it was found, or how it was made."""
    note: str | None = None
    """One line that the user should see, or None."""
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        values = self.arrays.get(self.spec.key)
        if values is None:
            raise GanzooError(
                f"data set {self.name} has no array {self.spec.key!r}, which its spec "
                f"names; it has {', '.join(self.arrays) or 'none'}."
            )
        if values.shape[1:] != self.spec.shape:
            raise GanzooError(
                f"data set {self.name}: its spec says samples of {self.spec.shape}, "
                f"its array {self.spec.key!r} holds {values.shape[1:]}."
            )
        if self.spec.is_image and values.dtype != np.uint8:
            raise GanzooError(
                f"data set {self.name}: images are uint8 in [0, 255], not {values.dtype}."
            )
        lengths = {key: len(array) for key, array in self.arrays.items()}
        if len(set(lengths.values())) > 1:
            raise GanzooError(f"data set {self.name}: its arrays differ in length: {lengths}.")
        if not len(values):
            raise GanzooError(f"data set {self.name} holds no samples.")

    def __len__(self) -> int:
        return len(self.arrays[self.spec.key])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the names, types, shapes and bytes of the arrays: equal means equal data."""
        digest = hashlib.sha256()
        for key in sorted(self.arrays):
            array = np.ascontiguousarray(self.arrays[key])
            digest.update(f"{key} {array.dtype.str} {array.shape}\n".encode())
            digest.update(array.data)
        return digest.hexdigest()


def to_float(pixels: np.ndarray) -> np.ndarray:
    """uint8 pixels as float32 in [-1, 1]: 0 becomes -1 and 255 becomes 1, exactly.

    >>> to_float(np.array([0, 255], np.uint8))
    array([-1.,  1.], dtype=float32)
    """
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_uint8(samples: np.ndarray) -> np.ndarray:
    """Samples in [-1, 1] as uint8 pixels, rounded and clipped; a non-finite sample is an error.

    >>> to_uint8(np.array([-1.0, 0.0, 1.0, 3.0]))
    array([  0, 128, 255, 255], dtype=uint8)
    """
    samples = np.asarray(samples)
    if not np.isfinite(samples).all():
        bad = int(samples.size - np.isfinite(samples).sum())
        raise GanzooError(
            f"{bad} of {samples.size} values are NaN or infinite: they have no pixel."
        )
    return np.clip(np.rint((samples.astype(np.float32) + 1) * 127.5), 0, 255).astype(np.uint8)
