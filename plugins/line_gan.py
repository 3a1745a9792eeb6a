"""A GAN on the real line, small enough that every part of it can be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import keras
from keras import layers

from ganzoo import losses
from ganzoo.plugin import DataSpec, Plugin

DECAY, EVERY, LENGTH = 0.999, 10, 10_000
"""Rates fall by this factor, after so many epochs, of so many numbers."""


@dataclass(frozen=True)
class LineGAN(Plugin):
    """A GAN of numbers (Goodfellow et al. 2014, figure 1): ten units twice, D 20 turns ahead.

    Gradient descent with Nesterov's momentum, and the non-saturating loss. Differs from the paper,
    which gives no settings for its figure: all of these are those of later tutorials.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1406.2661"

    z_dim: int = 1
    z_prior: str = "uniform"
    hidden: int = 10  # of each of two layers, on both sides
    activation: str = "tanh"  # of all hidden layers; it saturates far from 0, where elu does not
    start: float = 0.0  # where the generator's numbers begin
    batch_size: int = 200
    steps: int = 20_000  # 400 epochs of 10,000 numbers, one batch of the generator's a step
    d_steps: int = 20
    g_lr: float = 0.01  # at the start: both fall by 0.999 every 10 epochs
    d_lr: float = 0.1
    momentum: float = 0.6  # Nesterov's
    ema: float = 0.0  # the weights themselves, which the picture's D judges
    low_precision: bool = False
    jit_compile: bool = True  # so small a network is all overhead without

    def unsupported(self, spec: DataSpec) -> str | None:
        return None if spec.shape == (1,) and not spec.range else "line_gan makes numbers only."

    def examples(self) -> Sequence[DataSpec]:
        return (DataSpec((1,), range=None, key="point"),)

    def optimizers(self):
        return {
            "generator": self._descent(self.g_lr, 1),
            "discriminator": self._descent(self.d_lr, self.d_steps),
        }

    def _descent(self, rate: float, turns: int):
        every = EVERY * LENGTH // self.batch_size * turns
        falling = keras.optimizers.schedules.ExponentialDecay(rate, every, DECAY, staircase=True)
        return keras.optimizers.SGD(falling, self.momentum, nesterov=True)

    def generator(self, spec: DataSpec) -> keras.Model:
        z = keras.Input((self.z_dim,), name="z")
        begin = keras.initializers.Constant(self.start)
        x = layers.Dense(1, bias_initializer=begin, dtype="float32")(self._hidden(z))
        return keras.Model(z, x, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        x = keras.Input((1,), name=spec.key)
        logits = layers.Dense(1, dtype="float32")(self._hidden(x))
        return keras.Model(x, logits, name="discriminator")

    def _hidden(self, x):
        for _ in range(2):
            x = layers.Dense(self.hidden, activation=self.activation)(x)
        return x

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)
