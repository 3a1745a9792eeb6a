"""Where styles come from: the mapping network, truncation and mixing of style-based generators.

A style w is a row (n, d). A synthesis network takes one for each of its layers, (n, layers, d),
and noise (n, m).
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from ganzoo.layers.equalised import EqualisedDense
from ganzoo.layers.pixel import PixelNorm
from ganzoo.turn import Turn


@keras.saving.register_keras_serializable("ganzoo")
class MovingMean(layers.Layer):
    """The usual value of what passes: (n, d) -> (1, d), in float32.

    In training the mean of the rows moves it first: by a share of 1 - `decay` of the way. It
    begins at 0 and no gradient passes.
    """

    def __init__(self, decay: float, **kwargs: Any):
        super().__init__(**({"dtype": "float32"} | kwargs))
        self.decay = decay

    def build(self, shape: Any) -> None:
        self.mean = self.add_weight(
            name="mean", shape=shape[-1:], initializer="zeros", trainable=False
        )

    def call(self, x: Any, training: bool | None = None) -> Any:
        if training:
            seen = tf.reduce_mean(tf.stop_gradient(tf.cast(x, tf.float32)), 0)
            self.mean.assign(seen + self.decay * (self.mean - seen))
        return tf.convert_to_tensor(self.mean)[None]

    def compute_output_shape(self, shape: Any) -> tuple[int | None, ...]:
        return (1, *shape[1:])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"decay": self.decay}


@keras.saving.register_keras_serializable("ganzoo")
class Truncation(layers.Layer):
    """Styles drawn towards their moving mean (Karras et al. 2019, appendix B).

    [w (n, d), psi (n, 1)] -> mean + psi (w - mean): w itself for psi 1, the mean for psi 0. In
    training w moves the mean and passes as it is.
    """

    def __init__(self, decay: float = 0.995, **kwargs: Any):
        super().__init__(**({"dtype": "float32"} | kwargs))
        self.decay = decay
        self.usual = MovingMean(decay, dtype=self.dtype_policy, name="usual")

    def build(self, shapes: Any) -> None:
        self.usual.build(shapes[0])

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        w, psi = inputs
        mean = self.usual(w, training=training)
        return w if training else psi * w + (1 - psi) * mean

    def compute_output_shape(self, shapes: Any) -> tuple[int | None, ...]:
        return tuple(shapes[0])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"decay": self.decay}


def mapping_network(z_dim: int, count: int, rate: float = 0.01) -> keras.Model:
    """`z` and `psi` -> w, as wide as z: `count` dense layers on z's direction, then `Truncation`.

    `rate` is their learning rate, of the other layers' (Karras et al. 2019, appendix C).
    """
    z, psi = keras.Input((z_dim,), name="z"), keras.Input((1,), name="psi")
    w = PixelNorm()(z)
    for _ in range(count):
        w = layers.LeakyReLU(negative_slope=0.2)(EqualisedDense(z_dim, rate=rate)(w))
    return keras.Model([z, psi], Truncation()([w, psi]), name="mapping")


def style_based(
    mapping: keras.Model, synthesis: keras.Model, within: tuple[float, float] | None
) -> keras.Model:
    """`z`, `psi` and `noise` -> what `synthesis` makes of one style for all its layers.

    It holds both networks by their names; its samples are clipped to the range `within`.
    """
    z, psi = (keras.Input(tensor.shape[1:], name=tensor.name) for tensor in mapping.inputs)
    (count, _), numbers = (tensor.shape[1:] for tensor in synthesis.inputs)
    noise = keras.Input(numbers, name="noise")
    made = synthesis([layers.RepeatVector(count)(mapping([z, psi])), noise])
    made = ops.clip(made, *within) if within else made
    return keras.Model([z, psi, noise], made, name="generator")


def mixed_styles(turn: Turn, generator: keras.Model, share: float) -> tf.Tensor:
    """(n, layers, d): what `synthesis` of a `style_based` generator takes in training.

    In a `share` of the images the layers from a random one on have the style of a second z, which
    is normal (mixing regularisation: Karras et al. 2019, section 3.1).
    """
    mapping, synthesis = map(generator.get_layer, ("mapping", "synthesis"))
    count = synthesis.inputs[0].shape[1]
    styles = tf.repeat(turn.call(mapping)[:, None], count, 1)
    if not share:
        return styles
    z = turn.normal("second z", mapping.inputs[0].shape[1:])
    second = turn.call(mapping, z=z)[:, None]
    first_other = 1 + tf.floor(turn.uniform("first of the others") * (count - 1))
    mixes = turn.uniform("mixes") < share
    kept = tf.where(mixes, first_other, float(count))[:, None] > tf.range(float(count))
    return tf.where(kept[:, :, None], styles, second)
