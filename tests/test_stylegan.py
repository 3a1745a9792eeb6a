"""StyleGAN and StyleGAN2: styles, noise, truncation, and penalties at their steps."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import losses, registry
from ganzoo.errors import UsageError
from ganzoo.fields import make
from ganzoo.layers import ModulatedConv2D, Upsample
from ganzoo.plugin import DataSpec
from ganzoo.testing.trial import Part, Trial, example, model_arrays

BOTH = ("stylegan", "stylegan2")
IMAGES = DataSpec((8, 8, 1))
SMALL = {"width": 2, "widest": 4, "z_dim": 4, "mapping": 1}


def played(name: str, **fields):
    """A game, its players by name, and what makes a turn of a step."""
    game = Trial(make(registry.load(name), SMALL | fields), [IMAGES]).new_game()

    def turn(step: int) -> Part:
        made = Part(game, slice(0, 8), model_arrays(example(IMAGES), 8), 8)
        made.step = tf.constant(step, tf.int64)  # the draws stay those of the first step
        return made

    return game, {player.name: player for player in game.players}, turn


def sampled(game, z, psi: float, noise: float = 0.0):
    n = len(z)
    numbers = game.sampler.inputs[2].shape[1]
    given = [z, np.full((n, 1), psi, np.float32), np.full((n, numbers), noise, np.float32)]
    return np.asarray(game.sampler(given, training=False))


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(
    ("shape", "first", "styles", "places"),
    [
        ((28, 28, 1), (7, 7), 6, {"stylegan": 2058, "stylegan2": 2009}),
        ((16, 24, 3), (4, 6), 6, {"stylegan": 1008, "stylegan2": 984}),
        ((27, 27, 1), (7, 7), 6, {"stylegan": 1948, "stylegan2": 1899}),
        ((6, 6, 1), (6, 6), 2, {"stylegan": 72, "stylegan2": 36}),
    ],
)
def test_synthesis_begins_at_4_to_7_a_side_with_two_layers_to_a_side(
    name, shape, first, styles, places
):
    plugin, spec = make(registry.load(name), SMALL), DataSpec(shape)
    assert plugin.unsupported(spec) is None
    network = plugin.synthesis(spec)
    assert network.inputs[0].shape[1:] == (styles, 4)
    assert network.inputs[1].shape[1:] == (places[name],)
    constant = next(layer for layer in network.layers if "constant" in layer.name)
    assert constant.value.shape[:2] == first
    assert network.output.shape[1:] == shape
    assert plugin.discriminator(spec).output.shape[1:] == (1,)


@pytest.mark.parametrize("name", BOTH)
def test_psi_0_makes_one_image_of_every_z_and_psi_1_as_many(name):
    game, _, _ = played(name)
    z = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    spread = [sampled(game, z, psi).std(0).max() for psi in (0.0, 0.5, 1.0)]
    assert spread[0] < 1e-6
    assert 1e-5 < spread[1] < spread[2]


@pytest.mark.parametrize("name", BOTH)
def test_noise_changes_nothing_until_its_strength_is_learnt(name):
    game, _, _ = played(name)
    z = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(sampled(game, z, 1.0, 0.0), sampled(game, z, 1.0, 5.0))
    for weight in game.sampler.trainable_variables:
        if weight.name == "strength":
            weight.assign(tf.ones_like(weight.value))
    changed = np.abs(sampled(game, z, 1.0, 0.0) - sampled(game, z, 1.0, 5.0))
    assert changed.max() > 1e-3


@pytest.mark.parametrize("name", BOTH)
def test_without_mixing_the_discriminator_judges_what_the_sampler_makes_but_for_the_clip(name):
    game, _, turn = played(name, mixing=0.0)
    now = turn(0)
    fake = game.plugin.fake(game.networks, now)
    whole = now.call(game.networks["generator"])
    np.testing.assert_allclose(np.clip(fake, -1, 1), whole, atol=1e-5)


@pytest.mark.parametrize("name", BOTH)
def test_with_mixing_some_images_are_of_two_styles(name):
    game, _, turn = played(name, mixing=1.0)
    now = turn(0)
    fake = game.plugin.fake(game.networks, now)
    whole = now.call(game.networks["generator"])
    assert np.abs(np.clip(fake, -1, 1) - whole).max((1, 2, 3)).min() > 1e-5


def test_stylegan_pays_for_the_slope_at_reals_at_every_step():
    game, players, turn = played("stylegan", gamma=6.0)
    judge = game.networks["discriminator"]
    r1 = losses.r1_penalty(lambda x: judge(x, training=True), turn(0).batch["image"])
    for step in (0, 1, 5):
        paid = players["discriminator"].penalty(turn(step))
        assert float(paid) == pytest.approx(3 * float(r1), rel=1e-4)
    assert float(r1) > 1e-4


def test_stylegan2_pays_16_times_as_much_at_every_16th_step():
    game, players, turn = played("stylegan2", gamma=6.0)
    found = [float(players["discriminator"].penalty(turn(step))) for step in (0, 1, 15, 16, 17)]
    judge = game.networks["discriminator"]
    r1 = losses.r1_penalty(lambda x: judge(x, training=True), turn(0).batch["image"])
    assert found[1] == found[2] == found[4] == 0
    assert found[0] == found[3] == pytest.approx(3 * 16 * float(r1), rel=1e-3)
    assert float(r1) > 1e-5


def test_stylegan2_draws_path_lengths_to_their_usual_value_at_every_4th_step():
    game, players, turn = played("stylegan2", path=2.0, path_decay=0.25)
    (usual,) = game.networks["lengths"].weights

    def penalty(step: int) -> float:
        usual.assign([0.0])
        now = turn(step)
        players["generator"].loss(now)
        return float(players["generator"].penalty(now))

    assert [penalty(step) for step in (1, 2, 3, 5)] == [0, 0, 0, 0]
    assert float(usual[0]) == 0
    paid, now = penalty(4), turn(4)
    synthesis = game.networks["generator"].get_layer("synthesis")
    noise = now.input("noise")[:4]
    lengths = losses.path_lengths(
        lambda styles: synthesis([styles, noise]),
        game.plugin.styles(game.networks, now)[:4],
        now.normal("path", (8, 8, 1))[:4],
    )
    assert float(usual[0]) == pytest.approx(0.25 * float(tf.reduce_mean(lengths)), rel=1e-4)
    owed = 2 * 4 * np.square(np.asarray(lengths) - np.asarray(usual[0])).mean()
    assert paid == pytest.approx(owed, rel=1e-4)
    assert paid > 0


def test_a_path_weight_of_0_is_no_penalty():
    _, players, turn = played("stylegan2", path=0.0)
    assert players["generator"].penalty(turn(0)) is None


def test_images_of_stylegan2_add_up_over_the_sides():
    plugin = make(registry.load("stylegan2"), SMALL)
    network = plugin.synthesis(IMAGES)
    inputs = [
        np.random.default_rng(k).standard_normal((3, *tensor.shape[1:])).astype(np.float32)
        for k, tensor in enumerate(network.inputs)
    ]
    parts = [one for one in network.layers if isinstance(one, ModulatedConv2D) and one.filters == 1]
    assert len(parts) == 2  # of 4 and of 8 pixels a side
    whole, alone = np.asarray(network(inputs)), []
    before = [part.get_weights() for part in parts]
    for on in parts:
        for part, weights in zip(parts, before, strict=True):
            part.set_weights([w * (part is on or i < 2) for i, w in enumerate(weights)])
        alone.append(np.asarray(network(inputs)))
    np.testing.assert_allclose(sum(alone), whole, atol=1e-5)
    small = np.linalg.lstsq(doubled(), alone[0][..., 0].reshape(3, 64).T, rcond=None)
    assert small[1].max() < 1e-8  # what the first part made is a doubled image


def doubled() -> np.ndarray:
    """(64, 16): `Upsample` of an image of 4x4 as a matrix."""
    return np.asarray(Upsample()(np.eye(16).reshape(16, 4, 4, 1))).reshape(16, 64).T


@pytest.mark.parametrize("name", BOTH)
def test_layers_from_z_to_w_learn_at_a_hundredth(name):
    plugin = make(registry.load(name), SMALL)
    (dense,) = [
        layer
        for layer in plugin.generator(IMAGES).get_layer("mapping").layers
        if "dense" in layer.name
    ]
    assert dense.rate == 0.01


@pytest.mark.parametrize("name", BOTH)
def test_what_is_no_image_or_no_width_is_refused(name):
    plugin = make(registry.load(name), {})
    assert "images" in plugin.unsupported(DataSpec((2,), range=None, key="point"))
    with pytest.raises(UsageError, match="width must be at least 1"):
        make(registry.load(name), {"width": 0})


@pytest.mark.parametrize("name", BOTH)
def test_the_discriminator_may_be_shown_augmented_images(name):
    game, players, turn = played(name, augment="ada")
    assert "augmentation" in game.networks
    assert "augment_p" in players["discriminator"].record(turn(0))
