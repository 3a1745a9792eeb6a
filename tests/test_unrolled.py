"""The unrolled GAN: k steps ahead are the steps that the optimiser takes, and slopes flow back."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_stability import drawn, turn_of

from ganzoo.errors import UsageError
from ganzoo.optimizers import Adam
from ganzoo.plugin import DataSpec
from ganzoo.plugins.unrolled import UnrolledGAN

POINTS = DataSpec((2,), range=None, key="point")
FIELDS = {"hidden": 8, "z_dim": 4, "batch_size": 16, "d_lr": 0.05}


def test_adam_looks_ahead_to_where_it_goes():
    rule, weight = Adam(0.05, beta_1=0.5, epsilon=1e-3), keras.Variable([1.0, -2.0])
    slopes = [tf.constant(slope) for slope in ([0.3, 1.0], [-2.0, 0.5], [1.0, 0.0], [0.1, -1.0])]
    rule.apply([slopes[0]], [weight])
    weights, moments = [weight.value], rule.moments([weight])
    for slope in slopes[1:]:
        weights, moments = rule.ahead([slope], weights, moments)
    before = np.array(weight)
    for slope in slopes[1:]:
        rule.apply([slope], [weight])
    np.testing.assert_allclose(weights[0], weight, rtol=1e-5)
    assert np.abs(before - np.asarray(weight)).min() > 1e-3  # looking had moved nothing


def test_slopes_flow_through_an_update_and_are_finite_where_there_is_none():
    rule, weight = Adam(0.1, beta_1=0.5, beta_2=0.9, epsilon=0.1), keras.Variable([1.0, 1.0])
    rule.build([weight])
    slope = tf.constant([2.0, 0.0])
    with tf.GradientTape() as tape:
        tape.watch(slope)
        moved, _ = rule.ahead([slope], [weight.value], rule.moments([weight]))
        total = tf.reduce_sum(moved[0])
    found = tape.gradient(total, slope).numpy()
    step = lambda g: 0.1 * 0.1**0.5 / 0.5 * 0.5 * g / (0.1**0.5 * abs(g) + 0.1)  # noqa: E731
    assert found[0] == pytest.approx(-(step(2.001) - step(1.999)) / 0.002, rel=1e-2)
    assert np.isfinite(found).all()


def game(unroll: int):
    plugin = UnrolledGAN(unroll=unroll, **FIELDS)
    networks = plugin.networks(POINTS)
    players = {p.name: p for p in plugin.players(networks, POINTS)}
    turn = turn_of(drawn(1, 16))
    turn._inputs = {"z": lambda turn: tf.random.stateless_normal((16, 4), [5, 0])}
    judge = networks["discriminator"]
    players["discriminator"].optimizer.build(judge.trainable_variables)
    return networks, players, turn


def forget(turn) -> None:
    """What the discriminator said: it is asked again."""
    for name in ("real_logits", "fake_logits"):
        turn._memory.pop(name, None)


def test_the_generators_loss_is_that_of_k_updates_of_the_discriminator_later():
    networks, players, turn = game(unroll=3)
    judge, d = networks["discriminator"], players["discriminator"]
    before = [np.array(w) for w in judge.trainable_variables]
    ahead = float(players["generator"].loss(turn))
    assert all(np.array_equal(a, w) for a, w in zip(before, judge.trainable_variables, strict=True))
    for _ in range(3):
        forget(turn)
        with tf.GradientTape() as tape:
            loss = d.loss(turn)
        values = [w.value for w in judge.trainable_variables]
        d.optimizer.apply(tape.gradient(loss, values), judge.trainable_variables)
    forget(turn)
    assert ahead == pytest.approx(-float(d.loss(turn)), rel=1e-4)


def test_without_steps_it_is_the_saddle_of_a_plain_gan():
    _, players, turn = game(unroll=0)
    loss = float(players["generator"].loss(turn))
    assert loss == pytest.approx(-float(players["discriminator"].loss(turn)), rel=1e-5)


def slopes_of(unroll: int, through: bool) -> list[np.ndarray]:
    """The generator's slopes; not `through`: with the discriminator's future held as it comes."""
    networks, players, turn = game(unroll)
    rule = players["discriminator"].optimizer
    if not through:
        look = type(rule).ahead
        rule.ahead = lambda *given: tf.nest.map_structure(tf.stop_gradient, look(rule, *given))
    weights = [w.value for w in networks["generator"].trainable_variables]
    with tf.GradientTape() as tape:
        loss = players["generator"].loss(turn)
    return [np.asarray(slope) for slope in tape.gradient(loss, weights)]


def test_the_generator_is_told_how_the_discriminator_would_answer():
    keras.utils.set_random_seed(0)
    told = slopes_of(2, through=True)
    keras.utils.set_random_seed(0)
    held = slopes_of(2, through=False)
    assert (
        max(np.abs(a - b).max() / np.abs(b).max() for a, b in zip(told, held, strict=True)) > 0.01
    )


def test_it_has_the_layers_of_its_notebook():
    networks = UnrolledGAN().networks(POINTS)
    assert networks["generator"].count_params() == 257 * 128 + 129 * 128 + 129 * 2
    assert networks["discriminator"].count_params() == 3 * 128 + 129 * 128 + 129
    kernel = np.asarray(networks["discriminator"].trainable_variables[2])
    np.testing.assert_allclose(kernel.T @ kernel, 1.4**2 * np.eye(128), atol=1e-4)


def test_steps_that_cannot_be_and_images_are_refused():
    with pytest.raises(UsageError, match="unroll must be at least 0"):
        UnrolledGAN(unroll=-1)
    assert "points only" in UnrolledGAN().unsupported(DataSpec((16, 16, 1)))
