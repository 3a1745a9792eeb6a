"""A GAN of two multilayer perceptrons that can be told how to fail; for `diagnosis.py`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import keras
from keras import layers

from ganzoo import losses
from ganzoo.plugin import DataSpec, Plugin

OPTIMIZERS = {
    "adam": lambda rate: keras.optimizers.Adam(rate, beta_1=0.5),
    "sgd": keras.optimizers.SGD,
    "momentum": lambda rate: keras.optimizers.SGD(rate, momentum=0.9),
}


@dataclass(frozen=True)
class Induced(Plugin):
    """Goodfellow et al. 2014 with hidden layers, and a field for each way to break it."""

    z_dim: int = 16
    hidden: int = 128
    depth: int = 2  # hidden layers of both
    activation: str = "relu"  # "sigmoid" loses the gradient on the way down
    steps: int = 4_000
    g_lr: float = 1e-3
    d_lr: float = 1e-3
    saturating: bool = False  # the loss whose gradient vanishes where D wins (section 3)
    g_turns: int = 1  # more than one: G runs ahead of a D that stands still
    optimizer: str = "adam"  # or "sgd", "momentum"
    late_step: int = 1_000_000_000  # from here on the rates are multiplied
    late_factor: float = 1.0
    late_g: bool = True  # or D's alone

    def generator(self, spec: DataSpec) -> keras.Model:
        last = "tanh" if spec.range else "linear"
        return keras.Sequential(
            [
                keras.Input((self.z_dim,), name="z"),
                *self._hidden(),
                layers.Dense(spec.size, activation=last, dtype="float32"),
                layers.Reshape(spec.shape, dtype="float32"),
            ],
            name="generator",
        )

    def _hidden(self) -> list[layers.Layer]:
        return [layers.Dense(self.hidden, activation=self.activation) for _ in range(self.depth)]

    def discriminator(self, spec: DataSpec) -> keras.Model:
        return keras.Sequential(
            [
                keras.Input(spec.shape, name=spec.key),
                layers.Flatten(),
                *self._hidden(),
                layers.Dense(1, dtype="float32"),
            ],
            name="discriminator",
        )

    def optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        def rate(value: float, factor: float):
            late = [value, value * factor]
            return keras.optimizers.schedules.PiecewiseConstantDecay([self.late_step], late)

        make, late_g = OPTIMIZERS[self.optimizer], self.late_factor if self.late_g else 1.0
        return {
            "generator": make(rate(self.g_lr, late_g)),
            "discriminator": make(rate(self.d_lr, self.late_factor)),
        }

    def players(self, networks, spec: DataSpec, step: int = 0):
        discriminator, generator = super().players(networks, spec, step)
        return [discriminator, dataclasses.replace(generator, turns=self.g_turns)]

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        loss = losses.minimax_g if self.saturating else losses.nonsaturating_g
        return loss(fake_logits)
