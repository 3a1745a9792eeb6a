"""Least squares GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
from keras import layers

from ganzoo import losses
from ganzoo.errors import UsageError
from ganzoo.layers import BatchNormalization, Conv2D, Conv2DTranspose, cropped, halved
from ganzoo.plugin import DataSpec, Plugin


@dataclass(frozen=True)
class LSGAN(Plugin):
    """LSGAN (Mao et al. 2017): squares for logarithms, so a fake that D is sure of still moves.

    D's output is drawn to `a` for a fake and to `b` for a real sample, G draws it to `c`. The
    convolutions are DCGAN's, of the paper's comparison with it; everything but images takes the
    networks of its mixture of Gaussians (stability_comparison/mixture_gaussian of xudonmao/LSGAN,
    where G learns at 1e-3, D at 1e-4, from batches of 512). Differs: 4x4 kernels for 5x5, and one
    rate. Paper and code disagree: the code of the comparison takes a, b, c = -1, 1, 0 (equation 8)
    and RMSProp, that of the pictures 0, 1, 1 (equation 9) and Adam; it sums squares over a batch.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1611.04076"

    a: float = 0.0  # equation 9: of a fake; -1 in equation 8
    b: float = 1.0  # equation 9: of a real sample; 1 in equation 8 too
    c: float = 1.0  # equation 9: what G wants; 0 in equation 8, which lies between
    norm: bool = True  # batch norm; without it the paper compares how steadily GANs train
    width: int = 64  # channels next to the image, half of a dense layer's units: the code's
    z_prior: str = "uniform"  # of the code
    batch_size: int = 64  # of the code
    steps: int = 3_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.a >= self.b:
            raise UsageError(f"a must be below b, not {self.a} and {self.b}.")

    def generator(self, spec: DataSpec) -> keras.Model:
        z = x = keras.Input((self.z_dim,), name="z")
        if not spec.is_image:
            x = layers.Reshape(spec.shape)(layers.Dense(spec.size)(self._dense(x)))
        else:
            *sizes, first = halved(spec.shape, smallest=7)  # 28, 14 and 7
            width = self.width << (len(sizes) - 1)
            x = layers.Dense(first[0] * first[1] * width, kernel_initializer=_normal())(x)
            x = layers.Reshape((*first, width))(x)
            for stage, size in reversed(list(enumerate(sizes))):
                channels = self.width << (stage - 1) if stage else spec.shape[2]
                x = layers.ReLU()(self._normed(x))
                x = Conv2DTranspose(channels, 4, 2, "same", kernel_initializer=_normal())(x)
                x = cropped(x, size)
        x = layers.Activation("tanh" if spec.range else "linear", dtype="float32")(x)
        return keras.Model(z, x, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        sample = x = keras.Input(spec.shape, name=spec.key)
        if not spec.is_image:
            x = self._dense(layers.Flatten()(x))
        else:
            for stage in range(len(halved(spec.shape, smallest=7)) - 1):
                x = Conv2D(self.width << stage, 4, 2, "same", kernel_initializer=_normal())(x)
                x = layers.LeakyReLU(negative_slope=0.2)(self._normed(x) if stage else x)
            x = layers.Flatten()(x)
        return keras.Model(sample, layers.Dense(1, dtype="float32")(x), name="discriminator")

    def _normed(self, x):
        return BatchNormalization(momentum=0.9, epsilon=1e-5)(x) if self.norm else x

    def _dense(self, x):
        for _ in range(2):
            spread = keras.initializers.Orthogonal(gain=1.4)
            x = layers.Dense(2 * self.width, "tanh", kernel_initializer=spread)(x)
        return x

    def d_loss(self, real_logits, fake_logits):
        return losses.least_squares_d(real_logits, fake_logits, self.b, self.a)

    def g_loss(self, fake_logits):
        return losses.least_squares_g(fake_logits, self.c)

    def accuracy(self, real_logits, fake_logits):
        """Right is on the nearer side of the middle of a and b."""
        middle = (self.a + self.b) / 2
        return super().accuracy(real_logits - middle, fake_logits - middle)


def _normal() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(0.0, 0.02)  # DCGAN's
