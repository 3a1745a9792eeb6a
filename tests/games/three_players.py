"""Dual discriminator GAN: a game of three."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo.errors import UsageError
from ganzoo.optimizers import Adam
from ganzoo.plugin import DataSpec, Player, Plugin, Turn, judged


@dataclass(frozen=True)
class D2GAN(Plugin):
    """Dual discriminator GAN (Nguyen et al. 2017): D1 rewards real samples, D2 rewards fakes.

    Together they lower both the forward and the reverse KL divergence, so that no mode is dropped.
    Both scores are positive, D(x) = softplus of what the network returns. Differs: small dense
    networks for any data.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1709.03831"

    z_dim: int = 16
    hidden: int = 32
    batch_size: int = 32
    steps: int = 2_000
    g_lr: float = 1e-3  # so small networks take it
    d_lr: float = 1e-3
    alpha: float = 1.0  # of log D1(x), in (0, 1] (equation 1); 1 in the authors' code for points
    beta: float = 1.0  # of log D2(G(z)), in (0, 1]

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("alpha", "beta"):
            if not 0 < getattr(self, name) <= 1:
                raise UsageError(f"{name} must lie in (0, 1], not {getattr(self, name)}.")

    def generator(self, spec: DataSpec) -> keras.Model:
        z = x = keras.Input((self.z_dim,), name="z")
        for _ in range(2):
            x = layers.Dense(self.hidden, activation="relu")(x)
        x = layers.Dense(spec.size, dtype="float32")(x)
        x = layers.Activation("tanh" if spec.range else "linear", dtype="float32")(x)
        return keras.Model(z, layers.Reshape(spec.shape, dtype="float32")(x), name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        """Samples -> the softplus's argument (n, 1)."""
        sample = keras.Input(spec.shape, name=spec.key)
        x = layers.Flatten()(sample)
        for _ in range(2):
            x = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(self.hidden)(x))
        return keras.Model(sample, layers.Dense(1, dtype="float32")(x))

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        return {
            "generator": self.generator(spec),
            "d1": self.discriminator(spec),
            "d2": self.discriminator(spec),
        }

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        def score(turn: Turn, judge: str, what: str):
            def scored():
                fake = turn.once("fake", lambda: turn.call(networks["generator"]))
                sample = fake if what == "fake" else turn.batch[spec.key]
                return tf.nn.softplus(turn.call(networks[judge], sample))

            return turn.once(f"{judge} {what}", scored)

        def logs(turn: Turn, judge: str, what: str):
            return tf.math.log(score(turn, judge, what) + 1e-8)

        def d1_loss(turn: Turn):
            pull = -self.alpha * tf.reduce_mean(logs(turn, "d1", "real"))
            return pull + tf.reduce_mean(score(turn, "d1", "fake"))

        def d2_loss(turn: Turn):
            pull = -self.beta * tf.reduce_mean(logs(turn, "d2", "fake"))
            return pull + tf.reduce_mean(score(turn, "d2", "real"))

        def g_loss(turn: Turn):
            cold = self.beta * tf.reduce_mean(logs(turn, "d2", "fake"))
            return cold - tf.reduce_mean(score(turn, "d1", "fake"))

        def ratio(turn: Turn, judge: str, what: str):
            """log p(x) / p_G(x), as the best D1 = alpha p / p_G and D2 = beta p_G / p have it."""
            if judge == "d1":
                return logs(turn, judge, what) - tf.math.log(self.alpha)
            return tf.math.log(self.beta) - logs(turn, judge, what)

        def record(turn: Turn, judge: str):
            real, fake = (ratio(turn, judge, what) for what in ("real", "fake"))
            return judged(real, fake, self.accuracy(real, fake))

        def judging(name: str, judge: str, loss) -> Player:
            return Player(
                name,
                (judge,),
                loss,
                Adam(self.d_lr, beta_1=0.5),
                record=lambda turn: record(turn, judge),
                role="discriminator",
                against=("maker",),
                group="judges",
            )

        return [
            judging("loves_real", "d1", d1_loss),
            judging("loves_fake", "d2", d2_loss),
            Player(
                "maker",
                ("generator",),
                g_loss,
                Adam(self.g_lr, beta_1=0.5),
                role="generator",
                against=("loves_real", "loves_fake"),
            ),
        ]
