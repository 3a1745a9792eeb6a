"""R3GAN: a relativistic loss with two gradient penalties, on plain residual networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers, ops

from ganzoo import losses
from ganzoo.errors import UsageError
from ganzoo.layers import Conv2D, Downsample, Upsample, cropped, halved
from ganzoo.optimizers import Adam, Cosine
from ganzoo.plugin import DataSpec, Plugin


@dataclass(frozen=True)
class R3GAN(Plugin):
    """R3GAN (Huang et al. 2024): a relativistic loss, and slopes drawn to 0 at reals and fakes.

    Both penalties at every step, fresh reals for each player, and no trick beside them. Networks
    of the authors' code (brownvc/R3GAN), schedules of table 9's Stacked MNIST, which that code
    lacks; shortened in proportion, as is the width. Differs: the first map is 4 to 7 a side, as
    halving the image gives; points get dense layers for convolutions, in one stage. As in the
    code, G ends without tanh: what is sampled is clipped, what is judged is not.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/2501.05441"

    width: int = 16  # channels of every stage, a multiple of 8; 768 in the paper
    blocks: int = 1  # residual ones in each stage; 2 in the paper
    z_dim: int = 64  # of the code
    batch_size: int = 64  # 512 in the paper
    steps: int = 2_000  # 128,000 images; 10 M in the paper
    burn_in: int = 25_600  # images until the schedules end, a fifth of all as in table 9
    gamma: float = 1.0  # weight of both penalties, halved; CIFAR-10 has 0.05, FFHQ-256 150
    gamma_end: float = 0.1  # a tenth, in all of the paper's settings
    beta_2: float = 0.9
    beta_2_end: float = 0.99
    rate_end: float = 1.0  # share of the rates at the end; a quarter but for Stacked MNIST
    half_life: int = 6_400  # images, of the average; rises from 0, to a twentieth of all images
    low_precision: bool = False  # slopes of slopes; the paper has bfloat16 beyond the first map

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width < 8 or self.width % 8:
            raise UsageError(f"width must be a multiple of 8, not {self.width}.")
        for name in ("blocks", "burn_in", "half_life"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, not {getattr(self, name)}.")

    def scheduled(self, first: float, last: float) -> Cosine:
        """From `first` to `last` in `burn_in` images."""
        return Cosine(first, last, self.burn_in / self.batch_size)

    def optimizers(self):
        return {
            name: Adam(
                self.scheduled(rate, rate * self.rate_end),
                beta_1=0.0,
                beta_2=self.scheduled(self.beta_2, self.beta_2_end),
                epsilon=1e-8,
            )
            for name, rate in (("generator", self.g_lr), ("discriminator", self.d_lr))
        }

    def averaging(self, step):
        half_life = tf.maximum(self.scheduled(0.0, self.half_life)(step), 1e-8)
        return tf.minimum(self.ema, 0.5 ** (self.batch_size / half_life))

    def generator(self, spec: DataSpec) -> keras.Model:
        z = keras.Input((self.z_dim,), name="z")
        x = _linear(self.width, z)
        *sizes, first = halved(spec.shape, smallest=7) if spec.is_image else [()]
        if spec.is_image:
            maps = _normal(1.0)
            shape = (*first, self.width)
            x = layers.EinsumDense("nc,hwc->nhwc", shape, kernel_initializer=maps)(x)
        x = self._stage(x, len(sizes) + 1)
        for size in reversed(sizes):
            x = self._stage(cropped(Upsample()(x), size), len(sizes) + 1)
        x = _linear(spec.shape[-1], x)
        return keras.Model(z, layers.Activation("linear", dtype="float32")(x), name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        sample = keras.Input(spec.shape, name=spec.key)
        *sizes, last = halved(spec.shape, smallest=7) if spec.is_image else [()]
        x = self._stage(_linear(self.width, sample), len(sizes) + 1)
        for _ in sizes:
            x = self._stage(Downsample()(x), len(sizes) + 1)
        if spec.is_image:
            maps = _normal(1 / (last[0] * last[1]) ** 0.5)
            x = layers.EinsumDense("nhwc,hwc->nc", (self.width,), kernel_initializer=maps)(x)
        logits = layers.Activation("linear", dtype="float32")(_linear(1, x))
        return keras.Model(sample, logits, name="discriminator")

    def sampler(self, networks, spec: DataSpec) -> keras.Model:
        generator = networks["generator"]
        if not spec.range:
            return generator
        return keras.Model(generator.inputs, ops.clip(generator.output, *spec.range))

    def _stage(self, x, stages: int):
        """Residual blocks, whose branches are 0 at first, of a network with so many stages."""
        wide, gain = 2 * self.width, (2 / 1.04) ** 0.5 * (stages * self.blocks) ** -0.25
        for _ in range(self.blocks):
            y = layers.Dense(wide, kernel_initializer=_fan_in(gain))(x)
            y = layers.LeakyReLU(negative_slope=0.2)(y)
            if len(x.shape) == 4:
                y = Conv2D(
                    wide,
                    3,
                    padding="same",
                    groups=self.width // 8,
                    kernel_initializer=_fan_in(gain),
                )(y)
            else:
                y = layers.Dense(wide, kernel_initializer=_fan_in(gain))(y)
            y = layers.LeakyReLU(negative_slope=0.2)(y)
            y = layers.Dense(self.width, use_bias=False, kernel_initializer="zeros")(y)
            x = layers.Add()([x, y])
        return x

    def d_loss(self, real_logits, fake_logits):
        return losses.relativistic_d(real_logits, fake_logits)

    def g_loss(self, fake_logits, real_logits):
        return losses.relativistic_g(fake_logits, real_logits)

    def penalty(self, discriminator, real, fake, turn):
        """gamma / 2 (R1 + R2): gamma times the mean over reals and fakes together."""
        gamma = self.scheduled(self.gamma, self.gamma_end)(turn.step)
        return gamma * losses.r1_penalty(discriminator, tf.concat([real, fake], 0))

    def accuracy(self, real_logits, fake_logits):
        return losses.told_apart(real_logits, fake_logits)


def _linear(units: int, x):
    return layers.Dense(units, use_bias=False, kernel_initializer=_fan_in(1.0))(x)


def _fan_in(gain: float) -> keras.initializers.Initializer:
    return keras.initializers.VarianceScaling(gain**2, "fan_in", "untruncated_normal")


def _normal(deviation: float) -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(0.0, deviation)
