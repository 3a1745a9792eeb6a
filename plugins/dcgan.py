"""Convolutional GAN: the architecture that made image GANs train."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
from keras import layers

from ganzoo import losses
from ganzoo.augment import Augmentation
from ganzoo.layers import BatchNormalization, halvings
from ganzoo.layers.convolution import Conv2D, Conv2DTranspose
from ganzoo.plugin import DataSpec, Plugin


@dataclass(frozen=True)
class DCGAN(Plugin):
    """Deep convolutional GAN (Radford et al. 2015): strided convolutions, batch norm, no pooling.

    The generator doubles the side until it reaches the image's, the discriminator halves it.
    Differs: as many stages as the side allows, where the paper has four for 64 pixels, and both
    gradients are taken at the same weights.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1511.06434"

    width: int = 64  # channels next to the image; doubled at each halving of the side
    steps: int = 5_000
    simultaneous: bool = True  # one pass through both networks serves both players
    augment: str = ""  # what D sees: color,translation,cutout (DiffAugment), or ada

    @property
    def augmentation(self) -> Augmentation | None:
        return Augmentation(self.augment) if self.augment else None

    def unsupported(self, spec: DataSpec) -> str | None:
        if not spec.is_image or spec.shape[0] != spec.shape[1]:
            return "dcgan makes square images only."
        if spec.shape[0] < 16 or spec.shape[0] % 4:
            return (
                f"dcgan makes images of side 16, 20, 24, ... (multiples of 4), not {spec.shape[0]}."
            )
        return None

    def generator(self, spec: DataSpec) -> keras.Model:
        stages = halvings(spec.shape[0])
        side, channels = spec.shape[0] >> stages, self.width << (stages - 1)
        z = keras.Input((self.z_dim,), name="z")
        x = layers.Dense(side * side * channels, use_bias=False, kernel_initializer=_normal())(z)
        x = layers.Reshape((side, side, channels))(x)
        x = layers.ReLU()(BatchNormalization(momentum=0.9, epsilon=1e-5)(x))
        for stage in reversed(range(1, stages)):
            x = Conv2DTranspose(
                self.width << (stage - 1),
                4,
                2,
                "same",
                use_bias=False,
                kernel_initializer=_normal(),
            )(x)
            x = layers.ReLU()(BatchNormalization(momentum=0.9, epsilon=1e-5)(x))
        x = Conv2DTranspose(spec.shape[2], 4, 2, "same", kernel_initializer=_normal())(x)
        image = layers.Activation("tanh", dtype="float32")(x)
        return keras.Model(z, image, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        image = keras.Input(spec.shape, name=spec.key)
        x = image
        for stage in range(halvings(spec.shape[0])):
            x = Conv2D(
                self.width << stage, 4, 2, "same", use_bias=stage == 0, kernel_initializer=_normal()
            )(x)
            if stage:  # none at the input, nor at the generator's output (section 3)
                x = BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
            x = layers.LeakyReLU(negative_slope=0.2)(x)
        logits = layers.Dense(1, kernel_initializer=_normal(), dtype="float32")(layers.Flatten()(x))
        return keras.Model(image, logits, name="discriminator")

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)


def _normal() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(0.0, 0.02)  # section 3: "all weights"
