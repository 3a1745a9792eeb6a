"""R3GAN, and what it brought for all: a relativistic loss, schedules, resampling, groups."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_stability import SLOPE, drawn, turn_of

from ganzoo import losses
from ganzoo.errors import UsageError
from ganzoo.layers import Conv2D, Downsample, Upsample
from ganzoo.optimizers import Adam, Cosine
from ganzoo.plugin import DataSpec, Plugin, Turn
from ganzoo.plugins.r3gan import R3GAN
from ganzoo.training.game import schedule

SMALL = R3GAN(width=8, blocks=1, z_dim=4, batch_size=8)
IMAGES = DataSpec((28, 28, 1))


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


# -- what is for all ------------------------------------------------------------------------------


def test_a_relativistic_loss_compares_row_with_row():
    real, fake = tf.constant([[2.0], [0.0]]), tf.constant([[0.0], [3.0]])
    d = (math.log1p(math.exp(-2)) + math.log1p(math.exp(3))) / 2
    g = (math.log1p(math.exp(2)) + math.log1p(math.exp(-3))) / 2
    assert float(losses.relativistic_d(real, fake)) == pytest.approx(d)
    assert float(losses.relativistic_g(fake, real)) == pytest.approx(g)
    assert float(losses.relativistic_d(real + 7, fake + 7)) == pytest.approx(d)


def test_a_cosine_goes_from_first_to_last_and_stays_there():
    found = [float(Cosine(1.0, 0.1, 100)(step)) for step in (0, 25, 50, 100, 900)]
    assert found == pytest.approx([1.0, 0.1 + 0.45 * (1 + math.sqrt(0.5)), 0.55, 0.1, 0.1])


def test_adams_second_decay_may_follow_a_schedule():
    """The decay of each update, which is corrected by that decay to the power of its age."""
    rule, weight = Adam(0.1, beta_1=0.0, beta_2=Cosine(0.5, 0.9, 2)), keras.Variable([1.0])
    square, expected = 0.0, 1.0
    for age, decay, slope in ((1, 0.5, 1.0), (2, 0.7, -2.0), (3, 0.9, 0.5), (4, 0.9, 3.0)):
        rule.apply([tf.constant([slope])], [weight])
        square = decay * square + (1 - decay) * slope**2
        expected -= 0.1 * slope / math.sqrt(square / (1 - decay**age))
        assert float(weight[0]) == pytest.approx(expected, rel=1e-5)


def test_a_schedule_of_adam_survives_its_configuration():
    for decay in (0.95, Cosine(0.5, 0.9, 2)):
        twin = Adam.from_config(Adam(0.1, beta_2=decay).get_config())
        assert float(twin.beta_2) == pytest.approx(float(Adam(0.1, beta_2=decay).beta_2))
    assert isinstance(keras.saving.deserialize_keras_object(twin.get_config()["beta_2"]), Cosine)


def matrix(taps: list[float], small: int) -> np.ndarray:
    """(small, 2 small): row i has the taps at 2 i - 1 to 2 i + 2, as far as these exist."""
    found = np.zeros((small, 2 * small + 2), np.float32)
    for i in range(small):
        found[i, 2 * i : 2 * i + 4] = taps
    return found[:, 1:-1]


def test_images_are_halved_and_doubled_by_the_filter_1_3_3_1():
    down, x = matrix([1 / 8, 3 / 8, 3 / 8, 1 / 8], 4), noise(2, 8, 8, 3)
    halved = np.einsum("ih,jw,nhwc->nijc", down, down, x)
    np.testing.assert_allclose(Downsample()(x), halved, atol=1e-6)
    doubled = np.einsum("ih,jw,nijc->nhwc", 2 * down, 2 * down, x[:, :4, :4])
    np.testing.assert_allclose(Upsample()(x[:, :4, :4]), doubled, atol=1e-6)


@pytest.mark.parametrize("size", [(7, 6), (8, 5)])
def test_odd_sides_are_rounded_up_when_they_are_halved(size):
    layer, x = Downsample(), np.ones((1, *size, 2), np.float32)
    made = np.asarray(layer(x))
    assert made.shape == layer.compute_output_shape(x.shape)
    assert made.shape[1:3] == ((size[0] + 1) // 2, (size[1] + 1) // 2)
    np.testing.assert_allclose(made[:, 1:-1, 1:-1], 1.0, rtol=1e-6)


def test_a_convolution_in_groups_is_one_of_each_group_and_has_second_slopes():
    layer, x = Conv2D(6, 3, padding="same", groups=2), noise(2, 5, 5, 4)
    layer.build(x.shape)
    layer.bias.assign(noise(6))
    kernel, bias = layer.get_weights()
    alone = [
        tf.nn.conv2d(x[..., 2 * g : 2 * g + 2], kernel[..., 3 * g : 3 * g + 3], 1, "SAME")
        for g in (0, 1)
    ]
    np.testing.assert_allclose(layer(x), tf.concat(alone, -1) + bias, rtol=1e-4, atol=1e-5)
    with tf.GradientTape() as tape:
        penalty = losses.r1_penalty(lambda x: tf.square(layer(x)), tf.constant(x))
    assert float(tf.reduce_max(tf.abs(tape.gradient(penalty, layer.kernel.value)))) > 0


def test_a_plugin_says_how_long_its_average_remembers():
    found = [float(Plugin(ema=0.9).averaging(tf.constant(t, tf.int64))) for t in (0, 10, 1000)]
    assert found == pytest.approx([0.1, 0.55, 0.9])


# -- r3gan ----------------------------------------------------------------------------------------


def test_its_schedules_are_counted_in_images():
    plugin = R3GAN(batch_size=64, burn_in=6400, rate_end=0.25)  # 100 steps
    rule = plugin.optimizers()["discriminator"]
    assert float(rule.learning_rate) == pytest.approx(2e-4)
    rule.iterations.assign(50)
    assert float(rule.beta_2) == pytest.approx((0.9 + 0.99) / 2)
    rule.iterations.assign(100)
    assert float(rule.beta_2) == pytest.approx(0.99)
    assert float(rule.learning_rate) == pytest.approx(0.5e-4)


def test_its_average_halves_what_it_remembers_in_a_number_of_images_that_rises():
    plugin = R3GAN(batch_size=64, burn_in=6400, half_life=3200)
    at = [plugin.averaging(tf.constant(t, tf.int64)) for t in (0, 50, 100, 5000)]
    assert [float(a) for a in at] == pytest.approx([0.0, 0.5 ** (1 / 25), 0.5**0.02, 0.5**0.02])
    assert float(R3GAN(ema=0.0).averaging(tf.constant(99, tf.int64))) == 0.0


@pytest.mark.parametrize(("step", "gamma"), [(0, 1.0), (10, 0.1)])
def test_it_pays_half_of_gamma_for_the_squared_slopes_at_reals_and_at_fakes(step, gamma):
    plugin, real, fake = R3GAN(batch_size=8, burn_in=80), drawn(1, 8), drawn(2, 8)
    judge = lambda x: 3 * x @ SLOPE + tf.reduce_sum(x * x, 1, keepdims=True) / 2  # noqa: E731
    slopes = [np.square(3 * np.ravel(SLOPE) + np.asarray(x)).sum(1).mean() for x in (real, fake)]
    turn = turn_of(real)
    turn.step = tf.constant(step, tf.int64)
    found = plugin.penalty(judge, real, fake, turn)
    assert float(found) == pytest.approx(gamma / 2 * sum(slopes), rel=1e-4)


def test_each_player_has_a_turn_of_its_own_with_fresh_reals():
    spec = DataSpec((2,), range=None, key="point")
    players = SMALL.players(SMALL.networks(spec), spec)
    assert [[p.name for p in turn] for turn in schedule(players, SMALL.simultaneous)] == [
        ["discriminator"],
        ["generator"],
    ]
    turn: Turn = turn_of(drawn(1, 8))
    turn._inputs = {"z": lambda turn: drawn(3, 8)[:, :1] * tf.ones((8, 4))}
    before = float(players[1].loss(turn))
    assert before == pytest.approx(math.log(2), abs=0.5)
    assert players[1].loss(turn).shape == ()


def test_at_first_every_residual_branch_is_zero():
    """So that the judge is linear then: twice the image has twice the logit."""
    judge, x = SMALL.discriminator(IMAGES), noise(3, 28, 28, 1)
    np.testing.assert_allclose(judge(2 * x), 2 * np.asarray(judge(x)), rtol=1e-4, atol=1e-5)
    block = [w for w in judge.trainable_variables if not np.asarray(w).any() and w.ndim == 2]
    assert len(block) == 3  # stages of 28, 14 and 7 pixels


def test_its_first_weights_have_the_deviation_of_its_code():
    judge = R3GAN(width=64, blocks=2).discriminator(IMAGES)
    grouped = next(layer for layer in judge.layers if isinstance(layer, Conv2D))
    assert grouped.kernel.shape == (3, 3, 16, 128)  # 8 groups of 16 channels
    gain = math.sqrt(2 / 1.04) * 6**-0.25  # 3 stages of 2 blocks
    assert np.std(grouped.kernel) == pytest.approx(gain / math.sqrt(9 * 16), rel=0.03)


def test_what_is_sampled_is_clipped_and_what_is_judged_is_not():
    networks = SMALL.networks(IMAGES)
    z = 100 * noise(4, 4)
    made = np.asarray(networks["generator"](z))
    assert np.abs(made).max() > 1
    sampled = SMALL.sampler(networks, IMAGES)(z)
    np.testing.assert_allclose(sampled, np.clip(made, -1, 1))


@pytest.mark.parametrize("shape", [(32, 32, 3), (30, 22, 3), (9, 8, 1)])
def test_images_of_any_sides_are_made_and_judged(shape):
    spec = DataSpec(shape)
    assert SMALL.generator(spec).output_shape[1:] == shape
    assert SMALL.discriminator(spec)(noise(2, *shape)).shape == (2, 1)


@pytest.mark.parametrize("fields", [{"width": 12}, {"width": 0}, {"blocks": 0}, {"half_life": 0}])
def test_sizes_that_cannot_be_are_refused(fields):
    with pytest.raises(UsageError, match="must be"):
        R3GAN(**fields)
