"""StyleGAN: a style sets mean and deviation of every channel, and noise each detail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
from keras import layers

from ganzoo import layers as shared
from ganzoo import losses
from ganzoo.augment import Augmentation
from ganzoo.errors import UsageError
from ganzoo.layers import AddNoise, Downsample, EqualisedConv2D, EqualisedDense, Upsample
from ganzoo.optimizers import Adam
from ganzoo.plugin import Constant, DataSpec, Normal, Plugin


@dataclass(frozen=True)
class StyleGAN(Plugin):
    """StyleGAN (Karras et al. 2019): z becomes a style w, and sets what each channel looks like.

    The image begins as a learnt constant; behind each convolution come noise and an instance norm
    with the style's mean and deviation (AdaIN). The sampler takes `psi` (truncation; 1 is none) and
    `noise`. Networks of NVlabs/stylegan. Differs: nothing grows (the paper begins at 8x8, the
    first maps here are 4 to 7 a side), few channels, D halves before its second convolution of a
    side, not behind, and the constant begins as noise, not as ones, which an instance norm makes
    0. Paper and code disagree: styles are mixed image by image in section 3.1 and here, for a
    whole batch in the code. As there nothing bounds G: what is sampled is clipped.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1812.04948"

    gamma: float = 10.0  # weight of R1, halved
    mixing: float = 0.9  # share of images with styles of two z (table 2)
    mapping: int = 4  # layers from z to w; 8 in the paper
    mapping_rate: float = 0.01  # of the others' learning rate (appendix C)
    width: int = 8  # channels at full resolution, doubled at each halving, up to `widest`
    widest: int = 64  # 512 in the paper
    z_dim: int = 64  # of z and w; 512 in the paper
    g_lr: float = 2e-3  # of the code at 256 pixels; 1e-3 below 128, for longer runs
    d_lr: float = 8e-3  # as the generator's in the code; in so few steps variety is lost by that
    batch_size: int = 32  # 256 in the code for 8x8, 32 from 64x64 on
    steps: int = 3_600
    ema: float = 0.998  # a half-life of 10,000 images at this batch size, as in the code
    augment: str = ""  # what D sees: ada, or color,translation,cutout (DiffAugment)
    low_precision: bool = False  # slopes of slopes

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("mapping", "width", "widest"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, not {getattr(self, name)}.")

    def unsupported(self, spec: DataSpec) -> str | None:
        return None if spec.is_image else "stylegan makes images."

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
        sizes = [size for size in shared.halved(spec.shape, smallest=7)[::-1] for _ in range(2)]
        styles = keras.Input((len(sizes), self.z_dim), name="styles")
        noise = keras.Input((sum(h * w for h, w in sizes),), name="noise")
        x, place = styles, 0
        for k, (h, w) in enumerate(sizes):
            channels = self.channels((len(sizes) - 1 - k) // 2)
            if k == 0:
                normal = keras.initializers.RandomNormal(0.0, 1.0)
                x = shared.LearntConstant((h, w, channels), normal)(x)
            else:
                if k % 2 == 0:
                    x = shared.cropped(Upsample()(x), (h, w))
                x = EqualisedConv2D(channels, 3)(x)
            x, place = _leaky(AddNoise(place, by_channel=True)([x, noise])), place + h * w
            x = shared.AdaIN()([x, styles[:, k]])
        x = EqualisedConv2D(spec.shape[2], 1, gain=1.0)(x)
        image = layers.Activation("linear", dtype="float32")(x)
        return keras.Model([styles, noise], image, name="synthesis")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        image = keras.Input(spec.shape, name=spec.key)
        x = _leaky(EqualisedConv2D(self.width, 1)(image))
        for halvings in range(1, len(shared.halved(spec.shape, smallest=7))):
            x = Downsample()(_leaky(EqualisedConv2D(x.shape[-1], 3)(x)))
            x = _leaky(EqualisedConv2D(self.channels(halvings), 3)(x))
        x = _leaky(EqualisedConv2D(x.shape[-1], 3)(shared.MinibatchStddev()(x)))
        x = _leaky(EqualisedDense(x.shape[-1])(layers.Flatten()(x)))
        logits = EqualisedDense(1, gain=1.0, dtype="float32")(x)
        return keras.Model(image, logits, name="discriminator")

    def fake(self, networks, turn):
        styles = shared.mixed_styles(turn, networks["generator"], self.mixing)
        return turn.call(networks["generator"].get_layer("synthesis"), styles)

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)

    def penalty(self, discriminator, real, fake, turn):
        return self.gamma / 2 * losses.r1_penalty(discriminator, real)


def _leaky(x):
    return layers.LeakyReLU(negative_slope=0.2)(x)
