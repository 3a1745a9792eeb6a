"""`Data("image", size=...)`: an input that is the data's images at a smaller size."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from PIL import Image
from test_cli import call

import ganzoo
from ganzoo import data, losses, pictures
from ganzoo import inputs as inputs_
from ganzoo.errors import GanzooError, UsageError
from ganzoo.plugin import Data, DataSpec, Plugin
from ganzoo.shrinking import fits, matrix, reduced_shape, shrunk, shrunk_tensor

RNG = np.random.default_rng

# -- the maps -------------------------------------------------------------------------------------


def test_area_of_a_whole_factor_is_the_mean_of_blocks():
    x = RNG(0).uniform(-1, 1, (3, 12, 8, 2)).astype(np.float32)
    expected = x.reshape(3, 3, 4, 2, 4, 2).mean((2, 4))
    np.testing.assert_allclose(shrunk(x, (3, 2)), expected, atol=1e-6)


def test_area_counts_the_part_of_a_pixel_that_a_place_covers():
    np.testing.assert_allclose(matrix(3, 2), [[2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3]], atol=1e-6)


def test_bicubic_is_pillows():
    x = RNG(0).uniform(-0.5, 0.5, (1, 28, 28, 1)).astype(np.float32)
    theirs = Image.fromarray(x[0, :, :, 0]).resize((9, 9), Image.Resampling.BICUBIC)
    np.testing.assert_allclose(shrunk(x, (9, 9), "bicubic")[0, :, :, 0], theirs, atol=1e-5)


@pytest.mark.parametrize("method", ["area", "bicubic"])
def test_a_tensor_and_an_array_come_out_alike_and_even_grey_stays(method):
    x = RNG(0).uniform(-1, 1, (2, 20, 30, 3)).astype(np.float32)
    theirs = np.asarray(shrunk_tensor(tf.constant(x), (8, 12), method))
    np.testing.assert_allclose(shrunk(x, (8, 12), method), theirs, atol=1e-6)
    grey = np.full((1, 20, 30, 1), 0.3, np.float32)
    np.testing.assert_allclose(shrunk(grey, (8, 12), method), 0.3, atol=1e-6)


def test_what_can_be_reduced_to_what():
    assert reduced_shape((28, 28, 1), 7) == (7, 7, 1)
    small = np.zeros((1, 7, 7, 1))
    sides = [(7, 7, 1), (28, 28, 1), (10, 10, 1), (5, 5, 1), (28, 14, 1), (28, 28, 3)]
    found = [fits(np.zeros((1, *shape)), small.shape[1:]) for shape in sides]
    assert found == [True, True, True, False, False, False]


# -- the source -----------------------------------------------------------------------------------


def test_it_comes_back_from_a_folder_and_older_folders_do_too():
    source = Data("image", size=7, method="bicubic")
    assert inputs_.from_json(inputs_.as_json(source)) == source
    assert inputs_.from_json({"kind": "data", "array": "image"}) == Data("image")
    for wrong in ({"size": -1}, {"method": "best"}, {"size": "7"}):
        with pytest.raises(GanzooError, match="no source"):
            inputs_.from_json({"kind": "data", "array": "image"} | wrong)


@pytest.mark.parametrize("wrong", [{"size": -1}, {"method": "best"}])
def test_what_cannot_be_meant_is_refused(wrong):
    with pytest.raises(UsageError):
        Data("image", **wrong)


@dataclass(frozen=True)
class Larger(Plugin):
    """Each pixel twice, and a shift that nothing needs."""

    size: int = 8
    batch_size: int = 8

    def networks(self, spec):
        image = keras.Input((8, 8, 1), name="image")
        made = layers.UpSampling2D(2)(layers.Conv2D(1, 1, kernel_initializer="ones")(image))
        judge = keras.Sequential([keras.Input(spec.shape), layers.Flatten(), layers.Dense(1)])
        made = layers.Activation("linear", dtype="float32")(made)
        return {"generator": keras.Model(image, made), "discriminator": judge}

    def inputs(self, spec: DataSpec):
        return {"image": Data("image", size=self.size)}

    def d_loss(self, real_logits, fake_logits):
        return losses.hinge_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return 0.0 * losses.hinge_g(fake_logits)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("reduced") / "run"
    return ganzoo.train(Larger, "digits", outdir=path, steps=2, quiet=True)


@pytest.fixture(scope="module")
def blocks():
    """The first test rows, as the plugin above gives them back."""
    images = data.to_float(data.load("digits", split="test").arrays["image"][:4])
    return images.reshape(-1, 8, 2, 8, 2, 1).mean((2, 4)).repeat(2, 1).repeat(2, 2)


def test_a_plugin_whose_input_has_another_size_is_told(tmp_path):
    with pytest.raises(
        GanzooError, match=r"takes \(8, 8, 1\), and 'image' \(16, 16, 1\) at size 4"
    ):
        ganzoo.train(Larger(size=4), "digits", outdir=tmp_path / "run", steps=1, quiet=True)
    with pytest.raises(GanzooError, match="as large, or larger"):
        ganzoo.train(Larger(size=32), "digits", outdir=tmp_path / "more", steps=1, quiet=True)


def test_test_rows_are_reduced(run, blocks):
    np.testing.assert_allclose(run.sample(4), blocks, atol=1e-5)


def test_images_of_the_full_size_are_reduced_and_small_ones_are_taken(run, blocks, tmp_path):
    full = data.load("digits", split="test").arrays["image"][:4]
    np.savez(tmp_path / "full.npz", image=full)
    small = data.to_uint8(blocks[:, ::2, ::2])
    folders = {"full": full, "small": small}
    for name, images in folders.items():
        (tmp_path / name).mkdir()
        for i, one in enumerate(images):
            (tmp_path / name / f"{i}.png").write_bytes(pictures.png(one))
    wide = np.pad(full[0], [(0, 0), (5, 5), (0, 0)])  # its middle is the digit
    (tmp_path / "wide.png").write_bytes(pictures.png(wide))
    given = {name: run.sample(4, inputs={"image": rows}) for name, rows in (
        ("array", full), ("file", tmp_path / "full.npz"), ("folder", tmp_path / "full"),
        ("small", tmp_path / "small"), ("small array", small))}  # fmt: skip
    for name in ("array", "file", "folder"):
        np.testing.assert_allclose(given[name], blocks, atol=1e-5, err_msg=name)
    for name in ("small", "small array"):  # 8 bits
        np.testing.assert_allclose(given[name], blocks, atol=1.01 / 255, err_msg=name)
    one = run.sample(1, inputs={"image": tmp_path / "wide.png"})
    np.testing.assert_allclose(one, blocks[:1], atol=1e-5)


def test_the_command_line_takes_a_picture_and_the_training_rows(run, tmp_path, capsys):
    image = data.load("digits", split="test").arrays["image"][0]
    (tmp_path / "one.png").write_bytes(pictures.png(image))
    for rows, count in ((tmp_path / "one.png", 1), ("train", 1438)):
        out = tmp_path / "out.npz"
        words = ["--input", f"image={rows}", "--out", str(out)]
        code, told, _ = call(capsys, "sample", str(run.path), *words)
        assert (code, told.split()[0]) == (0, str(count))
        assert np.load(out)["image"].shape == (count, 16, 16, 1)


def test_rows_that_fit_neither_size_are_one_sentence(run):
    with pytest.raises(UsageError, match=r"takes rows of \(8, 8, 1\), or larger ones"):
        run.sample(1, inputs={"image": np.zeros((1, 16, 8, 1), np.uint8)})


def test_pictures_show_the_small_image_beside_the_large_one(run):
    with Image.open(run.folder.newest_picture()) as picture:
        shown = np.asarray(picture).astype(float)
    side = shown.shape[1] // 8
    first, second = shown[:side, :side], shown[:side, side : 2 * side]
    assert np.abs(first - second).mean() < 20
