"""What several architectures share and Keras lacks, or has slower.

Attention, spectral normalisation, conditional norm; batch norm and dropout for bfloat16.

Every layer takes and gives channels last, and computes in its policy's type with float32
statistics.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops


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


@keras.saving.register_keras_serializable("ganzoo")
class SelfAttention(layers.Layer):
    """Lets every place of an image look at every other (Zhang et al. 2019, section 3).

    (n, h, w, c) -> the same: x + gamma o, where o = v(softmax(f(x)^T g(x)) h(x)) and gamma is
    learned from zero (equation 3). Keys have c/8 channels, values c/2; keys and values are
    max-pooled by two where the sides are even, as the authors' code does to save memory.
    """

    def __init__(self, spectral: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        self.spectral = spectral

    def build(self, shape: tuple[int | None, ...]) -> None:
        channels = shape[-1]
        self.inner = max(1, channels // 8)
        make = SpectralConv2D if self.spectral else layers.Conv2D
        self.query = make(self.inner, 1, use_bias=False, dtype=self.dtype_policy, name="query")
        self.key_ = make(self.inner, 1, use_bias=False, dtype=self.dtype_policy, name="key")
        self.value = make(
            max(1, channels // 2), 1, use_bias=False, dtype=self.dtype_policy, name="value"
        )
        self.out = make(channels, 1, use_bias=False, dtype=self.dtype_policy, name="out")
        for part in (self.query, self.key_, self.value):
            part.build(shape)
        self.out.build((*shape[:-1], max(1, channels // 2)))
        self.gamma = self.add_weight(name="gamma", shape=(), initializer="zeros")
        self.pool = 2 if shape[1] % 2 == 0 and shape[2] % 2 == 0 else 1

    def call(self, x: Any, training: bool | None = None) -> Any:
        n, (h, w) = ops.shape(x)[0], x.shape[1:3]
        query = ops.reshape(self.query(x, training=training), (n, h * w, self.inner))
        key, value = self.key_(x, training=training), self.value(x, training=training)
        if self.pool == 2:
            key, value = ops.max_pool(key, 2), ops.max_pool(value, 2)
        places = (h // self.pool) * (w // self.pool)
        key = ops.reshape(key, (n, places, self.inner))
        value = ops.reshape(value, (n, places, value.shape[-1]))
        scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
        weights = ops.cast(ops.softmax(ops.cast(scores, "float32")), self.compute_dtype)
        o = ops.reshape(ops.matmul(weights, value), (n, h, w, value.shape[-1]))
        return x + ops.cast(self.gamma, self.compute_dtype) * self.out(o, training=training)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"spectral": self.spectral}


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
