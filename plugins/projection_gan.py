"""Projection discriminator: the class is a direction in feature space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
from keras import layers, ops

from ganzoo import losses
from ganzoo.augment import Augmentation
from ganzoo.layers import (
    ConditionalBatchNorm,
    SpectralConv2D,
    SpectralDense,
    SpectralEmbedding,
    cropped,
    halved,
)
from ganzoo.layers.convolution import Conv2DTranspose
from ganzoo.plugin import DataSpec, Plugin


@dataclass(frozen=True)
class ProjectionGAN(Plugin):
    """Projection discriminator (Miyato & Koyama 2018): the class is a direction of its features.

    D(x, y) = v_y . phi(x) + psi(phi(x)), with spectral norm on every layer of it, and batch norm
    by class in the generator. Differs: the plain convolutions of the authors' SNGAN (Miyato et al.
    2018, table 3) where the paper has residual blocks, which `sagan` has; fewer channels; as many
    stages as the side allows; one turn of D where it has five; rates that do not fall.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1802.05637"

    z_dim: int = 128
    width: int = 16  # channels next to the image, doubled at each halving; a quarter of table 3's
    batch_size: int = 64
    steps: int = 4_000
    g_lr: float = 1e-3  # five times the paper's: its own are slow to move the gains of a class
    d_lr: float = 1e-3
    augment: str = ""  # what D sees: color,translation,cutout (DiffAugment), or ada

    @property
    def augmentation(self) -> Augmentation | None:
        return Augmentation(self.augment) if self.augment else None

    def unsupported(self, spec: DataSpec) -> str | None:
        if not spec.classes or not spec.is_image or min(spec.shape[:2]) < 8:
            return "projection_gan needs images with labels, of 8 pixels a side or more."
        return None

    def optimizers(self):
        return self.adam(beta_1=0.0, beta_2=0.9)

    def generator(self, spec: DataSpec) -> keras.Model:
        sizes = halved(spec.shape, smallest=7)
        (h, w), channels = sizes[-1], self.width << (len(sizes) - 1)
        z = keras.Input((self.z_dim,), name="z")
        label = keras.Input((), dtype="int32", name="label")
        x = layers.Reshape((h, w, channels))(layers.Dense(h * w * channels)(z))
        for size in sizes[-2::-1]:
            channels //= 2
            x = cropped(Conv2DTranspose(channels, 4, 2, "same")(x), size)
            x = layers.ReLU()(ConditionalBatchNorm(spec.classes)([x, label]))
        x = layers.Conv2D(spec.shape[2], 3, padding="same")(x)
        image = layers.Activation("tanh", dtype="float32")(x)
        return keras.Model([z, label], image, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        image = x = keras.Input(spec.shape, name=spec.key)
        label = keras.Input((), dtype="int32", name="label")
        stages = len(halved(spec.shape, smallest=7)) - 1
        for place in range(stages):
            x = _leaky(SpectralConv2D(self.width << place, 3, padding="same")(x))
            x = _leaky(SpectralConv2D(self.width << place, 4, 2, padding="same")(x))
        x = _leaky(SpectralConv2D(self.width << stages, 3, padding="same")(x))
        phi = ops.sum(ops.cast(x, "float32"), axis=(1, 2))  # a sum, as in the authors' code
        psi = SpectralDense(1, dtype="float32")(phi)
        v = SpectralEmbedding(spec.classes, phi.shape[-1], dtype="float32")(label)
        logits = psi + ops.sum(v * phi, axis=1, keepdims=True)  # equation 3
        return keras.Model([image, label], logits, name="discriminator")

    def d_loss(self, real_logits, fake_logits):
        return losses.hinge_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.hinge_g(fake_logits)


def _leaky(x):
    return layers.LeakyReLU(negative_slope=0.1)(x)
