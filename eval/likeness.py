"""How alike two images are: the ratio of peak to noise, and structural similarity."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ganzoo.errors import UsageError
from ganzoo.eval import arrays

WINDOW, SIGMA = 11, 1.5  # Wang et al. 2004, section 3.2.1
K1, K2 = 0.01, 0.03  # the same, section 4.1
BATCH = 64


def psnr(a: np.ndarray, b: np.ndarray, *, data_range: float) -> np.ndarray:
    """10 log10(range^2 / mean squared error) (n,) of each pair, in dB; infinite for equal images.

    >>> float(psnr(np.zeros((1, 8, 8, 1)), np.full((1, 8, 8, 1), 0.1), data_range=1).round(6)[0])
    20.0
    """
    a, b = in_pairs(a, b, data_range)
    parts = range(0, len(a), BATCH)
    error = [
        np.square(a[i : i + BATCH].astype(np.float64) - b[i : i + BATCH]).mean((1, 2, 3))
        for i in parts
    ]
    with np.errstate(divide="ignore"):
        return 10 * np.log10(data_range**2 / np.concatenate(error))


def ssim(a: np.ndarray, b: np.ndarray, *, data_range: float) -> np.ndarray:
    """SSIM (n,) of each pair (Wang et al. 2004, equation 13, with alpha = beta = gamma = 1).

    Means over all places where the Gaussian window of 11x11 lies inside the image; below 11 pixels
    it shrinks with its sigma. Channels are compared one by one and averaged.
    """
    a, b = in_pairs(a, b, data_range)
    taps = gaussian(*window(*a.shape[1:3]))
    found = []
    for i in range(0, len(a), BATCH):
        parts = (x[i : i + BATCH].astype(np.float64) for x in (a, b))
        luminance, structure = ssim_maps(*parts, data_range, taps)
        found.append((luminance * structure).mean((1, 2, 3)))
    return np.concatenate(found)


def window(height: int, width: int) -> tuple[int, float]:
    """Places and sigma of the window for such images.

    >>> window(28, 28), window(8, 9)
    ((11, 1.5), (7, 0.9545454545454546))
    """
    side = min(height, width)
    places = min(WINDOW, side - 1 + side % 2)
    return places, SIGMA * places / WINDOW


def ssim_maps(
    a: np.ndarray, b: np.ndarray, data_range: float, taps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The luminance, and the contrast times structure, of each window (Wang 2003, eqs. 1 to 5)."""
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    mu_a, mu_b = _blur(a, taps), _blur(b, taps)
    var = _blur(a * a + b * b, taps) - mu_a**2 - mu_b**2
    cov = _blur(a * b, taps) - mu_a * mu_b
    luminance = (2 * mu_a * mu_b + c1) / (mu_a**2 + mu_b**2 + c1)
    return luminance, (2 * cov + c2) / (var + c2)


def _blur(x: np.ndarray, taps: np.ndarray) -> np.ndarray:
    """Only where the whole window lies inside the image."""
    margin = len(taps) // 2
    for axis in (1, 2):
        x = ndimage.correlate1d(x, taps, axis=axis)
    return x[:, margin : x.shape[1] - margin, margin : x.shape[2] - margin]


def gaussian(places: int, sigma: float) -> np.ndarray:
    """The window along one axis; its sum is 1."""
    taps = np.exp(-((np.arange(places) - places // 2) ** 2) / (2 * sigma**2))
    return taps / taps.sum()


def in_pairs(a: np.ndarray, b: np.ndarray, data_range: float) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of images (n, height, width, channels) from 0 to the range, of one shape."""
    a, b = (in_range(x, name, data_range, 1) for x, name in ((a, "first"), (b, "second")))
    if a.shape != b.shape:
        raise UsageError(f"expected pairs of images of one shape, found {a.shape} and {b.shape}.")
    return a, b


def in_range(images: np.ndarray, name: str, data_range: float, at_least: int) -> np.ndarray:
    """Images, at least so many, from 0 to the range; UsageError for others."""
    images = arrays.images(images, name, at_least=at_least)
    if not data_range > 0 or images.min() < 0 or images.max() > data_range:
        raise UsageError(
            f"expected {name} images from 0 to the given range {data_range}, found values from "
            f"{images.min()} to {images.max()}: shift them, or name their range."
        )
    return images
