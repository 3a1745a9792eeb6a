"""Self-attention over the positions of an image."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from ganzoo.layers.spectral import SpectralConv2D


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
