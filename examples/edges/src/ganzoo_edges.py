"""A metric for ganzoo with features of its own: the Frechet distance of edge histograms.

Histograms of oriented gradients (Dalal & Triggs 2005): where the edges are and where they point.
They need no network and no weights, so the score is the same on every machine.
"""

from __future__ import annotations

import numpy as np

from ganzoo.eval import UnsuitedError
from ganzoo.eval.frechet import frechet_distance

CELLS = 4
DIRECTIONS = 9


class EdgeDistance:
    """Frechet distance of edge histograms."""

    name = "edge_distance"
    better = "lower"

    def __call__(
        self, real: np.ndarray, fake: np.ndarray, *, rng: np.random.Generator
    ) -> dict[str, float]:
        """The distance, and in the details how strong the edges of either side are.

        `real` and `fake` are images (n, h, w, c), uint8. A metric that draws takes `rng`. Raises
        UnsuitedError for points, which `ganzoo eval --all` then leaves out.
        """
        if real.ndim != 4:
            raise UnsuitedError("edge_distance compares images, and these samples are points.")
        ours, theirs = (slopes(images) for images in (real, fake))
        return {
            "distance": frechet_distance(histograms(*ours), histograms(*theirs)),
            "real_strength": float(ours[0].mean()),
            "fake_strength": float(theirs[0].mean()),
        }


def slopes(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Strength, and direction in [0, pi), of the brightness's slope: both (n, h, w)."""
    grey = images.astype(np.float32).mean(-1) / 255
    down, right = np.gradient(grey, axis=(1, 2))
    return np.hypot(down, right), np.arctan2(down, right) % np.pi


def histograms(strength: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Features (n, 144): in each of 4x4 cells, how much slope points in each of 9 directions."""
    n, h, w = strength.shape
    rows, columns = (np.arange(side) * CELLS // side for side in (h, w))
    cell = rows[:, None] * CELLS + columns
    angle = np.minimum((direction * (DIRECTIONS / np.pi)).astype(int), DIRECTIONS - 1)
    bins = CELLS * CELLS * DIRECTIONS
    place = np.arange(n)[:, None, None] * bins + cell * DIRECTIONS + angle
    sums = np.bincount(place.ravel(), strength.ravel(), n * bins).reshape(n, bins)
    return sums / (np.linalg.norm(sums, axis=1, keepdims=True) + 1e-3)  # contrast counts little
