"""The smallest GAN: two weights a player, so that a step can be worked by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo.plugin import DataSpec, Plugin, Rows


@dataclass(frozen=True)
class LinearGAN(Plugin):
    """A GAN to work by hand: G(r) = w r + b, D(x) = sigmoid(u x + d), from w = 1, b = u = d = 0.

    Alternating gradient descent on the saturating game (Goodfellow et al. 2014, equation 1), D
    first, as on the page "A GAN by hand". D is the probability that x is *fake*, so the logits
    of the contract, which speak for real, are -(u x + d). Differs from the paper: losses are sums
    over the samples, not means, and r is given and not drawn.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1406.2661"

    r: tuple[float, ...] = (-1.0, -2.0)  # what G is fed, in this order
    z_dim: int = 1
    batch_size: int = 2  # all of `positive` in every step
    steps: int = 100  # 300 reach the end, where D says 1/2 of every number
    g_lr: float = 0.1
    d_lr: float = 0.1
    ema: float = 0.0  # the weights themselves
    low_precision: bool = False  # the hand reckons with three digits

    def unsupported(self, spec: DataSpec) -> str | None:
        return None if spec.shape == (1,) and not spec.range else "linear_gan makes numbers only."

    def examples(self) -> Sequence[DataSpec]:
        return (DataSpec((1,), range=None, key="point"),)

    def inputs(self, spec: DataSpec):
        return {"z": Rows(self.r)}

    def optimizers(self):
        return {
            "generator": keras.optimizers.SGD(self.g_lr),
            "discriminator": keras.optimizers.SGD(self.d_lr),
        }

    def generator(self, spec: DataSpec) -> keras.Model:
        r = keras.Input((1,), name="z")
        x = layers.Dense(1, kernel_initializer="ones", name="w_and_b")(r)
        return keras.Model(r, x, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        x = keras.Input((1,), name=spec.key)
        fake = layers.Dense(1, kernel_initializer="zeros", name="u_and_d")(x)
        return keras.Model(x, -fake, name="discriminator")

    def d_loss(self, real_logits, fake_logits):
        """-sum log(1 - D(x)) - sum log D(G(r))."""
        return tf.reduce_sum(tf.nn.softplus(-real_logits)) + tf.reduce_sum(
            tf.nn.softplus(fake_logits)
        )

    def g_loss(self, fake_logits):
        """sum log D(G(r))."""
        return -tf.reduce_sum(tf.nn.softplus(fake_logits))
