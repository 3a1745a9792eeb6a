"""Unrolled GAN: the generator sees how the discriminator is going to answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.errors import UsageError
from ganzoo.optimizers import Adam
from ganzoo.plugin import DataSpec, Player, Plugin, Turn, judged


@dataclass(frozen=True)
class UnrolledGAN(Plugin):
    """Unrolled GAN (Metz et al. 2017): the generator's loss is that of k discriminator steps later.

    The k steps are part of the loss and are differentiated through; they move copies, and the
    discriminator's own weights stay where they are. Differs: the inner steps are gradient descent
    where the authors unroll Adam, and the networks are narrow.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1611.02163"

    z_dim: int = 16  # appendix A has 256
    hidden: int = 32  # appendix A has 128; two layers of tanh
    unroll: int = 5  # k; 0 is a plain GAN
    inner_lr: float = 0.1  # of the k steps
    batch_size: int = 64
    steps: int = 2_000
    g_lr: float = 1e-3  # appendix A
    d_lr: float = 1e-4
    low_precision: bool = False  # slopes of slopes

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unroll < 0:
            raise UsageError(f"unroll must be at least 0, not {self.unroll}.")

    def optimizers(self):
        return {
            "generator": Adam(self.g_lr, beta_1=0.5),
            "discriminator": Adam(self.d_lr, beta_1=0.5),
        }

    def unsupported(self, spec: DataSpec) -> str | None:
        return None if len(spec.shape) == 1 else "unrolled makes points only."

    def generator(self, spec: DataSpec) -> keras.Model:
        z = x = keras.Input((self.z_dim,), name="z")
        x = layers.Dense(spec.size)(self._hidden(x))
        x = layers.Activation("tanh" if spec.range else "linear", dtype="float32")(x)
        return keras.Model(z, x, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        point = keras.Input(spec.shape, name=spec.key)
        logits = layers.Dense(1, dtype="float32")(self._hidden(point))
        return keras.Model(point, logits, name="discriminator")

    def _hidden(self, x):
        for _ in range(2):
            spread = keras.initializers.Orthogonal(gain=1.4)  # of the authors' code
            x = layers.Dense(self.hidden, activation="tanh", kernel_initializer=spread)(x)
        return x

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        discriminator = networks["discriminator"]

        def fake(turn: Turn):
            return turn.once("fake", lambda: turn.call(networks["generator"]))

        def logits(turn: Turn):
            def both():
                real = turn.call(discriminator, turn.batch[spec.key])
                return real, turn.call(discriminator, fake(turn))

            return turn.once("logits", both)

        def d_loss(turn: Turn, weights):
            """The discriminator's loss if its trainable weights were these."""
            still = [v.value for v in discriminator.non_trainable_variables]

            def judge(points):
                return discriminator.stateless_call(weights, still, points, training=True)[0]

            return self.d_loss(judge(turn.batch[spec.key]), judge(fake(turn)))

        def g_loss(turn: Turn):
            """-f(G, D after k steps), the saddle of equation 11."""
            weights = [v.value for v in discriminator.trainable_variables]
            for _ in range(self.unroll):
                with tf.GradientTape() as tape:
                    tape.watch(weights)
                    loss = d_loss(turn, weights)
                slopes = tape.gradient(loss, weights)
                weights = [w - self.inner_lr * s for w, s in zip(weights, slopes, strict=True)]
            return -d_loss(turn, weights)

        rules = self.optimizers()
        return [
            Player(
                "discriminator",
                ("discriminator",),
                lambda turn: self.d_loss(*logits(turn)),
                rules["discriminator"],
                record=lambda turn: judged(*logits(turn), self.accuracy(*logits(turn))),
            ),
            Player("generator", ("generator",), g_loss, rules["generator"]),
        ]
