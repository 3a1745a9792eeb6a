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

    The networks of section 4.1, dropout included: z and the class each have a layer of their own
    before a joint one; ReLU in the generator, maxout in the discriminator. Differs: tanh for pixels
    in [-1, 1] where the paper has a sigmoid, a prior on [-1, 1] where it has the unit cube, and a
    momentum that stays at 0.5 where theirs rises to 0.7.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1411.1784"

    z_prior: str = "uniform"
    hidden: int = 1200  # of the generator's joint layer; the others keep the paper's proportions
    dropout: float = 0.5  # of every hidden layer, on both sides
    batch_size: int = 100
    steps: int = 20_000
    momentum: float = 0.5
    g_lr: float = 0.1
    d_lr: float = 0.1
    decay: float = 1.00004  # the rates are divided by it at every step

    def unsupported(self, spec: DataSpec) -> str | None:
        return None if spec.classes else "cgan needs data with labels."

    def optimizers(self):
        def sgd(rate: float):
            falling = keras.optimizers.schedules.ExponentialDecay(rate, 1, 1 / self.decay)
            return keras.optimizers.SGD(falling, self.momentum)

        return {"generator": sgd(self.g_lr), "discriminator": sgd(self.d_lr)}

    def generator(self, spec: DataSpec) -> keras.Model:
        z = keras.Input((self.z_dim,), name="z")
        label = keras.Input((), dtype="int32", name="label")
        x = self._relu(self.hidden // 6, z)
        y = self._relu(5 * self.hidden // 6, ops.one_hot(label, spec.classes))
        x = self._relu(self.hidden, layers.Concatenate()([x, y]))
        x = layers.Dense(spec.size, dtype="float32")(x)
        x = layers.Activation("tanh" if spec.range else "linear", dtype="float32")(x)
        sample = layers.Reshape(spec.shape, dtype="float32")(x)
        return keras.Model([z, label], sample, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        sample = keras.Input(spec.shape, name=spec.key)
        label = keras.Input((), dtype="int32", name="label")
        x = self._maxout(self.hidden // 5, 5, layers.Flatten()(sample))
        y = self._maxout(self.hidden // 24, 5, ops.one_hot(label, spec.classes))
        x = self._maxout(self.hidden // 5, 4, layers.Concatenate()([x, y]))
        logits = layers.Dense(1, dtype="float32")(x)
        return keras.Model([sample, label], logits, name="discriminator")

    def _relu(self, units: int, x):
        return Dropout(self.dropout)(layers.Dense(units, activation="relu")(x))

    def _maxout(self, units: int, pieces: int, x):
        return Dropout(self.dropout)(Maxout(units, pieces)(x))

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)
