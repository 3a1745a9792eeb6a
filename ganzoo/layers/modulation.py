"""What a style and noise do to an image: the layers of style-based generators."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from ganzoo.layers.equalised import EqualisedConv2D, EqualisedDense


@keras.saving.register_keras_serializable("ganzoo")
class ModulatedConv2D(layers.Layer):
    """A "same" convolution whose kernel each row's style scales (Karras et al. 2020, section 2.2).

    [x (n, h, w, c), style (n, d)] -> (n, h, w, filters). A learnt linear map of the style, which
    begins at 1, scales the input channels; with `demodulate` every output channel is divided by
    the norm of its scaled kernel (equation 3). The input is scaled before and the output behind,
    which is the same as a kernel for each row. The kernel's learning rate is equalised, and all is
    multiplied by `gain`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        demodulate: bool = True,
        gain: float = 2**0.5,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.filters, self.kernel_size = filters, kernel_size
        self.demodulate, self.gain = demodulate, gain

    def build(self, shapes: Any) -> None:
        (*_, channels), style = shapes
        policy = self.dtype_policy
        self.scales = EqualisedDense(channels, gain=1.0, first=1.0, dtype=policy, name="scales")
        self.scales.build(style)
        self.convolution = EqualisedConv2D(
            self.filters,
            self.kernel_size,
            self.gain,
            use_bias=False,
            dtype=policy,
            name="convolution",
        )
        self.convolution.build(shapes[0])
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        x, style = inputs
        scales = self.scales(style)
        y = self.convolution(x * scales[:, None, None])
        if self.demodulate:
            kernel = tf.cast(tf.convert_to_tensor(self.convolution.kernel), tf.float32)
            squares = tf.reduce_sum(tf.square(kernel), [0, 1]) / math.prod(kernel.shape[:3])
            power = tf.matmul(tf.square(tf.cast(scales, tf.float32)), squares)
            y *= tf.cast(tf.math.rsqrt(power + 1e-8), y.dtype)[:, None, None]
        return tf.nn.bias_add(y, tf.cast(tf.convert_to_tensor(self.bias), y.dtype))

    def compute_output_shape(self, shapes: Any) -> tuple[int | None, ...]:
        return (*shapes[0][:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "demodulate": self.demodulate,
            "gain": self.gain,
        }


@keras.saving.register_keras_serializable("ganzoo")
class AdaIN(layers.Layer):
    """Adaptive instance norm: the style gives each channel its deviation and its mean.

    [x (n, h, w, c), style (n, d)] -> y_s (x - mean) / deviation + y_b, channel by channel over the
    places of one image (Karras et al. 2019, equation 1). y is a learnt linear map of the style
    that begins near y_s = 1 and y_b = 0.
    """

    def build(self, shapes: Any) -> None:
        (*_, channels), style = shapes
        self.style = EqualisedDense(2 * channels, gain=1.0, dtype=self.dtype_policy, name="style")
        self.style.build(style)

    def call(self, inputs: Any) -> Any:
        x, style = inputs
        off = tf.cast(x, tf.float32)
        off -= _mean(off)
        scale, shift = tf.split(tf.cast(self.style(style), tf.float32)[:, None, None], 2, -1)
        scale = (1 + scale) * tf.math.rsqrt(_mean(tf.square(off)) + 1e-8)
        return tf.cast(off * scale + shift, self.compute_dtype)

    def compute_output_shape(self, shapes: Any) -> tuple[int | None, ...]:
        return tuple(shapes[0])


def _mean(x: tf.Tensor) -> tf.Tensor:
    """(n, h, w, c) -> (n, 1, 1, c): over places, as a product, which is faster than a sum."""
    _, h, w, c = x.shape
    ones = tf.fill([1, h * w], tf.constant(1 / (h * w), x.dtype))
    return tf.matmul(ones, tf.reshape(x, (-1, h * w, c)))[:, None]


@keras.saving.register_keras_serializable("ganzoo")
class AddNoise(layers.Layer):
    """Adds its part of a row of noise to every channel, times what is learnt from 0.

    [x (n, h, w, c), noise (n, m)] -> the same shape as x; the part is that of h w numbers from
    `first` on. One strength for all channels, or one for each (Karras et al. 2019, section 2) with
    `by_channel`.
    """

    def __init__(self, first: int = 0, by_channel: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.first, self.by_channel = first, by_channel

    def build(self, shapes: Any) -> None:
        (_, h, w, channels), (_, numbers) = shapes
        if self.first + h * w > numbers:
            raise ValueError(
                f"noise of {h}x{w} places from {self.first} on needs {self.first + h * w} numbers "
                f"a row, not {numbers}."
            )
        shape = (channels,) if self.by_channel else ()
        self.strength = self.add_weight(name="strength", shape=shape, initializer="zeros")

    def call(self, inputs: Any) -> Any:
        x, noise = inputs
        h, w = x.shape[1:3]
        plane = tf.reshape(noise[:, self.first : self.first + h * w], (-1, h, w, 1))
        return x + tf.cast(tf.convert_to_tensor(self.strength), x.dtype) * plane

    def compute_output_shape(self, shapes: Any) -> tuple[int | None, ...]:
        return tuple(shapes[0])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"first": self.first, "by_channel": self.by_channel}


@keras.saving.register_keras_serializable("ganzoo")
class LearntConstant(layers.Layer):
    """An array that is learnt, the same for every row: (n, ...) -> (n, *shape)."""

    def __init__(self, shape: Any, initializer: Any = "ones", **kwargs: Any):
        super().__init__(**kwargs)
        self.shape, self.initializer = tuple(shape), keras.initializers.get(initializer)

    def build(self, shape: Any) -> None:
        self.value = self.add_weight(name="value", shape=self.shape, initializer=self.initializer)

    def call(self, x: Any) -> Any:
        value = tf.cast(tf.convert_to_tensor(self.value), self.compute_dtype)
        return tf.repeat(value[None], tf.shape(x)[0], 0)

    def compute_output_shape(self, shape: Any) -> tuple[int | None, ...]:
        return (shape[0], *self.shape)

    def get_config(self) -> dict[str, Any]:
        started = keras.initializers.serialize(self.initializer)
        return super().get_config() | {"shape": self.shape, "initializer": started}
