"""The loop: any list of players, statelessly random, resumable to the bit."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import images, points
from keras import layers

from ganzoo import losses, registry
from ganzoo.errors import GanzooError, UsageError
from ganzoo.fields import make
from ganzoo.plugin import Player, Plugin
from ganzoo.plugins.mlp_gan import MLPGAN
from ganzoo.plugins.wgan import WGAN
from ganzoo.training.batches import Order
from ganzoo.training.game import Game

SMALL = {"batch_size": 16, "z_dim": 4}


@dataclass(frozen=True)
class Small(Plugin):
    """Two dense networks."""

    batch_size: int = 16
    z_dim: int = 4
    rate: float = 0.2

    def generator(self, spec):
        return keras.Sequential(
            [
                keras.Input((self.z_dim,), name="z"),
                layers.Dense(8, "relu"),
                layers.Dense(spec.size),
                layers.Reshape(spec.shape),
            ]
        )

    def discriminator(self, spec):
        return keras.Sequential(
            [
                keras.Input(spec.shape),
                layers.Flatten(),
                layers.Dense(8, "relu"),
                layers.Dropout(self.rate),
                layers.Dense(1),
            ]
        )

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.nonsaturating_g(fake_logits)


def game(plugin: Plugin, dataset=None, **settings) -> Game:
    return Game(
        plugin,
        dataset or points(),
        **{"seed": 0, "precision": "float32", "chunk_steps": 8} | settings,
    )


def column(name: str, played: tuple[list[str], np.ndarray]) -> np.ndarray:
    names, rows = played
    return rows[:, names.index(name)]


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def test_the_cut_of_steps_into_calls_changes_no_bit():
    whole, cut = game(Small()), game(Small())
    whole.run(0, 6)
    cut.run(0, 1)
    cut.run(1, 3)
    cut.run(4, 2)
    assert same(whole.state(), cut.state())


@pytest.mark.parametrize("name", ["mlp_gan", "dcgan", "wgan", "sagan"])
def test_a_restored_game_goes_on_to_the_same_bits(name):
    plugin = make(
        registry.load(name),
        {"batch_size": 8, "z_dim": 4} | ({} if name == "mlp_gan" else {"width": 4}),
    )
    data = images(64, classes=3)
    first, second = game(plugin, data), game(plugin, data)
    first.run(0, 2)
    second.restore(first.state(), 2)
    for one in (first, second):
        one.run(2, 1)
    assert same(first.state(), second.state())


def test_dropout_seeds_are_part_of_the_state():
    played = game(Small(rate=0.5))
    before = played.state()
    played.run(0, 1)
    seeds = [k for k, v in before.items() if "networks" in k and v.dtype == np.int64]
    assert seeds
    assert any(not np.array_equal(before[k], played.state()[k]) for k in seeds)


def test_another_seed_plays_another_game():
    a, b = game(Small(), seed=0), game(Small(), seed=1)
    a.run(0, 1)
    b.run(0, 1)
    assert not same(a.state(), b.state())


def test_every_critic_turn_sees_a_fresh_batch_and_fresh_z():
    seen = []

    @dataclass(frozen=True)
    class Spy(Small):
        d_steps: int = 3

        def players(self, networks, spec, step=0):
            plain = super().players(networks, spec, step)

            def watch(player):
                def loss(turn):
                    sums = tf.stack([tf.reduce_sum(turn.batch["point"]), tf.reduce_sum(turn.z)])
                    tf.py_function(lambda s: seen.append(tuple(s.numpy())), [sums], [])
                    return player.loss(turn)

                return Player(player.name, player.networks, loss, player.optimizer, player.turns)

            return [watch(p) for p in plain]

    game(Spy()).run(0, 2)
    assert len(seen) == 8
    assert len({batch for batch, _ in seen}) == 8
    assert len({z for _, z in seen}) == 8


def test_simultaneous_players_share_batch_and_fakes_and_alternating_ones_do_not():
    def draws(simultaneous):
        made = game(Small(simultaneous=simultaneous, d_steps=2))
        return [len(movers) for movers in made.schedule]

    assert draws(False) == [1, 1, 1]
    assert draws(True) == [1, 2]


def test_simultaneous_gradients_are_taken_at_the_same_weights():
    # with a rate of 0 for D both orders see the same D, so G's loss must agree on the same z
    together, apart = (game(Small(simultaneous=s, d_lr=0.0, rate=0.0)) for s in (True, False))
    first = column("generator_loss", together.run(0, 1))
    assert np.isfinite(first).all()
    assert column("generator_loss", apart.run(0, 1)) != first  # its own z


def test_the_loop_runs_three_players_untouched():
    @dataclass(frozen=True)
    class Encoded(Small):
        """A third player: an encoder that recovers z from the fake."""

        def networks(self, spec):
            encoder = keras.Sequential(
                [keras.Input(spec.shape), layers.Flatten(), layers.Dense(self.z_dim)]
            )
            return super().networks(spec) | {"encoder": encoder}

        def players(self, networks, spec, step=0):
            def loss(turn):
                fake = networks["generator"](turn.z, training=True)
                return tf.reduce_mean((networks["encoder"](fake, training=True) - turn.z) ** 2)

            encoder = Player("encoder", ("encoder",), loss, keras.optimizers.Adam(0.01), turns=2)
            return [*super().players(networks, spec, step), encoder]

    made = game(Encoded())
    rows = np.concatenate([column("encoder_loss", made.run(i * 8, 8)) for i in range(20)])
    assert rows[-8:].mean() < rows[:8].mean()
    assert len(made.schedule) == 4
    assert {"encoder_grad_norm", "generator_loss", "discriminator_loss"} <= set(made.names)


def test_players_change_at_their_milestones():
    @dataclass(frozen=True)
    class Later(Small):
        @property
        def milestones(self):
            return (4,)

        def players(self, networks, spec, step=0):
            both = super().players(networks, spec, step)
            return both if step >= 4 else both[:1]

    made = game(Later())
    assert made.next_milestone(0) == 4
    made.run(0, 4)
    assert "generator_loss" not in made.names
    made.enter(4)
    made.run(4, 1)
    assert "generator_loss" in made.names
    assert made._first_draw(6) == 4 + 2 * 2


def test_a_value_that_is_not_finite_ends_the_call_at_its_step():
    @dataclass(frozen=True)
    class Bursts(Small):
        def g_loss(self, fake_logits):
            return super().g_loss(fake_logits)

        def players(self, networks, spec, step=0):
            d, g = super().players(networks, spec, step)
            loss = lambda turn: g.loss(turn) / tf.cast(turn.step != 3, tf.float32)  # noqa: E731
            return [d, Player("generator", g.networks, loss, g.optimizer)]

    names, rows = game(Bursts()).run(0, 8)
    assert len(rows) == 4
    assert not np.isfinite(rows[3, names.index("generator_loss")])
    assert np.isfinite(rows[:3]).all()


def test_the_average_follows_the_weights():
    made = game(Small(ema=0.0))
    made.run(0, 2)
    for mean, live in zip(made.average.variables, made.sampler.variables, strict=True):
        np.testing.assert_allclose(mean.numpy(), live.numpy(), atol=1e-7)


def test_wgan_keeps_every_critic_weight_inside_the_clip():
    made = game(WGAN(batch_size=16, clip=0.02, d_lr=0.1))
    made.run(0, 2)
    largest = max(
        np.abs(w.numpy()).max() for w in made.networks["discriminator"].trainable_variables
    )
    assert largest <= 0.02 + 1e-9


def test_bfloat16_keeps_weights_and_average_in_float32():
    made = game(registry.load("dcgan")(batch_size=8, width=4), images(32), precision="bfloat16")
    made.run(0, 1)
    assert all(v.dtype != np.dtype("bfloat16") for v in made.state().values())
    assert made.networks["generator"].layers[1].compute_dtype == "bfloat16"
    assert made.average.layers[1].compute_dtype == "float32"


def test_order_visits_every_sample_once_in_an_epoch():
    order = Order(samples=10, batch=4, seed=3)
    taken = order.take(0, 5).ravel()
    assert sorted(taken[:10]) == list(range(10))
    assert sorted(taken[10:20]) == list(range(10))
    assert list(taken[:10]) != list(taken[10:20])


def test_order_does_not_depend_on_how_it_is_asked():
    order = Order(samples=10, batch=4, seed=3)
    whole = order.take(0, 6)
    assert np.array_equal(whole[2:5], Order(10, 4, 3).take(2, 3))


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(UsageError, match="larger than the data set"):
        game(MLPGAN(batch_size=512), points(256))


def test_a_generator_of_the_wrong_shape_is_named():
    @dataclass(frozen=True)
    class Wrong(Small):
        def generator(self, spec):
            return keras.Sequential([keras.Input((4,)), layers.Dense(3)])

    with pytest.raises(GanzooError, match=r"makes \(3,\) where the data has \(2,\)"):
        game(Wrong())


def test_a_loss_that_reaches_no_weight_is_named():
    @dataclass(frozen=True)
    class Cut(Small):
        def g_loss(self, fake_logits):
            return tf.reduce_sum(tf.stop_gradient(fake_logits))

    with pytest.raises(GanzooError, match="no gradient of player 'generator'"):
        game(Cut()).run(0, 1)


def test_gradient_penalty_is_zero_for_a_critic_of_slope_one():
    slope = tf.constant([[0.6], [0.8]])
    real, fake = tf.random.stateless_normal((2, 8, 2), [1, 2])
    value = losses.gradient_penalty(lambda x: x @ slope, real, fake, tf.constant([3, 4], tf.int64))
    assert float(value) == pytest.approx(0, abs=1e-6)
    double = losses.gradient_penalty(
        lambda x: 2 * x @ slope, real, fake, tf.constant([3, 4], tf.int64)
    )
    assert float(double) == pytest.approx(1, abs=1e-5)
    assert float(losses.r1_penalty(lambda x: 2 * x @ slope, real)) == pytest.approx(4, abs=1e-5)


def test_losses_agree_with_their_papers():
    real, fake = np.array([[1.0], [2.0]], np.float32), np.array([[-1.0], [0.5]], np.float32)
    log1p = lambda x: np.log1p(np.exp(x)).mean()  # noqa: E731
    assert float(losses.minimax_d(real, fake)) == pytest.approx(
        log1p(-real) + log1p(fake), rel=1e-6
    )
    assert float(losses.nonsaturating_g(fake)) == pytest.approx(log1p(-fake), rel=1e-6)
    assert float(losses.wasserstein_d(real, fake)) == pytest.approx(fake.mean() - real.mean())
    assert float(losses.wasserstein_g(fake)) == pytest.approx(-fake.mean())
    assert float(losses.hinge_d(real, fake)) == pytest.approx((0 + 0 + 0 + 1.5) / 2)
    assert float(losses.hinge_g(fake)) == pytest.approx(0.25)
    assert float(losses.least_squares_d(real, fake)) == pytest.approx((0.5 + (1 + 0.25) / 2) / 2)
    assert float(losses.least_squares_g(fake)) == pytest.approx((4 + 0.25) / 4)


def test_the_stand_ins_for_tf_gan_are_gone_after_the_import():
    assert losses.tfgan_losses().__name__ == "tensorflow_gan.python.losses.losses_impl"
    assert not [name for name in sys.modules if name.startswith("tensorflow_gan")]


def test_a_plugin_may_ask_for_xla():  # whose draws are others, but the same each time
    games = [
        Game(
            MLPGAN(batch_size=8, z_dim=4, jit_compile=True),
            points(64),
            seed=0,
            precision="float32",
            chunk_steps=4,
        )
        for _ in range(2)
    ]
    (names, rows), (_, again) = (game.run(0, 4) for game in games)
    assert "generator_loss" in names
    assert np.isfinite(rows).all()
    assert np.array_equal(rows, again)
