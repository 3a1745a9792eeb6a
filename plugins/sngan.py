"""GAN with a spectrally normalised discriminator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import keras
from keras import layers

from ganzoo import losses
from ganzoo.augment import Augmentation
from ganzoo.layers import (
    BatchNormalization,
    Conv2DTranspose,
    SpectralConv2D,
    SpectralDense,
    cropped,
    halved,
)
from ganzoo.plugin import DataSpec, Plugin


@dataclass(frozen=True)
class SNGAN(Plugin):
    """SNGAN (Miyato et al. 2018): every kernel of the discriminator has spectral norm 1.

    The paper's convolutional networks for CIFAR-10 (appendix B.4, table 3) under its optimiser
    setting C, with the loss of section 4 or the hinge of equations 16 and 17. Differs: a quarter of
    the channels, as many stages as the side allows, a power iteration for reals and one for fakes.
    Paper and code disagree: the released code (pfnet-research/sngan_projection) has only the
    residual networks, with the hinge; their D sums over places where a comment says average.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1802.05957"

    loss: Literal["logistic", "hinge"] = "logistic"  # of the convolutional networks; code: hinge
    z_dim: int = 128  # table 3
    width: int = 16  # channels next to the image; table 3 has 64
    batch_size: int = 64  # section 4.1
    steps: int = 3_000
    simultaneous: bool = True  # one pass through both networks serves both players
    augment: str = ""  # what D sees: color,translation,cutout (DiffAugment), or ada

    @property
    def augmentation(self) -> Augmentation | None:
        return Augmentation(self.augment) if self.augment else None

    def unsupported(self, spec: DataSpec) -> str | None:
        return None if spec.is_image else "sngan makes images only."

    def generator(self, spec: DataSpec) -> keras.Model:
        *sizes, first = halved(spec.shape, smallest=7)  # 28, 14 and 7; 32, 16, 8 and 4
        width = self.width << len(sizes)
        z = keras.Input((self.z_dim,), name="z")
        x = layers.Reshape((*first, width))(layers.Dense(first[0] * first[1] * width)(z))
        for stage, size in reversed(list(enumerate(sizes))):
            x = cropped(Conv2DTranspose(self.width << stage, 4, 2, "same")(x), size)
            x = layers.ReLU()(BatchNormalization(momentum=0.9)(x))
        x = layers.Conv2D(spec.shape[2], 3, padding="same")(x)
        image = layers.Activation("tanh", dtype="float32")(x)
        return keras.Model(z, image, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        image = x = keras.Input(spec.shape, name=spec.key)
        stages = len(halved(spec.shape, smallest=7)) - 1
        for stage in range(stages):
            x = _leaky(SpectralConv2D(self.width << stage, 3, padding="same")(x))
            x = _leaky(SpectralConv2D(self.width << stage, 4, 2, "same")(x))
        x = _leaky(SpectralConv2D(self.width << stages, 3, padding="same")(x))
        logits = SpectralDense(1, dtype="float32")(layers.Flatten()(x))
        return keras.Model(image, logits, name="discriminator")

    def d_loss(self, real_logits, fake_logits):
        chosen = losses.minimax_d if self.loss == "logistic" else losses.hinge_d
        return chosen(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        chosen = losses.nonsaturating_g if self.loss == "logistic" else losses.hinge_g
        return chosen(fake_logits)


def _leaky(x):
    return layers.LeakyReLU(negative_slope=0.1)(x)  # table 3
