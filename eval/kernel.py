"""Kernel Inception distance: the unbiased squared MMD of features under a cubic kernel."""

from __future__ import annotations

import numpy as np

from ganzoo.errors import UsageError
from ganzoo.eval import arrays

ROWS = 1024


def mmd2(real: np.ndarray, fake: np.ndarray) -> float:
    """Unbiased MMD^2 of features (n, d) and (m, d) with k(x, y) = (x . y / d + 1)^3.

    E k(x, x') + E k(y, y') - 2 E k(x, y) over different samples (Binkowski et al. 2018,
    equation 4). Being unbiased it may be negative, and is so half of the time where both sets
    come from one distribution.
    """
    real, fake = arrays.vector_pair(real, fake)
    return _within(real) + _within(fake) - 2 * _sum(real, fake) / (len(real) * len(fake))


def kernel_distance(
    real: np.ndarray,
    fake: np.ndarray,
    *,
    rng: np.random.Generator,
    subsets: int = 100,
    subset_size: int = 1000,
) -> dict[str, float]:
    """Mean and standard deviation (`kid`, `kid_std`) of MMD^2 over random subsets of both sets.

    Binkowski et al. 2018, section 4; subsets are drawn without replacement, as in the authors'
    code. The deviation is that of one subset's estimate and not the error of the mean.
    """
    real, fake = arrays.vector_pair(real, fake)
    n = min(len(real), len(fake))
    if subsets < 1 or not 2 <= subset_size <= n:
        raise UsageError(
            f"expected 1 subset or more, of 2 to {n} samples (all that there are), "
            f"found {subsets} of {subset_size}."
        )
    estimates = [
        mmd2(
            real[rng.choice(len(real), subset_size, replace=False)],
            fake[rng.choice(len(fake), subset_size, replace=False)],
        )
        for _ in range(subsets)
    ]
    return {"kid": float(np.mean(estimates)), "kid_std": float(np.std(estimates))}


def _within(x: np.ndarray) -> float:
    n = len(x)
    diagonal = ((x * x).sum(1) / x.shape[1] + 1) ** 3
    return (_sum(x, x) - diagonal.sum()) / (n * (n - 1))


def _sum(x: np.ndarray, y: np.ndarray) -> float:
    """The kernel matrix's sum, a few rows at a time; products are much faster than a power."""
    blocks = (x[i : i + ROWS] @ y.T / x.shape[1] + 1 for i in range(0, len(x), ROWS))
    return sum(float(np.vdot(k * k, k)) for k in blocks)
