"""Real handwritten digits that come with scikit-learn: what a machine without network trains on."""

from __future__ import annotations

import numpy as np

from ganzoo.data import scikit_learn
from ganzoo.data.dataset import Dataset, Judging
from ganzoo.data.resize import check_size, resize
from ganzoo.spec import DataSpec

NAMES = {
    "digits": "1,797 real handwritten digits, 8x8 resized to 16x16; embedded, needs no network"
}
SIZE = 16
HELD_OUT = 0.2


def load(name: str = "digits", size: int | None = None, split: str = "train") -> Dataset:
    """The 8x8 digits of scikit-learn, resized to 16x16; the last 20 % are the test split.

    The last fifth was written by other people than the first (the UCI file is ordered by writer).
    """
    check_size(size)
    raw = scikit_learn.datasets(name).load_digits()
    cut = len(raw.images) - int(HELD_OUT * len(raw.images))
    part = slice(None, cut) if split == "train" else slice(cut, None)
    pixels = np.rint(raw.images[part] * (255 / 16)).astype(np.uint8)[..., None]
    # Bicubic: at 8x8 the wider Lanczos kernel draws visible rings around the strokes.
    images = resize(pixels, size or SIZE, method="bicubic")
    labels = raw.target[part].astype(np.int32)
    return Dataset(
        name,
        DataSpec(images.shape[1:], classes=10),
        {"image": images, "label": labels},
        licence="CC BY 4.0 (UCI, Optical Recognition of Handwritten Digits)",
        source="embedded in scikit-learn",
        class_names=tuple("0123456789"),
        judging=Judging(extractor="mnist"),  # its classifier saw other digits: neighbours vote
    )
