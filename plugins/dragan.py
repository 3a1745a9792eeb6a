"""DRAGAN: a gradient penalty round the real samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.layers import BatchNormalization, Conv2D, Conv2DTranspose, cropped, halved
from ganzoo.plugin import DataSpec, Plugin


@dataclass(frozen=True)
class DRAGAN(Plugin):
    """DRAGAN (Kodali et al. 2017): D's slope is drawn to 1 round the real samples alone.

    The plain GAN's losses with the penalty of the authors' notebook (kodalinaveen3/DRAGAN). Its
    networks have one hidden layer of 128 units; points get three such layers, and images strided
    convolutions, with batch norm in G alone, since the penalty is each sample's own. `weight`
    has to fit: on `ring`, rates 5e-4, one seed, 10 found no mode and 1 all 8. Paper and code
    disagree: the paper takes slopes at x + delta, delta normal with variance c; the code anywhere
    between x and x + 0.5 std U(0, 1), std being one number for the batch; the paper's D is a
    probability, the code penalises logits.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1705.07215"

    weight: float = 10.0  # lambda
    slope: float = 1.0  # k
    spread: float = 0.5  # of the perturbation, in deviations of the batch: the code's C
    z_prior: str = "uniform"  # of the code
    width: int = 32  # channels next to the image, a quarter of a dense layer's units
    hidden: int = 3  # dense layers, of points alone; the code has one
    steps: int = 2_000  # of the code's 200,000, with a rate of 1e-4
    low_precision: bool = False  # slopes of slopes

    def optimizers(self):
        return self.adam(beta_1=0.5, beta_2=0.9)

    def generator(self, spec: DataSpec) -> keras.Model:
        z = keras.Input((self.z_dim,), name="z")
        if not spec.is_image:
            x = layers.Reshape(spec.shape)(layers.Dense(spec.size)(self._dense(z)))
        else:
            *sizes, first = halved(spec.shape, smallest=7)  # 28, 14 and 7
            channels = self.width << (len(sizes) - 1)
            x = layers.Dense(first[0] * first[1] * channels, use_bias=False)(z)
            x = _normed(layers.Reshape((*first, channels))(x))
            for stage in reversed(range(1, len(sizes))):
                x = Conv2DTranspose(self.width << (stage - 1), 4, 2, "same", use_bias=False)(x)
                x = _normed(cropped(x, sizes[stage]))
            x = cropped(Conv2DTranspose(spec.shape[2], 4, 2, "same")(x), sizes[0])
        x = layers.Activation("tanh" if spec.range else "linear", dtype="float32")(x)
        return keras.Model(z, x, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        sample = x = keras.Input(spec.shape, name=spec.key)
        if not spec.is_image:
            x = self._dense(layers.Flatten()(x))
        else:
            for stage in range(len(halved(spec.shape, smallest=7)) - 1):
                x = Conv2D(self.width << stage, 4, 2, "same")(x)
                x = layers.LeakyReLU(negative_slope=0.2)(x)
            x = layers.Flatten()(x)
        return keras.Model(sample, layers.Dense(1, dtype="float32")(x), name="discriminator")

    def _dense(self, x):
        for _ in range(self.hidden):
            x = layers.Dense(4 * self.width, "relu", kernel_initializer=_he())(x)
        return x

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)

    def penalty(self, discriminator, real, fake, turn):
        mean, square = (tf.reduce_mean(turn.mean(x)) for x in (real, tf.square(real)))
        deviation = tf.sqrt(tf.maximum(square - tf.square(mean), 0.0))
        noise = turn.uniform("noise", real.shape[1:])
        near = real + self.spread * deviation * noise
        return self.weight * losses.gradient_penalty(
            discriminator, real, near, target=self.slope, mix=turn.uniform("mix")
        )


def _normed(x):
    return layers.ReLU()(BatchNormalization(momentum=0.9, epsilon=1e-5)(x))


def _he() -> keras.initializers.Initializer:
    return keras.initializers.HeNormal()  # the code's, which calls it Xavier's
