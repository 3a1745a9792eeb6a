"""A turn: what `after`, `once` and `call` see of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import keras
import pytest
import tensorflow as tf
from conftest import images
from keras import layers
from plain import Plain, game

from ganzoo.errors import UsageError


def test_after_sees_its_turn():
    @dataclass(frozen=True)
    class Pool(Plain):
        def networks(self, spec):
            memory = keras.Sequential([keras.Input((1,)), layers.Dense(1, trainable=False)])
            return super().networks(spec) | {"memory": memory}

        def players(self, networks, spec, step=0):
            kept = networks["memory"].layers[0].bias

            def after(turn):
                kept.assign([tf.cast(turn.step, tf.float32) + tf.reduce_mean(turn.batch["point"])])

            d, g = super().players(networks, spec, step)
            return [dataclasses.replace(d, after=after), g]

    made = game(Pool())
    made.run(0, 1)
    first = float(made.networks["memory"].layers[0].bias.numpy()[0])
    made.run(1, 2)
    assert 0 < abs(float(made.networks["memory"].layers[0].bias.numpy()[0]) - first - 2) < 1.5


def test_what_a_branch_computed_first_is_not_there_outside_of_it():
    @dataclass(frozen=True)
    class Lazy(Plain):
        def d_loss(self, real_logits, fake_logits):
            return super().d_loss(real_logits, fake_logits)

        def penalty(self, discriminator, real, fake, turn):
            def inside():
                return tf.reduce_mean(turn.once("far", lambda: real**2))

            value = tf.cond(turn.step % 2 == 0, inside, lambda: 0.0)
            return value + tf.reduce_mean(turn.once("far", lambda: real**2))

    with pytest.raises(UsageError, match=r"'far' was first computed inside a tf\.cond"):
        game(Lazy()).run(0, 1)


def test_an_input_without_a_name_is_z_beside_a_label_too():
    @dataclass(frozen=True)
    class Nameless(Plain):
        def generator(self, spec):
            z, label = keras.Input((self.z_dim,)), keras.Input((), dtype="int32", name="label")
            x = layers.Concatenate()([z, keras.ops.one_hot(label, spec.classes)])
            x = layers.Dense(spec.size, "tanh", dtype="float32")(x)
            return keras.Model([z, label], layers.Reshape(spec.shape, dtype="float32")(x))

    made = game(Nameless(), images(classes=3))
    assert [one.name for one in made.inputs] == ["z", "label"]
    made.run(0, 1)
