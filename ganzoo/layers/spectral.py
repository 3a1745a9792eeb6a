"""Layers whose kernel has spectral norm 1."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops


class _Spectral:
    """Divides a kernel by its largest singular value (Miyato et al. 2018, algorithm 1).

    One power iteration a training call, from the vector u that the last one left. Unlike Keras's
    wrapper the weight itself is never overwritten: the gradient flows through the division, as in
    the paper (equation 9), and the optimiser sees the unnormalised weight.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        super().build(shape)
        self.u = self.add_weight(
            name="u",
            shape=(1, self._kernel.shape[-1]),
            trainable=False,
            initializer=keras.initializers.RandomNormal(),
        )

    def normalised(self, training: bool | None) -> Any:
        """The kernel over its spectral norm, in the compute type."""
        weight = tf.convert_to_tensor(self._kernel.value)
        matrix = tf.stop_gradient(tf.reshape(weight, (-1, weight.shape[-1])))
        u = tf.convert_to_tensor(self.u.value)
        v = tf.math.l2_normalize(tf.matmul(u, matrix, transpose_b=True), epsilon=1e-12)
        if training:
            u = tf.math.l2_normalize(tf.matmul(v, matrix), epsilon=1e-12)
            self.u.assign(u)
        full = tf.reshape(weight, matrix.shape)
        sigma = tf.squeeze(tf.matmul(tf.matmul(v, full), u, transpose_b=True))
        return tf.cast(weight / sigma, self.compute_dtype)


@keras.saving.register_keras_serializable("ganzoo")
class SpectralConv2D(_Spectral, layers.Conv2D):
    """A convolution whose kernel has spectral norm 1."""

    def call(self, x: Any, training: bool | None = None) -> Any:
        out = ops.conv(x, self.normalised(training), list(self.strides), self.padding)
        if self.use_bias:
            out = out + ops.cast(self.bias, self.compute_dtype)
        return out if self.activation is None else self.activation(out)


@keras.saving.register_keras_serializable("ganzoo")
class SpectralDense(_Spectral, layers.Dense):
    """A dense layer whose kernel has spectral norm 1."""

    def call(self, x: Any, training: bool | None = None) -> Any:
        out = ops.matmul(x, self.normalised(training))
        if self.use_bias:
            out = out + ops.cast(self.bias, self.compute_dtype)
        return out if self.activation is None else self.activation(out)


@keras.saving.register_keras_serializable("ganzoo")
class SpectralEmbedding(layers.Layer):
    """Integer labels (n,) -> vectors (n, width) from a table of spectral norm 1."""

    def __init__(self, classes: int, width: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.classes, self.width = classes, width
        self.table = SpectralDense(width, use_bias=False, dtype=self.dtype_policy, name="table")

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.table.build((None, self.classes))

    def call(self, label: Any, training: bool | None = None) -> Any:
        return self.table(
            ops.one_hot(label, self.classes, dtype=self.compute_dtype), training=training
        )

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"classes": self.classes, "width": self.width}
