"""A package for version 1 of the contract."""

from __future__ import annotations

import numpy as np

import ganzoo

VERSION_1 = """
from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.fourier import Conv2D, Conv2DTranspose
from ganzoo.optimizers import Adam
from ganzoo.plugin import DataSpec, Player, Plugin, feed


@dataclass(frozen=True)
class Old(Plugin):
    contract: ClassVar[int] = 1
    batch_size: int = 8
    z_dim: int = 4

    def generator(self, spec):
        z = keras.Input((self.z_dim,), name="z")
        x = layers.Reshape((spec.shape[0] // 2, spec.shape[1] // 2, 4))(
            layers.Dense(spec.shape[0] * spec.shape[1])(z)
        )
        x = Conv2DTranspose(spec.shape[2], 4, 2, "same", dtype="float32")(x)
        return keras.Model(z, layers.Activation("tanh", dtype="float32")(x))

    def discriminator(self, spec):
        x = image = keras.Input(spec.shape)
        x = layers.LeakyReLU()(Conv2D(4, 4, 2, "same")(x))
        return keras.Model(image, layers.Dense(1, dtype="float32")(layers.Flatten()(x)))

    def players(self, networks, spec, step=0):
        def fake(turn):
            noise = tf.random.stateless_normal([8, *spec.shape], turn.seed("noise"), alg="philox")
            made = turn.once("made", lambda: feed(networks["generator"], turn.z, turn.batch))
            return made + 0.01 * noise

        def d_loss(turn):
            judge = lambda x: feed(networks["discriminator"], x, turn.batch)
            real = turn.batch[spec.key]
            slope = losses.gradient_penalty(judge, real, fake(turn), turn.seed("mix"))
            return losses.wasserstein_d(judge(real), judge(fake(turn))) + 10.0 * slope

        def g_loss(turn):
            logits = feed(networks["discriminator"], fake(turn), turn.batch)
            return losses.wasserstein_g(logits)

        def clip():
            for weight in networks["discriminator"].trainable_variables:
                weight.assign(tf.clip_by_value(weight.value, -1.0, 1.0))

        return [
            Player("discriminator", ("discriminator",), d_loss, Adam(1e-3), 2, None, clip),
            Player("generator", ("generator",), g_loss, Adam(1e-3)),
        ]
"""


def test_a_package_for_version_1_trains_as_it_was(tmp_path):
    """The sums are those of the weights' magnitudes as version 0.1.0 trained them."""
    path = tmp_path / "old.py"
    path.write_text(VERSION_1)
    run = ganzoo.train(
        path, "digits", steps=4, outdir=tmp_path / "run", precision="float32", quiet=True
    )
    arrays = run.folder.read_checkpoint(4, "networks/")
    sums = [float(np.abs(arrays[name].astype(np.float64)).sum()) for name in sorted(arrays)]
    before = [9.355906, 0.023798, 21.288732, 0.0, 77.032088, 0.965056, 8.385956, 0.003000864]
    np.testing.assert_allclose(sums, before, rtol=1e-3)
    assert run.sample(3).shape == (3, 16, 16, 1)
