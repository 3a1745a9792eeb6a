"""PSNR and SSIM against closed forms and TensorFlow, and as scores of what images feed."""

from __future__ import annotations

import numpy as np
import pytest
from test_ms_ssim import pictures
from test_reduced_inputs import Larger

import ganzoo
from ganzoo import data
from ganzoo.errors import UsageError
from ganzoo.eval.likeness import K1, K2, psnr, ssim

LIKE = {"psnr": psnr, "ssim": ssim}


@pytest.mark.parametrize("off", [1, 5, 20])
def test_psnr_of_an_even_error_is_its_logarithm(off):
    x = np.full((3, 8, 8, 3), 100, np.uint8)
    assert psnr(x, x + np.uint8(off), data_range=255) == pytest.approx(20 * np.log10(255 / off))


def test_psnr_of_equal_images_has_no_end():
    x = pictures(2, 16)
    assert np.isinf(psnr(x, x, data_range=1)).all()


def test_ssim_of_two_even_greys_is_the_luminance_alone():
    a, b = np.full((1, 16, 16, 1), 60.0), np.full((1, 16, 16, 1), 90.0)
    c1 = (K1 * 255) ** 2
    expected = (2 * 60 * 90 + c1) / (60**2 + 90**2 + c1)
    assert ssim(a, b, data_range=255) == pytest.approx(expected)


def test_ssim_of_an_inverted_image_is_the_contrast_with_its_sign():
    a = pictures(1, 11)  # one window
    b = 1 - a
    taps = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    w = np.outer(taps, taps)[:, :, None] / taps.sum() ** 2
    mean = (w * a[0]).sum()
    var = (w * (a[0] - mean) ** 2).sum()
    c1, c2 = K1**2, K2**2
    light = (2 * mean * (1 - mean) + c1) / (mean**2 + (1 - mean) ** 2 + c1)
    assert ssim(a, b, data_range=1) == pytest.approx(light * (c2 - 2 * var) / (c2 + 2 * var))


@pytest.mark.parametrize(("side", "channels"), [(11, 1), (28, 1), (33, 3)])
def test_both_are_what_tensorflow_computes(side, channels):
    from ganzoo.quiet import quiet_start

    quiet_start()
    import tensorflow as tf

    a = pictures(70, side, channels)  # more than a batch
    b = np.clip(a + 0.2 * pictures(70, side, channels, seed=1) - 0.1, 0, 1)
    for name, ours in LIKE.items():
        theirs = getattr(tf.image, name)(tf.constant(a, tf.float32), tf.constant(b, tf.float32), 1)
        np.testing.assert_allclose(ours(a, b, data_range=1), theirs, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("measure", LIKE.values(), ids=LIKE)
def test_more_noise_is_less_alike_and_sides_may_be_swapped(measure):
    a, noise = pictures(2, 24), pictures(2, 24, seed=5) - 0.5
    found = [measure(a, np.clip(a + s * noise, 0, 1), data_range=1) for s in (0.1, 0.3, 0.9)]
    assert (np.diff(found, axis=0) < 0).all()
    b = np.clip(a + noise, 0, 1)
    np.testing.assert_allclose(measure(a, b, data_range=1), measure(b, a, data_range=1))
    with pytest.raises(UsageError, match="one shape"):
        measure(a, b[:1], data_range=1)


# -- as scores ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("likeness") / "run"
    return ganzoo.train(Larger, "digits", outdir=path, steps=2, quiet=True)


def test_a_sample_is_compared_with_the_row_that_it_was_made_from(run):
    real = data.load("digits", split="test").arrays["image"]
    made = data.to_uint8(run.sample(len(real)))
    found = run.evaluate("psnr", "ssim")
    assert found["psnr"].value == pytest.approx(psnr(real, made, data_range=255).mean())
    assert found["ssim"].value == pytest.approx(ssim(real, made, data_range=255).mean())
    assert found["ssim"].label == "SSIM (359 vs test 359)"
    assert found["ssim"].protocol["settings"] == {"window": 11, "sigma": 1.5}
    some = run.evaluate("psnr", samples=100)["psnr"]
    assert some.value == pytest.approx(psnr(real[:100], made[:100], data_range=255).mean())
    other = run.evaluate("psnr", against="digits", split="test")["psnr"]
    assert other.value == found["psnr"].value


@pytest.mark.parametrize("terms", [{"split": "train"}, {"settings": {"image": 0.5}}])
def test_what_was_not_made_from_the_reference_has_no_counterpart(run, terms):
    with pytest.raises(UsageError, match="fed by no image"):
        run.evaluate("psnr", **terms)


def test_samples_that_nothing_feeds_have_none_either(tmp_path):
    np.savez(tmp_path / "made.npz", image=data.load("digits", split="test").arrays["image"])
    from ganzoo.eval import evaluate

    with pytest.raises(UsageError, match="fed by no image"):
        evaluate(str(tmp_path / "made.npz"), ["ssim"], against="digits")
