"""Faster dropout: one random byte for each number."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers


@keras.saving.register_keras_serializable("ganzoo")
class Dropout(layers.Layer):
    """Dropout that draws a byte for each number, where Keras draws a float of four.

    The rate is rounded to 1/256 and the kept numbers are scaled by its exact inverse, so that the
    mean is kept. The seed is a state variable of the layer: a resumed run draws on.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"rate must lie in [0, 1), not {rate}.")
        self.rate, self.seed = rate, seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        dropped = round(self.rate * 256)
        if not training or not dropped:
            return inputs
        count = tf.size(inputs)
        words = tf.random.stateless_uniform(
            [(count + 3) // 4],
            tf.cast(self.seed_generator.next(), tf.int64),
            minval=None,
            maxval=None,
            dtype=tf.int32,
            alg="philox",
        )
        draws = tf.reshape(tf.bitcast(words, tf.uint8), [-1])[:count]
        keep = tf.reshape(draws >= tf.cast(dropped, tf.uint8), tf.shape(inputs))
        scale = tf.cast(256 / (256 - dropped), inputs.dtype)
        return inputs * (tf.cast(keep, inputs.dtype) * scale)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"rate": self.rate, "seed": self.seed}
