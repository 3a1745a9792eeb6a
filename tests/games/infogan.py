"""InfoGAN: codes that the generator cannot ignore."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.layers import BatchNormalization
from ganzoo.plugin import Categorical, DataSpec, Player, Plugin, Source, Turn, Uniform, judged


@dataclass(frozen=True)
class InfoGAN(Plugin):
    """InfoGAN (Chen et al. 2016): a network Q must read the code off what was made from it.

    The code is a class (`code`) and continuous numbers (`angle`), learnt without any label. D and Q
    are two networks over one body: the same layers stand in both, and D's player trains both, as in
    the authors' code. Differs: dense networks, a z of 16, and batch norm in the generator alone.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1606.03657"

    z_dim: int = 16
    hidden: int = 64
    classes: int = 10  # of the code; MNIST's digits (section 7.2)
    angles: int = 2  # continuous codes, U(-1, 1) (section 7.2)
    information: float = 1.0  # weight of the mutual information (section 6)
    batch_size: int = 32
    steps: int = 2_000
    g_lr: float = 1e-3  # appendix C: five times D's
    d_lr: float = 2e-4

    def generator(self, spec: DataSpec) -> keras.Model:
        z = keras.Input((self.z_dim,), name="z")
        code = keras.Input((self.classes,), name="code")
        angle = keras.Input((self.angles,), name="angle")
        x = layers.Concatenate()([z, code, angle])
        for _ in range(2):
            x = layers.Dense(self.hidden, use_bias=False)(x)
            x = layers.ReLU()(BatchNormalization(momentum=0.9)(x))
        x = layers.Dense(spec.size, dtype="float32")(x)
        x = layers.Activation("tanh" if spec.range else "linear", dtype="float32")(x)
        sample = layers.Reshape(spec.shape, dtype="float32")(x)
        return keras.Model([z, code, angle], sample, name="generator")

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        """`discriminator`: samples -> logits (n, 1); `q`: samples -> logits of `code`, `angle`."""
        sample = keras.Input(spec.shape, name=spec.key)
        body = layers.Flatten()(sample)
        for _ in range(2):
            body = layers.LeakyReLU(negative_slope=0.1)(layers.Dense(self.hidden)(body))
        logits = layers.Dense(1, dtype="float32")(body)
        x = layers.LeakyReLU(negative_slope=0.1)(layers.Dense(self.hidden)(body))
        code = layers.Dense(self.classes, dtype="float32")(x)
        angle = layers.Dense(self.angles, dtype="float32")(x)
        return {
            "generator": self.generator(spec),
            "discriminator": keras.Model(sample, logits, name="discriminator"),
            "q": keras.Model(sample, {"code": code, "angle": angle}, name="q"),
        }

    def inputs(self, spec: DataSpec) -> dict[str, Source]:
        return {"code": Categorical(), "angle": Uniform(-1.0, 1.0)}

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        def fake(turn: Turn):
            return turn.once("fake", lambda: turn.call(networks["generator"]))

        def logits(turn: Turn):
            def both():
                judge = networks["discriminator"]
                return turn.call(judge, turn.batch[spec.key]), turn.call(judge, fake(turn))

            return turn.once("logits", both)

        def unread(turn: Turn):
            """-E[log Q(c | x)], up to constants: the bound on the mutual information (equation 5).

            The angles' density is a normal one of deviation 1 about what Q says.
            """

            def missed():
                read = turn.call(networks["q"], fake(turn))
                classes = tf.nn.softmax_cross_entropy_with_logits(turn.input("code"), read["code"])
                angles = tf.square(turn.input("angle") - read["angle"]) / 2
                return tf.reduce_mean(classes + tf.reduce_sum(angles, 1))

            return self.information * turn.once("unread", missed)

        def read_rightly(turn: Turn):
            read = turn.call(networks["q"], fake(turn))["code"]
            right = tf.argmax(read, 1) == tf.argmax(turn.input("code"), 1)
            return {"code_accuracy": tf.reduce_mean(tf.cast(right, tf.float32))}

        rules = self.optimizers()
        return [
            Player(
                "discriminator",
                ("discriminator", "q"),
                lambda turn: losses.minimax_d(*logits(turn)),
                rules["discriminator"],
                record=lambda turn: judged(*logits(turn), self.accuracy(*logits(turn))),
                penalty=unread,
            ),
            Player(
                "generator",
                ("generator",),
                lambda turn: losses.nonsaturating_g(logits(turn)[1]),
                rules["generator"],
                record=read_rightly,
                penalty=unread,
            ),
        ]
