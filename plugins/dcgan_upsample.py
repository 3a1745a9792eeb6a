"""Convolutional GAN whose generator repeats pixels and convolves, and never strides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
from keras import layers

from ganzoo import losses
from ganzoo.layers import BatchNormalization
from ganzoo.layers.convolution import Conv2D, Conv2DTranspose
from ganzoo.plugin import DataSpec, Plugin

FULL = 3
"""A full convolution with this kernel makes a side two pixels longer."""


@dataclass(frozen=True)
class DCGANUpsample(Plugin):
    """DCGAN by upsampling and full convolutions (Odena et al. 2016): no checkerboards in G.

    Sides of MNIST: 4, 8, 10, 20, 22, 24, 26, 28: each doubling repeats pixels, each full
    convolution adds two. The discriminator, and all else, is that of Radford et al. 2015. Differs:
    nearest neighbours and full convolutions, where the article resizes and then keeps the size;
    noise in [0, 1], as early tutorials have it (`z_prior` takes the others, to be compared).
    """

    paper: ClassVar[str] = "https://distill.pub/2016/deconv-checkerboard/"

    z_prior: str = "unit_uniform"
    width: int = 16  # channels next to the image on the generator's side
    d_width: int = 32  # of the discriminator's first layer; doubled at each halving
    batch_size: int = 64
    steps: int = 4_000
    simultaneous: bool = True  # one pass through both networks serves both players

    def unsupported(self, spec: DataSpec) -> str | None:
        side = spec.shape[0]
        if not spec.is_image or spec.shape[1] != side or side < 16 or side % 4:
            return "dcgan_upsample makes square images of side 16, 20, 24, ... (multiples of 4)."
        return None

    def generator(self, spec: DataSpec) -> keras.Model:
        first = (spec.shape[0] - 12) // 4  # doubled, plus 2, doubled, plus 8
        z = keras.Input((self.z_dim,), name="z")
        x = layers.Dense(first * first * 4 * self.width, kernel_initializer=_normal())(z)
        x = _relu(x)  # place by place: z of mean 1/2 gives each a mean that drowns what varies
        x = layers.Reshape((first, first, 4 * self.width))(x)
        x = self._full(2 * self.width, layers.UpSampling2D()(x))
        x = self._full(self.width, layers.UpSampling2D()(x))
        x = self._full(self.width, self._full(self.width, x))
        x = Conv2DTranspose(spec.shape[2], FULL, 1, "valid", kernel_initializer=_normal())(x)
        image = layers.Activation("tanh", dtype="float32")(x)
        return keras.Model(z, image, name="generator")

    def _full(self, channels: int, x):
        return _relu(
            Conv2DTranspose(
                channels, FULL, 1, "valid", use_bias=False, kernel_initializer=_normal()
            )(x)
        )

    def discriminator(self, spec: DataSpec) -> keras.Model:
        image = x = keras.Input(spec.shape, name=spec.key)
        for stage in range(2):
            x = Conv2D(self.d_width << stage, 4, 2, "same", kernel_initializer=_normal())(x)
            x = BatchNormalization(momentum=0.9, epsilon=1e-5)(x) if stage else x
            x = layers.LeakyReLU(negative_slope=0.2)(x)
        logits = layers.Dense(1, kernel_initializer=_normal(), dtype="float32")(layers.Flatten()(x))
        return keras.Model(image, logits, name="discriminator")

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)


def _relu(x):
    return layers.ReLU()(BatchNormalization(momentum=0.9, epsilon=1e-5)(x))


def _normal() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(0.0, 0.02)  # Radford et al., section 3
