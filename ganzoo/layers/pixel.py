"""What progressive growing norms and measures: every place's channels, every group's spread."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers


@keras.saving.register_keras_serializable("ganzoo")
class PixelNorm(layers.Layer):
    """A place's channels, or a row's numbers, to a mean square of 1 (Karras et al. 2018, 4.2)."""

    def call(self, x: Any) -> Any:
        wide = tf.cast(x, tf.float32)
        scale = tf.math.rsqrt(tf.reduce_mean(tf.square(wide), -1, keepdims=True) + 1e-8)
        return tf.cast(wide * scale, self.compute_dtype)


@keras.saving.register_keras_serializable("ganzoo")
class MinibatchStddev(layers.Layer):
    """One channel more: how much the images of a group differ (Karras et al. 2018, section 3).

    (n, h, w, c) -> (n, h, w, c + 1): the deviation over `group` images that follow each other, of
    each number, averaged over all of them. A batch that is no multiple of `group` is one group.
    """

    def __init__(self, group: int = 4, **kwargs: Any):
        super().__init__(**kwargs)
        self.group = group

    def call(self, x: Any) -> Any:
        n, shape = tf.shape(x)[0], x.shape[1:]
        group = tf.where(n % self.group == 0, self.group, n)
        grouped = tf.reshape(tf.cast(x, tf.float32), tf.stack([n // group, group, *shape]))
        spread = tf.sqrt(tf.math.reduce_variance(grouped, 1) + 1e-8)
        mean = tf.repeat(tf.reduce_mean(spread, [1, 2, 3]), tf.fill([n // group], group))
        plane = tf.broadcast_to(mean[:, None, None, None], tf.stack([n, *shape[:2], 1]))
        return tf.concat([x, tf.cast(plane, x.dtype)], -1)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*shape[:-1], shape[-1] + 1)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"group": self.group}
