"""SRGAN: its sub-pixel convolution, its two phases, and what judges the content."""

from __future__ import annotations

import hashlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.errors import UsageError
from ganzoo.layers import PixelShuffle
from ganzoo.plugin import DataSpec
from ganzoo.plugins.srgan import SRGAN
from ganzoo.testing.trial import Part, Trial, example, model_arrays

SPEC = DataSpec((8, 8, 1))
SMALL = {"width": 2, "blocks": 1, "pretrain": 2}


def game_of(step: int, **fields):
    """The game from `step` on, its players by their names, and a turn of 4 images."""
    game = Trial(SRGAN(**SMALL | fields), [SPEC]).new_game()
    game.enter(step)
    turn = Part(game, slice(0, 4), model_arrays(example(SPEC), 4), 4)
    return game, {player.name: player for player in game.players}, turn


def test_four_channels_become_a_square_of_four_pixels():
    x = np.arange(8.0).reshape(1, 1, 2, 4)
    assert PixelShuffle().compute_output_shape((1, 1, 2, 4)) == (1, 2, 4, 1)
    made = np.asarray(PixelShuffle()(x))[0, :, :, 0]
    np.testing.assert_array_equal(made, [[0, 1, 4, 5], [2, 3, 6, 7]])


@pytest.mark.parametrize(("scale", "sides"), [(2, (4, 4)), (4, (2, 2)), (8, (1, 1))])
def test_the_small_image_is_scale_times_smaller(scale, sides):
    plugin = SRGAN(**SMALL, scale=scale)
    generator = plugin.generator(SPEC)
    assert generator.inputs[0].shape[1:3] == sides
    assert generator.output.shape[1:] == SPEC.shape
    assert plugin.inputs(SPEC)["image"].size == sides[0]


def test_the_papers_networks_have_its_layers():
    spec = DataSpec((32, 32, 3))
    whole = SRGAN(blocks=2, width=64).networks(spec)

    def convolution(side, below, filters):
        return side * side * below * filters + filters

    norm, prelu = 4 * 64, 64
    residual = 2 * (convolution(3, 64, 64) + norm) + prelu
    ends = convolution(9, 3, 64) + prelu + convolution(9, 64, 3)
    up = convolution(3, 64, 256) + prelu
    g = ends + 2 * residual + convolution(3, 64, 64) + norm + 2 * up
    assert whole["generator"].count_params() == g
    widths = [64, 64, 128, 128, 256, 256, 512, 512]
    d = sum(convolution(3, a, b) for a, b in zip([3, *widths], widths, strict=False))
    d += 4 * sum(widths[1:]) + (2 * 2 * 512 + 1) * 1024 + 1024 + 1
    assert whole["discriminator"].count_params() == d


def test_pixels_alone_come_first_and_then_a_judge():
    _, first, _ = game_of(0)
    _, then, turn = game_of(2)
    assert (list(first), list(then)) == (["generator"], ["discriminator", "generator"])
    loss, judge = float(then["generator"].loss(turn)), float(then["generator"].penalty(turn))
    assert judge == pytest.approx(1e-3 * np.log(2), rel=0.2)  # D does not know yet
    fake = turn.once("fake", lambda: 0)
    real = turn.batch["image"]
    assert loss == pytest.approx(float(tf.reduce_mean((real - fake) ** 2)))
    told = float(then["generator"].record(turn)["psnr"])
    assert told == pytest.approx(float(tf.reduce_mean(10 * np.log10(4 / loss))), rel=1e-5)


def test_content_is_seen_through_any_network_of_a_file(tmp_path):
    """Of colour images, as VGG is: grey ones are shown to it three times."""
    image = keras.Input((8, 8, 3))
    doubled = keras.Model(image, keras.layers.Rescaling(2.0)(image))
    doubled.save(tmp_path / "eyes.keras")
    digest = hashlib.sha256((tmp_path / "eyes.keras").read_bytes()).hexdigest()
    fields = {"features": str(tmp_path / "eyes.keras"), "features_sha256": digest}
    game, players, turn = game_of(2, **fields)
    loss = float(players["generator"].loss(turn))
    error = float(tf.reduce_mean((turn.batch["image"] - turn.once("fake", lambda: 0)) ** 2))
    assert loss == pytest.approx(0.006 * 4 * error, rel=1e-5)
    assert game.frozen["features"]["sha256"] == digest
    assert not game.networks["features"].trainable


def test_what_it_cannot_make_is_said():
    assert "multiples of its scale, 4" in SRGAN().unsupported(DataSpec((30, 30, 1)))
    with pytest.raises(UsageError, match="scale must be"):
        SRGAN(scale=3)
