"""A data set for ganzoo: circles, squares and triangles, drawn here, the same on every machine."""

from __future__ import annotations

import numpy as np

from ganzoo.data import Dataset
from ganzoo.errors import UsageError
from ganzoo.spec import DataSpec

CLASSES = ("circle", "square", "triangle")
COUNTS = {"train": 6000, "test": 1200}
SEEDS = {"train": 0, "test": 1}
SIZE = 32


def load(size: int | None = None, split: str = "train") -> Dataset:
    """Bright shapes on black, one an image, at random places and of random sizes; three classes.

    This is what the entry point names: `ganzoo train dcgan --data shapes --size 16` calls
    `load(16, "train")`. Images are uint8 (n, size, size, 1), labels int32; no image of one split
    is in the other. Raises UsageError for a side below 8 or above 256.
    """
    side = SIZE if size is None else size
    if not 8 <= side <= 256:
        raise UsageError(f"shapes are drawn on a side of 8 to 256 pixels, not {side}.")
    images, labels = draw(COUNTS[split], side, SEEDS[split])
    return Dataset(
        "shapes",
        DataSpec(images.shape[1:], classes=len(CLASSES)),
        {"image": images, "label": labels},
        licence="none: made here",
        source=f"drawn by ganzoo-shapes, Philox seed {SEEDS[split]}",
        class_names=CLASSES,
    )


def draw(n: int, side: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n images (n, side, side, 1), uint8, and their labels (n,), int32, of all classes in turn."""
    unit = np.random.Philox(key=seed).random_raw(3 * n).reshape(3, n) / 2.0**64
    radius = side * (0.15 + 0.15 * unit[0])[:, None, None]
    centre = side / 2 + (unit[1:] - 0.5) * (side - 2.2 * radius[:, 0, 0])
    places = np.arange(side) + 0.5
    x = (places[None, None, :] - centre[0][:, None, None]).astype(np.float32)
    y = (places[None, :, None] - centre[1][:, None, None]).astype(np.float32)
    labels = (np.arange(n) % len(CLASSES)).astype(np.int32)
    inside = np.empty((n, side, side), np.float32)
    for label, distance in enumerate((_circle, _square, _triangle)):
        rows = labels == label
        inside[rows] = radius[rows] - distance(x[rows], y[rows])
    pixels = np.rint(255 * np.clip(inside + 0.5, 0, 1))  # one pixel wide edges
    return pixels.astype(np.uint8)[..., None], labels


def _circle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.hypot(x, y)


def _square(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(x), np.abs(y))


def _triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Standing on its base: the farthest of three half-planes, at one radius from the middle."""
    return np.maximum(2 * y, np.sqrt(3) * np.abs(x) - y)
