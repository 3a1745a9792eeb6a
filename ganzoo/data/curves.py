"""Points along curves in the plane, as scikit-learn makes them: no modes, a shape to keep."""

from __future__ import annotations

import numpy as np

from ganzoo.data import scikit_learn
from ganzoo.data.dataset import Dataset, Judging
from ganzoo.errors import UsageError, unknown
from ganzoo.spec import DataSpec

COUNT = 100_000
SEEDS = {"train": 0, "test": 1}
JUDGING = Judging(samples=2_500, protocol="2,500 points, as many as of ring and grid")
NAMES = {
    "swissroll": "2-D points: scikit-learn's Swiss roll from the side, over 10, deviation 0.05",
    "moons": "2-D points: scikit-learn's two interleaved half circles, deviation 0.05",
}


def load(name: str, size: int | None = None, split: str = "train") -> Dataset:
    """100,000 points (n, 2) float32, always the same; the test split is another seed.

    Raises UsageError where a size is asked for, GanzooError without scikit-learn.
    """
    if size is not None:
        raise UsageError(
            f"{name} is made of points, which have no size in pixels: leave --size out."
        )
    return Dataset(
        name,
        DataSpec((2,), range=None, key="point"),
        {"point": draw(name, COUNT, SEEDS[split])},
        licence="none: made here",
        source=f"{NAMES[name]}; its random_state {SEEDS[split]}",
        judging=JUDGING,
    )


def draw(name: str, n: int, seed: int) -> np.ndarray:
    """n points (n, 2), float32; the same for the same seed: NumPy has frozen that generator."""
    if name == "moons":
        points, _ = scikit_learn.datasets(name).make_moons(n, noise=0.05, random_state=seed)
    elif name == "swissroll":
        roll, _ = scikit_learn.datasets(name).make_swiss_roll(n, noise=0.5, random_state=seed)
        points = roll[:, [0, 2]] / 10
    else:
        raise unknown("curve of points", name, NAMES)
    return points.astype(np.float32)
