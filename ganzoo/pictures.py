"""Arrays -> pictures: grids of images, scatter plots of points."""

from __future__ import annotations

import io
import math

import numpy as np

from ganzoo.data import to_uint8
from ganzoo.errors import UsageError

SMALLEST_SIDE = 56
"""Images smaller than this are enlarged by a whole factor, without smoothing."""


def grid(samples: np.ndarray) -> bytes:
    """A PNG of the samples: images (n, h, w, c) in [-1, 1] or uint8 side by side, or 2-D points.

    One-dimensional points are drawn as a histogram; 1 and 3 channels are grey and colour.
    """
    if samples.ndim == 2:
        return _points(samples)
    if samples.ndim != 4 or samples.shape[3] not in (1, 3):
        raise UsageError(
            f"cannot draw samples of shape {samples.shape[1:]}: expected images with "
            "1 or 3 channels, or points."
        )
    images = samples if samples.dtype == np.uint8 else to_uint8(samples)
    n, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    canvas = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, channels), 64, np.uint8)
    for index, image in enumerate(images):
        top = index // columns * (height + 1) + 1
        left = index % columns * (width + 1) + 1
        canvas[top : top + height, left : left + width] = image
    return png(canvas, max(1, -(-SMALLEST_SIDE // height)))


def png(image: np.ndarray, factor: int = 1) -> bytes:
    """An (h, w, 1 or 3) uint8 image as PNG, enlarged by a whole factor."""
    from PIL import Image

    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    if factor > 1:
        picture = picture.resize(
            (picture.width * factor, picture.height * factor), Image.Resampling.NEAREST
        )
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _points(points: np.ndarray) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), dpi=100)
    axes = figure.add_subplot()
    if points.shape[1] == 1:
        axes.hist(points[:, 0], bins=100)
    else:
        axes.scatter(points[:, 0], points[:, 1], s=2, alpha=0.5)
        axes.set_aspect("equal", "datalim")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
