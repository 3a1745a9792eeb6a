"""Extractors without a network of their own: the values themselves, and channel by channel."""

from __future__ import annotations

import numpy as np

from ganzoo.eval.extractor import Extractor, as_pixels


class RawValues(Extractor):
    """Points are their own features."""

    name, sha256, preprocessing = "raw values", "", "none"

    def __init__(self, dim: int):
        self.dim = dim

    @property
    def label(self) -> str:
        """There are no weights to hash."""
        return self.name

    def compute(self, images: np.ndarray) -> tuple[np.ndarray, None]:
        """The points themselves."""
        return images, None

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, None]:
        """Points (n, d), as float32."""
        return np.asarray(images, np.float32).reshape(len(images), -1), None


class NoFeatures(Extractor):
    """For metrics of pixels alone: one constant, at no cost."""

    name, sha256, preprocessing, dim = "no features", "", "none", 1

    def compute(self, images: np.ndarray) -> tuple[np.ndarray, None]:
        """Zeros (n, 1)."""
        return np.zeros((len(images), 1), np.float32), None

    __call__ = compute


class Negative(Extractor):
    """An extractor that sees bright on dark what is dark on bright."""

    def __init__(self, positive: Extractor):
        self.positive = positive
        self.name, self.sha256 = f"{positive.name} of negatives", positive.sha256
        self.dim, self.classes = positive.dim, positive.classes
        self.preprocessing = f"255 - x: {positive.preprocessing}"

    def compute(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """As of the other extractor, for uint8 images (n, h, w, c)."""
        return self.positive(255 - as_pixels(images))

    __call__ = compute


class PerChannel(Extractor):
    """A grey extractor on each channel of colour images: features (n, 3 d), logits (n, 3 classes).

    For stacked digits, whose channels are three images.
    """

    def __init__(self, grey: Extractor, channels: int = 3):
        self.grey, self.channels = grey, channels
        self.name, self.sha256 = f"{grey.name} per channel", grey.sha256
        self.dim = channels * grey.dim
        self.classes = channels * grey.classes if grey.classes else None
        self.preprocessing = f"each channel as a grey image: {grey.preprocessing}"

    def compute(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The channels' features side by side."""
        return self(images)

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """As of the grey extractor, for images (n, h, w, channels)."""
        parts = [self.grey(images[..., i : i + 1]) for i in range(self.channels)]
        features = np.concatenate([part[0] for part in parts], axis=1)
        if self.classes is None:
            return features, None
        return features, np.concatenate([part[1] for part in parts], axis=1)
