"""Distances between all pairs of two sets of vectors, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

ENTRIES = 2**22  # of a block: 32 MiB
# Squared distances below this share of the squared norms are 0: there |x|^2 - 2 x.y + |y|^2 holds
# little but its own rounding error. float32 features of equal images differ by less as well.
RESOLUTION = 1e-13


def squared_distances(
    x: np.ndarray, y: np.ndarray, *, entries: int = ENTRIES
) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows of x and their squared Euclidean distances to all of y, in blocks (rows, len(y)).

    Norms are taken from the mean of y, for vectors far from the origin. Equal vectors are at
    distance 0 exactly, and so are those that differ by 3e-7 of their norms or less.
    """
    origin = y.mean(0)
    y = y - origin
    y2 = np.einsum("ij,ij->i", y, y)
    step = max(1, entries // len(y))
    for start in range(0, len(x), step):
        rows = slice(start, min(start + step, len(x)))
        block = x[rows] - origin
        x2 = np.einsum("ij,ij->i", block, block)[:, None]
        block *= -2
        d2 = block @ y.T
        d2 += x2
        d2 += y2
        d2[d2 <= 2 * RESOLUTION * x2] = 0  # where d2 is so small, |y|^2 is |x|^2
        yield rows, d2
