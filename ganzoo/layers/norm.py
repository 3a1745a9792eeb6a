"""Batch norm on TensorFlow's fused kernel, and with a gain and a bias by a class or a vector; and
the norm of every image by itself."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from ganzoo.layers.spectral import SpectralDense


@keras.saving.register_keras_serializable("ganzoo")
class BatchNormalization(layers.BatchNormalization):
    """Keras's batch norm on TensorFlow's fused kernel: the same numbers in less time.

    Keras computes in float32 whatever the policy; the kernel reads and writes bfloat16
    activations and keeps its statistics in float32. Over the last axis of (n, c) or (n, h, w, c).
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if (
            not training
            or mask is not None
            or len(inputs.shape) not in (2, 4)
            or self.axis not in (-1, 3)
        ):
            return super().call(inputs, training=training, mask=mask)
        x = tf.cast(inputs, self.compute_dtype)
        x = x if len(x.shape) == 4 else x[:, tf.newaxis, tf.newaxis, :]
        out, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=self.gamma if self.scale else tf.ones([x.shape[-1]]),
            offset=self.beta if self.center else tf.zeros([x.shape[-1]]),
            mean=tf.zeros([0]),
            variance=tf.zeros([0]),
            epsilon=self.epsilon,
            is_training=True,
        )
        n = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
        variance *= (n - 1) / n  # the kernel gives the unbiased one, Keras averages the biased
        self.moving_mean.assign_sub((1 - self.momentum) * (self.moving_mean - mean))
        self.moving_variance.assign_sub((1 - self.momentum) * (self.moving_variance - variance))
        return out if len(inputs.shape) == 4 else out[:, 0, 0, :]


@keras.saving.register_keras_serializable("ganzoo")
class ConditionalBatchNorm(layers.Layer):
    """Batch norm whose gain and bias are learned for each class (Dumoulin et al. 2017).

    Takes [x (n, h, w, c), label (n,)].
    """

    def __init__(self, classes: int, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any):
        super().__init__(**kwargs)
        self.classes, self.momentum, self.epsilon = classes, momentum, epsilon
        self.norm = BatchNormalization(
            momentum=momentum, epsilon=epsilon, center=False, scale=False, dtype=self.dtype_policy
        )

    def build(self, shapes: list[tuple[int | None, ...]]) -> None:
        channels = shapes[0][-1]
        self.norm.build(shapes[0])
        self.gain = self.add_weight(name="gain", shape=(self.classes, channels), initializer="ones")
        self.bias = self.add_weight(
            name="bias", shape=(self.classes, channels), initializer="zeros"
        )

    def call(self, inputs: list[Any], training: bool | None = None) -> Any:
        x, label = inputs
        picked = ops.one_hot(label, self.classes, dtype=self.compute_dtype)
        gain = ops.matmul(picked, ops.cast(self.gain, self.compute_dtype))[:, None, None, :]
        bias = ops.matmul(picked, ops.cast(self.bias, self.compute_dtype))[:, None, None, :]
        return self.norm(x, training=training) * gain + bias

    def compute_output_shape(self, shapes: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return tuple(shapes[0])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "classes": self.classes,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


@keras.saving.register_keras_serializable("ganzoo")
class VectorBatchNorm(layers.Layer):
    """Batch norm whose gain and bias follow a vector (de Vries et al. 2017; Brock et al. 2019).

    Takes [x (n, h, w, c), y (n, d)]: the gain is 1 + A y, the bias B y. Both matrices begin
    orthogonal and are divided by their spectral norms.
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any):
        super().__init__(**kwargs)
        self.momentum, self.epsilon = momentum, epsilon
        self.norm = BatchNormalization(
            momentum=momentum, epsilon=epsilon, center=False, scale=False, dtype=self.dtype_policy
        )

    def build(self, shapes: list[tuple[int | None, ...]]) -> None:
        self.norm.build(shapes[0])
        self.gain, self.bias = (
            SpectralDense(
                shapes[0][-1],
                use_bias=False,
                kernel_initializer="orthogonal",
                dtype=self.dtype_policy,
                name=name,
            )
            for name in ("gain", "bias")
        )
        self.gain.build(shapes[1])
        self.bias.build(shapes[1])

    def call(self, inputs: list[Any], training: bool | None = None) -> Any:
        x, y = inputs
        gain = 1 + self.gain(y, training=training)[:, None, None, :]
        bias = self.bias(y, training=training)[:, None, None, :]
        return self.norm(x, training=training) * gain + bias

    def compute_output_shape(self, shapes: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return tuple(shapes[0])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"momentum": self.momentum, "epsilon": self.epsilon}


def instance_norm() -> layers.Layer:
    """Every channel of every image by itself to mean 0 and deviation 1 (Ulyanov et al. 2016).

    Without a gain or a bias, as in PyTorch's `InstanceNorm2d`.
    """
    return layers.GroupNormalization(groups=-1, epsilon=1e-5, center=False, scale=False)
