"""The two GANs that every contender trains: the DCGAN of TensorFlow's tutorial, and a small MLP.

As plugins for ganzoo's loop, and as plain Keras networks for the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import keras
from keras import layers

from ganzoo import losses
from ganzoo.layers import BatchNormalization, Dropout, convolution
from ganzoo.plugin import DataSpec, Plugin
from ganzoo.plugins.mlp_gan import MLPGAN

FAST = SimpleNamespace(
    BatchNormalization=BatchNormalization,
    Dropout=Dropout,
    Conv2D=convolution.Conv2D,
    Conv2DTranspose=convolution.Conv2DTranspose,
)
"""ganzoo's layers, which have Keras's names, weights and results."""
BATCH = 128
Z = 100


def dcgan_generator(kit: Any = layers) -> keras.Model:
    """z (100) -> 28x28x1."""
    return keras.Sequential(
        [
            keras.Input((Z,), name="z"),
            layers.Dense(7 * 7 * 256, use_bias=False),
            kit.BatchNormalization(),
            layers.LeakyReLU(negative_slope=0.3),
            layers.Reshape((7, 7, 256)),
            kit.Conv2DTranspose(128, 5, 1, "same", use_bias=False),
            kit.BatchNormalization(),
            layers.LeakyReLU(negative_slope=0.3),
            kit.Conv2DTranspose(64, 5, 2, "same", use_bias=False),
            kit.BatchNormalization(),
            layers.LeakyReLU(negative_slope=0.3),
            kit.Conv2DTranspose(1, 5, 2, "same", use_bias=False),
            layers.Activation("tanh", dtype="float32"),
        ]
    )


def dcgan_discriminator(kit: Any = layers) -> keras.Model:
    """28x28x1 -> logit."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            kit.Conv2D(64, 5, 2, "same"),
            layers.LeakyReLU(negative_slope=0.3),
            kit.Dropout(0.3),
            kit.Conv2D(128, 5, 2, "same"),
            layers.LeakyReLU(negative_slope=0.3),
            kit.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(1, dtype="float32"),
        ]
    )


def mlp_generator() -> keras.Model:
    """z (100) -> 28x28x1."""
    return keras.Sequential(
        [
            keras.Input((Z,), name="z"),
            layers.Dense(128, "relu"),
            layers.Dense(784, "tanh"),
            layers.Reshape((28, 28, 1)),
        ]
    )


def mlp_discriminator() -> keras.Model:
    """28x28x1 -> logit."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Flatten(),
            layers.Dense(128, "relu"),
            layers.Dense(1),
        ]
    )


@dataclass(frozen=True)
class TutorialDCGAN(Plugin):
    """The DCGAN of TensorFlow's tutorial."""

    g_lr: float = 1e-4
    d_lr: float = 1e-4
    simultaneous: bool = True

    def generator(self, spec: DataSpec) -> keras.Model:
        return dcgan_generator(FAST)

    def discriminator(self, spec: DataSpec) -> keras.Model:
        return dcgan_discriminator(FAST)

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)


def plugin(name: str) -> Plugin:
    """`dcgan` or `mlp` as ganzoo's loop takes it."""
    if name == "dcgan":
        return TutorialDCGAN()
    return MLPGAN(simultaneous=True, g_lr=1e-4, d_lr=1e-4, z_prior="normal")


NETWORKS = {
    "dcgan": (dcgan_generator, dcgan_discriminator),
    "mlp": (mlp_generator, mlp_discriminator),
}
