"""Progressive growing: its layers against closed forms, and levels that fade in without a jump."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import registry
from ganzoo.errors import UsageError
from ganzoo.fields import make
from ganzoo.layers import (
    Depth,
    EqualisedConv2D,
    EqualisedDense,
    Fade,
    MinibatchStddev,
    PixelNorm,
    depth_at,
    seen_at,
)
from ganzoo.spec import DataSpec
from ganzoo.testing.trial import Part, Trial, example, model_arrays

RNG = np.random.default_rng
IMAGES = DataSpec((16, 16, 1))
SMALL = {"width": 2, "widest": 4, "z_dim": 4, "grow": (4, 8)}


# -- layers ---------------------------------------------------------------------------------------


def test_an_equalised_dense_layer_scales_what_it_stores():
    layer = EqualisedDense(3, gain=2.0, rate=0.1, first=0.5)
    x = RNG(0).standard_normal((5, 16)).astype(np.float32)
    layer(x)
    kernel, bias = (weight.numpy() for weight in layer.weights)
    np.testing.assert_allclose(bias, 0.5 / 0.1, rtol=1e-6)
    expected = x @ kernel * (0.1 * 2.0 / np.sqrt(16)) + 0.5
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-5)
    again = EqualisedDense.from_config(layer.get_config())
    again.build(x.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(again(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("side", "channels", "filters"), [(5, 3, 2), (4, 48, 64)])
def test_an_equalised_convolution_is_one_with_a_scaled_kernel(side, channels, filters):
    layer = EqualisedConv2D(filters, 3, gain=1.5)
    x = RNG(0).standard_normal((2, side, side, channels)).astype(np.float32)
    layer(x)
    kernel = layer.weights[0].numpy() * (1.5 / np.sqrt(9 * channels))
    np.testing.assert_allclose(layer(x), tf.nn.conv2d(x, kernel, 1, "SAME"), atol=1e-4)


def test_equalised_kernels_are_stored_with_deviation_1_over_the_rate_and_keep_variance():
    dense = EqualisedDense(400, gain=1.0, rate=0.01)
    x = RNG(0).standard_normal((200, 100)).astype(np.float32)
    y = np.asarray(dense(x))
    assert dense.weights[0].numpy().std() == pytest.approx(100, rel=0.02)
    assert y.std() == pytest.approx(1, rel=0.05)


def test_a_pixel_norm_leaves_directions_of_mean_square_1():
    x = np.float32([[[[3.0, 4.0]], [[0.0, -2.0]]]])
    root = np.sqrt(2)
    expected = [[[[0.6 * root, 0.8 * root]], [[0, -root]]]]
    np.testing.assert_allclose(PixelNorm()(x), expected, rtol=1e-5)


def test_a_minibatch_deviation_is_that_of_each_group():
    x = np.zeros((8, 2, 2, 3), np.float32)
    x[[1, 3]] = 2.0  # of 0, 2, 0, 2 the deviation is 1; the second group is all alike
    made = np.asarray(MinibatchStddev(4)(x))
    np.testing.assert_array_equal(made[..., :3], x)
    np.testing.assert_allclose(made[:4, ..., 3], 1, rtol=1e-5)
    np.testing.assert_allclose(made[4:, ..., 3], 0, atol=2e-4)


def test_a_minibatch_deviation_of_no_whole_groups_is_that_of_all():
    x = RNG(0).standard_normal((6, 2, 2, 3)).astype(np.float32)
    made = np.asarray(MinibatchStddev(4)(x))
    np.testing.assert_allclose(made[..., 3], x.std(0).mean(), rtol=1e-4)


def test_a_fade_goes_from_one_to_the_other_as_the_depth_passes():
    one, other = np.full((2, 1, 1, 1), 3.0), np.full((2, 1, 1, 1), 7.0)
    for depth, expected in ((0.0, 3), (1.0, 3), (1.25, 4), (2.0, 7), (3.0, 7)):
        made = Fade(2)([one, other, np.full((2, 1), depth)])
        np.testing.assert_allclose(made, expected)


def test_a_depth_is_one_number_that_nobody_trains():
    layer = Depth()
    assert layer(np.zeros((3, 5))).shape == (3, 1)
    layer.depth.assign(1.5)
    np.testing.assert_array_equal(layer(np.zeros((2, 4, 4, 1))), [[1.5], [1.5]])
    assert not layer.trainable_weights


def test_networks_grow_in_half_the_steps_that_the_level_before_had():
    steps = (0, 3, 4, 5, 7, 8, 9, 20)
    found = [float(depth_at(tf.constant(step, tf.int64), (4, 8))) for step in steps]
    assert found == pytest.approx([0, 0, 0.5, 1, 1, 1.5, 2, 2])


def test_images_are_seen_at_a_level_as_means_and_while_it_fades_in_of_means_of_them():
    x = RNG(0).standard_normal((2, 8, 8, 3)).astype(np.float32)
    own = x.reshape(2, 4, 2, 4, 2, 3).mean((2, 4))
    below = enlarged(own.reshape(2, 2, 2, 2, 2, 3).mean((2, 4)))
    for depth, share in ((1.0, 0), (1.25, 0.25), (2.0, 1)):
        found = seen_at(x, 1, 2, tf.constant(depth))
        np.testing.assert_allclose(found, (1 - share) * below + share * own, atol=1e-6)
    np.testing.assert_allclose(seen_at(x, 1, 0, tf.constant(0.0)), own, atol=1e-6)


# -- progan ---------------------------------------------------------------------------------------


def enlarged(images):
    return np.repeat(np.repeat(np.asarray(images), 2, 1), 2, 2)


@pytest.fixture(scope="module")
def grown():
    plugin = make(registry.load("progan"), SMALL)
    networks = plugin.networks(IMAGES)
    return plugin, networks, networks["depth"].non_trainable_variables[0]


def test_a_level_that_begins_makes_and_judges_what_the_one_below_did(grown):
    plugin, networks, depth = grown
    z = RNG(0).standard_normal((4, 4)).astype(np.float32)
    for top in (1, 2):
        depth.assign(top - 1)
        below, own = (plugin.grown(networks, k)(z) for k in (top - 1, top))
        np.testing.assert_allclose(own, enlarged(below), atol=1e-5)
        before, after = (plugin.critic(networks, IMAGES, k) for k in (top - 1, top))
        np.testing.assert_allclose(after(own), before(below), atol=1e-5)


def test_a_level_that_has_grown_hides_the_way_past_it(grown):
    plugin, networks, depth = grown
    z = RNG(0).standard_normal((4, 4)).astype(np.float32)
    depth.assign(2)
    x = z
    for k in range(3):
        x = networks[f"g{k}"](x)
    np.testing.assert_allclose(
        plugin.sampler(networks, IMAGES)(z), np.tanh(networks["rgb2"](x)), atol=1e-5
    )
    y = networks["from2"](enlarged(enlarged(np.ones((4, 4, 4, 1), np.float32))))
    for k in (2, 1, 0):
        y = networks[f"d{k}"](y)
    judged = plugin.critic(networks, IMAGES, 2)(np.ones((4, 16, 16, 1), np.float32))
    np.testing.assert_allclose(judged, y, atol=1e-5)


def test_progans_critic_pays_for_its_slope_and_for_its_drift():
    plugin = make(registry.load("progan"), SMALL | {"weight": 10.0, "drift": 0.1})
    game = Trial(plugin, [IMAGES]).game()
    players = {player.name: player for player in game.players}
    turn = Part(game, slice(0, 8), model_arrays(example(IMAGES), 8), 8)
    last = game.networks["d0"].layers[-1]
    kernel, bias = (np.zeros_like(weight) for weight in last.get_weights())
    last.set_weights([kernel, bias + 3.0])  # it says 3 of everything: no slope, a drift of 9
    assert float(players["critic"].loss(turn)) == pytest.approx(0.1 * 9, rel=1e-5)
    assert float(players["critic"].penalty(turn)) == pytest.approx(10, rel=1e-3)
    assert float(players["generator"].loss(turn)) == pytest.approx(-3, rel=1e-5)


def test_players_train_the_levels_that_there_are():
    plugin = make(registry.load("progan"), SMALL)
    networks = plugin.networks(IMAGES)
    for step, top in ((0, 0), (3, 0), (4, 1), (8, 2)):
        critic, generator = plugin.players(networks, IMAGES, step)
        levels = range(top + 1)
        assert set(generator.networks) == {f"{part}{k}" for k in levels for part in ("g", "rgb")}
        assert set(critic.networks) == {f"{part}{k}" for k in levels for part in ("d", "from")}


@pytest.mark.parametrize("grow", [(5, 5), (8, 4), (0, 3)])
def test_milestones_that_do_not_rise_are_refused(grow):
    with pytest.raises(UsageError, match="rising"):
        make(registry.load("progan"), {"grow": grow})


def test_sides_that_cannot_be_halved_so_often_are_refused():
    plugin = make(registry.load("progan"), {})
    assert plugin.unsupported(DataSpec((28, 28, 1))) is None
    assert "4 times 4" in plugin.unsupported(DataSpec((30, 30, 1)))
    assert "4 times 4" in plugin.unsupported(DataSpec((8, 8, 1)))
