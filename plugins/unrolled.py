"""Unrolled GAN: the generator sees how the discriminator is going to answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.errors import UsageError
from ganzoo.plugin import DataSpec, Player, Plugin, Turn


@dataclass(frozen=True)
class UnrolledGAN(Plugin):
    """Unrolled GAN (Metz et al. 2017): the generator's loss is that of k discriminator steps later.

    The k steps are the discriminator's own Adam on this turn's batch, and slopes flow through all
    of them and through its moments; they move copies. Networks, rates and loss are those of the
    authors' notebook (poolio/unrolled_gan), which says that they are not the paper's. Differs: the
    notebook's ring has its first mode twice and 7 in all, `--data ring` has 8.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1611.02163"

    unroll: int = 5  # k; 0 is a plain GAN with the saturating loss
    z_dim: int = 256
    hidden: int = 128  # of each of two layers of tanh
    batch_size: int = 512
    steps: int = 4_000  # 25,000 in the notebook
    g_lr: float = 1e-3
    d_lr: float = 1e-3  # 1e-4 in the notebook, by which D learns nothing in so few steps
    simultaneous: bool = True  # one call of both updates in the notebook
    ema: float = 0.0  # the notebook draws from G itself
    low_precision: bool = False  # slopes of slopes

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unroll < 0:
            raise UsageError(f"unroll must be at least 0, not {self.unroll}.")

    def unsupported(self, spec: DataSpec) -> str | None:
        return None if len(spec.shape) == 1 and not spec.range else "unrolled makes points only."

    def optimizers(self):
        return self.adam(beta_1=0.5, epsilon=1e-8)

    def generator(self, spec: DataSpec) -> keras.Model:
        z = keras.Input((self.z_dim,), name="z")
        return keras.Model(z, self._dense(z, spec.size), name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        point = keras.Input(spec.shape, name=spec.key)
        return keras.Model(point, self._dense(point, 1), name="discriminator")

    def _dense(self, x, units: int):
        for _ in range(2):
            x = layers.Dense(self.hidden, "tanh", kernel_initializer=_orthogonal())(x)
        return layers.Dense(units, kernel_initializer=_orthogonal(), dtype="float32")(x)

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        """The default two, but for what the generator lowers."""
        judge = networks["discriminator"]
        discriminator, generator = super().players(networks, spec, step)

        def loss_of(weights, turn: Turn):
            """The discriminator's loss if its weights were these."""
            fake = turn.once("fake", lambda: turn.call(networks["generator"]))
            samples = turn.batch[spec.key], fake
            return self.d_loss(
                *(judge.stateless_call(weights, [], x, training=True)[0] for x in samples)
            )

        def g_loss(turn: Turn):
            """-f(G, D after k steps), section 2.2: by way of D the term of the reals counts too."""
            variables, rule = judge.trainable_variables, discriminator.optimizer
            weights, moments = [v.value for v in variables], rule.moments(variables)
            for _ in range(self.unroll):
                with tf.GradientTape() as tape:
                    tape.watch(weights)
                    loss = loss_of(weights, turn)
                weights, moments = rule.ahead(tape.gradient(loss, weights), weights, moments)
            return -loss_of(weights, turn)

        return [discriminator, replace(generator, loss=g_loss)]


def _orthogonal() -> keras.initializers.Initializer:
    return keras.initializers.Orthogonal(gain=1.4)  # of the notebook
