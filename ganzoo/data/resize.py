"""Images -> images of another side, with an antialiasing filter."""

from __future__ import annotations

import numpy as np


def resize(images: np.ndarray, size: int | None) -> np.ndarray:
    """uint8 (n, h, w, c) -> (n, size, size, c); None or the side they have changes nothing.

    Lanczos, which PIL widens by the scale when it shrinks, so that nothing aliases.
    """
    if size is None or images.shape[1:3] == (size, size):
        return images
    from PIL import Image

    out = np.empty((len(images), size, size, images.shape[3]), np.uint8)
    for index, image in enumerate(images):
        for channel in range(images.shape[3]):
            plane = Image.fromarray(image[:, :, channel])
            out[index, :, :, channel] = plane.resize((size, size), Image.Resampling.LANCZOS)
    return out
