"""Progressive growing: small images first, and a larger side faded in at every milestone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.optimizers import Adam
from ganzoo.plugin import DataSpec, Player, Plugin, judged


@dataclass(frozen=True)
class ProGAN(Plugin):
    """ProGAN (Karras et al. 2018): both networks grow by a level each time the side is doubled.

    A level is a network of its own. One number, `depth`, says how far they have grown: at 1.25 a
    quarter of what is seen comes from level 2 and the rest from level 1. It is a weight, so that
    the exported sampler knows it, and images always have the full size, enlarged from the level's.
    Differs: one width at all levels, one convolution to a level; tanh keeps samples in range.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1710.10196"

    grow: tuple[int, ...] = (400, 800)  # steps at which the side doubles; 4, 8, 16 for 16 pixels
    width: int = 16
    gradient_penalty: float = 10.0
    drift: float = 1e-3  # appendix A.1: keeps the critic's outputs near 0
    g_lr: float = 1e-3
    d_lr: float = 1e-3
    z_dim: int = 32
    batch_size: int = 16
    steps: int = 2_000

    @property
    def milestones(self) -> tuple[int, ...]:
        return self.grow

    def unsupported(self, spec: DataSpec) -> str | None:
        factor = 2 ** len(self.grow)
        if not spec.is_image or spec.shape[0] % factor or spec.shape[1] % factor:
            return f"progan makes images whose sides are multiples of {factor}, by its `grow`."
        return None

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        """`depth`, and for each level k: `g{k}`, `d{k}` and their ways to and from pixels."""
        found = {"depth": one("depth", (self.z_dim,), Depth(dtype="float32"))}
        top = len(self.grow)
        for k in range(top + 1):
            sides = tuple(side >> (top - k) for side in spec.shape[:2])
            inner, pixels = (*sides, self.width), (*sides, spec.shape[2])
            found[f"g{k}"] = self._up(k, inner)
            found[f"rgb{k}"] = one(f"rgb{k}", inner, Scaled(spec.shape[2], 1, gain=1.0))
            found[f"d{k}"] = self._down(k, inner)
            found[f"from{k}"] = one(f"from{k}", pixels, Scaled(self.width, 1), Leaky())
        return found

    def _up(self, k: int, shape: tuple[int, ...]) -> keras.Model:
        if k:
            below = (shape[0] // 2, shape[1] // 2, shape[2])
            return one(f"g{k}", below, layers.UpSampling2D(), Scaled(shape[2]), Leaky(), Pixel())
        size = shape[0] * shape[1] * shape[2]
        start = [Pixel(), Scaled(size, 0), layers.Reshape(shape), Leaky(), Pixel()]
        return one("g0", (self.z_dim,), *start, Scaled(shape[2]), Leaky(), Pixel())

    def _down(self, k: int, shape: tuple[int, ...]) -> keras.Model:
        if k:
            return one(f"d{k}", shape, Scaled(shape[2]), Leaky(), layers.AveragePooling2D(2))
        end = [layers.Flatten(), Scaled(shape[2], 0), Leaky(), Scaled(1, 0, gain=1.0)]
        last = layers.Activation("linear", dtype="float32")
        return one("d0", shape, Deviation(), Scaled(shape[2]), Leaky(), *end, last)

    def sampler(self, networks, spec: DataSpec) -> keras.Model:
        z = keras.Input((self.z_dim,), name="z")
        depth, x, image = networks["depth"](z), z, None
        for k in range(len(self.grow) + 1):
            x = networks[f"g{k}"](x)
            made = networks[f"rgb{k}"](x)
            image = made if image is None else Fade(k)([layers.UpSampling2D()(image), made, depth])
        image = layers.Activation("tanh", dtype="float32")(image)
        return keras.Model(z, image, name="generator")

    def critic(self, networks, spec: DataSpec) -> keras.Model:
        """The levels from the top down; what is above the depth has no say."""
        image = keras.Input(spec.shape, name=spec.key)
        depth, small = networks["depth"].layers[-1](image), image  # the same for any rows
        x = networks[f"from{len(self.grow)}"](small)
        for k in range(len(self.grow), 0, -1):
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

    def players(self, networks, spec: DataSpec, step: int = 0):
        generator, critic = self.sampler(networks, spec), self.critic(networks, spec)
        depth = networks["depth"].non_trainable_variables[0]
        levels = range(1 + sum(m <= step for m in self.grow))

        def judge(samples, turn):
            return tf.cast(turn.call(critic, samples), tf.float32)

        def real(turn):
            return turn.once("real", lambda: shrunk(turn.batch[spec.key], depth, self.grow))

        def fake(turn):
            return turn.once("fake", lambda: turn.call(generator))

        def logits(turn):
            both = lambda: (judge(real(turn), turn), judge(fake(turn), turn))  # noqa: E731
            return turn.once("logits", both)

        def d_loss(turn):
            drift = tf.reduce_mean(tf.square(logits(turn)[0]))
            return losses.wasserstein_d(*logits(turn)) + self.drift * drift

        def penalty(turn):
            mix = turn.uniform("mix", (1, 1, 1))
            points = real(turn) + mix * (tf.stop_gradient(fake(turn)) - real(turn))
            with tf.GradientTape() as tape:
                tape.watch(points)
                judged_points = judge(points, turn)
            slopes = tape.gradient(judged_points, points)
            norms = tf.sqrt(tf.reduce_sum(tf.square(slopes), [1, 2, 3]) + 1e-12)
            return self.gradient_penalty * tf.reduce_mean(tf.square(norms - 1))

        def d_record(turn):
            middle = (tf.reduce_mean(logits(turn)[0]) + tf.reduce_mean(logits(turn)[1])) / 2
            told = self.accuracy(logits(turn)[0] - middle, logits(turn)[1] - middle)
            return judged(*logits(turn), told) | {"depth": tf.identity(depth.value)}

        return [
            Player(
                "critic",
                tuple(name for k in levels for name in (f"d{k}", f"from{k}")),
                d_loss,
                Adam(self.d_lr, beta_1=0.0, beta_2=0.99),
                penalty=penalty,
                record=d_record,
                carry=True,
            ),
            Player(
                "generator",
                tuple(name for k in levels for name in (f"g{k}", f"rgb{k}")),
                lambda turn: losses.wasserstein_g(judge(fake(turn), turn)),
                Adam(self.g_lr, beta_1=0.0, beta_2=0.99),
                after=lambda turn: depth.assign(self.depth_at(turn.step + 1)),
                carry=True,
            ),
        ]


def one(name: str, shape: tuple[int, ...], *stack: layers.Layer) -> keras.Model:
    """A chain of layers as a network."""
    first = x = keras.Input(shape)
    for layer in stack:
        x = layer(x)
    return keras.Model(first, x, name=name)


def shrunk(image, depth, grow):
    """Real images as a sampler of this depth could make them at best."""
    seen = image
    for k in range(len(grow), 0, -1):  # levels above the depth lose their detail
        factor = 2 ** (len(grow) - k + 1)
        small = tf.nn.avg_pool2d(image, factor, factor, "VALID")
        small = tf.repeat(tf.repeat(small, factor, 1), factor, 2)
        seen = small + tf.clip_by_value(depth - (k - 1), 0.0, 1.0) * (seen - small)
    return seen


class Depth(layers.Layer):
    """How far the networks have grown, the same for every row: (n, ...) -> (n, 1)."""

    def build(self, shape):
        self.depth = self.add_weight(shape=(), initializer="zeros", trainable=False, name="depth")

    def call(self, x):
        return tf.fill([tf.shape(x)[0], 1], self.depth)


class Fade(layers.Layer):
    """From what the level below gives to what level k gives, as the depth goes from k - 1 to k."""

    def __init__(self, k: int, **options):
        super().__init__(**options)
        self.k = k

    def call(self, inputs):
        below, own, depth = inputs
        alpha = tf.clip_by_value(depth - (self.k - 1), 0.0, 1.0)[:, :, None, None]
        return below + tf.cast(alpha, below.dtype) * (own - below)


class Scaled(layers.Layer):
    """A convolution of an odd side, or a dense layer for side 0, with an equalised learning rate.

    Weights are N(0, 1) and divided by the root of their number of inputs when used (section 4.1).
    """

    def __init__(self, units: int, side: int = 3, gain: float = 2**0.5, **options):
        super().__init__(**options)
        self.units, self.side, self.gain = units, side, gain

    def build(self, shape):
        kernel = (*[self.side] * (2 if self.side else 0), shape[-1], self.units)
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.kernel = self.add_weight(shape=kernel, initializer=normal, name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.scale = self.gain / (max(1, self.side) ** 2 * shape[-1]) ** 0.5

    def call(self, x):
        kernel = self.kernel * tf.cast(self.scale, x.dtype)
        y = tf.nn.conv2d(x, kernel, 1, "SAME") if self.side else tf.matmul(x, kernel)
        return y + self.bias


class Leaky(layers.LeakyReLU):
    """Slope 0.2 below 0."""

    def __init__(self, **options):
        super().__init__(negative_slope=0.2, **options)


class Pixel(layers.Layer):
    """Every place's channels to a mean square of 1 (section 4.2)."""

    def call(self, x):
        return x * tf.math.rsqrt(tf.reduce_mean(tf.square(x), -1, keepdims=True) + 1e-8)


class Deviation(layers.Layer):
    """One channel more: the mean deviation over the batch (section 3)."""

    def call(self, x):
        spread = tf.sqrt(tf.math.reduce_variance(x, 0) + 1e-8)
        plane = tf.ones_like(x[..., :1]) * tf.reduce_mean(spread)
        return tf.concat([x, plane], -1)
