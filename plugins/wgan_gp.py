"""Wasserstein GAN with a gradient penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
from keras import layers

from ganzoo import losses
from ganzoo.layers import Conv2D, Conv2DTranspose, cropped, halved
from ganzoo.plugin import DataSpec, Plugin


@dataclass(frozen=True)
class WGANGP(Plugin):
    """WGAN-GP (Gulrajani et al. 2017): the critic's slope between real and fake is drawn to 1.

    The authors' networks for MNIST (gan_mnist.py of igul222/improved_wgan_training), 5x5
    convolutions and no batch norm, and of their toys (gan_toy.py) for everything else, where they
    weigh the penalty 0.1 and take z of 2 (`--set weight=0.1 --set z_dim=2`). Differs: a quarter of
    their channels and units and five times their rates, which so narrow networks bear; tanh for
    their sigmoid, since images are in [-1, 1] here. Paper and code disagree: algorithm 1 has beta_1
    0, the code for MNIST and toys 0.5.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1704.00028"

    weight: float = 10.0  # algorithm 1: lambda; the authors' toys have 0.1
    d_steps: int = 5  # algorithm 1: n_critic
    z_dim: int = 128  # of the code
    width: int = 16  # channels next to the image, an eighth of a dense layer's units; code: 64
    batch_size: int = 50  # of the code
    steps: int = 2_000  # of the code's 200,000
    g_lr: float = 5e-4  # algorithm 1 has 1e-4, for four times the width
    d_lr: float = 5e-4
    low_precision: bool = False  # slopes of slopes

    def optimizers(self):
        return self.adam(beta_1=0.5, beta_2=0.9)

    def generator(self, spec: DataSpec) -> keras.Model:
        z = keras.Input((self.z_dim,), name="z")
        if not spec.is_image:
            x = layers.Reshape(spec.shape)(layers.Dense(spec.size)(self._dense(z)))
        else:
            *sizes, first = halved(spec.shape)  # 28, 14, 7 and 4
            width = self.width << (len(sizes) - 1)
            x = layers.Dense(first[0] * first[1] * width, "relu", kernel_initializer=_he())(z)
            x = layers.Reshape((*first, width))(x)
            for stage, size in reversed(list(enumerate(sizes))):
                channels = self.width << (stage - 1) if stage else spec.shape[2]
                last = None if stage == 0 else "relu"
                x = Conv2DTranspose(
                    channels, 5, 2, "same", activation=last, kernel_initializer=_strided()
                )(x)
                x = cropped(x, size)
        x = layers.Activation("tanh" if spec.range else "linear", dtype="float32")(x)
        return keras.Model(z, x, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        sample = x = keras.Input(spec.shape, name=spec.key)
        if not spec.is_image:
            x = self._dense(layers.Flatten()(x))
        else:
            for stage in range(len(halved(spec.shape)) - 1):
                x = Conv2D(self.width << stage, 5, 2, "same", kernel_initializer=_strided())(x)
                x = layers.LeakyReLU(negative_slope=0.2)(x)
            x = layers.Flatten()(x)
        return keras.Model(sample, layers.Dense(1, dtype="float32")(x), name="critic")

    def _dense(self, x):
        for _ in range(3):
            x = layers.Dense(8 * self.width, "relu", kernel_initializer=_he())(x)
        return x

    def d_loss(self, real_logits, fake_logits):
        return losses.wasserstein_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.wasserstein_g(fake_logits)

    def penalty(self, discriminator, real, fake, turn):
        mix = turn.uniform("mix")
        return self.weight * losses.gradient_penalty(discriminator, real, fake, mix=mix)

    def accuracy(self, real_logits, fake_logits):
        return losses.told_apart(real_logits, fake_logits)


def _he() -> keras.initializers.Initializer:
    return keras.initializers.HeUniform()


def _strided() -> keras.initializers.Initializer:
    """The code's for strided convolutions: He's of both fans, one counted a quarter."""
    return keras.initializers.VarianceScaling(4.0, "fan_avg", "uniform")
