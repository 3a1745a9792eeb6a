"""Least squares GAN with dense networks: an ordinary plugin, two players and two losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
from keras import layers

from ganzoo import losses
from ganzoo.plugin import DataSpec, Plugin


@dataclass(frozen=True)
class LSGANDense(Plugin):
    """Least squares GAN (Mao et al. 2017): fakes are pulled to the boundary, also the right ones.

    Differs: dense networks of three layers, where the paper has convolutions, so that any image
    and any vector can be made.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1611.04076"

    hidden: int = 256  # width of both networks
    steps: int = 5_000

    def generator(self, spec: DataSpec) -> keras.Model:
        z = x = keras.Input((self.z_dim,), name="z")
        for _ in range(2):
            x = layers.Dense(self.hidden, activation="relu")(x)
        x = layers.Dense(spec.size, dtype="float32")(x)
        x = layers.Activation("tanh" if spec.range else "linear", dtype="float32")(x)
        return keras.Model(z, layers.Reshape(spec.shape, dtype="float32")(x), name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        sample = keras.Input(spec.shape, name=spec.key)
        x = layers.Flatten()(sample)
        for _ in range(2):
            x = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(self.hidden)(x))
        return keras.Model(sample, layers.Dense(1, dtype="float32")(x), name="discriminator")

    def d_loss(self, real_logits, fake_logits):
        return losses.least_squares_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.least_squares_g(fake_logits)

    def accuracy(self, real_logits, fake_logits):
        """The boundary is at a half: D is drawn to 1 for real samples and to 0 for fakes."""
        return super().accuracy(real_logits - 0.5, fake_logits - 0.5)
