"""Coupled GANs: pairs of images learnt from two domains that nobody paired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.layers import BatchNormalization, Conv2D, Conv2DTranspose, cropped, halved
from ganzoo.plugin import DataSpec, Player, Plugin, Turn, judged

DOMAINS = ("a", "b")


@dataclass(frozen=True)
class CoGAN(Plugin):
    """CoGAN (Liu & Tuzel 2016): two generators share all but their last layer, so a z is a pair.

    The discriminators share all but their first layer: what an image is, and not its look.
    Networks, rates and decay of the authors' code for digits and edges (mingyuliutw/CoGAN,
    net_cogan_mnistedge.py): `--data mnist_edges`, or `mnist_inverse`, the paper's other pair.
    Differs: a quarter of the generator's channels, sides of 4, 7, 14 and 28 in place of 4, 7, 13
    and 25, tanh for a sigmoid, one logit for a softmax of two, both gradients at the same weights.
    Paper and code disagree: equation 1 sums what is lost in the two domains, the code has the mean.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1606.07536"

    width: int = 24  # channels next to the images, doubled at each halving; code: 128
    decay: float = 5e-4  # of the code: half the squares of all weights, added to the losses
    batch_size: int = 64  # of each domain, in the code
    steps: int = 3_000  # 5,000 in the code
    simultaneous: bool = True  # one pass through both networks serves both players

    def unsupported(self, spec: DataSpec) -> str | None:
        other = spec.others.get("b")
        if spec.key != "a" or other is None:
            return "cogan needs two domains, a and b, as --data mnist_edges has them."
        if not spec.is_image or spec.shape[:2] != other.shape[:2] or min(spec.shape[:2]) < 16:
            return "cogan makes images of one size in both domains, 16 pixels a side or more."
        return None

    def generator(self, spec: DataSpec) -> keras.Model:
        """z -> an image of each domain."""
        *sizes, (h, w) = halved(spec.shape)  # 28, 14, 7 and 4
        channels = self.width << len(sizes)
        z = keras.Input((self.z_dim,), name="z")
        x = layers.Reshape((h, w, channels))(layers.Dense(h * w * channels)(z))
        x = _prelu(1, 2, 3)(_norm(x))
        for size in reversed(sizes):
            channels //= 2
            x = cropped(Conv2DTranspose(channels, 3, 2, "same", use_bias=False)(x), size)
            x = _prelu(1, 2, 3)(_norm(x))
        last = {d: Conv2D(spec.of(d).shape[2], 5, padding="same", name=f"to_{d}") for d in DOMAINS}
        images = {d: layers.Activation("tanh", dtype="float32")(last[d](x)) for d in DOMAINS}
        return keras.Model(z, images, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        """An image of each domain -> a logit (n, 1) for each."""
        images = {d: keras.Input(spec.of(d).shape, name=d) for d in DOMAINS}
        shared = [
            Conv2D(50, 5),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(500),
            _prelu(1),
            layers.Dense(1, dtype="float32"),
        ]
        logits = {}
        for domain, image in images.items():
            x = layers.MaxPooling2D()(Conv2D(20, 5, name=f"from_{domain}")(image))
            for layer in shared:
                x = layer(x)
            logits[domain] = x
        return keras.Model([images[d] for d in DOMAINS], logits, name="discriminator")

    def outputs(self, spec: DataSpec) -> dict[str, str]:
        return {domain: domain for domain in DOMAINS}

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        generator, discriminator = networks["generator"], networks["discriminator"]

        def judge(turn: Turn, images):
            """The logits of both domains, one behind the other."""
            logits = turn.call(discriminator, images["a"], b=images["b"])
            return tf.concat([logits[domain] for domain in DOMAINS], 0)

        def real(turn: Turn):
            return turn.once("real", lambda: judge(turn, turn.batch))

        def fake(turn: Turn):
            return turn.once("fake", lambda: judge(turn, turn.call(generator)))

        def decayed(network: keras.Model):
            squares = [tf.nn.l2_loss(weight.value) for weight in network.trainable_weights]
            return self.decay * tf.add_n(squares)  # each is half the sum

        rules = self.optimizers()
        return [
            Player(
                "discriminator",
                ("discriminator",),
                lambda turn: losses.minimax_d(real(turn), fake(turn)),
                rules["discriminator"],
                record=lambda turn: judged(
                    real(turn), fake(turn), self.accuracy(real(turn), fake(turn))
                ),
                penalty=lambda turn: decayed(discriminator),
            ),
            Player(
                "generator",
                ("generator",),
                lambda turn: losses.nonsaturating_g(fake(turn)),
                rules["generator"],
                penalty=lambda turn: decayed(generator),
            ),
        ]


def _norm(x):
    return BatchNormalization(momentum=0.9, epsilon=1e-5, center=False, scale=False)(x)


def _prelu(*axes: int) -> layers.Layer:
    """One slope for all units, which begins at a quarter, as in the code."""
    return layers.PReLU(keras.initializers.Constant(0.25), shared_axes=axes)
