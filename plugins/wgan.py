"""Wasserstein GAN with a clipped critic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.errors import UsageError
from ganzoo.layers import BatchNormalization
from ganzoo.layers.convolution import Conv2D, Conv2DTranspose
from ganzoo.plugin import DataSpec, Plugin


@dataclass(frozen=True)
class WGAN(Plugin):
    """Wasserstein GAN (Arjovsky et al. 2017): a critic without sigmoid, its weights clipped.

    Convolutional for images of a side that is a multiple of 4, as in the paper's experiments, and
    a multilayer perceptron for everything else. Differs: no batch norm in the critic, whose batch
    statistics a clipped weight cannot bound.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1701.07875"

    clip: float = 0.01  # algorithm 1
    d_steps: int = 5  # algorithm 1: n_critic
    g_lr: float = 5e-5  # algorithm 1
    d_lr: float = 5e-5
    batch_size: int = 64  # algorithm 1
    steps: int = 10_000
    width: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.clip <= 0:
            raise UsageError(f"clip must be above 0, not {self.clip}.")

    def optimizers(self):  # RMSProp: the critic's loss moves under momentum (section 4)
        return {
            "generator": keras.optimizers.RMSprop(self.g_lr),
            "discriminator": keras.optimizers.RMSprop(self.d_lr),
        }

    def generator(self, spec: DataSpec) -> keras.Model:
        z = x = keras.Input((self.z_dim,), name="z")
        if not _convolves(spec):
            for _ in range(2):
                x = layers.Dense(4 * self.width, activation="relu")(x)
            x = layers.Reshape(spec.shape)(layers.Dense(spec.size)(x))
        else:
            side = spec.shape[0] // 4
            x = layers.Dense(side * side * 2 * self.width, use_bias=False)(x)
            x = layers.Reshape((side, side, 2 * self.width))(x)
            x = layers.ReLU()(BatchNormalization(momentum=0.9)(x))
            x = Conv2DTranspose(self.width, 4, 2, "same", use_bias=False)(x)
            x = layers.ReLU()(BatchNormalization(momentum=0.9)(x))
            x = Conv2DTranspose(spec.shape[2], 4, 2, "same")(x)
        x = layers.Activation("tanh" if spec.range else "linear", dtype="float32")(x)
        return keras.Model(z, x, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        sample = x = keras.Input(spec.shape, name=spec.key)
        if not _convolves(spec):
            x = layers.Flatten()(x)
            for _ in range(2):
                x = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(4 * self.width)(x))
        else:
            for factor in (1, 2):
                x = Conv2D(factor * self.width, 4, 2, "same")(x)
                x = layers.LeakyReLU(negative_slope=0.2)(x)
            x = layers.Flatten()(x)
        return keras.Model(sample, layers.Dense(1, dtype="float32")(x), name="critic")

    def d_loss(self, real_logits, fake_logits):
        return losses.wasserstein_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.wasserstein_g(fake_logits)

    def after_step(self, networks) -> None:
        for weight in networks["discriminator"].trainable_variables:
            weight.assign(tf.clip_by_value(weight.value, -self.clip, self.clip))

    def accuracy(self, real_logits, fake_logits):
        """Right is above the middle of both means for a real sample: a critic has no zero."""
        middle = (tf.reduce_mean(real_logits) + tf.reduce_mean(fake_logits)) / 2
        return super().accuracy(real_logits - middle, fake_logits - middle)


def _convolves(spec: DataSpec) -> bool:
    return spec.is_image and spec.shape[0] % 4 == 0 and spec.shape[1] == spec.shape[0]
