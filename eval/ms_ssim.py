"""Multi-scale structural similarity (Wang et al. 2003), and the likeness of random pairs."""

from __future__ import annotations

import numpy as np

from ganzoo.errors import UsageError
from ganzoo.eval import likeness
from ganzoo.eval.likeness import BATCH

WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])  # Wang et al. 2003, section 3.2


def protocol(height: int, width: int) -> dict:
    """The scales, weights and window used for such images: all five from 176 pixels on.

    A smaller image gets as many scales as keep its shorter side at 11 pixels or more, and the
    first weights scaled to the five's sum; below 11 pixels the window shrinks with its sigma.

    >>> protocol(28, 28)["scales"], protocol(176, 200)["scales"]
    (2, 5)
    """
    side = min(height, width)
    scales = 1
    while scales < len(WEIGHTS) and side >> scales >= likeness.WINDOW:
        scales += 1
    weights = WEIGHTS[:scales] * (WEIGHTS.sum() / WEIGHTS[:scales].sum())
    window, sigma = likeness.window(height, width)
    return {
        "scales": scales,
        "weights": weights.tolist(),
        "window": window,
        "sigma": sigma,
    }


def ms_ssim(a: np.ndarray, b: np.ndarray, *, data_range: float) -> np.ndarray:
    """MS-SSIM (n,) of images a and b (n, height, width, channels) from 0 to `data_range`.

    Wang et al. 2003, equation 7, with alpha = beta = gamma; negative terms count as 0, halving is
    by means of 2 x 2 pixels, channels are compared one by one and averaged.
    """
    a, b = likeness.in_pairs(a, b, data_range)
    settings = protocol(*a.shape[1:3])
    parts = range(0, len(a), BATCH)
    return np.concatenate(
        [_ms_ssim(a[i : i + BATCH], b[i : i + BATCH], data_range, settings) for i in parts]
    )


def ms_ssim_diversity(
    images: np.ndarray, *, data_range: float, rng: np.random.Generator, pairs: int = 1000
) -> dict[str, float]:
    """Mean and deviation (`ms_ssim`, `ms_ssim_std`) over random pairs of different images.

    1 is one image over and over; compare with the same score of real images (Odena et al. 2017,
    section 4.2, who take the pairs within a class: give one class at a time for that).
    """
    images = likeness.in_range(images, "sample", data_range, 2)
    if pairs < 1:
        raise UsageError(f"expected 1 pair or more, found {pairs}.")
    first = rng.integers(0, len(images), pairs)
    second = (first + rng.integers(1, len(images), pairs)) % len(images)
    values = ms_ssim(images[first], images[second], data_range=data_range)
    return {"ms_ssim": float(values.mean()), "ms_ssim_std": float(values.std())}


def _ms_ssim(a: np.ndarray, b: np.ndarray, data_range: float, settings: dict) -> np.ndarray:
    a, b = a.astype(np.float64), b.astype(np.float64)
    taps = likeness.gaussian(settings["window"], settings["sigma"])
    result = 1.0
    for j, weight in enumerate(settings["weights"], start=1):
        luminance, structure = likeness.ssim_maps(a, b, data_range, taps)
        last = j == settings["scales"]
        term = (luminance * structure if last else structure).mean((1, 2))
        result = result * np.maximum(term, 0) ** weight
        a, b = _halve(a), _halve(b)
    return result.mean(1)


def _halve(x: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels; an odd side repeats its last line."""
    x = np.pad(x, [(0, 0), (0, x.shape[1] % 2), (0, x.shape[2] % 2), (0, 0)], mode="symmetric")
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4
