"""Scikit-learn's embedded handwritten digits: 1,797 of 8x8, for a machine that has nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ganzoo.data import pixels
from ganzoo.data.dataset import Dataset
from ganzoo.spec import DataSpec

SIZE = 16  # the smallest side that the convolutional plugins make
TEST_PART = 5  # one in five, the last of them: other writers than the first


def load(name: str, *, size: int | None, split: str, root: Path | None) -> Dataset:
    """The digits, enlarged to 16x16 (or `size`); the last 359 are the test split."""
    pixels.check_size(size)
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., None]
    cut = len(images) - len(images) // TEST_PART
    part = slice(cut, None) if split == "test" else slice(cut)
    images = pixels.resize(images[part], size or SIZE)
    arrays = {"image": images, "label": digits.target[part].astype(np.int32)}
    return Dataset(
        name, DataSpec(images.shape[1:], classes=10), arrays,
        licence="CC BY 4.0 (E. Alpaydin and C. Kaynak, UCI repository, 1998)",
        source="sklearn.datasets.load_digits", class_names=tuple("0123456789"))
