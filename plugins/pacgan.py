"""PacGAN on points: a discriminator that judges several samples at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.errors import UsageError
from ganzoo.layers import BatchNormalization, Maxout
from ganzoo.plugin import DataSpec, Player, Plugin, Turn, judged


@dataclass(frozen=True)
class PacGAN(Plugin):
    """PacGAN (Lin et al. 2018): D sees m samples of one kind at once, so that it sees a collapse.

    Networks and rates are those of the authors' code for points (fjxmlzn/PacGAN), where both
    players move at once; m = 1 is their plain GAN. `ganzoo repeat pacgan --data ring --seeds 10
    --modes` is the protocol of table 1. Differs: fewer steps; the fakes of all m places are
    normalised as one batch, theirs place by place. Paper and code disagree: table 1 has a KL
    divergence, the code computes a Jensen-Shannon divergence, of the good samples alone; here it is
    the KL divergence of all.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1712.04086"

    m: int = 2  # samples in a pack
    z_dim: int = 2
    g_hidden: int = 400  # of each of four layers
    d_hidden: int = 200  # of each of three layers
    pieces: int = 5  # linear maps of a maxout unit
    batch_size: int = 200  # samples: the authors take 100 packs, which is 100 m
    steps: int = 12_000  # 400 epochs of 1,000 in the code
    g_lr: float = 1e-4
    d_lr: float = 1e-4
    simultaneous: bool = True  # as the algorithm that they take from ALI
    ema: float = 0.0  # the authors judge G itself
    low_precision: bool = False  # points lie 0.01 apart

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.m < 1:
            raise UsageError(f"m must be at least 1, not {self.m}.")
        if self.batch_size % self.m:
            raise UsageError(
                f"batch_size must be a multiple of m: {self.batch_size} samples make no whole "
                f"packs of {self.m}."
            )

    def unsupported(self, spec: DataSpec) -> str | None:
        return None if len(spec.shape) == 1 and not spec.range else "pacgan makes points only."

    def optimizers(self):
        return self.adam(beta_1=0.8)

    def generator(self, spec: DataSpec) -> keras.Model:
        z = x = keras.Input((self.z_dim,), name="z")
        for _ in range(4):
            x = layers.Dense(self.g_hidden, use_bias=False, kernel_initializer=_normal())(x)
            x = layers.ReLU()(BatchNormalization(momentum=0.95)(x))
        x = layers.Dense(spec.size, kernel_initializer=_normal(), dtype="float32")(x)
        return keras.Model(z, x, name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        pack = x = keras.Input((self.m * spec.size,), name=spec.key if self.m == 1 else "pack")
        for _ in range(3):
            x = Maxout(self.d_hidden, self.pieces, kernel_initializer=_normal())(x)
        logits = layers.Dense(1, kernel_initializer=_normal(), dtype="float32")(x)
        return keras.Model(pack, logits, name="discriminator")

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        def judge(points: tf.Tensor, turn: Turn) -> tf.Tensor:
            """Logits (batch_size / m, 1): rows that follow each other make a pack."""
            packs = tf.reshape(points, (-1, self.m * spec.size))
            return turn.call(networks["discriminator"], packs)

        def logits(turn: Turn) -> tuple[tf.Tensor, tf.Tensor]:
            def both():
                fake = turn.call(networks["generator"])
                return judge(turn.batch[spec.key], turn), judge(fake, turn)

            return turn.once("logits", both)

        rules = self.optimizers()
        return [
            Player(
                "discriminator",
                ("discriminator",),
                lambda turn: self.d_loss(*logits(turn)),
                rules["discriminator"],
                record=lambda turn: judged(*logits(turn), self.accuracy(*logits(turn))),
            ),
            Player(
                "generator",
                ("generator",),
                lambda turn: self.g_loss(logits(turn)[1]),
                rules["generator"],
            ),
        ]


def _normal() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(0.0, 0.02)  # of the code
