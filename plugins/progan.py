"""Progressive growing: small images first, and a larger side faded in at every milestone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.errors import UsageError
from ganzoo.layers import (
    Depth,
    EqualisedConv2D,
    EqualisedDense,
    Fade,
    MinibatchStddev,
    PixelNorm,
)
from ganzoo.optimizers import Adam
from ganzoo.plugin import DataSpec, Player, Plugin, judged


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

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(b <= a for a, b in zip((0, *self.grow), self.grow, strict=False)):
            raise UsageError(f"grow must rise, from 1 on, not be {self.grow}.")

    @property
    def milestones(self) -> tuple[int, ...]:
        return self.grow

    def unsupported(self, spec: DataSpec) -> str | None:
        factor = 2 ** len(self.grow)
        if not spec.is_image or any(n % factor or n < 4 * factor for n in spec.shape[:2]):
            return f"progan makes images whose sides are {factor} times 4 or more, by its `grow`."
        return None

    def channels(self, level: int) -> int:
        return min(self.widest, self.width << (len(self.grow) - level))

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        """`depth`, and for each level k: `g{k}`, `d{k}` and their ways to and from pixels."""
        found = {"depth": _chain("depth", (1,), Depth())}
        for k in range(len(self.grow) + 1):
            sides, colours, width = self._sides(spec, k), spec.shape[2], self.channels(k)
            inner = (*sides, width)
            found[f"g{k}"] = self._up(k, inner)
            found[f"rgb{k}"] = _chain(f"rgb{k}", inner, EqualisedConv2D(colours, 1, gain=1.0))
            found[f"d{k}"] = self._down(k, inner)
            first = EqualisedConv2D(width, 1)
            found[f"from{k}"] = _chain(f"from{k}", (*sides, colours), first, _leaky())
        return found

    def _sides(self, spec: DataSpec, level: int) -> tuple[int, int]:
        return tuple(side >> (len(self.grow) - level) for side in spec.shape[:2])

    def _up(self, k: int, shape: tuple[int, ...]) -> keras.Model:
        h, w, width = shape
        if k:
            below = (h // 2, w // 2, self.channels(k - 1))
            two = [part for _ in range(2) for part in _normed(EqualisedConv2D(width, 3))]
            return _chain(f"g{k}", below, layers.UpSampling2D(), *two)
        first = EqualisedDense(h * w * width, gain=2**0.5 / 4)  # of the code: before the norm
        start = [PixelNorm(), first, layers.Reshape(shape), _leaky(), PixelNorm()]
        return _chain("g0", (self.z_dim,), *start, *_normed(EqualisedConv2D(width, 3)))

    def _down(self, k: int, shape: tuple[int, ...]) -> keras.Model:
        one = EqualisedConv2D(shape[2], 3), _leaky()
        if k:
            two = EqualisedConv2D(self.channels(k - 1), 3), _leaky()
            return _chain(f"d{k}", shape, *one, *two, layers.AveragePooling2D(2))
        end = [layers.Flatten(), EqualisedDense(shape[2]), _leaky()]
        end += [EqualisedDense(1, gain=1.0, dtype="float32")]
        return _chain("d0", shape, MinibatchStddev(), *one, *end)

    def grown(self, networks, top: int) -> keras.Model:
        """z -> images of the side of level `top`."""
        z = x = keras.Input((self.z_dim,), name="z")
        image = None
        for k in range(top + 1):
            x = networks[f"g{k}"](x)
            made = networks[f"rgb{k}"](x)
            depth = networks["depth"].layers[-1](z)
            image = Fade(k)([layers.UpSampling2D()(image), made, depth]) if k else made
        return keras.Model(z, layers.Activation("tanh", dtype="float32")(image), name="generator")

    def sampler(self, networks, spec: DataSpec) -> keras.Model:
        return self.grown(networks, len(self.grow))

    def critic(self, networks, spec: DataSpec, top: int) -> keras.Model:
        """Images of the side of level `top` -> logits, through the levels from there down."""
        image = small = keras.Input((*self._sides(spec, top), spec.shape[2]), name=spec.key)
        depth, x = networks["depth"].layers[-1](image), networks[f"from{top}"](image)
        for k in range(top, 0, -1):
            small = layers.AveragePooling2D(2)(small)
            x = Fade(k)([networks[f"from{k - 1}"](small), networks[f"d{k}"](x), depth])
        return keras.Model(image, networks["d0"](x), name="critic")

    def depth_at(self, step):
        """How far the networks have grown at a step: a level more from each milestone on, in half
        as many steps as the level before it had."""
        depth = tf.constant(0.0)
        for before, start in zip((0, *self.grow), self.grow, strict=False):
            half = max(1.0, (start - before) / 2)
            depth += tf.clip_by_value((tf.cast(step - start, tf.float32) + 1) / half, 0.0, 1.0)
        return depth

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        top = sum(m <= step for m in self.grow)
        generator, critic = self.grown(networks, top), self.critic(networks, spec, top)
        depth = networks["depth"].non_trainable_variables[0]

        def real(turn):
            """What a generator of this depth could make at best."""

            def shrunk():
                factor = 2 ** (len(self.grow) - top)
                image = tf.nn.avg_pool2d(turn.batch[spec.key], factor, factor, "VALID")
                if not top:
                    return image
                low = tf.nn.avg_pool2d(image, 2, 2, "VALID")
                low = tf.repeat(tf.repeat(low, 2, 1), 2, 2)
                return low + tf.clip_by_value(depth - (top - 1), 0.0, 1.0) * (image - low)

            return turn.once("real", shrunk)

        def fake(turn):
            return turn.once("fake", lambda: turn.call(generator))

        def logits(turn):
            return turn.once(
                "logits", lambda: [turn.call(critic, part(turn)) for part in (real, fake)]
            )

        def d_loss(turn):
            drift = tf.reduce_mean(tf.square(logits(turn)[0]))
            return losses.wasserstein_d(*logits(turn)) + self.drift * drift

        def penalty(turn):
            mix = turn.uniform("mix")
            judge = lambda points: turn.call(critic, points)  # noqa: E731
            return self.weight * losses.gradient_penalty(judge, real(turn), fake(turn), mix=mix)

        def d_record(turn):
            told = losses.told_apart(*logits(turn))
            return judged(*logits(turn), told) | {"depth": tf.identity(depth.value)}

        return [
            Player(
                "critic",
                tuple(name for k in range(top + 1) for name in (f"d{k}", f"from{k}")),
                d_loss,
                Adam(self.d_lr, beta_1=0.0, beta_2=0.99, epsilon=1e-8),
                penalty=penalty,
                record=d_record,
                carry=True,
            ),
            Player(
                "generator",
                tuple(name for k in range(top + 1) for name in (f"g{k}", f"rgb{k}")),
                lambda turn: losses.wasserstein_g(turn.call(critic, fake(turn))),
                Adam(self.g_lr, beta_1=0.0, beta_2=0.99, epsilon=1e-8),
                after=lambda turn: depth.assign(self.depth_at(turn.step + 1)),
                carry=True,
            ),
        ]


def _chain(name: str, shape: tuple[int, ...], *stack: layers.Layer) -> keras.Model:
    first = x = keras.Input(shape)
    for layer in stack:
        x = layer(x)
    return keras.Model(first, x, name=name)


def _normed(convolution: layers.Layer) -> tuple[layers.Layer, ...]:
    return convolution, _leaky(), PixelNorm()


def _leaky() -> layers.Layer:
    return layers.LeakyReLU(negative_slope=0.2)
