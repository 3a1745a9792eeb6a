"""Sliced Wasserstein distance of points, and of images by patches of a Laplacian pyramid."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ganzoo.errors import UsageError
from ganzoo.eval import arrays

TAPS = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
AT_ONCE = 16  # projections held in memory together


def sliced_wasserstein(
    real: np.ndarray, fake: np.ndarray, *, rng: np.random.Generator, projections: int = 512
) -> float:
    """Mean over random unit directions of the 1-Wasserstein distance of the projections.

    Rabin et al. 2011, with |.| as in Karras et al. 2018. Vectors (n, d) and (m, d); where n and m
    differ, the distance is that of the two quantile functions.
    """
    real, fake = arrays.vector_pair(real, fake)
    if projections < 1:
        raise UsageError(f"expected 1 projection or more, found {projections}.")
    directions = rng.standard_normal((real.shape[1], projections))
    directions /= np.linalg.norm(directions, axis=0)
    parts = np.array_split(directions, -(-projections // AT_ONCE), axis=1)
    return sum(float(_wasserstein(real @ u, fake @ u).sum()) for u in parts) / projections


def image_swd(
    real: np.ndarray,
    fake: np.ndarray,
    *,
    rng: np.random.Generator,
    smallest: int = 16,
    patch: int = 7,
    patches_per_image: int = 16,
    projections: int = 512,
) -> dict[str, float]:
    """`swd_32`, `swd_16`, ... and their mean `swd`, times 1000 (Karras et al. 2018, section 5).

    Images (n, height, width, channels) in one range; one value for each level of the pyramid,
    named by its shorter side, down to `smallest` pixels, the last level being the low-pass rest.
    The paper cuts 128 patches from each of 16,384 images; fewer need less memory and raise the
    floor between two sets of reals, so the count belongs to the protocol.

    Patches are divided by their set's own mean and deviation of each channel, as in the paper: a
    change of brightness or contrast of all images alone is not seen. Unlike in its code, both
    sets are cut at the same random places, so that a set is at distance 0 from itself.
    """
    real, fake = arrays.images(real, "real"), arrays.images(fake, "fake")
    if real.shape[1:] != fake.shape[1:]:
        raise UsageError(
            f"expected real and fake images of one size, found {real.shape[1:]} and "
            f"{fake.shape[1:]}."
        )
    side = min(real.shape[1:3])
    if patch % 2 == 0 or side < patch or smallest < patch:
        raise UsageError(
            f"expected an odd patch of at most {min(side, smallest)} pixels, found {patch}."
        )
    levels = 1
    while side >> levels >= smallest:
        levels += 1
    scores = {}
    for a, b in zip(laplacian_pyramid(real, levels), laplacian_pyramid(fake, levels), strict=True):
        n = max(len(a), len(b)) * patches_per_image
        y, x = (rng.integers(0, size - patch + 1, n) for size in a.shape[1:3])
        a, b = (_patches(images, y, x, patch, patches_per_image) for images in (a, b))
        distance = sliced_wasserstein(a, b, rng=rng, projections=projections)
        scores[f"swd_{side >> len(scores)}"] = 1e3 * distance
    return scores | {"swd": float(np.mean(list(scores.values())))}


def laplacian_pyramid(images: np.ndarray, levels: int) -> list[np.ndarray]:
    """Burt and Adelson 1983: what each halving loses, from fine to coarse, then the rest."""
    pyramid = [np.asarray(images, np.float32)]
    for _ in range(levels - 1):
        small = _smooth(pyramid[-1], 1)[:, ::2, ::2]
        large = np.zeros_like(pyramid[-1])
        large[:, ::2, ::2] = small
        pyramid[-1] = pyramid[-1] - _smooth(large, 2)
        pyramid.append(small)
    return pyramid


def _smooth(images: np.ndarray, gain: float) -> np.ndarray:
    for axis in (1, 2):
        images = ndimage.convolve1d(images, gain * TAPS, axis=axis, mode="mirror")
    return images


def _patches(images: np.ndarray, y: np.ndarray, x: np.ndarray, size: int, each: int) -> np.ndarray:
    """Patches (n * each, size * size * channels) at corners (y, x), normalised by channel."""
    n = np.repeat(np.arange(len(images)), each)
    windows = np.lib.stride_tricks.sliding_window_view(images, (size, size), axis=(1, 2))
    cut = windows[n, y[: len(n)], x[: len(n)]]  # (patches, channels, size, size)
    mean = cut.mean((0, 2, 3), dtype=np.float64, keepdims=True)
    std = cut.std((0, 2, 3), dtype=np.float64, keepdims=True)
    return ((cut - mean) / np.where(std > 0, std, 1)).reshape(len(cut), -1)


def _wasserstein(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """W1 of each column: the exact integral of the difference of quantile functions."""
    a, b = np.sort(a, axis=0), np.sort(b, axis=0)
    n, m = len(a), len(b)
    if n == m:
        return np.abs(a - b).mean(0)
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)  # in units of 1 / (n m)
    width = np.diff(ends, prepend=0) / (n * m)
    return width @ np.abs(a[(ends - 1) // m] - b[(ends - 1) // n])
