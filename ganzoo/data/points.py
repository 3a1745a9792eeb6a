"""Toy distributions of points, whose modes are known: what a generator misses can be counted.

`ring` and `grid` follow the protocol of VEEGAN (https://arxiv.org/abs/1705.07761), kept by PacGAN
(https://arxiv.org/abs/1712.04086): equal weights, isotropic normal modes.
"""

from __future__ import annotations

import statistics

import numpy as np

from ganzoo.data.dataset import Dataset, Judging, Modes
from ganzoo.errors import UsageError, unknown
from ganzoo.spec import DataSpec

COUNT = 100_000
FEWER = {"gaussian1d_minus2": 10_000, "screws": 10_000}
"""Those of which an epoch is short: 400 of them are minutes."""
LINE = {"gaussian1d": (4.0, 0.5), "gaussian1d_minus2": (-2.0, 1.0), "screws": (5.0, 0.5)}
"""Mean and deviation of those with one mode on a line."""
JUDGED = 2_500
PROTOCOL = "2,500 points (Srivastava et al. 2017; Lin et al. 2018)"
SEEDS = {"train": 0, "test": 1}

NAMES = {
    "gaussian1d": "numbers from one normal distribution, mean 4, deviation 0.5",
    "gaussian1d_minus2": "numbers from one normal distribution, mean -2, deviation 1",
    "screws": "radii of screws: numbers round 5, deviation 0.5",
    "ring": "2-D points: 8 modes on a circle of radius 1, deviation 0.01",
    "grid": "2-D points: 25 modes on a 5x5 grid of spacing 2, deviation 0.05",
}


def modes(name: str) -> Modes:
    """The modes of the points called `name`, for the metrics that count them.

    >>> modes("grid").centres.shape, modes("ring").sigma
    ((25, 2), 0.01)
    """
    if name in LINE:
        mean, sigma = LINE[name]
        return Modes(np.array([[mean]]), sigma)
    if name == "ring":
        angles = np.arange(8) * (2 * np.pi / 8)
        return Modes(np.stack([np.cos(angles), np.sin(angles)], axis=1), 0.01)
    if name == "grid":
        side = np.arange(-4.0, 5.0, 2.0)
        return Modes(np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2), 0.05)
    raise unknown("set of points with known modes", name, NAMES)


def load(name: str, size: int | None = None, split: str = "train") -> Dataset:
    """100,000 points or `FEWER`, always the same; the test split is another seed."""
    if size is not None:
        raise UsageError(
            f"{name} is made of points, which have no size in pixels: leave --size out."
        )
    points = draw(name, FEWER.get(name, COUNT), SEEDS[split])
    spec = DataSpec(points.shape[1:], range=None, key="point")
    return Dataset(
        name,
        spec,
        {"point": points},
        licence="none: made here",
        source=f"drawn from {NAMES[name]}; Philox seed {SEEDS[split]}",
        judging=judging(name),
    )


def judging(name: str) -> Judging:
    """How the points called `name` are judged: by their modes, over as many as the papers take."""
    if name in LINE:  # ours: no paper counts its one mode
        return Judging(modes=modes(name))
    return Judging(samples=JUDGED, modes=modes(name), protocol=PROTOCOL)


def draw(name: str, n: int, seed: int) -> np.ndarray:
    """n points `(n, dimensions)`, float32, the same bits on every machine and with every NumPy.

    NumPy promises that for Philox's raw words and not for its normal numbers, so these are made
    from the words by the inverse of the distribution function; rounding to float32 hides what C
    libraries differ by.
    """
    centres, sigma = modes(name)
    bits = np.random.Philox(key=seed)
    chosen = (bits.random_raw(n) % np.uint64(len(centres))).astype(np.intp)
    uniform = ((bits.random_raw(n * centres.shape[1]) >> np.uint64(12)) + 0.5) / 2.0**52
    normal = np.fromiter(map(statistics.NormalDist().inv_cdf, uniform.tolist()), np.float64)
    return (centres[chosen] + sigma * normal.reshape(n, -1)).astype(np.float32)
