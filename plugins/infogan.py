"""InfoGAN: codes that the generator cannot ignore."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.layers import BatchNormalization, cropped, halved
from ganzoo.layers.convolution import Conv2D, Conv2DTranspose
from ganzoo.plugin import Categorical, DataSpec, Player, Plugin, Source, Turn, Uniform, judged


@dataclass(frozen=True)
class InfoGAN(Plugin):
    """InfoGAN (Chen et al. 2016): a network Q must read the codes off what was made from them.

    A class (`code`) and continuous numbers (`style`) are learnt without any label:
    `ganzoo sample RUN --set code=3 --set style.0=-1`. The networks of appendix C.1 for MNIST; D
    and Q share all but their ends, and one player trains both, as in the authors' code. Differs:
    tanh for pixels in [-1, 1], as many stages as the side allows. Paper and code disagree, on the
    slope of the leaky units (0.1, in the code 0.01) and on the weight of continuous codes (less
    than that of `code`, section 6; in the code the same, as here).
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1606.03657"

    z_dim: int = 62  # appendix C.1: 74 with the codes
    z_prior: str = "uniform"  # of the code
    classes: int = 10  # of `code` (section 7.2); a digit each, where it goes well
    styles: int = 2  # numbers of `style`, U(-1, 1): slant and width of a digit (section 7.2)
    information: float = 1.0  # weight of the mutual information (section 6)
    width: int = 32  # channels next to the image, doubled at each; 64 in appendix C.1
    batch_size: int = 64  # 128 in the code
    steps: int = 3_000  # 50 epochs of 100 batches in the code
    g_lr: float = 1e-3  # appendix C: five times D's
    d_lr: float = 2e-4

    def unsupported(self, spec: DataSpec) -> str | None:
        if not spec.is_image or min(spec.shape[:2]) < 8:
            return "infogan makes images of 8 pixels a side or more."
        return None

    def inputs(self, spec: DataSpec) -> dict[str, Source]:
        return {"code": Categorical(), "style": Uniform(-1.0, 1.0)}

    def generator(self, spec: DataSpec) -> keras.Model:
        sizes = halved(spec.shape, smallest=7)
        (h, w), channels = sizes[-1], self.width << (len(sizes) - 2)
        z = keras.Input((self.z_dim,), name="z")
        code = keras.Input((self.classes,), name="code")
        style = keras.Input((self.styles,), name="style")
        x = _dense(16 * self.width, layers.Concatenate()([z, code, style]), layers.ReLU())
        x = _dense(h * w * channels, x, layers.ReLU())
        x = layers.Reshape((h, w, channels))(x)
        for size in sizes[-2:0:-1]:
            channels //= 2
            x = Conv2DTranspose(channels, 4, 2, "same", kernel_initializer=_normal())(x)
            x = layers.ReLU()(BatchNormalization(momentum=0.9, epsilon=1e-5)(cropped(x, size)))
        x = Conv2DTranspose(spec.shape[2], 4, 2, "same", kernel_initializer=_normal())(x)
        image = layers.Activation("tanh", dtype="float32")(cropped(x, sizes[0]))
        return keras.Model([z, code, style], image, name="generator")

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        """`heads`: images -> logits of `source` (n, 1) and of `code`, and the mean of `style`."""
        image = x = keras.Input(spec.shape, name=spec.key)
        for place in range(len(halved(spec.shape, smallest=7)) - 1):
            x = Conv2D(self.width << place, 4, 2, "same", kernel_initializer=_normal())(x)
            x = _leaky()(BatchNormalization(momentum=0.9, epsilon=1e-5)(x) if place else x)
        x = _dense(16 * self.width, layers.Flatten()(x), _leaky())
        q = _dense(2 * self.width, x, _leaky())
        ends = ("source", 1, x), ("code", self.classes, q), ("style", self.styles, q)
        heads = {
            name: layers.Dense(n, kernel_initializer=_normal(), dtype="float32", name=name)(body)
            for name, n, body in ends
        }
        return {
            "generator": self.generator(spec),
            "discriminator": keras.Model(image, heads["source"], name="discriminator"),
            "heads": keras.Model(image, heads, name="heads"),
        }

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        heads = networks["heads"]

        def real(turn: Turn):
            return turn.once("real", lambda: turn.call(heads, turn.batch[spec.key])["source"])

        def fake(turn: Turn):
            return turn.once("fake", lambda: turn.call(heads, turn.call(networks["generator"])))

        def unread(turn: Turn):
            """-E[log Q(c | x)], up to constants: the bound on the mutual information (equation 5).

            The density of `style` is normal, of deviation 1 about what Q says, as in the code.
            """
            read = fake(turn)
            code = tf.nn.softmax_cross_entropy_with_logits(turn.input("code"), read["code"])
            style = tf.reduce_sum(tf.square(turn.input("style") - read["style"]), 1) / 2
            return self.information * tf.reduce_mean(code + style)

        def record(turn: Turn):
            read = fake(turn)
            right = tf.argmax(read["code"], 1) == tf.argmax(turn.input("code"), 1)
            off = tf.square(turn.input("style") - read["style"])
            return judged(real(turn), read["source"], self.accuracy) | {
                "code_accuracy": tf.reduce_mean(tf.cast(right, tf.float32)),
                "style_error": tf.reduce_mean(off),  # 1/3 where nothing is read
            }

        rules = self.optimizers()
        return [
            Player(
                "discriminator",
                ("discriminator", "heads"),
                lambda turn: losses.minimax_d(real(turn), fake(turn)["source"]),
                rules["discriminator"],
                record=record,
                penalty=unread,
            ),
            Player(
                "generator",
                ("generator",),
                lambda turn: losses.nonsaturating_g(fake(turn)["source"]),
                rules["generator"],
                penalty=unread,
            ),
        ]


def _dense(units: int, x, activation: layers.Layer):
    x = layers.Dense(units, kernel_initializer=_normal())(x)
    return activation(BatchNormalization(momentum=0.9, epsilon=1e-5)(x))


def _leaky() -> layers.Layer:
    return layers.LeakyReLU(negative_slope=0.1)  # appendix C


def _normal() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(0.0, 0.02)  # of the code
