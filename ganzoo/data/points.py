"""Toy distributions of points, whose modes are known: what a generator misses can be counted.

`ring` and `grid` follow the protocol of VEEGAN (https://arxiv.org/abs/1705.07761), kept by PacGAN
(https://arxiv.org/abs/1712.04086): equal weights, isotropic normal modes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ganzoo.data.dataset import Dataset
from ganzoo.errors import UsageError, unknown
from ganzoo.spec import DataSpec

COUNT = 100_000
SEEDS = {"train": 0, "test": 1}

NAMES = {
    "gaussian1d": "numbers from one normal distribution, mean 4, deviation 0.5",
    "ring": "2-D points: 8 modes on a circle of radius 1, deviation 0.01",
    "grid": "2-D points: 25 modes on a 5x5 grid of spacing 2, deviation 0.05",
}


class Modes(NamedTuple):
    """The truth about a mixture: where its equally likely normal modes are, and how wide."""

    centres: np.ndarray
    """`(modes, dimensions)`, float64."""
    sigma: float


def modes(name: str) -> Modes:
    """The modes of the points called `name`, for the metrics that count them.

    >>> modes("grid").centres.shape, modes("ring").sigma
    ((25, 2), 0.01)
    """
    if name == "gaussian1d":
        return Modes(np.array([[4.0]]), 0.5)
    if name == "ring":
        angles = np.arange(8) * (2 * np.pi / 8)
        return Modes(np.stack([np.cos(angles), np.sin(angles)], axis=1), 0.01)
    if name == "grid":
        side = np.arange(-4.0, 5.0, 2.0)
        return Modes(np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2), 0.05)
    raise unknown("set of points with known modes", name, NAMES)


def load(name: str, size: int | None = None, split: str = "train") -> Dataset:
    """100,000 points, always the same; the test split is another seed."""
    centres, sigma = modes(name)
    if size is not None:
        raise UsageError(
            f"{name} is made of points, which have no size in pixels: leave --size out."
        )
    rng = np.random.Generator(np.random.Philox(SEEDS[split]))
    chosen = rng.integers(len(centres), size=COUNT)
    noise = rng.standard_normal((COUNT, centres.shape[1]))
    points = (centres[chosen] + sigma * noise).astype(np.float32)
    spec = DataSpec(points.shape[1:], range=None, key="point")
    return Dataset(
        name,
        spec,
        {"point": points},
        licence="none: made here",
        source=f"drawn from {NAMES[name]}; Philox seed {SEEDS[split]}",
    )
