"""Sizes: square crops, antialiased resizing, and what a request for a size may ask."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from ganzoo.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

BLOCK = 512  # images a thread takes at a time


def check_size(size: int | None) -> None:
    """Raise UsageError unless the size is None or a whole number of pixels from 1 up."""
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise UsageError(f"size: expected a whole number of pixels from 1 up, got {size!r}.")


def check_memory(n: int, height: int, width: int, channels: int) -> None:
    """Raise UsageError where n images of this size exceed the machine's memory."""
    wanted = n * height * width * channels
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if wanted > memory:
        raise UsageError(
            f"{n:,} images of {height}x{width}x{channels} take {wanted / 1e9:.3g} GB, "
            f"this machine has {memory / 1e9:.3g} GB: choose a smaller --size."
        )


def threads() -> ThreadPoolExecutor:
    """A pool for decoding and resizing, where PIL lets go of Python's lock."""
    return ThreadPoolExecutor(min(16, os.cpu_count() or 1))


def square(image: Image, size: int) -> Image:
    """The centre square of an image, size x size, antialiased.

    Lanczos shrinks; bicubic enlarges, because Lanczos rings around the edges of tiny images.
    """
    from PIL import Image

    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    if size > side:
        return image.resize((size, size), Image.Resampling.BICUBIC, box=box)
    return image.resize((size, size), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)


def resize(images: np.ndarray, size: int | None) -> np.ndarray:
    """uint8 images (n, h, w, c) -> (n, size, size, c), as `square` does; as they are where None."""
    check_size(size)
    n, height, width, channels = images.shape
    if size is None or (height, width) == (size, size):
        return images
    check_memory(n, size, size, channels)
    result = np.empty((n, size, size, channels), np.uint8)
    with threads() as pool:
        list(pool.map(lambda start: _resize_block(images, result, start), range(0, n, BLOCK)))
    return result


def _resize_block(images: np.ndarray, result: np.ndarray, start: int) -> None:
    from PIL import Image

    size = result.shape[1]
    for i in range(start, min(start + BLOCK, len(images))):
        for channel in range(images.shape[3]):
            plane = Image.fromarray(np.ascontiguousarray(images[i, :, :, channel]))
            result[i, :, :, channel] = np.asarray(square(plane, size))
