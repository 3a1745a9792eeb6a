"""Two domains that nothing pairs: the built-in data, CoGAN, CycleGAN, and how they are judged."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from test_zoo import train

from ganzoo import data, registry
from ganzoo.data import Dataset, Judging, looks
from ganzoo.errors import UsageError
from ganzoo.eval import evaluate, eyes, sources
from ganzoo.eval.features.simple import Negative
from ganzoo.fields import make
from ganzoo.layers import Pool
from ganzoo.optimizers import LinearDecay
from ganzoo.spec import ArraySpec, DataSpec
from ganzoo.testing.trial import Part, Trial, example, model_arrays

TWO = DataSpec((16, 16, 1), key="a", others={"b": ArraySpec((16, 16, 1), (-1.0, 1.0), group="b")})
SMALL = {
    "cogan": {"width": 2, "z_dim": 4},
    "cyclegan": {"width": 2, "blocks": 1},
}


# -- the data -------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("look", looks.LOOKS)
def test_every_second_digit_keeps_its_look_and_those_between_have_the_other(look, split):
    whole = data.load("digits", split=split).arrays
    found = data.load(f"digits_{look}", split=split)
    shown, labels = found.arrays["a"], whole["label"]
    np.testing.assert_array_equal(shown[..., :1], whole["image"][::2])
    assert (shown == shown[..., :1]).all()
    np.testing.assert_array_equal(found.arrays["b"], looks.LOOKS[look][0](whole["image"][1::2]))
    np.testing.assert_array_equal(found.labels_of("a"), labels[::2])
    np.testing.assert_array_equal(found.labels_of("b"), labels[1::2])
    assert found.spec.of("b").shape == found.spec.shape
    assert len(found.groups()) == 2


def test_edges_are_what_lies_around_a_point():
    image = np.zeros((1, 5, 5, 1), np.uint8)
    image[0, 2, 2] = 200
    around = looks.edges(image)[0, ..., 0]
    assert around[2, 2] == 0
    assert around.sum() == 8 * 200
    assert (around[1:4, 1:4] > 0).sum() == 8


def test_ink_takes_half_or_more_of_every_channel_and_none_of_the_paper():
    images = np.zeros((500, 2, 2, 1), np.uint8)
    images[:, 0, 0] = 255
    seen = looks.coloured(images)
    np.testing.assert_array_equal(seen, looks.coloured(images))
    assert (seen[:, 1, 1] == 255).all()
    assert 126 <= seen[:, 0, 0].max() <= 128  # half of 255
    assert seen[:, 0, 0].min() == 0
    np.testing.assert_allclose(seen[:, 0, 0].astype(float).sum(-1), 3 * 255 / 4, atol=1.5)


def test_an_array_in_a_group_of_its_own_has_its_own_labels_and_its_own_judging():
    pixels = np.zeros((4, 8, 8, 1), np.uint8)
    told = {"b": ArraySpec((8, 8, 1), group="b"), "b_label": ArraySpec((), classes=3, group="b")}
    spec = DataSpec((8, 8, 1), classes=2, key="a", others=told, group="a")
    arrays = {"a": pixels, "label": np.int32([0, 1, 0, 1]), "b": pixels[:3]}
    arrays |= {"b_label": np.int32([2, 0, 1]), "c": pixels, "d": pixels[:2]}
    spec = DataSpec(
        spec.shape,
        spec.range,
        2,
        "a",
        dict(spec.others) | {"d": ArraySpec((8, 8, 1), group="d")},
        "a",
    )
    found = Dataset("three", spec, arrays, "", "", judging_others={"b": Judging(extractor="mnist")})
    assert found.labels_of("a") is found.labels_of("c") is arrays["label"]
    assert found.labels_of("b") is arrays["b_label"]
    assert found.labels_of("d") is None
    assert found.of("b").judging.extractor == "mnist"
    assert found.of("c").judging == Judging()


# -- how they are judged --------------------------------------------------------------------------


def test_dark_digits_are_judged_by_their_negatives():
    bright, dark = (sources.reference("digits_inverse", split="test", array=a) for a in ("", "b"))
    seen = eyes.choose(dark, None, say=print).extractor
    assert isinstance(seen, Negative)
    assert "negatives" in seen.label
    plain = eyes.choose(bright, None, say=print).extractor
    assert not isinstance(plain, Negative)
    np.testing.assert_array_equal(seen(dark.values[:4])[0], plain(255 - dark.values[:4])[0])
    assert not isinstance(eyes.choose(dark, "fashion", say=print).extractor, Negative)


# -- cogan ----------------------------------------------------------------------------------------


def game_of(name: str, **fields):
    """A game that begins, its players by their names, and a turn of 8 samples."""
    game = Trial(make(registry.load(name), SMALL[name] | fields), [TWO]).game()
    turn = Part(game, slice(0, 8), model_arrays(example(TWO), 8), 8)
    return game, {player.name: player for player in game.players}, turn


def test_cogan_has_all_but_the_layers_next_to_the_images_in_common():
    plugin = make(registry.load("cogan"), {})
    networks = plugin.networks(
        DataSpec(
            (28, 28, 1),
            key="a",
            others=TWO.others | {"b": ArraySpec((28, 28, 3), (-1.0, 1.0), group="b")},
            group="a",
        )
    )
    d, g = networks["discriminator"], networks["generator"]
    shared = (20 * 25 + 1) * 50 + (50 * 16 + 1) * 500 + 1 + (500 + 1)
    assert d.count_params() == (25 + 1) * 20 + (75 + 1) * 20 + shared
    assert {name: g.output[name].shape[-1] for name in "ab"} == {"a": 1, "b": 3}
    apart = [layer.name for layer in g.layers if layer.name.startswith("to_")]
    assert sorted(apart) == ["to_a", "to_b"]
    convolutions = [layer for layer in g.layers if "conv2d" in type(layer).__name__.lower()]
    assert len(convolutions) == 3 + 2


def test_cogans_losses_are_means_over_both_domains_and_its_weights_decay():
    game, players, turn = game_of("cogan", decay=0.5)
    judge = game.networks["discriminator"]
    last = next(layer for layer in judge.layers if getattr(layer, "units", 0) == 1)
    last.set_weights([np.zeros_like(w) for w in last.get_weights()])
    d, g = players["discriminator"], players["generator"]
    assert float(d.loss(turn)) == pytest.approx(2 * np.log(2), rel=1e-5)
    assert float(g.loss(turn)) == pytest.approx(np.log(2), rel=1e-5)
    squares = sum(float((w.numpy() ** 2).sum()) for w in judge.trainable_weights)
    assert float(d.penalty(turn)) == pytest.approx(0.5 * squares / 2, rel=1e-5)
    assert float(d.record(turn)["real_logits"]) == 0


def test_what_cogan_cannot_make_is_a_sentence():
    plugin = make(registry.load("cogan"), {})
    assert "mnist_edges" in plugin.unsupported(DataSpec((16, 16, 1)))
    other = {"b": ArraySpec((16, 24, 1), (-1.0, 1.0), group="b")}
    assert "one size" in plugin.unsupported(DataSpec((16, 16, 1), key="a", others=other))
    assert plugin.unsupported(TWO) is None


# -- cyclegan -------------------------------------------------------------------------------------


def test_cyclegan_of_the_papers_size_has_the_weights_of_the_authors_code():
    spec = DataSpec((64, 64, 3), key="a", others={"b": ArraySpec((64, 64, 3), group="b")})
    plugin = make(registry.load("cyclegan"), {"width": 64, "blocks": 9, "halvings": 3})
    translator, judge = plugin.translator(spec, "a", "b"), plugin.judge(spec, "a")
    assert translator.count_params() == 11_378_179  # "11.378 M", it prints
    assert judge.count_params() == 2_764_737  # "2.765 M"


def test_cyclegans_losses_are_squares_and_ways_there_and_back():
    game, players, turn = game_of("cyclegan", cycle=3.0, identity=0.25)
    nets, a, b = game.networks, turn.batch["a"], turn.batch["b"]
    for domain in "ab":
        last = nets[f"d_{domain}"].layers[-2]
        last.set_weights([np.zeros_like(w) for w in last.get_weights()])
    assert float(players["generator"].loss(turn)) == pytest.approx(2)
    assert float(players["discriminator_a"].loss(turn)) == pytest.approx(0.5)

    def apart(one, other):
        return float(np.abs(np.asarray(one) - np.asarray(other)).mean())

    there, back = nets["g_ab"], nets["g_ba"]
    cycles = apart(back(there(a)), a) + apart(there(back(b)), b)
    same = apart(there(b), b) + apart(back(a), a)
    expected = 3.0 * (cycles + 0.25 * same)
    assert float(players["generator"].penalty(turn)) == pytest.approx(expected, rel=1e-3)


class Drawn:
    """A turn of 4 rows whose draws are given."""

    batch_size = 4

    def __init__(self, slots, coins):
        self.slots, self.coins = tf.constant([slots] * 4), tf.constant(coins)

    def uniform(self, purpose, shape=()):
        return self.slots if shape else self.coins


def test_a_pool_is_filled_first_and_then_half_of_what_is_shown_is_old():
    pool = Pool(6, (1,), "past")
    rows = [tf.constant([[float(10 * i + k)] for k in range(4)]) for i in range(3)]
    draws = Drawn([0.9, 0.1, 0.8, 0.2, 0.7, 0.3], [0.9, 0.1, 0.9, 0.1])
    np.testing.assert_array_equal(pool.shown(rows[0], draws), rows[0])
    pool.keep(rows[0], draws)
    assert int(pool.filled.numpy()) == 4
    # two slots are empty: these rows are shown; of the others those with a coin below a half
    shown = pool.shown(rows[1], draws)
    np.testing.assert_array_equal(shown[:, 0], [10, 11, 1, 13])
    pool.keep(rows[1], draws)
    np.testing.assert_array_equal(pool.images.numpy()[:, 0], [0, 12, 2, 3, 10, 11])
    np.testing.assert_array_equal(pool.shown(rows[2], draws)[:, 0], [12, 21, 11, 23])
    pool.keep(rows[2], draws)
    np.testing.assert_array_equal(pool.images.numpy()[:, 0], [0, 20, 2, 3, 10, 22])


def test_a_pool_that_holds_no_batch_is_refused():
    _, players, turn = game_of("cyclegan", pool=7)
    with pytest.raises(UsageError, match="pool_a must hold a batch of 8, not 7"):
        players["discriminator_a"].loss(turn)


def test_a_rate_is_kept_and_then_falls_along_a_line():
    rate = LinearDecay(0.5, 10, 20)
    found = [float(rate(step)) for step in (0, 10, 15, 20, 99)]
    assert found == pytest.approx([0.5, 0.5, 0.25, 0, 0])
    assert float(LinearDecay.from_config(rate.get_config())(15)) == pytest.approx(0.25)
    with pytest.raises(UsageError, match="start < end"):
        LinearDecay(0.5, 20, 20)


def test_a_translated_digit_is_asked_to_be_of_its_own_class(tmp_path):
    run = train(tmp_path / "run", "cyclegan", "digits_inverse", SMALL["cyclegan"], 2)
    held_out = data.load("digits_inverse", split="test")
    for output, source in (("b", "a"), ("a", "b")):
        (found,) = evaluate(run.path, ["label-accuracy"], output=output)
        counts = np.bincount(held_out.labels_of(source), minlength=10)
        assert found.details["counts"] == dict(enumerate(counts))
        assert found.details["classifier_accuracy"] > 0.9
        assert 0 <= found.value < 0.9
    held = sources.Generated(run, 2, settings={"a": 0.0})
    assert held.labels(4, 0) is None
