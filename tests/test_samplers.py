"""Samplers: what feeds them, what they make, and which arrays of the data belong together."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import images, points
from keras import layers
from plain import Plain, dense, game

import ganzoo
from ganzoo import sampling
from ganzoo.data import Dataset
from ganzoo.errors import GanzooError, UsageError
from ganzoo.optimizers import Adam
from ganzoo.player import pairs
from ganzoo.plugin import Constant, Data, Player
from ganzoo.spec import ArraySpec, DataSpec
from ganzoo.testing import check_plugin


@dataclass(frozen=True)
class Psi(Plain):
    """psi scales the sample: a constant of the sampler."""

    def inputs(self, spec):
        return {"psi": Constant(1.0)}

    def sampler(self, networks, spec):
        z, psi = keras.Input((self.z_dim,), name="z"), keras.Input((1,), name="psi")
        return keras.Model([z, psi], networks["generator"](z) * psi)


def domains(n: int = 60, more: int = 9) -> Dataset:
    """Two domains of images of unequal length: dark ones and bright ones."""
    dark, bright = images(n).arrays["image"], 255 - images(n + more).arrays["image"]
    spec = DataSpec(
        (16, 16, 1), key="a", group="a", others={"b": ArraySpec((16, 16, 1), group="b")}
    )
    return Dataset("two", spec, {"a": dark, "b": bright}, licence="", source="test")


@dataclass(frozen=True)
class Translates(Plain):
    """Two generators between two domains, each against its own discriminator."""

    def unsupported(self, spec):
        return None if "b" in spec.arrays else "it translates between two domains, a and b."

    def networks(self, spec):
        def g(name):
            image = keras.Input(spec.shape)
            x = layers.Dense(spec.size, "tanh", dtype="float32")(layers.Flatten()(image))
            return keras.Model(image, layers.Reshape(spec.shape)(x), name=name)

        def d(name):
            return dense(spec.shape, 1, name)

        return {"ab": g("ab"), "ba": g("ba"), "d_a": d("d_a"), "d_b": d("d_b")}

    def sampler(self, networks, spec):
        a, b = keras.Input(spec.shape, name="a"), keras.Input(spec.shape, name="b")
        return keras.Model([a, b], {"there": networks["ab"](a), "back": networks["ba"](b)})

    def outputs(self, spec):
        return {"there": "b", "back": "a"}

    def players(self, networks, spec, step=0):
        def fake(turn, way):
            return turn.once(way, lambda: turn.call(networks[way], turn.batch[way[0]]))

        def logits(turn, domain, samples):
            return turn.call(networks[f"d_{domain}"], samples)

        def one(domain, way):
            def d_loss(turn):
                real = logits(turn, domain, turn.batch[domain])
                return self.d_loss(real, logits(turn, domain, fake(turn, way)))

            def g_loss(turn):
                return self.g_loss(logits(turn, domain, fake(turn, way)))

            d, g = f"d_{domain}", f"g_{way}"
            return [
                Player(d, (d,), d_loss, Adam(1e-3), role="discriminator", against=g),
                Player(g, (way,), g_loss, Adam(1e-3), role="generator", against=d, group="g"),
            ]

        return [*one("b", "ab"), *one("a", "ba")]


@dataclass(frozen=True)
class Enlarges(Plain):
    """From the array `small` of a row the image of that row."""

    def unsupported(self, spec):
        return None if "small" in spec.others else "it needs images and the same ones as `small`."

    def examples(self):
        return (DataSpec((16, 16, 1), others={"small": ArraySpec((8, 8, 1), (-1.0, 1.0))}),)

    def inputs(self, spec):
        return {"small": Data("small")}

    def generator(self, spec):
        small = keras.Input(tuple(spec.others["small"]), name="small")
        x = layers.Dense(spec.size, "tanh", dtype="float32")(layers.Flatten()(small))
        return keras.Model(small, layers.Reshape(spec.shape)(x), name="generator")


def test_a_sampler_may_take_another_array_of_the_same_row(tmp_path):
    large = images(40).arrays["image"]
    small = large.reshape(-1, 8, 2, 8, 2, 1).mean((2, 4)).round().astype(np.uint8)
    spec = DataSpec((16, 16, 1), others={"small": ArraySpec((8, 8, 1), (-1.0, 1.0))})
    arrays = {"image": large, "small": small}
    both = Dataset("both", spec, arrays, licence="", source="test")
    made = game(Enlarges(), both)
    batch = made.batches.batch([tf.constant(f[0, 0]) for f in made.batches.feed(0, 1, 1, 8)])
    means = np.asarray(batch["image"]).reshape(-1, 8, 2, 8, 2, 1).mean((2, 4))
    np.testing.assert_allclose(batch["small"], means, atol=1.01 / 255)  # it was rounded
    run = ganzoo.train(Enlarges, both, outdir=tmp_path / "run", steps=2, quiet=True)
    assert run.sample(3, inputs={"small": small[:3]}).shape == (3, 16, 16, 1)


def test_a_plugin_says_on_what_data_it_can_be_tried():
    found = check_plugin(Enlarges, only=["shapes", "export"])
    assert {result.status for result in found} == {"ok"}


def test_one_constant_of_the_sampler_may_be_set_when_sampling(tmp_path):
    run = ganzoo.train(Psi, "ring", outdir=tmp_path / "run", steps=2, quiet=True)
    whole, half = run.sample(8), run.sample(8, settings={"psi": 0.5})
    np.testing.assert_allclose(half, whole / 2, rtol=1e-5)
    assert not run.sample(8, settings={"psi": 0}).any()
    with pytest.raises(UsageError, match="did you mean 'psi'"):
        run.sample(8, settings={"spi": 0})


def test_a_translation_is_fed_by_data_everywhere(tmp_path):
    data = domains()
    test = {"a": data.arrays["a"][:7], "b": data.arrays["b"][:5]}
    run = ganzoo.train(
        Translates, data, outdir=tmp_path / "run", steps=4, checkpoint_every=2, quiet=True
    )
    assert pairs(game(Translates(), data).players) == [("g_ab", "d_b"), ("g_ba", "d_a")]
    made = run.sample(7, inputs={"a": test["a"]})
    assert made.shape == (7, 16, 16, 1)
    back = run.sample(5, inputs={"b": test["b"]}, output="back")
    assert back.shape == (5, 16, 16, 1)
    with pytest.raises(UsageError, match="takes rows of"):
        run.sample(7, inputs={"a": test["a"][:, :8]})
    with pytest.raises(UsageError, match="output"):
        run.sample(7, inputs={"a": test["a"]}, output="up")
    columns = set(run.metrics[-1])
    assert {"g_ab_loss", "d_a_real_logits_train"} & columns
    sampler = sampling.Sampler(run.folder)
    assert [one.needs for one in sampler.outputs] == [("a",), ("b",)]


def test_unpaired_domains_have_orders_of_their_own():
    made = game(Translates(batch_size=8), domains())
    a, b = made.batches.feed(0, 8, 1, 8)
    assert a.max() == 59
    assert b.max() > 59
    assert not np.array_equal(a, b)
    whole = np.concatenate(list(a[:7, 0])).ravel()
    assert len(set(whole)) == 56


def test_real_png_and_the_epoch_are_those_of_the_array_that_is_imitated(tmp_path):
    data = domains(40, 40)
    plugin = Translates(batch_size=8)
    assert plugin.epoch_steps(data.spec) == 10
    assert Plain(batch_size=8).epoch_steps(points(64).spec) == 8
    run = ganzoo.train(Translates(batch_size=8), data, outdir=tmp_path / "run", steps=1, quiet=True)
    from PIL import Image

    shown = np.asarray(Image.open(run.folder.picture("real")).convert("L"))
    assert np.median(shown) > 128  # the bright ones are imitated


def test_an_input_that_nothing_feeds_is_one_sentence_when_the_run_starts():
    @dataclass(frozen=True)
    class Forgot(Psi):
        def inputs(self, spec):
            return {}

    with pytest.raises(GanzooError, match="nothing feeds the sampler's input 'psi'"):
        game(Forgot())


@pytest.mark.parametrize(
    ("outputs", "sentence"),
    [
        ({"there": "b"}, "outputs names there"),
        ({"there": "b", "back": "c"}, "imitates 'c'"),
        ({}, "expected the same"),
    ],
)
def test_outputs_that_do_not_fit_the_sampler_are_named(outputs, sentence):
    @dataclass(frozen=True)
    class Wrong(Translates):
        def outputs(self, spec):
            return outputs

    with pytest.raises(GanzooError, match=sentence):
        game(Wrong(), domains())


def test_a_plugin_of_two_domains_can_be_checked():
    found = check_plugin(Translates, only=["shapes", "ranges", "export", "replicas", "repeats"])
    assert {r.status for r in found} <= {"ok", "note"}
    assert any("; back" in r.case for r in found)


def test_a_plugin_may_pair_arrays_otherwise_than_the_data():
    n = 40
    rows = np.arange(n, dtype=np.float32)
    spec = DataSpec((2,), None, key="point")
    arrays = {"point": np.stack([rows, rows], 1), "place": rows}
    data = Dataset("both", spec, arrays, licence="", source="test")

    @dataclass(frozen=True)
    class Apart(Plain):
        def groups(self, spec):
            return {"place": "place"}

    def together(plugin):
        made = game(plugin, data)
        fed = [tf.constant(part[0, 0]) for part in made.batches.feed(0, 1, 1, 8)]
        batch = made.batches.batch(fed)
        return np.array_equal(np.asarray(batch["point"])[:, 0], np.asarray(batch["place"]))

    assert together(Plain())
    assert not together(Apart())

    @dataclass(frozen=True)
    class Wrong(Plain):
        def groups(self, spec):
            return {"mask": "mask"}

    with pytest.raises(GanzooError, match="no array 'mask'"):
        game(Wrong(), data)
