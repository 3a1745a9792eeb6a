"""Dense layers and convolutions with an equalised learning rate."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from ganzoo.layers.convolution import Conv2D


def _normal(rate: float) -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(0.0, 1 / rate)


@keras.saving.register_keras_serializable("ganzoo")
class EqualisedDense(layers.Dense):
    """A dense layer whose kernel is stored as N(0, 1) and scaled when used.

    By `gain` / sqrt(inputs), He's deviation where the gain is sqrt 2: an optimiser that divides by
    the gradient's size then moves all layers at one speed (Karras et al. 2018, section 4.1).
    `rate` slows a layer down by storing kernel and bias so much larger (Karras et al. 2019,
    appendix C: 0.01 for the mapping network).
    `first` is what the biases begin at.
    """

    def __init__(
        self, units: int, gain: float = 2**0.5, rate: float = 1.0, first: float = 0.0, **kwargs: Any
    ):
        kwargs = {
            "kernel_initializer": _normal(rate),
            "bias_initializer": keras.initializers.Constant(first / rate),
        } | kwargs
        super().__init__(units, **kwargs)
        self.gain, self.rate, self.first = gain, rate, first

    def call(self, x: Any, training: bool | None = None) -> Any:
        kernel = tf.convert_to_tensor(self.kernel)
        scale = self.rate * self.gain / math.sqrt(kernel.shape[0])
        y = tf.matmul(x, tf.cast(scale * kernel, x.dtype))
        if self.use_bias:
            y += tf.cast(self.rate * tf.convert_to_tensor(self.bias), y.dtype)
        return y if self.activation is None else self.activation(y)

    def get_config(self) -> dict[str, Any]:
        own = {"gain": self.gain, "rate": self.rate, "first": self.first}
        return super().get_config() | own


@keras.saving.register_keras_serializable("ganzoo")
class EqualisedConv2D(Conv2D):
    """A "same" convolution with an equalised learning rate, as `EqualisedDense`."""

    def __init__(self, filters: int, kernel_size: Any, gain: float = 2**0.5, **kwargs: Any):
        kwargs = {"padding": "same", "kernel_initializer": _normal(1.0)} | kwargs
        super().__init__(filters, kernel_size, **kwargs)
        self.gain = gain

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        kernel = tf.convert_to_tensor(kernel)
        scale = self.gain / math.sqrt(math.prod(kernel.shape[:-1]))
        return super().convolution_op(inputs, tf.cast(scale, kernel.dtype) * kernel)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"gain": self.gain}
