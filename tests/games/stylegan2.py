"""StyleGAN2: a style for every convolution, noise for every place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.optimizers import Adam
from ganzoo.plugin import Constant, DataSpec, Normal, Player, Plugin, judged


@dataclass(frozen=True)
class StyleGAN2(Plugin):
    """StyleGAN2 (Karras et al. 2020): z becomes a style w, which scales each convolution's kernel.

    The sampler takes `noise`, a prior of the image's shape, and `psi`, a constant: at 0.5 every w
    goes half way to their average. R1 and path length are lazy, as in section 4.2. Differs: a few
    channels, two mapping layers, no mixing of styles, one convolution to a side, tanh at the end.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1912.04958"

    r1: float = 1.0  # gamma; 10 is for 1024 pixels
    r1_every: int = 4  # 16 in the paper; its whole weight falls on these steps
    path: float = 2.0
    path_every: int = 4
    path_decay: float = 0.01
    w_decay: float = 0.99  # 0.998 in the paper's longer runs
    mapping_rate: float = 0.01  # of the other layers' learning rate
    width: int = 16
    g_lr: float = 2e-3
    d_lr: float = 2e-3
    z_dim: int = 32
    batch_size: int = 16
    steps: int = 2_000

    def unsupported(self, spec: DataSpec) -> str | None:
        side = spec.shape[0]
        if not spec.is_image or spec.shape[1] != side or side < 8 or side & (side - 1):
            return "stylegan2 makes square images of side 8, 16, 32, ..."
        return None

    def inputs(self, spec: DataSpec):
        return {"noise": Normal(), "psi": Constant(1.0)}

    def sides(self, spec: DataSpec) -> list[int]:
        return [4 << k for k in range((spec.shape[0] // 4).bit_length())]

    def mapping(self, spec: DataSpec) -> keras.Model:
        """z and psi -> w, and w's moving average."""
        z, psi = keras.Input((self.z_dim,), name="z"), keras.Input((1,), name="psi")
        w = Pixel()(z)
        for _ in range(2):
            w = Leaky()(Scaled(self.z_dim, rate=self.mapping_rate)(w))
        return keras.Model([z, psi], Truncation(dtype="float32")([w, psi]), name="mapping")

    def synthesis(self, spec: DataSpec) -> keras.Model:
        """w and noise -> an image: a sum of what each side adds to it (skip connections)."""
        w = keras.Input((self.z_dim,), name="w")
        noise = keras.Input((*spec.shape[:2], len(self.sides(spec))), name="noise")
        x, image = Start(self.width)(w), None
        for k in range(len(self.sides(spec))):
            x = layers.UpSampling2D(interpolation="bilinear")(x) if k else x
            x = Leaky()(Modulated(self.width, 3)([x, Scaled(self.width, bias=1.0)(w)]))
            x = AddNoise(k)([x, noise])
            seen = Modulated(spec.shape[2], 1, demodulate=False)(
                [x, Scaled(self.width, bias=1.0)(w)]
            )
            image = seen + layers.UpSampling2D(interpolation="bilinear")(image) if k else seen
        image = layers.Activation("tanh", dtype="float32")(image)
        return keras.Model([w, noise], image, name="synthesis")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        image = keras.Input(spec.shape, name=spec.key)
        x = Leaky()(Scaled(self.width, 1)(image))
        for _ in self.sides(spec)[1:]:  # residual blocks, whose sums keep their size
            short = Scaled(self.width, 1, gain=0.5**0.5)(layers.AveragePooling2D(2)(x))
            inner = layers.AveragePooling2D(2)(Leaky()(Scaled(self.width, 3)(x)))
            x = short + Leaky()(Scaled(self.width, 3, gain=1.0)(inner))
        x = Leaky()(Scaled(self.width, 3)(Deviation()(x)))
        x = Leaky()(Scaled(self.width)(layers.Flatten()(x)))
        logits = layers.Activation("linear", dtype="float32")(Scaled(1, gain=1.0)(x))
        return keras.Model(image, logits, name="discriminator")

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        makers = (self.mapping, self.synthesis, self.discriminator)
        found = {make.__name__: make(spec) for make in makers}
        return found | {"lengths": lengths()}

    def sampler(self, networks, spec: DataSpec) -> keras.Model:
        z, psi = keras.Input((self.z_dim,), name="z"), keras.Input((1,), name="psi")
        noise = keras.Input((*spec.shape[:2], len(self.sides(spec))), name="noise")
        image = networks["synthesis"]([networks["mapping"]([z, psi]), noise])
        return keras.Model([z, psi, noise], image, name="generator")

    def players(self, networks, spec: DataSpec, step: int = 0):
        mapping, synthesis = networks["mapping"], networks["synthesis"]
        average = mapping.non_trainable_variables[0]
        usual = networks["lengths"].non_trainable_variables[0]

        def judge(samples):
            return tf.cast(networks["discriminator"](samples, training=True), tf.float32)

        def style(turn):
            return turn.once("style", lambda: turn.call(mapping))

        def fake(turn):
            return turn.once("fake", lambda: turn.call(synthesis, style(turn)))

        def logits(turn):
            both = lambda: (judge(turn.batch[spec.key]), judge(fake(turn)))  # noqa: E731
            return turn.once("logits", both)

        def r1(turn):
            due, real = turn.step % self.r1_every == 0, turn.batch[spec.key]
            weight = self.r1 / 2 * self.r1_every
            return weight * tf.cond(due, lambda: losses.r1_penalty(judge, real), lambda: 0.0)

        def path(turn):
            """(loss, mean length) of the steps in which it is due (equation 4), else zeros."""
            w, noise, y = style(turn), turn.input("noise"), turn.normal("path", spec.shape)
            y /= (spec.shape[0] * spec.shape[1]) ** 0.5

            def measured():
                with tf.GradientTape() as tape:
                    tape.watch(w)
                    seen = tf.reduce_sum(synthesis([w, noise], training=True) * y)
                slopes = tape.gradient(seen, w)
                found = tf.sqrt(tf.reduce_sum(tf.square(slopes), 1) + 1e-8)
                length = tf.stop_gradient(tf.reduce_mean(turn.mean(found)))
                target = usual + self.path_decay * (length - usual)
                return tf.reduce_mean(tf.square(found - target)), length

            due = turn.step % self.path_every == 0
            return tf.cond(due, measured, lambda: (0.0, tf.identity(usual.value)))

        def measured_path(turn):
            return turn.once("path length", lambda: path(turn))

        def remember(turn):
            mean = turn.mean(tf.stop_gradient(style(turn)))
            average.assign(mean + self.w_decay * (average - mean))
            usual.assign(usual + self.path_decay * (measured_path(turn)[1] - usual))

        return [
            Player(
                "discriminator",
                ("discriminator",),
                lambda turn: losses.minimax_d(*logits(turn)),
                Adam(self.d_lr, beta_1=0.0, beta_2=0.99, epsilon=1e-8),
                penalty=r1,
                record=lambda turn: judged(*logits(turn), self.accuracy(*logits(turn))),
            ),
            Player(
                "generator",
                ("mapping", "synthesis"),
                lambda turn: losses.nonsaturating_g(judge(fake(turn))),
                Adam(self.g_lr, beta_1=0.0, beta_2=0.99, epsilon=1e-8),
                penalty=lambda turn: self.path * self.path_every * measured_path(turn)[0],
                record=lambda turn: {"path_length": measured_path(turn)[1]},
                after=remember,
            ),
        ]


def lengths() -> keras.Model:
    """A network whose one weight is the usual path length."""
    first = keras.Input(())
    return keras.Model(first, Remembered(dtype="float32")(first), name="lengths")


class Remembered(layers.Layer):
    """A number that nobody trains."""

    def build(self, shape):
        self.value = self.add_weight(shape=(), initializer="zeros", trainable=False, name="value")

    def call(self, x):
        return x + self.value


class Truncation(layers.Layer):
    """w' = average + psi (w - average) (Karras et al. 2019, section 4); exactly w for psi 1."""

    def build(self, shapes):
        width = shapes[0][-1:]
        self.mean = self.add_weight(shape=width, initializer="zeros", trainable=False, name="mean")

    def call(self, inputs):
        w, psi = inputs
        return psi * w + (1.0 - psi) * self.mean


class Scaled(layers.Layer):
    """A dense layer (side 0) or convolution with an equalised learning rate, times `rate`."""

    def __init__(self, units, side=0, gain=2**0.5, bias=0.0, rate=1.0, **options):
        super().__init__(**options)
        self.units, self.side, self.first, self.rate = units, side, bias, rate
        self.gain = 1.0 if bias else gain

    def build(self, shape):
        kernel = (*[self.side] * (2 if self.side else 0), shape[-1], self.units)
        normal = keras.initializers.RandomNormal(stddev=1.0 / self.rate)
        start = keras.initializers.Constant(self.first / self.rate)
        self.kernel = self.add_weight(shape=kernel, initializer=normal, name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer=start, name="bias")
        self.scale = self.rate * self.gain / (max(1, self.side) ** 2 * shape[-1]) ** 0.5

    def call(self, x):
        kernel = self.kernel * tf.cast(self.scale, x.dtype)
        y = tf.nn.conv2d(x, kernel, 1, "SAME") if self.side else tf.matmul(x, kernel)
        return y + self.bias * tf.cast(self.rate, x.dtype)


class Modulated(layers.Layer):
    """A convolution whose kernel each sample's style scales by input channel (section 2.2).

    Scaling the input before and the output behind is the same as scaling every sample's kernel.
    """

    def __init__(self, units: int, side: int, demodulate: bool = True, **options):
        super().__init__(**options)
        self.units, self.side, self.demodulate = units, side, demodulate

    def build(self, shapes):
        kernel = (self.side, self.side, shapes[0][-1], self.units)
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.kernel = self.add_weight(shape=kernel, initializer=normal, name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.scale = 1.0 / (self.side**2 * shapes[0][-1]) ** 0.5

    def call(self, inputs):
        x, style = inputs
        kernel = self.kernel * tf.cast(self.scale, x.dtype)
        y = tf.nn.conv2d(x * style[:, None, None, :], kernel, 1, "SAME")
        if self.demodulate:  # equation 3
            power = tf.matmul(tf.square(style), tf.reduce_sum(tf.square(kernel), [0, 1]))
            y *= tf.math.rsqrt(power + 1e-8)[:, None, None, :]
        return y + self.bias


class AddNoise(layers.Layer):
    """Adds the k-th plane of the noise, made as small as x; sums of four normals halved are N(0, 1)
    again. It is scaled by one learnt number."""

    def __init__(self, k: int, **options):
        super().__init__(**options)
        self.k = k

    def build(self, shapes):
        self.strength = self.add_weight(shape=(), initializer="zeros", name="strength")

    def call(self, inputs):
        x, noise = inputs
        plane, factor = noise[..., self.k : self.k + 1], noise.shape[1] // x.shape[1]
        plane = tf.nn.avg_pool2d(plane, factor, factor, "VALID") * tf.cast(factor, plane.dtype)
        return x + self.strength * plane


class Start(layers.Layer):
    """The learnt 4x4 image that every synthesis begins with, for each row of w."""

    def __init__(self, width: int, **options):
        super().__init__(**options)
        self.width = width

    def build(self, shape):
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.first = self.add_weight(shape=(4, 4, self.width), initializer=normal, name="start")

    def call(self, w):
        return tf.tile(self.first[None], [tf.shape(w)[0], 1, 1, 1])


class Leaky(layers.LeakyReLU):
    """Slope 0.2 below 0."""

    def __init__(self, **options):
        super().__init__(negative_slope=0.2, **options)


class Pixel(layers.Layer):
    """Rows to a mean square of 1."""

    def call(self, x):
        return x * tf.math.rsqrt(tf.reduce_mean(tf.square(x), -1, keepdims=True) + 1e-8)


class Deviation(layers.Layer):
    """One channel more: the mean deviation over the batch."""

    def call(self, x):
        spread = tf.sqrt(tf.math.reduce_variance(x, 0) + 1e-8)
        return tf.concat([x, tf.ones_like(x[..., :1]) * tf.reduce_mean(spread)], -1)
