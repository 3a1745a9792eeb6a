"""How far networks have grown, as a weight of theirs, and what they show meanwhile."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers


@keras.saving.register_keras_serializable("ganzoo")
class Depth(layers.Layer):
    """How far the networks have grown, the same for every row: (n, ...) -> (n, 1), float32.

    Its one weight `depth` trains with nobody and begins at 0; a player's `after` assigns it.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**({"dtype": "float32"} | kwargs))

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.depth = self.add_weight(shape=(), initializer="zeros", trainable=False, name="depth")

    def call(self, x: Any) -> Any:
        return tf.fill([tf.shape(x)[0], 1], tf.convert_to_tensor(self.depth))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (shape[0], 1)


@keras.saving.register_keras_serializable("ganzoo")
class Fade(layers.Layer):
    """From what level k - 1 gives to what level k gives, as the depth goes from k - 1 to k.

    [below, own, depth (n, 1)] -> below + a (own - below), a being depth - (k - 1) within [0, 1]
    (Karras et al. 2018, figure 2).
    """

    def __init__(self, k: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.k = k

    def call(self, inputs: Any) -> Any:
        below, own, depth = inputs
        share = tf.clip_by_value(depth - tf.cast(self.k - 1, depth.dtype), 0, 1)[:, :, None, None]
        return below + tf.cast(share, below.dtype) * (own - below)

    def compute_output_shape(self, shapes: Any) -> tuple[int | None, ...]:
        return tuple(shapes[0])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"k": self.k}
