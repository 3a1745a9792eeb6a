"""The one resizer of every image source: centre-crop to a square, then an antialiasing filter."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from ganzoo import memory
from ganzoo.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

SMALLEST, LARGEST = 4, 2048


def check_size(size: int | None) -> None:
    """Refuse a size that is no side of a picture in pixels."""
    if size is None:
        return
    whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
    if not whole or not SMALLEST <= size <= LARGEST:
        raise UsageError(
            f"size is the side of the images in pixels: expected a whole number from "
            f"{SMALLEST} to {LARGEST}, not {size!r}."
        )


def in_proportion(size: int, shape: Sequence[int], key: Sequence[int]) -> int:
    """The side of images of `shape` where those of `key`, that they belong to, get `size`.

    >>> in_proportion(32, (8, 8, 1), (16, 16, 1))
    16
    """
    return max(SMALLEST, round(size * min(*shape[:2]) / min(*key[:2])))


def check_memory(n: int, shape: tuple[int, ...]) -> None:
    """Refuse what this machine cannot hold, before the system kills the process for trying."""
    what = f"to hold {n:,} images of {'x'.join(map(str, shape))}"
    memory.require(n * math.prod(shape), what, "choose a smaller --size or fewer images")


def square(image: Image, size: int, method: str = "lanczos") -> Image:
    """Centre-crop to a square, then resize to `size` x `size`; shrinking widens the filter."""
    from PIL import Image as PIL_Image

    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    if image.size != (side, side):
        image = image.crop((left, top, left + side, top + side))
    if side == size:
        return image
    return image.resize((size, size), PIL_Image.Resampling[method.upper()])


def resize(images: np.ndarray, size: int, method: str = "lanczos") -> np.ndarray:
    """uint8 images `(n, h, w, c)` as `(n, size, size, c)`, with 1 or 3 channels."""
    from PIL import Image as PIL_Image

    n, *sides, channels = images.shape
    if sides == [size, size]:
        return images
    check_memory(n, (size, size, channels))
    resized = np.empty((n, size, size, channels), np.uint8)

    def one(i: int) -> None:
        pixels = images[i, :, :, 0] if channels == 1 else images[i]
        image = square(PIL_Image.fromarray(pixels), size, method)
        resized[i] = np.asarray(image).reshape(size, size, channels)

    in_threads(one, range(n))
    return resized


def in_threads(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """`function` of each item, in order; Pillow lets other threads run while it works."""
    with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        return list(pool.map(function, items))
