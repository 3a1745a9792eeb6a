"""LAPGAN: the pyramid and its inverse, who sees and moves what, and how the levels are composed."""

from __future__ import annotations

from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.errors import UsageError
from ganzoo.player import pairs
from ganzoo.plugin import DataSpec
from ganzoo.plugins.lapgan import LAPGAN, enlarged
from ganzoo.testing.trial import Part, Trial, example, model_arrays

SPEC = DataSpec((16, 16, 1))
SMALL = {"hidden": 8, "width": 2, "z_dim": 4, "dropout": 0.0}
RNG = np.random.default_rng


@pytest.fixture(scope="module")
def played():
    """A game of three levels, its players by their names, and a turn of 8 images."""
    game = Trial(LAPGAN(**SMALL), [SPEC]).new_game()
    turn = Part(game, slice(0, 8), model_arrays(example(SPEC), 8), 8)
    return game, {player.name: player for player in game.players}, turn


def images(*shape: int) -> np.ndarray:
    return RNG(0).uniform(-1, 1, shape).astype(np.float32)


def doubled(x: np.ndarray) -> np.ndarray:
    """Along each axis 3 parts of the nearer pixel to 1 of the other; beyond the border its own."""
    for axis in (1, 2):
        x = np.moveaxis(x, axis, 0)
        before, after = np.concatenate([x[:1], x[:-1]]), np.concatenate([x[1:], x[-1:]])
        x = np.stack([(before + 3 * x) / 4, (3 * x + after) / 4], 1).reshape(-1, *x.shape[1:])
        x = np.moveaxis(x, 0, axis)
    return x


# -- the pyramid ----------------------------------------------------------------------------------


def test_every_level_is_made_of_means_over_four_pixels_of_the_next():
    x = images(2, 16, 24, 3)
    smallest, middle, largest = LAPGAN().pyramid(x)
    assert smallest.shape == (2, 4, 6, 3)
    np.testing.assert_array_equal(largest, x)
    means = x.reshape(2, 8, 2, 12, 2, 3).mean((2, 4))
    np.testing.assert_allclose(middle, means, atol=1e-6)
    np.testing.assert_allclose(smallest, means.reshape(2, 4, 2, 6, 2, 3).mean((2, 4)), atol=1e-6)


def test_enlarging_is_linear_between_the_centres_of_pixels():
    x = images(2, 3, 5, 3)
    np.testing.assert_allclose(enlarged(x), doubled(x), atol=1e-6)


def saying(value: np.ndarray, *inputs: keras.KerasTensor) -> keras.Model:
    """A network that says this (1, h, w, c), whatever it is given."""
    rows = keras.layers.Lambda(
        lambda x: tf.repeat(value, tf.shape(x)[0], 0), output_shape=value.shape[1:]
    )(inputs[0])
    return keras.Model(inputs[0] if len(inputs) == 1 else list(inputs), rows)


def test_the_smallest_image_and_what_the_others_lack_are_the_image():
    """The pyramid is inverted by the sampler, where generators say what it is made of."""
    plugin, x = LAPGAN(**SMALL), images(1, 16, 16, 1)
    x0, x1, x2 = (np.asarray(level) for level in plugin.pyramid(x))
    networks = {"generator_0": saying(x0, keras.Input((4,), name="z"))}
    for k, (level, below) in enumerate([(x1, x0), (x2, x1)], 1):
        fed = keras.Input(level.shape[1:]), keras.Input(level.shape[1:], name=f"noise_{k}")
        networks[f"generator_{k}"] = saying(level - doubled(below), *fed)
    found = plugin.sampler(networks, SPEC)(
        [np.ones((3, *s)) for s in ((4,), (8, 8, 1), (16, 16, 1))]
    )
    np.testing.assert_allclose(found, np.repeat(x, 3, 0), atol=1e-5)


# -- composed -------------------------------------------------------------------------------------


def test_a_sample_is_enlarged_and_refined_level_by_level(played):
    game, _, _ = played
    nets, bits = game.networks, RNG(1)
    z = bits.uniform(-1, 1, (5, 4)).astype(np.float32)
    noise = [bits.uniform(-1, 1, (5, side, side, 1)).astype(np.float32) for side in (8, 16)]
    x = np.asarray(nets["generator_0"](z))
    assert x.shape == (5, 4, 4, 1)
    for k in (1, 2):
        coarse = doubled(x)
        x = np.clip(coarse + np.asarray(nets[f"generator_{k}"]([coarse, noise[k - 1]])), -1, 1)
    sampler = game.plugin.sampler(nets, SPEC)
    np.testing.assert_allclose(sampler([z, *noise]), x, atol=1e-5)
    assert [tensor.name for tensor in sampler.inputs] == ["z", "noise_1", "noise_2"]


def test_what_feeds_every_level_is_uniform_around_zero(played):
    game, _, turn = played
    assert {one.name: one.shape for one in game.inputs} == {
        "z": (4,),
        "noise_1": (8, 8, 1),
        "noise_2": (16, 16, 1),
    }
    for one in game.inputs:
        drawn = np.asarray(turn.input(one.name))
        assert -1 <= drawn.min() < -0.8
        assert 0.8 < drawn.max() <= 1


# -- the players ----------------------------------------------------------------------------------


def test_every_level_has_a_pair_that_plays_against_each_other_alone(played):
    game, _, _ = played
    levels = {(f"generator_{k}", f"discriminator_{k}") for k in range(3)}
    assert set(pairs(game.players)) == levels


def test_a_loss_moves_its_own_networks_and_no_other_level(played):
    game, players, turn = played
    for name, player in players.items():
        assert player.networks == (name,)
        with tf.GradientTape() as tape:
            part = Part(game, slice(0, 8), turn.batch, 8)
            loss = player.loss(part)
        nets = game.networks
        slopes = tape.gradient(loss, {n: net.trainable_variables for n, net in nets.items()})
        level = name[-1]
        for other, found in slopes.items():
            moved = any(slope is not None and np.any(slope) for slope in found)
            assert moved == (other[-1] == level), (name, other)


@pytest.mark.parametrize("k", [1, 2])
def test_a_discriminator_sees_real_images_and_sums_of_real_coarse_ones_and_details(played, k):
    """Its loss is that of log D(x_k) and log(1 - D(u(x_k-1) + G_k(u(x_k-1), noise))), the sum
    held within the pixels' range."""
    game, players, turn = played
    x = np.asarray(turn.batch["image"])
    for _ in range(2 - k):
        x = x.reshape(8, x.shape[1] // 2, 2, x.shape[2] // 2, 2, 1).mean((2, 4))
    coarse = doubled(x.reshape(8, x.shape[1] // 2, 2, x.shape[2] // 2, 2, 1).mean((2, 4)))
    details = game.networks[f"generator_{k}"]([coarse, np.asarray(turn.input(f"noise_{k}"))])
    judge = game.networks[f"discriminator_{k}"]
    real, fake = (np.float64(judge(seen)) for seen in (x, np.clip(coarse + details, -1, 1)))
    losses = np.log1p(np.exp(-real)).mean() + np.log1p(np.exp(fake)).mean()
    assert float(players[f"discriminator_{k}"].loss(turn)) == pytest.approx(losses, rel=1e-4)
    fooled = np.log1p(np.exp(-fake)).mean()
    assert float(players[f"generator_{k}"].loss(turn)) == pytest.approx(fooled, rel=1e-4)
    told = players[f"discriminator_{k}"].record(turn)
    assert float(told["real_logits"]) == pytest.approx(real.mean(), abs=1e-4)


# -- what it makes --------------------------------------------------------------------------------


def test_the_networks_have_the_layers_of_the_paper_and_of_the_code():
    spec = DataSpec((32, 32, 3))
    made = LAPGAN(hidden=1200, width=64).networks(spec)

    def count(*widths, side=1):
        return sum(side * side * a * b + b for a, b in pairwise(widths))

    norms = 2 * 4 * 1200
    assert made["generator_0"].count_params() == count(100, 1200, 1200, 8 * 8 * 3) + norms
    assert made["discriminator_0"].count_params() == count(8 * 8 * 3, 600, 600, 1)
    for k, side, width in ((1, 16, 128), (2, 32, 64)):  # twice the code's where the side is half
        refiner = count(3 + 1, width, width, side=7) + count(width, 3, side=5)
        assert made[f"generator_{k}"].count_params() == refiner
        judge = count(3, width, width, side=5) + count((side // 2) ** 2 * width, 1)
        assert made[f"discriminator_{k}"].count_params() == judge


@pytest.mark.parametrize(
    ("levels", "shape"), [(2, (8, 8, 1)), (2, (20, 12, 3)), (3, (28, 28, 1)), (4, (32, 64, 3))]
)
def test_images_of_many_sides_and_levels_are_made(levels, shape):
    plugin, spec = LAPGAN(**SMALL, levels=levels), DataSpec(shape)
    assert plugin.unsupported(spec) is None
    sampler = plugin.sampler(plugin.networks(spec), spec)
    assert sampler.output_shape[1:] == shape
    assert len(sampler.inputs) == levels


@pytest.mark.parametrize("shape", [(12, 12, 1), (30, 28, 1), (28, 30, 3), (8, 8, 1)])
def test_sides_that_cannot_be_halved_so_often_are_answered(shape):
    assert "sides of 16, 20, ..." in LAPGAN().unsupported(DataSpec(shape))


def test_points_and_too_few_levels_are_answered():
    assert "makes images" in LAPGAN().unsupported(DataSpec((2,), range=None, key="point"))
    with pytest.raises(UsageError, match="levels must be at least 2"):
        LAPGAN(levels=1)
