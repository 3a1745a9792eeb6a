"""Players: who moves when, against whom, and what they train, record and pay for."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import points
from keras import layers
from plain import Plain, game, same

from ganzoo.errors import GanzooError, UsageError
from ganzoo.optimizers import Adam
from ganzoo.player import pairs
from ganzoo.plugin import Player
from ganzoo.training.game import Game, schedule


def player(name: str, turns: int = 1, **more) -> Player:
    return Player(name, (name,), lambda turn: turn.z, None, turns, **more)


def moves(players: list[Player], simultaneous: bool = False) -> list[str]:
    return ["+".join(p.name for p in turn) for turn in schedule(players, simultaneous)]


def test_players_of_a_group_take_their_last_turn_together():
    ab = [player("a", 2, group="x"), player("c"), player("b", group="x")]
    assert moves(ab) == ["a", "a+b", "c"]
    assert moves([player("a", 3), player("b")], simultaneous=True) == ["a", "a", "a+b"]
    assert moves([player("a", 3), player("b")]) == ["a", "a", "a", "b"]


def test_who_plays_against_whom():
    two = [player("generator_0"), player("generator_1"), player("discriminator")]
    assert pairs(two) == [("generator_0", "discriminator"), ("generator_1", "discriminator")]
    cycle = [
        player("g_ab", role="generator", against="d_b"),
        player("g_ba", role="generator", against="d_a"),
        player("d_a", role="discriminator"),
        player("d_b", role="discriminator"),
        player("encoder"),
    ]
    assert pairs(cycle) == [("g_ab", "d_b"), ("g_ba", "d_a")]
    assert pairs([player("one"), player("two")]) == []
    with pytest.raises(UsageError, match="did you mean 'd_b'"):
        pairs([player("g", role="generator", against="d_bb"), player("d_b", role="discriminator")])
    with pytest.raises(UsageError, match="role"):
        player("g", role="generater")


def test_any_number_of_equal_turns_is_traced_once():
    traced = []

    @dataclass(frozen=True)
    class Counts(Plain):
        d_steps: int = 40

        def d_loss(self, real_logits, fake_logits):
            traced.append(1)
            return super().d_loss(real_logits, fake_logits)

    made = game(Counts())
    made.run(0, 2)
    assert len(traced) == 1
    updates = made.state()["optimizers/discriminator/0"]
    assert updates == 80


def test_equal_turns_are_the_turns_that_they_would_be_one_by_one():
    class One(Game):
        def _turns(self, movers, turns, number, step, fed):
            found = [
                super(One, self)._turns(movers, 1, number + i, step, fed) for i in range(turns)
            ]
            return {place: tf.add_n([row[place] for row in found]) for place in found[0]}

    fixed = {"seed": 0, "precision": "float32", "chunk_steps": 4}
    looped, unrolled = (cls(Plain(d_steps=5), points(), **fixed) for cls in (Game, One))
    names, rows = looped.run(0, 4)
    again, others = unrolled.run(0, 4)
    assert names == again
    assert not same(looped.state(), unrolled.state())
    np.testing.assert_allclose(rows, others, rtol=1e-5)


def test_weights_that_two_networks_of_a_player_share_are_updated_once():
    @dataclass(frozen=True)
    class Shared(Plain):
        def networks(self, spec):
            trunk = layers.Dense(8, "relu", name="trunk")

            def head(name):
                sample = keras.Input(spec.shape)
                return keras.Model(sample, layers.Dense(1)(trunk(sample)), name=name)

            return {"generator": self.generator(spec), "one": head("one"), "two": head("two")}

        def players(self, networks, spec, step=0):
            def loss(turn):
                x = turn.batch["point"]
                return tf.reduce_mean(turn.call(networks["one"], x) + turn.call(networks["two"], x))

            sgd = keras.optimizers.SGD(1.0)
            return [Player("discriminator", ("one", "two"), loss, sgd)]

    made = game(Shared())
    trunk = made.networks["one"].layers[1].kernel
    assert len([w for w in made.weights(made.players[0]) if w is trunk]) == 1
    before = trunk.numpy()
    with tf.GradientTape() as tape:
        turn = made._turn(
            tf.constant(0, tf.int64),
            0,
            [tf.constant(f[0, 0]) for f in made.batches.feed(0, 1, 1, 8)],
        )
        loss = made.players[0].loss(turn)
    slope = np.asarray(tape.gradient(loss, trunk.value))
    made.run(0, 1)
    np.testing.assert_allclose(trunk.numpy(), before - slope, atol=1e-6)
    held = [name for name in made.state() if name.startswith("networks/")]
    assert len(held) == 4 + 2 + 2 + 2  # the generator's, the trunk's, and each head's own


def test_a_generators_loss_may_see_real_logits_and_have_a_penalty():
    @dataclass(frozen=True)
    class Relativistic(Plain):
        def g_loss(self, fake_logits, real_logits):
            return tf.reduce_mean(tf.nn.softplus(real_logits - fake_logits))

        def g_penalty(self, networks, fake, turn):
            return 10.0 * tf.reduce_mean(fake**2)

    names, rows = game(Relativistic()).run(0, 2)
    row = dict(zip(names, rows[0], strict=True))
    assert row["generator_penalty"] > 0
    alone = row["generator_loss"] - row["generator_penalty"]
    assert alone == pytest.approx(np.log(2), abs=0.5)


def test_a_discriminators_penalty_is_recorded_beside_the_loss_that_it_is_part_of():
    @dataclass(frozen=True)
    class Penalised(Plain):
        def penalty(self, discriminator, real, fake, turn):
            return 10.0 * tf.reduce_mean(real**2)

    names, rows = game(Penalised()).run(0, 2)
    row = dict(zip(names, rows[0], strict=True))
    alone = row["discriminator_loss"] - row["discriminator_penalty"]
    assert row["discriminator_penalty"] > 0
    assert alone == pytest.approx(2 * np.log(2), abs=1)


def test_a_duel_takes_for_real_what_it_is_given_and_penalises_that():
    seen = []

    @dataclass(frozen=True)
    class Halved(Plain):
        def penalty(self, discriminator, real, fake, turn):
            seen.append(real)

        def players(self, networks, spec, step=0):
            return self.duel(networks, lambda turn: 0.5 * turn.batch[spec.key])

    made = game(Halved())
    fed = [tf.constant(f[0, 0]) for f in made.batches.feed(0, 1, 1, 8)]
    turn = made._turn(tf.constant(0, tf.int64), 0, fed)
    discriminator = made.players[0]
    discriminator.penalty(turn)
    half = 0.5 * turn.batch["point"]
    np.testing.assert_array_equal(seen[0], half)
    told = discriminator.record(turn)["real_logits"]
    judge = turn.call(made.networks["discriminator"], half)
    assert float(told) == pytest.approx(float(tf.reduce_mean(judge)), abs=1e-6)
    assert float(told) == pytest.approx(float(tf.reduce_mean(turn.once("real_logits", None))))


def test_adam_has_the_settings_and_each_player_its_rate():
    made = Plain(g_lr=0.25, d_lr=0.5).adam(beta_1=0.125, epsilon=0.75)
    rates = {name: float(rule.learning_rate) for name, rule in made.items()}
    assert rates == {"generator": 0.25, "discriminator": 0.5}
    assert {(rule.beta_1, rule.beta_2, rule.epsilon) for rule in made.values()} == {
        (0.125, 0.999, 0.75)
    }


def test_what_is_judged_while_training_may_be_other_than_what_is_sampled():
    @dataclass(frozen=True)
    class Noisy(Plain):
        def fake(self, networks, turn):
            return turn.call(networks["generator"]) + 5 + turn.normal("beside", (2,))

        def g_penalty(self, networks, fake, turn):
            return tf.reduce_mean(fake)

    played = game(Noisy())
    names, rows = played.run(0, 1)
    assert dict(zip(names, rows[0], strict=True))["generator_penalty"] == pytest.approx(5, abs=1)
    assert np.abs(played.sampler(np.zeros((4, played.plugin.z_dim)))).max() < 4


def test_what_two_players_record_by_one_name_is_kept_apart():
    @dataclass(frozen=True)
    class Two(Plain):
        def networks(self, spec):
            return {
                "generator": self.generator(spec),
                "d_0": self.discriminator(spec),
                "d_1": self.discriminator(spec),
            }

        def players(self, networks, spec, step=0):
            def judge(name, value):
                def loss(turn):
                    return tf.reduce_mean(turn.call(networks[name], turn.batch["point"]))

                return Player(
                    f"discriminator_{value}",
                    (name,),
                    loss,
                    Adam(1e-3),
                    record=lambda turn: {"real_logits": tf.constant(float(value))},
                )

            return [judge("d_0", 0), judge("d_1", 1)]

    made = game(Two())
    names, rows = made.run(0, 1)
    row = dict(zip(names, rows[0], strict=True))
    assert row["discriminator_0_real_logits"] == 0
    assert row["discriminator_1_real_logits"] == 1
    assert set(made.judges()) == {"discriminator_0", "discriminator_1"}


def test_a_player_of_no_network_or_a_record_that_is_no_scalar_is_named():
    @dataclass(frozen=True)
    class Lost(Plain):
        def players(self, networks, spec, step=0):
            d, g = super().players(networks, spec, step)
            return [dataclasses.replace(d, networks=("critic",)), g]

    with pytest.raises(GanzooError, match="'discriminator' of Lost trains 'critic'"):
        game(Lost())

    @dataclass(frozen=True)
    class Vector(Plain):
        def g_loss(self, fake_logits):
            return tf.nn.softplus(-fake_logits)

    with pytest.raises(GanzooError, match="expected a scalar"):
        game(Vector()).run(0, 1)
