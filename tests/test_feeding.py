"""`ganzoo sample` of a generator that takes more than z: rows from files, and what may be set."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import pytest
from keras import layers
from test_cli import call

import ganzoo
from ganzoo import data, losses, pictures
from ganzoo.plugin import Categorical, Data, Plugin


@dataclass(frozen=True)
class Brighter(Plugin):
    """Images in, images out, as bright as `gain` says; a code that shifts all of them."""

    batch_size: int = 8

    def networks(self, spec):
        image = keras.Input(spec.shape, name="image")
        gain = keras.Input((3,), name="gain")
        shift = keras.ops.reshape(layers.Dense(1, use_bias=False)(gain), (-1, 1, 1, 1))
        made = layers.Activation("tanh", dtype="float32")(image + shift)
        judge = keras.Sequential([keras.Input(spec.shape), layers.Flatten(), layers.Dense(1)])
        return {"generator": keras.Model([image, gain], made), "discriminator": judge}

    def inputs(self, spec):
        return {"image": Data("image"), "gain": Categorical()}

    def d_loss(self, real_logits, fake_logits):
        return losses.hinge_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.hinge_g(fake_logits)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("fed") / "run"
    return ganzoo.train(Brighter, "digits", outdir=path, steps=2, quiet=True)


def test_without_a_word_the_test_rows_feed_it(run):
    made = run.sample(5, settings={"gain": [0, 0, 0]})
    rows = data.to_float(data.load("digits", split="test").arrays["image"][:5])
    np.testing.assert_allclose(made, np.tanh(rows), atol=1e-5)
    others = run.sample(5, settings={"gain": [0, 0, 0]}, inputs={"image": "train"})
    assert np.abs(others - made).max() > 0.1


def test_rows_come_from_a_picture_a_folder_or_a_file(run, tmp_path):
    image = data.load("digits", split="test").arrays["image"][:3]
    for i, one in enumerate(image):
        large = one.repeat(2, 0).repeat(2, 1)
        (tmp_path / f"{i}.png").write_bytes(pictures.png(large))
    np.savez(tmp_path / "rows.npz", image=image, other=np.zeros(3))
    zero = {"gain": [0, 0, 0]}
    one = run.sample(1, settings=zero, inputs={"image": tmp_path / "0.png"})
    all_of_them = run.sample(3, settings=zero, inputs={"image": tmp_path})
    stored = run.sample(3, settings=zero, inputs={"image": tmp_path / "rows.npz"})
    given = run.sample(3, settings=zero, inputs={"image": image})
    np.testing.assert_array_equal(stored, given)
    np.testing.assert_array_equal(all_of_them[:1], one)
    assert np.abs(all_of_them - given).mean() < 0.1  # they were enlarged and shrunk again


def test_the_command_line_feeds_it_too(run, tmp_path, capsys):
    image = data.load("digits", split="test").arrays["image"][:3]
    np.save(tmp_path / "rows.npy", image)
    out = tmp_path / "out.npz"
    words = ["--input", f"image={tmp_path / 'rows.npy'}", "--set", "gain=1", "--out", str(out)]
    code, told, _ = call(capsys, "sample", str(run.path), *words)
    assert code == 0
    assert told.startswith("3 samples")  # as many as rows
    expected = run.sample(3, settings={"gain": 1}, inputs={"image": image})
    np.testing.assert_allclose(np.load(out)["image"], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--input", "image"], "--input takes NAME=FILE"),
        (["--input", "imag=test"], "did you mean"),
        (["--input", "image=/nowhere.png"], "no rows for the input 'image'"),
        (["--input", "gain=test"], "not fed by data"),
        (["--set", "gain=3"], "gain must lie in 0..2"),
        (["--set", "gain=0.5"], "expected a class"),
        (["--set", "gain"], "NAME=VALUE"),
        (["--output", "b"], "unknown output 'b'"),
        (["--label", "3"], "not conditional"),
    ],
)
def test_what_cannot_be_fed_is_one_sentence(run, capsys, words, sentence):
    code, _, told = call(capsys, "sample", str(run.path), "--out", "/tmp/never.png", *words)
    assert code == 2
    assert sentence in told


def test_it_is_judged_by_what_it_makes_of_the_test_rows(run):
    score = run.evaluate("fid")["fid"]
    assert score.protocol["test rows"] == {"image": 359}
    assert "359 vs test 359" in score.label
    held = run.evaluate("fid", settings={"gain": 1})["fid"]
    assert held.column != score.column
    assert "gain=1" in held.label


def test_its_pictures_show_what_went_in_beside_what_came_out(run):
    from PIL import Image

    newest = run.folder.newest_picture()
    with Image.open(newest) as picture:
        shown = np.asarray(picture).astype(float)
    side = shown.shape[1] // 8  # eight in a row: four pairs
    first, second = (shown[:side, i * side : (i + 1) * side] for i in (0, 1))
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.8


@dataclass(frozen=True)
class Faces(Plugin):
    """Attributes in, images out; the discriminator takes the same label in another shape."""

    batch_size: int = 8
    z_dim: int = 4

    def generator(self, spec):
        z, label = keras.Input((self.z_dim,), name="z"), keras.Input((10,), name="label")
        marks = keras.Input((3,), name="attributes")
        x = layers.Dense(spec.size, "tanh")(layers.Concatenate()([z, label, marks]))
        return keras.Model([z, label, marks], layers.Reshape(spec.shape, dtype="float32")(x))

    def discriminator(self, spec):
        image = keras.Input(spec.shape)
        label = keras.Input((), dtype="int32", name="label")
        x = layers.Concatenate()([layers.Flatten()(image), keras.ops.one_hot(label, spec.classes)])
        return keras.Model([image, label], layers.Dense(1)(x))

    def d_loss(self, real_logits, fake_logits):
        return losses.hinge_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return losses.hinge_g(fake_logits)


def test_an_attribute_of_the_data_may_be_held_and_labels_take_the_shape_that_is_wanted(tmp_path):
    digits = data.load("digits")
    marks = np.random.default_rng(0).integers(0, 2, (len(digits), 3)).astype(np.float32)
    arrays = {"image": digits.arrays["image"], "label": digits.arrays["label"]}
    run = ganzoo.train(
        Faces, arrays | {"attributes": marks}, outdir=tmp_path / "run", steps=2, quiet=True
    )
    rows = marks[:6].copy()
    plain = run.sample(6, inputs={"attributes": rows})
    held = run.sample(6, inputs={"attributes": rows}, settings={"attributes.1": 1})
    rows[:, 1] = 1
    np.testing.assert_array_equal(held, run.sample(6, inputs={"attributes": rows}))
    assert not np.array_equal(plain, held)
    test = marks[len(marks) - int(0.1 * len(marks)) :][:4].copy()
    test[:, 1] = 1
    by_default = run.sample(4, settings={"attributes.1": 1})
    np.testing.assert_array_equal(by_default, run.sample(4, inputs={"attributes": test}))
    assert run.sample(3, label=7).shape == (3, 16, 16, 1)
    assert np.array_equal(
        run.sample(2, inputs={"attributes": rows}, settings={"attributes": "1,0,1"}),
        run.sample(2, inputs={"attributes": rows}, settings={"attributes": [1, 0, 1]}),
    )


def test_the_file_that_a_run_was_trained_on_feeds_it_by_its_groups(run, tmp_path):
    image = data.load("digits", split="test").arrays["image"][:3]
    np.savez(tmp_path / "two.npz", **{"image/x": image, "other/x": 255 - image})
    zero = {"gain": [0, 0, 0]}
    made = run.sample(3, settings=zero, inputs={"image": tmp_path / "two.npz"})
    np.testing.assert_array_equal(made, run.sample(3, settings=zero, inputs={"image": image}))


@pytest.mark.parametrize("more", [(), ("-n", "4")])
def test_one_number_is_no_row_of_three(run, tmp_path, capsys, more):
    np.save(tmp_path / "one.npy", np.float32(3))
    words = ["--input", f"gain={tmp_path / 'one.npy'}", *more]
    out = ["--out", str(tmp_path / "out.npz")]
    code, _, error = call(capsys, "sample", str(run.path), *words, *out)
    assert code == 2
    assert "'gain'" in error
