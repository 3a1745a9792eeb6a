"""Progressive growing: small images first, and a larger side faded in at every milestone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.layers import EqualisedConv2D, EqualisedDense, MinibatchStddev, PixelNorm
from ganzoo.layers.growing import Depth, depth_at, grown, seen_at, shrunken
from ganzoo.plugin import DataSpec, Player, Plugin


@dataclass(frozen=True)
class ProGAN(Plugin):
    """ProGAN (Karras et al. 2018): both networks grow by a level each time the side is doubled.

    A level is a network of its own. One number, `depth`, says how far they have grown: at 1.25 a
    quarter of what is seen comes from level 2 and the rest from level 1. It is a weight, so that
    the sampler knows it, and samples always have the full size, enlarged from the level's. Table
    2, for small images. Differs: the first side is 7 of 28 and 4 of 16 pixels, few channels, one
    batch size, tanh so that samples stay in range. Paper and code disagree: the deviation is over
    the batch in section 3, over groups of 4 in tkarras/progressive_growing_of_gans, and here.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1710.10196"

    grow: tuple[int, ...] = (400, 1_000)  # steps at which the side doubles: 7, 14 and 28 pixels
    width: int = 16  # channels of the last level, doubled at each below, up to `widest`
    widest: int = 64  # table 2: 512
    weight: float = 10.0  # of the gradient penalty (appendix A.1)
    drift: float = 1e-3  # appendix A.1: keeps the critic's outputs near 0
    g_lr: float = 1e-3  # appendix A.1
    d_lr: float = 1e-3
    z_dim: int = 64  # table 2: 512, as wide as the first level
    batch_size: int = 32  # appendix A.1: 128 for the smallest images, 4 for the largest
    steps: int = 2_200
    low_precision: bool = False  # slopes of slopes

    @property
    def milestones(self) -> tuple[int, ...]:
        return self.grow

    def unsupported(self, spec: DataSpec) -> str | None:
        factor = 2 ** len(self.grow)
        if not spec.is_image or any(n % factor or n < 4 * factor for n in spec.shape[:2]):
            return f"progan makes images whose sides are {factor} times 4 or more, by its `grow`."
        return None

    def optimizers(self):
        return self.adam(beta_1=0.0, beta_2=0.99, epsilon=1e-8)

    def shape(self, spec: DataSpec, level: int) -> tuple[int, int, int]:
        """(h, w, channels) of what a level of the generator makes."""
        above = len(self.grow) - level
        h, w = (side >> above for side in spec.shape[:2])
        return h, w, min(self.widest, self.width << above)

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        """`depth`, and for each level k: `g{k}`, `d{k}` and their ways to and from pixels."""
        found = {"depth": [keras.Input((1,)), Depth()]}
        for k in range(len(self.grow) + 1):
            h, w, width = self.shape(spec, k)
            inner, image = keras.Input((h, w, width)), keras.Input((h, w, spec.shape[2]))
            found[f"g{k}"] = self.up(spec, k)
            found[f"rgb{k}"] = [inner, EqualisedConv2D(spec.shape[2], 1, gain=1.0)]
            found[f"d{k}"] = [inner, *self.down(spec, k)]
            found[f"from{k}"] = [image, EqualisedConv2D(width, 1, activation="leaky_relu")]
        return {name: keras.Sequential(stack, name=name) for name, stack in found.items()}

    def up(self, spec: DataSpec, k: int) -> list:
        h, w, width = self.shape(spec, k)
        if k:
            start = [keras.Input(self.shape(spec, k - 1)), layers.UpSampling2D(), _conv(width)]
        else:
            first = EqualisedDense(h * w * width, gain=2**0.5 / 4, activation="leaky_relu")
            start = [keras.Input((self.z_dim,)), PixelNorm(), first, layers.Reshape((h, w, width))]
        return [*start, PixelNorm(), _conv(width), PixelNorm()]

    def down(self, spec: DataSpec, k: int) -> list:
        width = self.shape(spec, k)[2]
        if k:
            return [_conv(width), _conv(self.shape(spec, k - 1)[2]), layers.AveragePooling2D(2)]
        start = [MinibatchStddev(), _conv(width), layers.Flatten()]
        start += [EqualisedDense(width, activation="leaky_relu")]
        return [*start, EqualisedDense(1, gain=1.0, dtype="float32")]

    def grown(self, networks, top: int) -> keras.Model:
        """z -> images of the side of level `top`."""
        z = keras.Input((self.z_dim,), name="z")
        levels = [(networks[f"g{k}"], networks[f"rgb{k}"]) for k in range(top + 1)]
        image = grown(z, levels, networks["depth"].layers[-1])
        return keras.Model(z, layers.Activation("tanh", dtype="float32")(image), name="generator")

    def sampler(self, networks, spec: DataSpec) -> keras.Model:
        return self.grown(networks, len(self.grow))

    def critic(self, networks, spec: DataSpec, top: int) -> keras.Model:
        """Images of the side of level `top` -> logits, through the levels from there down."""
        image = keras.Input(networks[f"from{top}"].input_shape[1:], name=spec.key)
        levels = [(networks[f"from{k}"], networks[f"d{k}"]) for k in range(top + 1)]
        logits = shrunken(image, levels, networks["depth"].layers[-1])
        return keras.Model(image, logits, name="critic")

    def d_loss(self, real_logits, fake_logits):
        drift = tf.reduce_mean(tf.square(real_logits))
        return losses.wasserstein_d(real_logits, fake_logits) + self.drift * drift

    def g_loss(self, fake_logits):
        return losses.wasserstein_g(fake_logits)

    def penalty(self, discriminator, real, fake, turn):
        mix = turn.uniform("mix")
        return self.weight * losses.gradient_penalty(discriminator, real, fake, mix=mix)

    def accuracy(self, real_logits, fake_logits):
        return losses.told_apart(real_logits, fake_logits)

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        """The default two, of as many levels as there are."""
        top = sum(m <= step for m in self.grow)
        depth = networks["depth"].non_trainable_variables[0]
        generator, critic = self.grown(networks, top), self.critic(networks, spec, top)

        def real(turn):
            """What a generator of this depth could make at best."""
            return seen_at(turn.batch[spec.key], len(self.grow) - top, top, depth)

        def levels(*parts: str) -> tuple[str, ...]:
            return tuple(f"{part}{k}" for k in range(top + 1) for part in parts)

        d, g = self.duel({"generator": generator, "discriminator": critic}, real)
        return [
            replace(d, name="critic", networks=levels("d", "from"), carry=True),
            replace(
                g,
                networks=levels("g", "rgb"),
                record=lambda turn: {"depth": tf.identity(depth.value)},
                after=lambda turn: depth.assign(depth_at(turn.step + 1, self.grow)),
                carry=True,
            ),
        ]


def _conv(width: int) -> layers.Layer:
    return EqualisedConv2D(width, 3, activation="leaky_relu")
