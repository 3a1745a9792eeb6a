"""Coupled GANs: pairs of images learnt from two domains that nobody paired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.layers import BatchNormalization
from ganzoo.plugin import DataSpec, Player, Plugin, Turn, judged

DOMAINS = ("a", "b")


@dataclass(frozen=True)
class CoGAN(Plugin):
    """Coupled GANs (Liu & Tuzel 2016): two generators share their first layers, so one z is a pair.

    The discriminators share their last layers, which see what an image is, and not its look. A
    shared layer stands in two networks of one player, whose optimiser moves it once. Differs: dense
    networks, and binary logits where the code has a softmax of two.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1606.07536"

    z_dim: int = 16
    hidden: int = 32  # width of all layers, shared and not
    batch_size: int = 32
    steps: int = 2_000
    simultaneous: bool = True  # one pass through the four networks serves both players

    def unsupported(self, spec: DataSpec) -> str | None:
        if spec.key != "a" or "b" not in spec.others:
            return "cogan needs two domains, a and b."
        return None

    def generators(self, spec: DataSpec) -> dict[str, keras.Model]:
        """z -> samples of a domain; the way from z to the last hidden layer is common."""
        shared = []
        for _ in range(2):
            shared += [layers.Dense(self.hidden, use_bias=False), BatchNormalization()]
            shared += [layers.ReLU()]

        def generator(domain: str) -> keras.Model:
            told = spec.of(domain)
            z = x = keras.Input((self.z_dim,), name="z")
            for layer in shared:
                x = layer(x)
            x = layers.Dense(self.hidden, activation="relu")(x)
            x = layers.Dense(told.size, dtype="float32")(x)
            x = layers.Activation("tanh" if told.range else "linear", dtype="float32")(x)
            return keras.Model(z, layers.Reshape(told.shape, dtype="float32")(x))

        return {f"g_{domain}": generator(domain) for domain in DOMAINS}

    def discriminators(self, spec: DataSpec) -> dict[str, keras.Model]:
        """Samples of a domain -> logits (n, 1); all but the first layer is common."""
        shared = [
            layers.Dense(self.hidden),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dense(1, dtype="float32"),
        ]

        def discriminator(domain: str) -> keras.Model:
            sample = keras.Input(spec.of(domain).shape, name=domain)
            x = layers.Dense(self.hidden)(layers.Flatten()(sample))
            x = layers.LeakyReLU(negative_slope=0.2)(x)
            for layer in shared:
                x = layer(x)
            return keras.Model(sample, x)

        return {f"d_{domain}": discriminator(domain) for domain in DOMAINS}

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        return self.generators(spec) | self.discriminators(spec)

    def sampler(self, networks, spec: DataSpec) -> keras.Model:
        z = keras.Input((self.z_dim,), name="z")
        return keras.Model(z, {domain: networks[f"g_{domain}"](z) for domain in DOMAINS})

    def outputs(self, spec: DataSpec) -> dict[str, str]:
        return {domain: domain for domain in DOMAINS}

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        def real(turn: Turn, domain: str):
            def judge():
                return turn.call(networks[f"d_{domain}"], turn.batch[domain])

            return turn.once(f"real {domain}", judge)

        def fake(turn: Turn, domain: str):
            def judge():
                return turn.call(networks[f"d_{domain}"], turn.call(networks[f"g_{domain}"]))

            return turn.once(f"fake {domain}", judge)

        def d_loss(turn: Turn):
            return sum(losses.minimax_d(real(turn, d), fake(turn, d)) for d in DOMAINS)

        def g_loss(turn: Turn):
            return sum(losses.nonsaturating_g(fake(turn, d)) for d in DOMAINS)

        def record(turn: Turn):
            both = [tf.concat([part(turn, d) for d in DOMAINS], 0) for part in (real, fake)]
            return judged(*both, self.accuracy(*both))

        rules = self.optimizers()
        pair = {part: tuple(f"{part[0]}_{d}" for d in DOMAINS) for part in rules}
        return [
            Player(
                "discriminator",
                pair["discriminator"],
                d_loss,
                rules["discriminator"],
                record=record,
            ),
            Player("generator", pair["generator"], g_loss, rules["generator"]),
        ]
