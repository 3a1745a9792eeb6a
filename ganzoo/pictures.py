"""Arrays -> pictures: grids of images, scatter plots of points."""

from __future__ import annotations

import io
import math

import numpy as np

from ganzoo.data import to_uint8
from ganzoo.errors import UsageError

SMALLEST_SIDE = 56
"""Images smaller than this are enlarged by a whole factor, without smoothing."""


def grid(samples: np.ndarray, real: np.ndarray | None = None, columns: int | None = None) -> bytes:
    """A PNG of the samples: images (n, h, w, c) in [-1, 1] or uint8 side by side, or 2-D points.

    One-dimensional points are drawn as a histogram; 1 and 3 channels are grey and colour. With
    `real` points, those lie behind the samples in grey and set the axes, so that the pictures of a
    training can be laid upon each other. `columns` images stand in a row, by default as many as
    rows.
    """
    if samples.ndim == 2:
        return _points(samples, real)
    if samples.ndim != 4 or samples.shape[3] not in (1, 3):
        raise UsageError(
            f"cannot draw samples of shape {samples.shape[1:]}: expected images with "
            "1 or 3 channels, or points."
        )
    images = samples if samples.dtype == np.uint8 else to_uint8(samples)
    n, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    canvas = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, channels), 64, np.uint8)
    for index, image in enumerate(images):
        top = index // columns * (height + 1) + 1
        left = index % columns * (width + 1) + 1
        canvas[top : top + height, left : left + width] = image
    return png(canvas, max(1, -(-SMALLEST_SIDE // height)))


def alike(parts: list[np.ndarray]) -> list[np.ndarray]:
    """Images (n, h, w, 1 or 3) of several kinds as one kind: of the largest sides, by whole
    factors and then cut or filled with grey, and in colour where one of them is."""
    sides = [max(part.shape[i] for part in parts) for i in (1, 2)]
    channels = max(part.shape[3] for part in parts)
    return [_as(part, sides, channels) for part in parts]


def _as(part: np.ndarray, sides: list[int], channels: int) -> np.ndarray:
    factor = max(1, min(side // own for side, own in zip(sides, part.shape[1:3], strict=True)))
    larger = part.repeat(factor, 1).repeat(factor, 2)
    whole = np.zeros((len(part), *sides, channels), np.float32)
    whole[:, : larger.shape[1], : larger.shape[2]] = larger
    return whole


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


def _points(points: np.ndarray, real: np.ndarray | None) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), dpi=100)
    axes = figure.add_subplot()
    clouds = [(points, {})] if real is None else [(real, {"color": "0.8"}), (points, {})]
    if points.shape[1] == 1:
        limits = None if real is None else tuple(frame(real[:, 0]))
        for cloud, style in clouds:
            share = np.full(len(cloud), 1 / len(cloud))
            axes.hist(cloud[:, 0], bins=100, range=limits, weights=share, alpha=0.7, **style)
    else:
        for cloud, style in clouds:
            axes.scatter(cloud[:, 0], cloud[:, 1], s=2, alpha=0.5, **style)
        axes.set_aspect("equal", "datalim" if real is None else "box")
        if real is not None:
            axes.set_xlim(frame(real[:, 0]))
            axes.set_ylim(frame(real[:, 1]))
    if real is not None:
        near = np.stack([_within(points[:, i], real[:, i]) for i in range(min(2, real.shape[1]))])
        if outside := len(points) - int(near.all(0).sum()):
            axes.set_title(f"{outside:,} of {len(points):,} lie outside", fontsize=10)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def frame(values: np.ndarray) -> tuple[float, float]:
    """The range of the values, wider by a quarter on both sides."""
    low, high = float(values.min()), float(values.max())
    margin = 0.25 * (high - low) or 1.0
    return low - margin, high + margin


def _within(values: np.ndarray, real: np.ndarray) -> np.ndarray:
    low, high = frame(real)
    return (low <= values) & (values <= high)
