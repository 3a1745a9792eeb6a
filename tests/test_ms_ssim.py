"""MS-SSIM of equal, flat and unrelated images, TensorFlow's, and the likeness of pairs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ganzoo.errors import UsageError
from ganzoo.eval.ms_ssim import WEIGHTS, ms_ssim, ms_ssim_diversity, protocol

RNG = np.random.default_rng


def pictures(n: int, side: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Smooth textures from 0 to 1."""
    x = ndimage.gaussian_filter(RNG(seed).standard_normal((n, side, side, channels)), (0, 2, 2, 0))
    return np.clip(0.5 + 2 * x, 0, 1)


def test_small_images_get_fewer_scales_and_weights_of_the_same_sum():
    assert [protocol(s, 500)["scales"] for s in (8, 21, 22, 28, 44, 64, 175, 176)] == [
        1,
        1,
        2,
        2,
        3,
        3,
        4,
        5,
    ]
    assert protocol(176, 176)["weights"] == WEIGHTS.tolist()
    assert sum(protocol(28, 28)["weights"]) == pytest.approx(WEIGHTS.sum())
    assert (protocol(8, 8)["window"], protocol(11, 11)["window"]) == (7, 11)


@pytest.mark.parametrize("side", [8, 28, 64])
def test_an_image_is_entirely_like_itself(side):
    x = pictures(3, side)
    np.testing.assert_allclose(ms_ssim(x, x, data_range=1), 1)


@pytest.mark.parametrize(("side", "channels"), [(28, 1), (33, 3), (64, 3), (176, 1)])
def test_it_is_what_tensorflow_computes(side, channels):
    from ganzoo.quiet import quiet_start

    quiet_start()
    import tensorflow as tf

    a = pictures(2, side, channels)
    b = np.clip(a + 0.1 * pictures(2, side, channels, seed=1), 0, 1)
    expected = tf.image.ssim_multiscale(
        tf.constant(a, tf.float32),
        tf.constant(b, tf.float32),
        1.0,
        power_factors=protocol(side, side)["weights"],
    )
    np.testing.assert_allclose(ms_ssim(a, b, data_range=1), expected, rtol=2e-4)


def test_below_eleven_pixels_the_window_keeps_its_shape():
    from ganzoo.quiet import quiet_start

    quiet_start()
    import tensorflow as tf

    a = pictures(2, 8)
    b = np.clip(a + 0.1 * RNG(1).standard_normal(a.shape), 0, 1)
    settings = protocol(8, 8)
    expected = tf.image.ssim(
        *(tf.constant(x, tf.float32) for x in (a, b)),
        1.0,
        filter_size=7,
        filter_sigma=1.5 * 7 / 11,
    )
    found = ms_ssim(a, b, data_range=1)
    expected = np.asarray(expected) ** settings["weights"][0]
    assert (expected > 0).all()
    np.testing.assert_allclose(found, expected, rtol=2e-4)


def test_an_image_and_its_negative_have_nothing_in_common():
    x = pictures(3, 28)
    np.testing.assert_array_equal(ms_ssim(x, 1 - x, data_range=1), 0)


@pytest.mark.parametrize("side", [28, 33])
def test_flat_images_differ_by_their_luminance_alone(side):
    """(2 ab + c1) / (a^2 + b^2 + c1) to the last weight (Wang et al. 2003, equations 1 and 7)."""
    a, b, c1 = 0.2, 0.6, 0.01**2
    x, y = np.full((1, side, side, 1), a), np.full((1, side, side, 1), b)
    expected = ((2 * a * b + c1) / (a * a + b * b + c1)) ** protocol(side, side)["weights"][-1]
    assert ms_ssim(x, y, data_range=1)[0] == pytest.approx(expected)


def test_more_noise_is_less_like_and_the_unit_of_the_range_does_not_matter():
    x = pictures(5, 32)
    noise = RNG(1).standard_normal(x.shape)
    found = [
        ms_ssim(x, np.clip(x + s * noise, 0, 1), data_range=1).mean() for s in (0.01, 0.1, 0.4)
    ]
    assert found == sorted(found, reverse=True)
    y = pictures(5, 32, seed=2)
    np.testing.assert_allclose(
        ms_ssim(255 * x, 255 * y, data_range=255), ms_ssim(x, y, data_range=1)
    )
    np.testing.assert_allclose(ms_ssim(y, x, data_range=1), ms_ssim(x, y, data_range=1))


def test_many_images_are_compared_one_by_one():
    x, y = pictures(150, 16), pictures(150, 16, seed=1)
    found = ms_ssim(x, y, data_range=1)
    assert found.shape == (150,)
    assert found[149] == pytest.approx(ms_ssim(x[149:], y[149:], data_range=1)[0])


def test_integers_do_not_wrap_around():
    x, y = ((255 * pictures(3, 28, seed=s)).astype(np.uint8) for s in (0, 1))
    expected = ms_ssim(x.astype(float), y.astype(float), data_range=255)
    np.testing.assert_allclose(ms_ssim(x, y, data_range=255), expected)


def test_a_collapse_raises_the_likeness_of_pairs():
    varied = pictures(40, 28)
    few = np.repeat(varied[:2], 20, axis=0)
    one = np.repeat(varied[:1], 40, axis=0)
    found = [
        ms_ssim_diversity(x, data_range=1, rng=RNG(0), pairs=200)["ms_ssim"]
        for x in (varied, few, one)
    ]
    assert found == sorted(found)
    assert found[-1] == pytest.approx(1)


def test_pairs_are_of_different_images_and_repeat_with_the_seed():
    x = np.stack([np.zeros((16, 16, 1)), np.ones((16, 16, 1))])
    found = ms_ssim_diversity(x, data_range=1, rng=RNG(0), pairs=50)
    assert found["ms_ssim"] < 0.5
    assert found["ms_ssim_std"] == pytest.approx(0)
    y = pictures(20, 16)
    a, b, c = (ms_ssim_diversity(y, data_range=1, rng=RNG(s), pairs=9) for s in (0, 0, 1))
    assert a == b != c


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.full((3, 16, 16, 1), -0.5), "from -0.5"),
        (np.full((3, 16, 16, 1), 7), "range 1"),
        (np.zeros((3, 16, 16)), r"\(3, 16, 16\)"),
        (np.zeros((1, 16, 16, 1)), "at least 2"),
        (np.full((3, 16, 16, 1), np.nan), "not finite"),
    ],
)
def test_images_outside_their_range_or_shape_are_refused(images, said):
    with pytest.raises(UsageError, match=said):
        ms_ssim_diversity(images, data_range=1, rng=RNG(0))
