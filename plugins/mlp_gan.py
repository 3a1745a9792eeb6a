"""The first GAN: two small multilayer perceptrons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
from keras import layers

from ganzoo import losses
from ganzoo.plugin import DataSpec, Plugin


@dataclass(frozen=True)
class MLPGAN(Plugin):
    """The original GAN (Goodfellow et al. 2014): one hidden layer on both sides.

    Differs from the paper, as the classic tutorials do: ReLU in both networks where the paper's
    discriminator has maxout and dropout, Adam where it has momentum.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1406.2661"

    z_prior: str = "uniform"  # the paper's prior for MNIST
    hidden: int = 128  # of the classic tutorial; both networks
    steps: int = 20_000
    g_lr: float = 1e-3  # Adam's own default: so small a network takes it
    d_lr: float = 1e-3

    def generator(self, spec: DataSpec) -> keras.Model:
        return keras.Sequential(
            [
                keras.Input((self.z_dim,), name="z"),
                layers.Dense(self.hidden, activation="relu"),
                layers.Dense(spec.size, dtype="float32"),
                layers.Activation("tanh" if spec.range else "linear", dtype="float32"),
                layers.Reshape(spec.shape, dtype="float32"),
            ],
            name="generator",
        )

    def discriminator(self, spec: DataSpec) -> keras.Model:
        return keras.Sequential(
            [
                keras.Input(spec.shape, name=spec.key),
                layers.Flatten(),
                layers.Dense(self.hidden, activation="relu"),
                layers.Dense(1, dtype="float32"),
            ],
            name="discriminator",
        )

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)
