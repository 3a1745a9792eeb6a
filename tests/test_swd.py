"""Sliced Wasserstein distance: one-dimensional answers, the pyramid, the directions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, stats

from ganzoo.errors import UsageError
from ganzoo.eval import swd
from ganzoo.eval.swd import image_swd, laplacian_pyramid, sliced_wasserstein

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def textures() -> np.ndarray:
    noise = RNG(0).standard_normal((200, 32, 32, 3))
    return ndimage.gaussian_filter(noise, (0, 1, 1, 0))


def test_on_a_line_it_is_the_wasserstein_distance_also_of_unequal_counts():
    a, b = RNG(0).standard_normal((30, 1)), RNG(1).standard_normal((50, 1)) + 1
    expected = stats.wasserstein_distance(a[:, 0], b[:, 0])
    assert sliced_wasserstein(a, b, rng=RNG(0), projections=3) == pytest.approx(expected)
    assert sliced_wasserstein(a, b[:30], rng=RNG(0)) == pytest.approx(
        stats.wasserstein_distance(a[:, 0], b[:30, 0])
    )


def test_a_shift_in_the_plane_is_seen_at_two_over_pi_of_its_length():
    """E|cos| of a random direction."""
    x = RNG(0).standard_normal((100, 2))
    found = sliced_wasserstein(x, x + np.array([3, 4]), rng=RNG(1), projections=20_000)
    assert found == pytest.approx(5 * 2 / np.pi, rel=0.01)


def test_repeating_every_sample_changes_nothing():
    a, b = RNG(0).standard_normal((20, 3)), RNG(1).standard_normal((20, 3))
    once, thrice = (
        sliced_wasserstein(x, b, rng=RNG(2), projections=9) for x in (a, np.repeat(a, 3, 0))
    )
    assert thrice == pytest.approx(once, rel=1e-12)


def test_it_is_zero_on_itself_symmetric_and_the_same_in_any_order():
    a, b = RNG(0).standard_normal((40, 3)), RNG(1).standard_normal((40, 3))
    assert sliced_wasserstein(a, a[::-1], rng=RNG(0)) == pytest.approx(0, abs=1e-12)
    forth, back = (sliced_wasserstein(*x, rng=RNG(0)) for x in ((a, b), (b[::-1], a)))
    assert forth == pytest.approx(back, rel=1e-12) != 0


@pytest.mark.parametrize("side", [16, 21, 32])
def test_the_pyramid_adds_up_to_the_image(side):
    images = RNG(0).standard_normal((2, side, side + 2, 1)).astype(np.float32)
    pyramid = laplacian_pyramid(images, 3)
    rebuilt = pyramid[-1]
    for level in pyramid[-2::-1]:
        large = np.zeros_like(level)
        large[:, ::2, ::2] = rebuilt
        rebuilt = level + swd._smooth(large, 2)
    np.testing.assert_allclose(rebuilt, images, atol=1e-5)


def test_a_flat_image_has_nothing_above_its_last_level():
    pyramid = laplacian_pyramid(np.full((1, 32, 32, 1), 7.0), 2)
    np.testing.assert_allclose(pyramid[0], 0, atol=1e-5)
    np.testing.assert_allclose(pyramid[1], 7, atol=1e-5)


def test_levels_are_named_by_their_side_down_to_the_smallest(textures):
    assert list(image_swd(textures, textures, rng=RNG(0), projections=16)) == [
        "swd_32",
        "swd_16",
        "swd",
    ]
    small = textures[:, :28, :28]
    assert list(image_swd(small, small, rng=RNG(0), smallest=7, projections=16)) == [
        "swd_28",
        "swd_14",
        "swd_7",
        "swd",
    ]


def test_images_are_at_zero_from_themselves_and_the_mean_is_of_the_levels(textures):
    assert set(image_swd(textures, textures, rng=RNG(0), projections=16).values()) == {0.0}
    found = image_swd(textures[:100], textures[100:], rng=RNG(0), projections=16)
    assert found["swd"] == pytest.approx((found["swd_32"] + found["swd_16"]) / 2)


def test_a_level_is_a_thousand_times_the_distance_of_its_patches():
    """One patch as large as the image: there is no choice of places."""
    real, fake = RNG(0).standard_normal((30, 7, 7, 1)), RNG(1).exponential(size=(30, 7, 7, 1))
    found = image_swd(real, fake, rng=RNG(2), smallest=7, patches_per_image=1, projections=4000)
    a, b = (((x - x.mean()) / x.std()).reshape(30, -1) for x in (real, fake))
    expected = 1000 * sliced_wasserstein(a, b, rng=RNG(3), projections=4000)
    assert found["swd_7"] == pytest.approx(expected, rel=0.02)


def test_blur_is_seen_and_most_in_the_finest_level(textures):
    real, fake = textures[:100], textures[100:]
    sharp, blurred, more = (
        image_swd(
            real,
            ndimage.gaussian_filter(fake, (0, s, s, 0)),
            rng=RNG(0),
            projections=32,
            patches_per_image=64,
        )
        for s in (0, 1, 3)
    )
    assert sharp["swd"] < blurred["swd"] < more["swd"]
    for fake in (blurred, more):
        assert fake["swd_32"] - sharp["swd_32"] > fake["swd_16"] - sharp["swd_16"]
    assert more["swd_32"] > 4 * sharp["swd_32"]


def test_patches_are_squares_of_the_image_normalised_by_channel():
    images = RNG(0).standard_normal((3, 9, 9, 2)) * [1, 50] + [3, 8]
    y, x = np.array([0, 2, 1, 0, 2, 1]), np.array([0, 1, 2, 2, 0, 1])
    found = swd._patches(images, y, x, 7, 2).reshape(6, 2, 7, 7)
    np.testing.assert_allclose(found.mean((0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(found.std((0, 2, 3)), 1)
    cut = np.stack([images[i // 2, y[i] : y[i] + 7, x[i] : x[i] + 7] for i in range(6)])
    expected = (cut - cut.mean((0, 1, 2))) / cut.std((0, 1, 2))
    np.testing.assert_allclose(found, expected.transpose(0, 3, 1, 2))


def test_identical_flat_images_give_a_number():
    flat = np.full((20, 16, 16, 1), 0.5)
    assert image_swd(flat, flat, rng=RNG(0)) == {"swd_16": 0.0, "swd": 0.0}


def test_other_sizes_and_patches_that_do_not_fit_are_refused():
    a = np.zeros((5, 16, 16, 1))
    with pytest.raises(UsageError, match="one size"):
        image_swd(a, np.zeros((5, 16, 16, 3)), rng=RNG(0))
    with pytest.raises(UsageError, match="at most 4 pixels"):
        image_swd(a[:, :4, :4], a[:, :4, :4], rng=RNG(0))
    with pytest.raises(UsageError, match="not finite"):
        image_swd(a, a * np.nan, rng=RNG(0))
