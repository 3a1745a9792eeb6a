"""The plain game of several test files: two dense networks on points, without anything special."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from conftest import points
from keras import layers

from ganzoo import losses
from ganzoo.data import Dataset
from ganzoo.plugin import Plugin
from ganzoo.training.game import Game


def dense(inputs: tuple[int, ...], width: int, name: str, activation=None) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input(inputs, name="z" if name == "generator" else None),
            layers.Flatten(),
            layers.Dense(8, "relu"),
            layers.Dense(width, activation, dtype="float32"),
        ],
        name=name,
    )


@dataclass(frozen=True)
class Plain(Plugin):
    """Two dense networks on points."""

    batch_size: int = 16
    z_dim: int = 4
    steps: int = 6

    def generator(self, spec):
        z = keras.Input((self.z_dim,), name="z")
        x = layers.Dense(spec.size, "tanh" if spec.range else None)(layers.Dense(8, "relu")(z))
        return keras.Model(z, layers.Reshape(spec.shape, dtype="float32")(x), name="generator")

    def discriminator(self, spec):
        return dense(spec.shape, 1, "discriminator")

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)


def game(plugin: Plugin, dataset: Dataset | None = None, **settings) -> Game:
    fixed = {"seed": 0, "precision": "float32", "chunk_steps": 8}
    return Game(plugin, dataset or points(), **(fixed | settings))


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> list[str]:
    assert a.keys() == b.keys()
    return [name for name in a if not np.array_equal(a[name], b[name])]
