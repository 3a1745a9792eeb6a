"""Conditional GAN: both networks are told the class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
from keras import layers, ops

from ganzoo import losses
from ganzoo.layers import Dropout, Maxout
from ganzoo.plugin import DataSpec, Plugin


@dataclass(frozen=True)
class CGAN(Plugin):
    """Conditional GAN (Mirza & Osindero 2014): generator and discriminator are told the class.

    The networks of section 4.1: z and the class each have a layer of their own before a joint one;
    ReLU in the generator, maxout in the discriminator, with dropout. Differs: a third of the units,
    tanh for pixels in [-1, 1] where the paper has a sigmoid, a prior on [-1, 1] where it has the
    unit cube, Adam for its falling momentum, no dropout in the generator. The class, one number of
    ten, comes into the discriminator as loud as the pixels: else it is not heard for long.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1411.1784"

    z_prior: str = "uniform"
    hidden: int = 360  # of the generator's joint layer, 1200 in the paper; the others in proportion
    dropout: float = 0.2  # of the discriminator's hidden layers; 0.5 in the paper's longer runs
    batch_size: int = 100
    steps: int = 20_000
    g_lr: float = 1e-3
    d_lr: float = 1e-3

    def unsupported(self, spec: DataSpec) -> str | None:
        return None if spec.classes else "cgan needs data with labels."

    def generator(self, spec: DataSpec) -> keras.Model:
        z = keras.Input((self.z_dim,), name="z")
        label = keras.Input((), dtype="int32", name="label")
        x = layers.Dense(self.hidden // 6, "relu")(z)
        y = layers.Dense(5 * self.hidden // 6, "relu")(ops.one_hot(label, spec.classes))
        x = layers.Dense(self.hidden, "relu")(layers.Concatenate()([x, y]))
        x = layers.Dense(spec.size, dtype="float32")(x)
        x = layers.Activation("tanh" if spec.range else "linear", dtype="float32")(x)
        sample = layers.Reshape(spec.shape, dtype="float32")(x)
        return keras.Model([z, label], sample, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        sample = keras.Input(spec.shape, name=spec.key)
        label = keras.Input((), dtype="int32", name="label")
        x = self._maxout(self.hidden // 5, 5, layers.Flatten()(sample))
        loud = keras.initializers.RandomNormal(0.0, 1.0)
        y = self._maxout(self.hidden // 24, 5, ops.one_hot(label, spec.classes), loud)
        x = self._maxout(self.hidden // 5, 4, layers.Concatenate()([x, y]))
        logits = layers.Dense(1, dtype="float32")(x)
        return keras.Model([sample, label], logits, name="discriminator")

    def _maxout(self, units: int, pieces: int, x, kernel_initializer="glorot_uniform"):
        return Dropout(self.dropout)(Maxout(units, pieces, kernel_initializer)(x))

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)
