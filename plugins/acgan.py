"""Auxiliary classifier GAN: the discriminator also names the class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers, ops

from ganzoo import losses
from ganzoo.layers import BatchNormalization, Dropout, cropped, halved
from ganzoo.layers.convolution import Conv2D, Conv2DTranspose
from ganzoo.plugin import DataSpec, Player, Plugin, Turn, judged


@dataclass(frozen=True)
class ACGAN(Plugin):
    """Auxiliary classifier GAN (Odena et al. 2017): the discriminator also names the class.

    It is never told the class, but says which it sees in real and fake samples, and the generator
    helps it. Networks of table 2 (CIFAR-10), with as many stages as the side allows, for there is
    no code of the authors. Differs: fakes have the labels of the real batch where the paper draws
    them; -log D(G(z)) for the generator; no noise on the activations (one of the paper's options).
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1610.09585"

    width: int = 16  # of the discriminator's first layer, doubled at each; six times in G
    dropout: float = 0.2  # of the discriminator's layers; 0.5 in the paper's far wider ones
    classification: float = 1.0  # weight of L_C beside L_S (equations 2 and 3)
    batch_size: int = 64  # 100 in the paper
    steps: int = 2_000
    g_lr: float = 5e-4  # 2e-4 in the paper, for runs a hundred times as long
    d_lr: float = 5e-4
    simultaneous: bool = True  # one pass through both networks serves both players

    def unsupported(self, spec: DataSpec) -> str | None:
        if not spec.classes or not spec.is_image or min(spec.shape[:2]) < 8:
            return "acgan needs images with labels, of 8 pixels a side or more."
        return None

    def generator(self, spec: DataSpec) -> keras.Model:
        sizes = halved(spec.shape, smallest=7)
        (h, w), channels = sizes[-1], 6 * self.width << (len(sizes) - 2)
        z = keras.Input((self.z_dim,), name="z")
        label = keras.Input((), dtype="int32", name="label")
        x = layers.Concatenate()([z, ops.one_hot(label, spec.classes)])
        x = layers.Dense(h * w * channels, kernel_initializer=_normal())(x)
        x = layers.Reshape((h, w, channels))(layers.ReLU()(x))
        for size in sizes[-2:0:-1]:
            channels //= 2
            x = Conv2DTranspose(channels, 5, 2, "same", kernel_initializer=_normal())(x)
            x = layers.ReLU()(BatchNormalization(momentum=0.9)(cropped(x, size)))
        x = Conv2DTranspose(spec.shape[2], 5, 2, "same", kernel_initializer=_normal())(x)
        image = layers.Activation("tanh", dtype="float32")(cropped(x, sizes[0]))
        return keras.Model([z, label], image, name="generator")

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        """`heads`: images -> logits of `source` (n, 1) and of `label`; its first is D's."""
        image = x = keras.Input(spec.shape, name=spec.key)
        for place in range(2 * len(halved(spec.shape, smallest=7)) - 2):
            stride = 2 if place % 2 == 0 else 1
            x = Conv2D(self.width << place, 3, stride, "same", kernel_initializer=_normal())(x)
            x = BatchNormalization(momentum=0.9)(x) if place else x
            x = Dropout(self.dropout)(layers.LeakyReLU(negative_slope=0.2)(x))
        x = layers.Flatten()(x)
        source, label = (
            layers.Dense(n, kernel_initializer=_normal(), dtype="float32", name=name)(x)
            for name, n in (("source", 1), ("classes", spec.classes))
        )
        return {
            "generator": self.generator(spec),
            "discriminator": keras.Model(image, source, name="discriminator"),
            "heads": keras.Model(image, {"source": source, "label": label}, name="heads"),
        }

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        heads = networks["heads"]

        def real(turn: Turn):
            return turn.once("real", lambda: turn.call(heads, turn.batch[spec.key]))

        def fake(turn: Turn):
            return turn.once("fake", lambda: turn.call(heads, turn.call(networks["generator"])))

        def missed(seen, turn: Turn):
            label = turn.batch["label"]
            return tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(label, seen["label"])
            )

        def right(seen, turn: Turn):
            said = tf.argmax(seen["label"], 1, tf.int32)
            return tf.reduce_mean(tf.cast(said == turn.batch["label"], tf.float32))

        def record(turn: Turn):
            sources = real(turn)["source"], fake(turn)["source"]
            found = {f"class_accuracy_{n}": right(s(turn), turn) for n, s in both.items()}
            return judged(*sources, self.accuracy) | found

        both = {"real": real, "fake": fake}
        rules = self.optimizers()
        return [
            Player(
                "discriminator",
                ("discriminator", "heads"),
                lambda turn: losses.minimax_d(real(turn)["source"], fake(turn)["source"]),
                rules["discriminator"],
                record=record,
                penalty=lambda turn: (
                    self.classification * (missed(real(turn), turn) + missed(fake(turn), turn))
                ),
            ),
            Player(
                "generator",
                ("generator",),
                lambda turn: losses.nonsaturating_g(fake(turn)["source"]),
                rules["generator"],
                penalty=lambda turn: self.classification * missed(fake(turn), turn),
            ),
        ]


def _normal() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(0.0, 0.02)  # table 2
