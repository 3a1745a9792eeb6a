"""BigGAN: every block of the generator is told the class and a part of z."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import keras
from keras import layers, ops

from ganzoo import losses
from ganzoo.augment import Augmentation
from ganzoo.layers import (
    BatchNormalization,
    SelfAttention,
    SpectralConv2D,
    SpectralDense,
    SpectralEmbedding,
    VectorBatchNorm,
)
from ganzoo.optimizers import Adam
from ganzoo.plugin import DataSpec, Plugin

ORTHOGONAL = {"kernel_initializer": "orthogonal"}


@dataclass(frozen=True)
class BigGAN(Plugin):
    """BigGAN (Brock et al. 2019): each block of G is told the class, and a chunk of z of its own.

    An embedding of the class, shared by all blocks, and the chunk give the gains and biases of
    batch norm by linear maps. Filters that are kept apart make G fit for short z, which are drawn
    by `--set z.threshold=0.5` when sampling. Without labels: chunks alone, no projection in D.
    Differs: fewer channels, 64 images a batch for 2,048, faster rates, a shorter average. An
    author's code (ajbrock/BigGAN-PyTorch), which this follows, has one turn of D where the paper
    has two, rates twice the paper's, and equation 3 off, or with half of its slope.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1809.11096"

    z_dim: int = 60  # in chunks: one for the first map, one for each block; 20 numbers each
    shared: int = 128  # numbers of the embedding that all blocks share
    width: int = 16  # channels of the largest maps, doubled at each halving; 96 for 128 pixels
    batch_size: int = 64
    steps: int = 1_000  # 64,000 images; 300 million in the code
    g_lr: float = 5e-4  # two rates; the code has 1e-4 and 4e-4, for many more steps
    d_lr: float = 1e-3
    orthogonal: float = 1e-4  # beta of equation 3; the code's own runs have 0
    attention: int = 0  # side of the maps that look at themselves, 14 of 28; the code: 64 of 128
    augment: str = ""  # what D sees: color,translation,cutout (DiffAugment), or ada

    def optimizers(self):
        rates = {"generator": self.g_lr, "discriminator": self.d_lr}
        return {name: Adam(lr, 0.0, 0.999, epsilon=1e-6) for name, lr in rates.items()}

    @property
    def augmentation(self) -> Augmentation | None:
        return Augmentation(self.augment) if self.augment else None

    def sides(self, spec: DataSpec) -> list[int]:
        """Of the maps in G, from the first to the image: each twice the one before."""
        found = [spec.shape[0]]
        while found[0] % 2 == 0 and found[0] > 7:
            found.insert(0, found[0] // 2)
        return found

    def unsupported(self, spec: DataSpec) -> str | None:
        if not spec.is_image or spec.shape[0] != spec.shape[1]:
            return "biggan makes square images only."
        sides = self.sides(spec)
        if len(sides) < 3:
            return f"biggan makes images of side 16, 20, 24, ... (multiples of 4), not {sides[-1]}."
        if self.z_dim < len(sides):
            return f"biggan cuts z into {len(sides)} chunks: z_dim cannot be {self.z_dim}."
        if self.attention and self.attention not in sides[1:-1]:
            known = ", ".join(map(str, sides[1:-1]))
            return f"attention is the side of a map between, {known}, or 0: not {self.attention}."
        return None

    def generator(self, spec: DataSpec) -> keras.Model:
        first, *sides = self.sides(spec)
        z = keras.Input((self.z_dim,), name="z")
        label = keras.Input((), dtype="int32", name="label") if spec.classes else None
        ends = [self.z_dim * place // (len(sides) + 1) for place in range(len(sides) + 2)]
        chunk, *told = (z[:, start:end] for start, end in pairwise(ends))
        if spec.classes:  # without spectral norm, which the author's code found to cripple G
            one_hot = ops.one_hot(label, spec.classes)
            known = layers.Dense(self.shared, use_bias=False, **ORTHOGONAL, name="shared")(one_hot)
            told = [ops.concatenate([known, part], 1) for part in told]
        channels = self.width << (len(sides) - 1)
        x = SpectralDense(first * first * channels, **ORTHOGONAL)(chunk)
        x = layers.Reshape((first, first, channels))(x)
        for place, (side, y) in enumerate(zip(sides, told, strict=True)):
            x = _up(x, y, channels >> place)
            x = SelfAttention()(x) if side == self.attention else x
        x = layers.ReLU()(BatchNormalization(momentum=0.9, epsilon=1e-5)(x))
        image = layers.Activation("tanh", dtype="float32")(_conv(x, spec.shape[2]))
        return keras.Model([z, label] if spec.classes else z, image, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        image = x = keras.Input(spec.shape, name=spec.key)
        label = keras.Input((), dtype="int32", name="label") if spec.classes else None
        sides = self.sides(spec)[-2::-1]
        for place, side in enumerate(sides):
            x = _down(x, self.width << place, first=place == 0)
            x = SelfAttention()(x) if side == self.attention else x
        h = ops.sum(ops.cast(layers.ReLU()(_same(x)), "float32"), axis=(1, 2))
        logits = SpectralDense(1, **ORTHOGONAL, dtype="float32")(h)
        if spec.classes:  # projection (Miyato & Koyama 2018, equation 3)
            table = SpectralEmbedding(spec.classes, h.shape[-1], dtype="float32")(label)
            logits = logits + ops.sum(table * h, axis=1, keepdims=True)
        return keras.Model([image, label] if spec.classes else image, logits, name="discriminator")

    def d_loss(self, real_logits, fake_logits):
        return losses.hinge_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.hinge_g(fake_logits)

    def g_penalty(self, networks, fake, turn):
        if not self.orthogonal:
            return None
        weights = networks["generator"].trainable_variables
        kernels = [w for w in weights if len(w.shape) > 1 and "shared" not in w.path]
        return self.orthogonal * losses.orthogonal_penalty(kernels)


def _conv(x, channels: int, kernel: int = 3):
    return SpectralConv2D(channels, kernel, padding="same", **ORTHOGONAL)(x)


def _up(x, y, channels: int):
    """Doubles the sides; the way past it has its 1x1 convolution before, where it costs less."""
    short = layers.UpSampling2D()(_conv(x, channels, 1))
    x = layers.UpSampling2D()(layers.ReLU()(VectorBatchNorm()([x, y])))
    x = layers.ReLU()(VectorBatchNorm()([_conv(x, channels), y]))
    return _conv(x, channels) + short


def _down(x, channels: int, first: bool):
    """Halves the sides; the image itself is not cut off at 0."""
    short = _conv(layers.AveragePooling2D(2)(x), channels, 1)
    x = _conv(x if first else layers.ReLU()(x), channels)
    return layers.AveragePooling2D(2)(_conv(layers.ReLU()(x), channels)) + short


def _same(x):
    inner = _conv(layers.ReLU()(x), x.shape[-1])
    return _conv(layers.ReLU()(inner), x.shape[-1]) + x
