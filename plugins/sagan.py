"""Self-attention GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
from keras import layers

from ganzoo import losses
from ganzoo.augment import Augmentation
from ganzoo.layers import (
    BatchNormalization,
    ConditionalBatchNorm,
    SelfAttention,
    SpectralConv2D,
    SpectralDense,
    SpectralEmbedding,
    halvings,
)
from ganzoo.plugin import DataSpec, Plugin


@dataclass(frozen=True)
class SAGAN(Plugin):
    """Self-attention GAN (Zhang et al. 2019): attention, spectral norm on both sides, two rates.

    Residual blocks, hinge loss, and classes where the data has labels: conditional batch norm in
    the generator, projection in the discriminator. Differs: channels and attention are sized for
    images of 16 to 64 pixels where the paper makes 128, and the batch is smaller.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1805.08318"

    z_dim: int = 128
    width: int = 16  # channels at full resolution; doubled at each halving of the side
    batch_size: int = 64  # the paper's 256 is for 128 pixels and 4 GPUs
    steps: int = 1_500
    g_lr: float = 2.5e-4  # two time scales: D learns four times as fast (section 4.2)
    d_lr: float = 1e-3  # both 2.5 times the paper's, for a short run of narrow networks
    augment: str = ""  # what D sees: color,translation,cutout (DiffAugment), or ada

    def optimizers(self):
        return self.adam(beta_1=0.0, beta_2=0.9)

    @property
    def augmentation(self) -> Augmentation | None:
        return Augmentation(self.augment) if self.augment else None

    def unsupported(self, spec: DataSpec) -> str | None:
        if not spec.is_image or spec.shape[0] != spec.shape[1]:
            return "sagan makes square images only."
        side = spec.shape[0]
        if side < 16 or side % 4:
            return f"sagan makes images of side 16, 20, 24, ... (multiples of 4), not {side}."
        return None

    def generator(self, spec: DataSpec) -> keras.Model:
        stages = halvings(spec.shape[0])
        side, channels = spec.shape[0] >> stages, self.width << stages
        z = keras.Input((self.z_dim,), name="z")
        label = keras.Input((), dtype="int32", name="label") if spec.classes else None
        x = SpectralDense(side * side * channels)(z)
        x = layers.Reshape((side, side, channels))(x)
        for stage in reversed(range(stages)):
            x = self._up(x, label, self.width << stage, spec.classes)
            if stage == 1 or stages == 1:  # at half the resolution
                x = SelfAttention()(x)
        x = layers.ReLU()(BatchNormalization(momentum=0.9, epsilon=1e-5)(x))
        x = SpectralConv2D(spec.shape[2], 3, padding="same")(x)
        image = layers.Activation("tanh", dtype="float32")(x)
        return keras.Model([z, label] if spec.classes else z, image, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        image = keras.Input(spec.shape, name=spec.key)
        label = keras.Input((), dtype="int32", name="label") if spec.classes else None
        x, stages = image, halvings(spec.shape[0])
        for stage in range(stages):
            x = self._down(x, self.width << (stage + 1), first=stage == 0)
            if stage == 0:
                x = SelfAttention()(x)
        x = layers.ReLU()(self._residual(x))
        x = layers.GlobalAveragePooling2D(dtype="float32")(x) * (x.shape[1] * x.shape[2])  # a sum
        logits = SpectralDense(1, dtype="float32")(x)
        if spec.classes:  # projection (Miyato & Koyama 2018, equation 3)
            table = SpectralEmbedding(spec.classes, x.shape[-1], dtype="float32")(label)
            logits = logits + keras.ops.sum(table * x, axis=1, keepdims=True)
        return keras.Model([image, label] if spec.classes else image, logits, name="discriminator")

    def _up(self, x, label, channels: int, classes: int):
        short = SpectralConv2D(channels, 1)(layers.UpSampling2D()(x))
        x = layers.UpSampling2D()(layers.ReLU()(_norm(x, label, classes)))
        x = SpectralConv2D(channels, 3, padding="same")(x)
        x = SpectralConv2D(channels, 3, padding="same")(layers.ReLU()(_norm(x, label, classes)))
        return x + short

    def _down(self, x, channels: int, first: bool):
        short = SpectralConv2D(channels, 1)(layers.AveragePooling2D(2)(x))
        x = x if first else layers.ReLU()(x)
        x = layers.ReLU()(SpectralConv2D(channels, 3, padding="same")(x))
        return layers.AveragePooling2D(2)(SpectralConv2D(channels, 3, padding="same")(x)) + short

    def _residual(self, x):
        inner = SpectralConv2D(x.shape[-1], 3, padding="same")(layers.ReLU()(x))
        return SpectralConv2D(x.shape[-1], 3, padding="same")(layers.ReLU()(inner)) + x

    def d_loss(self, real_logits, fake_logits):
        return losses.hinge_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.hinge_g(fake_logits)


def _norm(x, label, classes: int):
    if classes:
        return ConditionalBatchNorm(classes)([x, label])
    return BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
