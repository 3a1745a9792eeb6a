"""The data of the GAN that is worked by hand: two positive numbers, and others for testing."""

from __future__ import annotations

import numpy as np

from ganzoo.data.dataset import Dataset, Judging
from ganzoo.errors import UsageError
from ganzoo.spec import DataSpec

NAMES = {"positive": "the numbers 1 and 2; in the test split 0.5, 1.5 and 2.5"}
NUMBERS = {"train": (1.0, 2.0), "test": (0.5, 1.5, 2.5)}
"""The same mean in both splits: all of a number's place that a linear discriminator can see."""


def load(name: str = "positive", size: int | None = None, split: str = "train") -> Dataset:
    """Two numbers (2, 1) float32 to train on, three others (3, 1) in the test split.

    Raises UsageError where a size is asked for.
    """
    if size is not None:
        raise UsageError(f"{name} is made of numbers, which have no size: leave --size out.")
    return Dataset(
        name,
        DataSpec((1,), range=None, key="point"),
        {"point": np.array(NUMBERS[split], np.float32)[:, None]},
        licence="none: made here",
        source=NAMES[name],
        judging=Judging(samples=2),  # a linear generator of two given numbers makes no more
    )
