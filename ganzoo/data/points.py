"""Mixtures of Gaussians whose modes are known: a Gaussian on a line, a ring of 8, a grid of 25.

Ring and grid follow the protocol of VEEGAN (Srivastava et al. 2017) and PacGAN (Lin et al. 2018).
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ganzoo.data.dataset import Dataset
from ganzoo.errors import UsageError, unknown
from ganzoo.spec import DataSpec

POINTS = 100_000
SEEDS = {"train": 0, "test": 1}


class Modes(NamedTuple):
    """Centres (k, d), float64, all equally likely, and the standard deviation around each."""

    centres: np.ndarray
    sigma: float


def modes(name: str) -> Modes:
    """The modes of `gaussian1d`, `ring` or `grid`, for an evaluation that counts the missing ones.

    >>> modes("ring").centres.shape, modes("grid").sigma
    ((8, 2), 0.05)
    """
    if name == "gaussian1d":
        return Modes(np.array([[4.0]]), 1.25)
    if name == "ring":
        angles = 2 * np.pi * np.arange(8) / 8
        return Modes(np.stack([np.cos(angles), np.sin(angles)], axis=1), 0.01)
    if name == "grid":
        ticks = 2.0 * np.arange(-2, 3)
        return Modes(np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2), 0.05)
    raise unknown("mixture of points", name, ["gaussian1d", "ring", "grid"])


def load(name: str, *, size: int | None, split: str, root: Path | None) -> Dataset:
    """100,000 points; the test split is as many more, from another seed."""
    if size is not None:
        raise UsageError(f"{name} is made of points, which have no size: leave --size {size} out.")
    points = draw(name, POINTS, SEEDS[split])
    spec = DataSpec(points.shape[1:], range=None, key="point")
    return Dataset(name, spec, {"point": points}, licence="none needed: it is computed",
                   source=f"{POINTS:,} points drawn with Philox, seed {SEEDS[split]}")


def draw(name: str, n: int, seed: int) -> np.ndarray:
    """n points, float32, that are the same bits on every machine and with every NumPy.

    NumPy promises that of raw Philox words only, so normals come from those by the inverse of the
    distribution function, and rounding to float32 hides a last bit of the C library's logarithm.
    """
    centres, sigma = modes(name)
    bits = np.random.Philox(key=seed)
    mode = (bits.random_raw(n) % np.uint64(len(centres))).astype(np.intp)
    uniform = ((bits.random_raw(n * centres.shape[1]) >> np.uint64(11)) + 0.5) / 2.0**53
    normal = np.fromiter(map(statistics.NormalDist().inv_cdf, uniform.tolist()), np.float64)
    return (centres[mode] + sigma * normal.reshape(n, -1)).astype(np.float32)
