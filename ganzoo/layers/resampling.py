"""Halving and doubling the sides of images: by a smooth filter, 1 3 3 1 in both directions, or by
making places of channels."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops


@keras.saving.register_keras_serializable("ganzoo")
class Downsample(layers.Layer):
    """(n, h, w, c) -> (n, h / 2, w / 2, c): means over 4x4 places with the weights 1 3 3 1.

    Odd sides are rounded up; beyond the border are zeros. Its adjoint is `Upsample`, but for a
    factor of 4.
    """

    def call(self, x: Any) -> Any:
        for axis in (1, 2):
            rows = (x.shape[axis] + 1) // 2
            x = ops.pad(x, _border(axis, 1, 1 + x.shape[axis] % 2))
            a, b, c, d = (_cut(x, axis, slice(i, i + 2 * rows, 2)) for i in range(4))
            x = (a + 3 * b + 3 * c + d) / 8
        return x

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        n, h, w, c = shape
        return n, (h + 1) // 2, (w + 1) // 2, c


@keras.saving.register_keras_serializable("ganzoo")
class Upsample(layers.Layer):
    """(n, h, w, c) -> (n, 2 h, 2 w, c): between two places 3 parts of the nearer, 1 of the other.

    Beyond the border are zeros.
    """

    def call(self, x: Any) -> Any:
        for axis in (1, 2):
            padded = ops.pad(x, _border(axis, 1, 1))
            before, after = (_cut(padded, axis, part) for part in (slice(0, -2), slice(2, None)))
            both = ops.stack([(before + 3 * x) / 4, (3 * x + after) / 4], axis + 1)
            shape = list(x.shape)
            shape[axis] *= 2
            x = ops.reshape(both, (-1, *shape[1:]))
        return x

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        n, h, w, c = shape
        return n, 2 * h, 2 * w, c


@keras.saving.register_keras_serializable("ganzoo")
class PixelShuffle(layers.Layer):
    """(n, h, w, 4 c) -> (n, 2 h, 2 w, c): four channels are a square of 2x2 places.

    Behind a convolution it is the sub-pixel convolution of Shi et al. 2016.
    """

    def call(self, x: Any) -> Any:
        return tf.nn.depth_to_space(x, 2)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        n, h, w, c = shape
        return n, 2 * h, 2 * w, c // 4


def _border(axis: int, before: int, after: int) -> list[tuple[int, int]]:
    return [(before, after) if place == axis else (0, 0) for place in range(4)]


def _cut(x: Any, axis: int, part: slice) -> Any:
    return x[:, part] if axis == 1 else x[:, :, part]
