"""What turns images into features: checks, fixed batches, and a name with a hash.

A new extractor is a subclass with a `compute`; everything else is here.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from ganzoo.data import to_uint8
from ganzoo.errors import UsageError

SLACK = 1e-3  # how far rounding may carry a float sample out of [-1, 1]


class Extractor(ABC):
    """Images -> features, and class logits where the network has a classifier.

    A subclass sets the five attributes and writes `compute`. It is called with batches of exactly
    `batch` images (the last one is filled up), so features do not depend on how many images a
    caller hands over at once.
    """

    name: str
    """`mnist-cnn`: the network, in the labels of scores."""
    dim: int
    """Numbers in a feature vector."""
    sha256: str
    """Of the weights, in hexadecimal."""
    preprocessing: str
    """What happens to the pixels before the network, in one sentence."""
    classes: int | None = None
    """How many logits, or None."""
    batch: int = 100
    """Images in a call of `compute`."""

    @abstractmethod
    def compute(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """uint8 images (batch, h, w, 1 or 3) -> features (batch, dim) and logits or None."""

    @property
    def label(self) -> str:
        """Name and the first digits of the hash: `mnist-cnn 1a2b3c4d`."""
        return f"{self.name} {self.sha256[:8]}"

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Features (n, dim) and logits (n, classes) or None, both float32, of n >= 0 images.

        `images` is (n, h, w, 1 or 3), uint8 in [0, 255] or float in [-1, 1]; floats are rounded
        to the pixels that they would be saved as, so that samples in memory and in files score
        alike. Raises UsageError for another shape, type or range.
        """
        pixels = as_pixels(images)
        features = np.empty((len(pixels), self.dim), np.float32)
        logits = np.empty((len(pixels), self.classes), np.float32) if self.classes else None
        for start in range(0, len(pixels), self.batch):
            part = pixels[start : start + self.batch]
            full = np.zeros((self.batch, *pixels.shape[1:]), np.uint8)
            full[: len(part)] = part
            found = self.compute(full)
            features[start : start + len(part)] = np.asarray(found[0])[: len(part)]
            if logits is not None:
                logits[start : start + len(part)] = np.asarray(found[1])[: len(part)]
        return features, logits


def as_pixels(images: np.ndarray) -> np.ndarray:
    """The images as uint8 (n, h, w, 1 or 3), or a UsageError that says what is wrong with them."""
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape[1:]:
        raise UsageError(
            f"expected images in an array (n, height, width, 1 or 3), found shape {images.shape}."
        )
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise UsageError(
            f"expected images as uint8 in [0, 255] or floats in [-1, 1], found {images.dtype}: "
            "convert them."
        )
    largest = float(np.abs(images).max(initial=0.0))
    if largest > 1 + SLACK:
        raise UsageError(
            f"expected float images in [-1, 1], found values up to {largest:.4g} from 0: "
            "rescale them, or give uint8 in [0, 255]."
        )
    return to_uint8(images)


def hash_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names, shapes and float32 values: equal weights, equal hash, in any file."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name], np.float32)
        digest.update(f"{name} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()
