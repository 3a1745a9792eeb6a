"""The Wasserstein distance of two sets of numbers, exactly."""

from __future__ import annotations

import numpy as np

from ganzoo.errors import UsageError
from ganzoo.eval import arrays


def wasserstein(real: np.ndarray, fake: np.ndarray) -> float:
    """W1, the least mean distance that numbers must be moved: the area between both distribution
    functions, in the unit of the numbers (Ramdas et al. 2017, proposition 1; in SciPy).

    Numbers (n, 1) and (m, 1), every one equally heavy; n and m may differ. Raises UsageError for
    vectors of more dimensions: their optimal plan is another problem, and `swd` is near it.

    >>> wasserstein(np.array([[0.0], [1.0]]), np.array([[5.0], [6.0], [5.0], [6.0]]))
    5.0
    """
    from scipy import stats

    real, fake = arrays.vector_pair(real, fake)
    if real.shape[1] != 1:
        raise UsageError(f"expected numbers (n, 1), found vectors of {real.shape[1]} dimensions.")
    return float(stats.wasserstein_distance(real[:, 0], fake[:, 0]))
