"""The plugins that know classes or find codes, against the sums of their papers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from test_contract import SMALLEST

from ganzoo import registry
from ganzoo.fields import make
from ganzoo.inputs import changed, rows
from ganzoo.layers import Maxout, SpectralDense, SpectralEmbedding
from ganzoo.spec import DataSpec
from ganzoo.testing.trial import Part, Trial, example, model_arrays

SMALL = DataSpec((16, 16, 1), classes=3)
MNIST = DataSpec((28, 28, 1), classes=10, samples=60_000)


def built(name: str, spec: DataSpec = SMALL, **fields):
    """A plugin, small unless told otherwise, and its networks."""
    plugin = make(registry.load(name), fields or SMALLEST[name][0])
    return plugin, plugin.networks(spec)


def turn_of(name: str, **fields):
    """A game that begins, its players by their names, and a turn of 8 samples."""
    trial = Trial(make(registry.load(name), SMALLEST[name][0] | fields), [SMALL])
    game = trial.game()
    turn = Part(game, slice(0, 8), model_arrays(example(SMALL), 8), 8)
    return game, {player.name: player for player in game.players}, turn


@pytest.mark.parametrize("name", ["cgan", "acgan", "projection_gan"])
def test_data_without_labels_is_refused_in_a_sentence(name):
    plugin = make(registry.load(name), {})
    assert plugin.unsupported(SMALL) is None
    assert "labels" in plugin.unsupported(DataSpec((16, 16, 1)))


# -- cgan ----------------------------------------------------------------------------------------


def test_cgan_has_the_layers_of_its_section_4_1():
    _, networks = built("cgan", MNIST, z_dim=100, hidden=1200)
    g = (100 + 1) * 200 + (10 + 1) * 1000 + (1200 + 1) * 1200 + (1200 + 1) * 784
    d = (784 + 1) * 240 * 5 + (10 + 1) * 50 * 5 + (240 + 50 + 1) * 240 * 4 + (240 + 1)
    assert networks["generator"].count_params() == g
    assert networks["discriminator"].count_params() == d


def test_cgans_discriminator_hears_a_class_as_loudly_as_the_pixels_of_an_image():
    _, networks = built("cgan", MNIST, z_dim=100)
    rng = np.random.default_rng(0)
    pixels = np.where(rng.uniform(size=(200, 28, 28, 1)) < 0.19, 1, -1).astype(
        np.float32
    )  # MNIST's
    inner = [layer for layer in networks["discriminator"].layers if isinstance(layer, Maxout)]
    x, y = inner[0], inner[1]
    heard = np.asarray(x(pixels.reshape(200, -1))), np.asarray(y(np.eye(10, dtype=np.float32)))
    spreads = [part.std(0).mean() for part in heard]
    assert 0.3 < spreads[1] / spreads[0] < 3


def test_cgan_makes_another_sample_of_the_same_z_for_another_class():
    _, networks = built("cgan")
    z = np.ones((3, 4), np.float32)
    made = np.asarray(networks["generator"]([z, np.array([0, 1, 1])]))
    np.testing.assert_allclose(made[1], made[2], atol=1e-6)
    assert np.abs(made[0] - made[1]).max() > 1e-3


# -- acgan ---------------------------------------------------------------------------------------


def test_acgan_that_knows_nothing_pays_the_logarithm_of_what_it_may_say():
    game, players, turn = turn_of("acgan", classification=0.5)
    for layer in map(game.networks["heads"].get_layer, ("source", "classes")):
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    d, g = players["discriminator"], players["generator"]
    assert float(d.loss(turn)) == pytest.approx(2 * np.log(2), rel=1e-5)
    assert float(d.penalty(turn)) == pytest.approx(0.5 * 2 * np.log(3), rel=1e-5)
    assert float(g.loss(turn)) == pytest.approx(np.log(2), rel=1e-5)
    assert float(g.penalty(turn)) == pytest.approx(0.5 * np.log(3), rel=1e-5)


def test_acgan_asks_fakes_of_the_labels_that_it_is_paid_for():
    game, players, turn = turn_of("acgan")
    head = game.networks["heads"].get_layer("classes")
    head.set_weights([np.zeros_like(head.kernel), np.float32([50, 0, 0])])  # class 0, whatever
    share = float(np.mean(turn.batch["label"] == 0))
    recorded = players["discriminator"].record(turn)
    assert float(recorded["class_accuracy_fake"]) == pytest.approx(share)
    assert float(players["generator"].penalty(turn)) == pytest.approx(50 * (1 - share), rel=1e-3)


@pytest.mark.parametrize("name", ["acgan", "infogan", "projection_gan"])
@pytest.mark.parametrize("shape", [(28, 28, 1), (30, 22, 3), (9, 8, 1)])
def test_images_of_any_sides_are_made(name, shape):
    _, networks = built(name, DataSpec(shape, classes=3))
    assert networks["generator"].output_shape[1:] == shape
    assert networks["discriminator"].output_shape[1:] == (1,)


def test_acgan_has_the_layers_of_its_table_2_on_cifars_images():
    _, networks = built("acgan", DataSpec((32, 32, 3), classes=10), z_dim=100)
    maps = [layer.output.shape[1:] for layer in networks["generator"].layers]
    assert {(4, 4, 384), (8, 8, 192), (16, 16, 96), (32, 32, 3)} <= set(maps)
    maps = [layer.output.shape[1:] for layer in networks["discriminator"].layers]
    sides, widths = (16, 16, 8, 8, 4, 4), (16, 32, 64, 128, 256, 512)
    assert {(s, s, c) for s, c in zip(sides, widths, strict=True)} <= set(maps)


# -- infogan -------------------------------------------------------------------------------------


def test_infogan_that_reads_nothing_pays_the_entropy_of_the_code_and_the_square_of_the_style():
    game, players, turn = turn_of("infogan", information=0.5)
    for layer in map(game.networks["heads"].get_layer, ("code", "style")):
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    style = np.square(np.asarray(turn.input("style"))).sum(1).mean() / 2
    expected = 0.5 * (np.log(game.plugin.classes) + style)
    assert float(players["generator"].penalty(turn)) == pytest.approx(expected, rel=1e-4)
    assert float(players["discriminator"].penalty(turn)) == pytest.approx(expected, rel=1e-4)


def test_infogan_has_the_layers_of_its_appendix_c_1():
    _, networks = built("infogan", MNIST, z_dim=62, width=64)
    assert sum(tensor.shape[1] for tensor in networks["generator"].inputs) == 74
    maps = [layer.output.shape[1:] for layer in networks["generator"].layers]
    assert {(1024,), (7, 7, 128), (14, 14, 64), (28, 28, 1)} <= set(maps)
    maps = {layer.name: layer.output.shape[1:] for layer in networks["heads"].layers}
    assert {(14, 14, 64), (7, 7, 128), (1024,), (1,), (128,), (10,), (2,)} <= set(maps.values())


def test_infogans_codes_are_set_by_name_when_sampling():
    game, _, _ = turn_of("infogan")
    inputs, held = changed(game.inputs, {"code": 3, "style.1": -1.5})
    fed = {o.name: rows(o, 4, np.random.default_rng(0), held=held.get(o.name)) for o in inputs}
    np.testing.assert_array_equal(fed["code"], np.eye(game.plugin.classes)[[3] * 4])
    np.testing.assert_array_equal(fed["style"][:, 1], [-1.5] * 4)
    assert len(np.unique(fed["style"][:, 0])) == 4


# -- projection_gan ------------------------------------------------------------------------------


def test_a_class_is_a_direction_of_the_projection_discriminators_features():
    _, networks = built("projection_gan")
    judge = networks["discriminator"]
    psi, table = (
        next(layer for layer in judge.layers if isinstance(layer, kind))
        for kind in (SpectralDense, SpectralEmbedding)
    )
    phi = keras.Model(judge.inputs[:1], psi.input)
    images = np.random.default_rng(0).uniform(-1, 1, (5, 16, 16, 1)).astype(np.float32)
    directions = np.random.default_rng(1).standard_normal(table.table.kernel.shape)
    table.table.kernel.assign(directions)
    table.table.u.assign(np.linalg.svd(directions)[2][:1])  # of the largest singular value
    v = directions / np.linalg.norm(directions, 2)
    found = [np.asarray(judge([images, np.full(5, y)]))[:, 0] for y in (0, 2)]
    np.testing.assert_allclose(
        found[0] - found[1], np.asarray(phi([images])) @ (v[0] - v[2]), rtol=1e-3
    )


def test_projection_gan_normalises_every_layer_of_the_discriminator_and_none_of_the_generator():
    _, networks = built("projection_gan")
    bare = {type(layer).__name__ for layer in networks["discriminator"].layers if layer.weights}
    assert bare == {"SpectralConv2D", "SpectralDense", "SpectralEmbedding"}
    assert not [layer for layer in networks["generator"].layers if hasattr(layer, "normalised")]
