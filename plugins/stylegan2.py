"""StyleGAN2: a style scales each convolution's kernel, and images add up over the sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import layers as shared
from ganzoo import losses
from ganzoo.augment import Augmentation
from ganzoo.errors import UsageError
from ganzoo.layers import Downsample, EqualisedConv2D, EqualisedDense, ModulatedConv2D, Upsample
from ganzoo.optimizers import Adam
from ganzoo.plugin import Constant, DataSpec, Normal, Plugin


@dataclass(frozen=True)
class StyleGAN2(Plugin):
    """StyleGAN2 (Karras et al. 2020): z becomes a style w that scales each convolution's kernel.

    Skip connections in G, residual blocks in D, R1 and path length at some steps only (config F,
    NVlabs/stylegan2). The sampler takes `psi` (truncation; 1 is none) and `noise`. Differs: few
    channels, first maps of 4 to 7 a side, a penalty joins the loss of its step where the code
    takes one more step of Adam, and smoothing stands before the convolutions, not within. `augment`
    adds the ADA of arXiv 2006.06676. As in the code nothing bounds G: what is sampled is clipped.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1912.04958"

    gamma: float = 10.0  # weight of R1, halved; 0.01 in `cifar` of stylegan2-ada-pytorch
    r1_every: int = 16  # steps; the whole weight falls on one of them
    path: float = 2.0  # weight of the path length; 0 in `cifar`
    path_every: int = 4
    path_decay: float = 0.01  # by which the usual length follows
    mixing: float = 0.9  # share of images with styles of two z; 0 in `cifar`
    mapping: int = 2  # layers from z to w, as in `cifar`; 8 in the paper
    mapping_rate: float = 0.01  # of the others' learning rate
    width: int = 8  # channels at full resolution, doubled at each halving, up to `widest`
    widest: int = 64  # 512 in the paper
    z_dim: int = 64  # of z and w; 512 in the paper
    g_lr: float = 4e-3  # 2e-3 in the paper, whose runs are 200 times as long
    d_lr: float = 4e-3
    batch_size: int = 32
    steps: int = 4_000
    ema: float = 0.998  # a half-life of 10,000 images at this batch size, as in the code
    augment: str = ""  # what D sees: ada, or color,translation,cutout (DiffAugment)
    low_precision: bool = False  # slopes of slopes

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("r1_every", "path_every", "mapping", "width", "widest"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, not {getattr(self, name)}.")

    def unsupported(self, spec: DataSpec) -> str | None:
        return None if spec.is_image else "stylegan2 makes images."

    @property
    def augmentation(self) -> Augmentation | None:
        return Augmentation(self.augment) if self.augment else None

    def optimizers(self):
        rates = {"generator": self.g_lr, "discriminator": self.d_lr}
        return {name: Adam(r, beta_1=0.0, beta_2=0.99, epsilon=1e-8) for name, r in rates.items()}

    def inputs(self, spec: DataSpec):
        return {"psi": Constant(1.0), "noise": Normal()}

    def channels(self, halvings: int) -> int:
        return min(self.widest, self.width << halvings)

    def generator(self, spec: DataSpec) -> keras.Model:
        mapping = shared.mapping_network(self.z_dim, self.mapping, self.mapping_rate)
        return shared.style_based(mapping, self.synthesis(spec), spec.range)

    def synthesis(self, spec: DataSpec) -> keras.Model:
        """A style for each layer, and noise for each place -> images."""
        sizes = shared.halved(spec.shape, smallest=7)[::-1]
        convolutions = [size for k, size in enumerate(sizes) for _ in range(2 if k else 1)]
        styles = keras.Input((len(convolutions) + 1, self.z_dim), name="styles")
        noise = keras.Input((sum(h * w for h, w in convolutions),), name="noise")
        normal, last = keras.initializers.RandomNormal(0.0, 1.0), len(sizes) - 1
        x = shared.LearntConstant((*sizes[0], self.channels(last)), normal)(styles)
        image = place = 0
        for k, (h, w) in enumerate(convolutions):
            if x.shape[1:3] != (h, w):
                x, image = (shared.cropped(Upsample()(part), (h, w)) for part in (x, image))
            x = ModulatedConv2D(self.channels(last - (k + 1) // 2), 3)([x, styles[:, k]])
            x, place = _leaky(shared.AddNoise(place)([x, noise])), place + h * w
            if k % 2 == 0:  # the last of this size
                to_image = ModulatedConv2D(spec.shape[2], 1, demodulate=False, gain=1.0)
                image = image + to_image([x, styles[:, k + 1]])
        image = layers.Activation("linear", dtype="float32")(image)
        return keras.Model([styles, noise], image, name="synthesis")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        image = keras.Input(spec.shape, name=spec.key)
        x = _leaky(EqualisedConv2D(self.width, 1)(image))
        for halvings in range(1, len(shared.halved(spec.shape, smallest=7))):
            channels = self.channels(halvings)
            short = EqualisedConv2D(channels, 1, gain=0.5**0.5, use_bias=False)(Downsample()(x))
            x = Downsample()(_leaky(EqualisedConv2D(x.shape[-1], 3)(x)))
            x = _leaky(EqualisedConv2D(channels, 3, gain=1.0)(x)) + short  # both halved in variance
        x = _leaky(EqualisedConv2D(x.shape[-1], 3)(shared.MinibatchStddev()(x)))
        x = _leaky(EqualisedDense(x.shape[-1])(layers.Flatten()(x)))
        logits = EqualisedDense(1, gain=1.0, dtype="float32")(x)
        return keras.Model(image, logits, name="discriminator")

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        usual = shared.MovingMean(1 - self.path_decay)
        return super().networks(spec) | {"lengths": keras.Sequential([keras.Input((1,)), usual])}

    def styles(self, networks, turn):
        mix = lambda: shared.mixed_styles(turn, networks["generator"], self.mixing)  # noqa: E731
        return turn.once("styles", mix)

    def fake(self, networks, turn):
        synthesis = networks["generator"].get_layer("synthesis")
        return turn.call(synthesis, self.styles(networks, turn))

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)

    def penalty(self, discriminator, real, fake, turn):
        r1 = lambda: losses.r1_penalty(discriminator, real)  # noqa: E731
        return self.gamma / 2 * losses.lazy(turn.step, self.r1_every, r1)

    def g_penalty(self, networks, fake, turn):
        """Of half the batch: how far the path lengths are from their usual value (equation 4)."""
        half = (turn.batch_size + 1) // 2
        styles, noise = self.styles(networks, turn)[:half], turn.input("noise")[:half]
        synthesis = networks["generator"].get_layer("synthesis")

        def off():
            y = turn.normal("path", fake.shape[1:])[:half]
            lengths = losses.path_lengths(lambda w: synthesis([w, noise], training=True), styles, y)
            return tf.reduce_mean(tf.square(lengths - networks["lengths"](lengths, training=True)))

        return self.path * losses.lazy(turn.step, self.path_every, off) if self.path else None


def _leaky(x):
    return layers.LeakyReLU(negative_slope=0.2)(x)
