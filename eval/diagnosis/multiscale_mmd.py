"""How far two sets of points lie apart, from their whole extent down to their finest structure."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.distance import cdist

NEIGHBOUR = 5
LEVELS = 10


class MultiscaleMMD:
    """Squared MMD to fixed reals under Gaussian kernels of several widths.

    The mean over widths of E k(x, x') + E k(y, y') - 2 E k(x, y) (Gretton et al. 2012, equation 5,
    the biased estimate: at least 0, and 0 of a set with itself). The widths halve from the reals'
    median distance down to that of their 5th neighbours, so that a cloud of the same mean and
    covariance as eight blobs is far from them, which no Frechet distance sees.
    """

    def __init__(self, real: np.ndarray):
        self.real = np.asarray(real, np.float64)
        own = cdist(self.real, self.real, "sqeuclidean")
        apart = own[~np.eye(len(own), dtype=bool)]
        self.width = math.sqrt(np.median(apart)) or 1.0
        near = np.partition(own, min(NEIGHBOUR, len(own) - 1), axis=1)
        finest = math.sqrt(np.median(near[:, min(NEIGHBOUR, len(own) - 1)]))
        halvings = math.ceil(math.log2(self.width / finest)) if finest else LEVELS
        self.levels = min(1 + max(0, halvings), LEVELS)
        self.own = self._kernel(own)

    def mmd2(self, points: np.ndarray) -> float:
        """The distance of points (n, d) to the reals: 0 for the same set, below 2 for any."""
        points = np.asarray(points, np.float64)
        within = self._kernel(cdist(points, points, "sqeuclidean"))
        across = self._kernel(cdist(points, self.real, "sqeuclidean"))
        return max(0.0, self.own + within - 2 * across)

    def _kernel(self, squared: np.ndarray) -> float:
        """The mean of the kernels over all pairs; half the width is the kernel's fourth power."""
        k = np.exp(squared / (-2 * self.width**2))
        total = k.mean()
        for _ in range(self.levels - 1):
            k *= k
            k *= k
            total += k.mean()
        return float(total / self.levels)
