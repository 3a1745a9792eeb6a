"""Images at another size, by one map for training and for sampling: area means, or bicubic.

Both sides are mapped one after the other by a matrix, so that a batch inside a compiled step and an
array outside of it come out alike, and a gradient passes.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ganzoo.errors import UsageError, unknown

if TYPE_CHECKING:
    import tensorflow as tf

METHODS = ("area", "bicubic")


@functools.cache
def matrix(side: int, size: int, method: str = "area") -> np.ndarray:
    """(size, side) float32: from the places of one side to those of the smaller one.

    `area` is the mean over what a place covers, parts of pixels included. `bicubic` is Keys's cubic
    with a = -0.5, as wide as the side shrinks, as MATLAB's imresize and Pillow have it.

    >>> matrix(4, 2)
    array([[0.5, 0.5, 0. , 0. ],
           [0. , 0. , 0.5, 0.5]], dtype=float32)
    """
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    if not 0 < size <= side:
        raise UsageError(f"images of side {side} can be reduced to 1..{side}, not to {size}.")
    scale = side / size
    places, pixels = np.arange(size)[:, None], np.arange(side)[None]
    if method == "area":
        first, end = places * scale, (places + 1) * scale
        weights = np.clip(np.minimum(end, pixels + 1) - np.maximum(first, pixels), 0, 1)
    else:
        weights = _cubic((pixels + 0.5 - (places + 0.5) * scale) / scale)
    return np.float32(weights / weights.sum(1, keepdims=True))


def _cubic(x: np.ndarray, a: float = -0.5) -> np.ndarray:
    """Keys 1981, equation 15."""
    x = np.abs(x)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def shrunk(images: np.ndarray, shape: Sequence[int], method: str = "area") -> np.ndarray:
    """Float images (n, h, w, c) in [-1, 1] as (n, *shape[:2], c), float32."""
    rows, columns = (matrix(images.shape[i + 1], shape[i], method) for i in (0, 1))
    made = np.einsum("ah,nhwc,bw->nabc", rows, np.float32(images), columns, optimize=True)
    return np.clip(made, -1, 1)


def shrunk_tensor(images: tf.Tensor, shape: Sequence[int], method: str = "area") -> tf.Tensor:
    """`shrunk` of a tensor."""
    import tensorflow as tf

    rows, columns = (matrix(images.shape[i + 1], shape[i], method) for i in (0, 1))
    made = tf.einsum("nhwc,bw->nhbc", tf.cast(images, tf.float32), tf.constant(columns))
    return tf.clip_by_value(tf.einsum("ah,nhbc->nabc", tf.constant(rows), made), -1.0, 1.0)


def reduced_shape(shape: Sequence[int], size: int) -> tuple[int, ...]:
    """The shape (h, w, c) of an image whose shorter side becomes `size`.

    >>> reduced_shape((32, 48, 3), 8)
    (8, 12, 3)
    """
    shorter = min(shape[:2])
    return *(side * size // shorter for side in shape[:2]), *shape[2:]


def fits(rows: Any, shape: Sequence[int]) -> bool:
    """Whether rows (n, h, w, c) are as large as `shape`, or larger in the same proportion."""
    if len(rows.shape) != 4 or len(shape) != 3 or rows.shape[3] != shape[2]:
        return False
    h, w = rows.shape[1:3]
    return h >= shape[0] and h * shape[1] == w * shape[0]
