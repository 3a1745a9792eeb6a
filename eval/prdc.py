"""Precision and recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al. 2020)."""

from __future__ import annotations

import numpy as np

from ganzoo.errors import UsageError
from ganzoo.eval import arrays
from ganzoo.eval.distances import ENTRIES, squared_distances

ROUNDING = 1e-9  # of one distance in two blocks, whose last digits may differ: still a tie


def prdc(
    real: np.ndarray, fake: np.ndarray, *, k: int = 5, entries: int = ENTRIES
) -> dict[str, float]:
    """The four scores of features (n, d) and (m, d), with balls to the k-th nearest neighbour.

    precision: fakes inside some real ball; recall: reals inside some fake ball (Kynkaanniemi et
    al. 2019, equation 2); coverage: real balls that hold a fake (Naeem et al. 2020, equation 5).
    Balls are closed, as in Kynkaanniemi's equation 1, so that a ball of k duplicates, whose
    radius is 0, still holds what is equal to them.

    density: the mean number of real balls around a fake, each over the number of reals in it
    (Naeem et al. 2020, equation 4). There the balls are open unless their radius is 0: without
    ties they hold exactly k reals, so this is the paper's formula and its code, and whatever the
    ties, the density of a set against itself is 1.

    No matrix of all distances is held, only blocks of `entries` of them.
    """
    real, fake = arrays.vector_pair(real, fake)
    n = min(len(real), len(fake))
    if not 1 <= k < n:
        raise UsageError(f"expected k from 1 to {n - 1}, below the sample counts, found {k}.")
    real_r2, inside = _radii(real, k, entries)
    fake_r2, _ = _radii(fake, k, entries)
    precise = np.zeros(len(fake), bool)
    recalled, covered = np.zeros(len(real), bool), np.zeros(len(real), bool)
    density = 0.0
    for rows, d2 in squared_distances(real, fake, entries=entries):
        r2 = real_r2[rows, None]
        closed = _in_closed(d2, r2)
        precise |= closed.any(0)
        covered[rows] = closed.any(1)
        recalled[rows] = _in_closed(d2, fake_r2).any(1)
        density += float((_in_open(d2, r2).sum(1) / inside[rows]).sum())
    return {
        "precision": float(precise.mean()),
        "recall": float(recalled.mean()),
        "density": density / len(fake),
        "coverage": float(covered.mean()),
    }


def _radii(x: np.ndarray, k: int, entries: int) -> tuple[np.ndarray, np.ndarray]:
    """Squared distance to the k-th neighbour but itself, and the members of that open ball."""
    r2, inside = np.empty(len(x)), np.empty(len(x))
    for rows, d2 in squared_distances(x, x, entries=entries):
        r2[rows] = np.partition(d2, k, axis=1)[:, k]  # place 0 is the vector itself
        inside[rows] = _in_open(d2, r2[rows, None]).sum(1)
    return r2, inside


def _in_closed(d2: np.ndarray, r2: np.ndarray) -> np.ndarray:
    return d2 <= r2 * (1 + ROUNDING)


def _in_open(d2: np.ndarray, r2: np.ndarray) -> np.ndarray:
    return (d2 < r2 * (1 - ROUNDING)) | (d2 == 0)
