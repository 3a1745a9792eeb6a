"""Bidirectional GAN with dense networks: a plugin with a third network and three players."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.layers import BatchNormalization
from ganzoo.optimizers import Adam
from ganzoo.plugin import DataSpec, Player, Plugin, feed


@dataclass(frozen=True)
class BiGANDense(Plugin):
    """Bidirectional GAN (Donahue et al. 2017): an encoder learns the inverse of the generator.

    The discriminator tells pairs: a real sample with its code, or a z with what is made of it.
    Differs: narrower networks, and no batch norm in D, so that a pair's logit depends on no other
    pair. Without it in the generator and the encoder too, D wins and nothing is learnt.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1605.09782"

    z_dim: int = 50  # section 4.2
    z_prior: str = "uniform"  # section 4.2: U(-1, 1)
    hidden: int = 256  # width of all three networks
    e_lr: float = 2e-4  # of the encoder

    def generator(self, spec: DataSpec) -> keras.Model:
        z = x = keras.Input((self.z_dim,), name="z")
        for _ in range(2):
            x = layers.Dense(self.hidden, use_bias=False)(x)
            x = layers.ReLU()(BatchNormalization(momentum=0.9)(x))
        x = layers.Dense(spec.size, dtype="float32")(x)
        x = layers.Activation("tanh" if spec.range else "linear", dtype="float32")(x)
        return keras.Model(z, layers.Reshape(spec.shape, dtype="float32")(x), name="generator")

    def encoder(self, spec: DataSpec) -> keras.Model:
        """Samples -> codes (n, z_dim) in the range of the prior."""
        sample = keras.Input(spec.shape, name=spec.key)
        x = layers.Flatten()(sample)
        for _ in range(2):
            x = layers.Dense(self.hidden, use_bias=False)(x)
            x = layers.LeakyReLU(negative_slope=0.2)(BatchNormalization(momentum=0.9)(x))
        code = layers.Dense(self.z_dim, activation="tanh", dtype="float32")(x)
        return keras.Model(sample, code, name="encoder")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        """Samples and their z -> logits (n, 1)."""
        sample, z = keras.Input(spec.shape, name=spec.key), keras.Input((self.z_dim,), name="z")
        x = layers.Concatenate()([layers.Flatten()(sample), z])
        for _ in range(2):
            x = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(self.hidden)(x))
        logits = layers.Dense(1, dtype="float32")(x)
        return keras.Model([sample, z], logits, name="discriminator")

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        return super().networks(spec) | {"encoder": self.encoder(spec)}

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)

    def e_loss(self, real_logits):
        """The encoder wants (x, E(x)) to pass for (G(z), z): the generator's loss, mirrored."""
        return losses.nonsaturating_g(-real_logits)

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        def judge(samples, z):
            return tf.cast(feed(networks["discriminator"], samples, {"z": z}), tf.float32)

        def real(turn):
            x = turn.batch[spec.key]
            return turn.once("real", lambda: judge(x, feed(networks["encoder"], x, turn.batch)))

        def fake(turn):
            made = turn.once("made", lambda: feed(networks["generator"], turn.z, turn.batch))
            return turn.once("fake", lambda: judge(made, turn.z))

        def record(turn):
            on_real, on_fake = self.accuracy(real(turn), fake(turn))
            return {"d_accuracy_real": on_real, "d_accuracy_fake": on_fake}

        optimizers = self.optimizers()
        return [
            Player(
                "discriminator",
                ("discriminator",),
                lambda turn: self.d_loss(real(turn), fake(turn)),
                optimizers["discriminator"],
                record=record,
            ),
            Player(
                "generator",
                ("generator",),
                lambda turn: self.g_loss(fake(turn)),
                optimizers["generator"],
            ),
            Player(
                "encoder",
                ("encoder",),
                lambda turn: self.e_loss(real(turn)),
                Adam(self.e_lr, beta_1=0.5),
            ),
        ]
