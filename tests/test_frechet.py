"""The Frechet distance: closed forms, scipy's matrix root, and the properties of a distance."""

from __future__ import annotations

import tracemalloc
import warnings

import numpy as np
import pytest
from scipy import linalg, ndimage

from ganzoo.errors import UsageError
from ganzoo.eval.frechet import (
    FewSamples,
    Gaussian,
    Moments,
    cautions,
    fid,
    frechet_distance,
    frechet_of_gaussians,
    frechet_per_class,
    gaussian,
)


def draw(n: int, d: int, seed: int = 0) -> np.ndarray:
    """Correlated features whose deviations differ."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) / np.sqrt(d)


def with_sqrtm(real: np.ndarray, fake: np.ndarray) -> float:
    s, t = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    difference = real.mean(0) - fake.mean(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", linalg.LinAlgWarning)  # singular, in one test on purpose
        root = linalg.sqrtm(s @ t).real
    return difference @ difference + np.trace(s + t - 2 * root)


def test_equal_covariances_leave_the_squared_distance_of_the_means():
    x = draw(300, 8)
    assert frechet_distance(x, x + np.arange(8)) == pytest.approx(np.sum(np.arange(8) ** 2))


def test_diagonal_covariances_leave_the_squared_distance_of_the_deviations():
    a, b = np.array([1.0, 4.0, 0.0]), np.array([9.0, 4.0, 2.0])
    mean = np.array([1.0, -2.0, 0.0])
    found = frechet_of_gaussians(
        Gaussian(mean, np.diag(a), 100), Gaussian(np.zeros(3), np.diag(b), 100)
    )
    assert found == pytest.approx(5 + np.sum((np.sqrt(a) - np.sqrt(b)) ** 2), rel=1e-12)


@pytest.mark.parametrize(("n", "m"), [(500, 500), (500, 300)])
def test_it_is_what_the_matrix_root_gives(n, m):
    real, fake = draw(n, 40), draw(m, 40, seed=1) + 0.3
    assert frechet_distance(real, fake) == pytest.approx(with_sqrtm(real, fake), rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(30, 20), (30, 300), (300, 30), (99, 101)])
def test_fewer_samples_than_dimensions_have_the_distance_of_their_own_span(n, m):
    """In an orthonormal basis of all the samples the same problem has full rank."""
    rng = np.random.default_rng(3)
    basis = np.linalg.qr(rng.standard_normal((100, 10)))[0]
    real, fake = draw(n, 10), draw(m, 10, seed=1) + 0.5
    expected = with_sqrtm(real, fake)
    assert frechet_distance(real @ basis.T, fake @ basis.T) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("n", "d"), [(10, 3000), (3000, 10)])
def test_no_matrix_of_the_larger_of_count_and_dimension_is_made(n, d):
    x = np.random.default_rng(0).standard_normal((n, d))
    tracemalloc.start()
    frechet_distance(x, x + 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 3000**2 / 4


def test_streamed_statistics_agree_with_the_low_rank_form():
    real, fake = draw(30, 100), draw(20, 100, seed=1)
    streamed = frechet_of_gaussians(gaussian(real), gaussian(fake))
    assert streamed == pytest.approx(frechet_distance(real, fake), rel=1e-9)
    assert frechet_of_gaussians(gaussian(fake), gaussian(real)) == pytest.approx(streamed, rel=1e-9)


@pytest.mark.parametrize("n", [20, 200])
def test_a_set_is_at_distance_zero_from_itself(n):
    x = draw(n, 50)
    assert 0 <= frechet_distance(x, x) < 1e-10
    assert 0 <= frechet_distance(x, x[::-1]) < 1e-10


def test_real_and_fake_may_change_places():
    real, fake = draw(200, 20), draw(300, 20, seed=1)
    assert frechet_distance(real, fake) == pytest.approx(frechet_distance(fake, real), rel=1e-10)


def test_constant_and_repeated_features_do_no_harm():
    real, fake = draw(200, 10), draw(200, 10, seed=1)
    wide = [np.hstack([x, x[:, :1], np.full((200, 1), 3.0)]) for x in (real, fake)]
    assert frechet_distance(*wide) == pytest.approx(with_sqrtm(*wide), rel=1e-6)


def test_identical_samples_have_no_spread():
    one = np.ones((50, 4))
    assert frechet_distance(one, one) == 0
    assert frechet_distance(one, one + 1) == pytest.approx(4)


def test_more_noise_and_more_blur_are_further_away():
    rng = np.random.default_rng(0)
    images = ndimage.gaussian_filter(rng.standard_normal((400, 6, 6)), (0, 0.7, 0.7))
    flat = images.reshape(400, -1)
    noisy = [
        frechet_distance(flat, flat + s * rng.standard_normal(flat.shape)) for s in (0.1, 0.3, 1)
    ]
    blurred = [
        frechet_distance(flat, ndimage.gaussian_filter(images, (0, s, s)).reshape(400, -1))
        for s in (0.3, 0.6, 1.2)
    ]
    assert noisy == sorted(noisy)
    assert blurred == sorted(blurred)
    assert min(noisy + blurred) > 0


def test_every_dropped_mode_is_further_away():
    rng = np.random.default_rng(0)
    label = np.arange(1000) % 5
    x = rng.standard_normal((1000, 6)) + 4 * np.eye(5, 6)[label]
    distances = [frechet_distance(x, x[label < kept]) for kept in (5, 4, 3, 2, 1)]
    assert distances == sorted(distances)
    assert distances[1] > 0.1


def test_batches_of_any_size_give_the_same_moments():
    x = draw(101, 7) + 5
    whole = gaussian(x)
    for size in (1, 10, 101):
        moments = Moments(7)
        for i in range(0, 101, size):
            moments.add(x[i : i + size])
        found = moments.gaussian()
        assert found.n == 101
        np.testing.assert_allclose(found.mean, whole.mean, rtol=1e-12)
        np.testing.assert_allclose(found.covariance, whole.covariance, rtol=1e-10, atol=1e-13)


def test_two_halves_merge_into_the_whole():
    x = draw(90, 5)
    left, right = Moments(5), Moments(5)
    left.add(x[:20])
    right.add(x[20:])
    left.merge(right)
    left.merge(Moments(5))
    np.testing.assert_allclose(left.gaussian().covariance, np.cov(x, rowvar=False), rtol=1e-10)


def test_empty_accumulators_merge_into_an_empty_one():
    moments = Moments(3)
    moments.merge(Moments(3))
    with pytest.raises(UsageError, match="found 0"):
        moments.gaussian()


def test_moments_far_from_zero_keep_their_digits():
    x = draw(2000, 3)
    moments = Moments(3)
    for part in np.split(x + 1e7, 40):
        moments.add(part)
    np.testing.assert_allclose(moments.gaussian().covariance, np.cov(x, rowvar=False), rtol=1e-6)


def test_float32_batches_are_summed_in_float64():
    x = (draw(1000, 2) * 1e-3 + 100).astype(np.float32)
    moments = Moments(2)
    moments.add(x)
    expected = np.cov(x.astype(np.float64), rowvar=False)
    np.testing.assert_allclose(moments.gaussian().covariance, expected, rtol=1e-9)


def test_each_class_has_its_own_distance_and_a_missing_one_has_none():
    x, label = draw(90, 3), np.arange(90) % 3
    shifted = x + (label == 1)[:, None]
    found = frechet_per_class(x, label, shifted[label < 2], label[label < 2])
    assert found == {0: pytest.approx(0, abs=1e-10), 1: pytest.approx(3), 2: None}


def test_few_samples_are_said():
    assert cautions(10_000, 10_000, 2048) == []
    assert len(cautions(10_000, 5_000, 2048)) == 1
    assert len(cautions(1_000, 10_000, 2048)) == 2
    assert [len(cautions(n, n, 10)) for n in (19, 20, 9_999, 10_000)] == [2, 1, 1, 0]


def test_a_score_is_the_distance_of_features_or_of_statistics_in_any_mixture():
    real, fake = draw(10_000, 3), draw(10_000, 3, seed=1) + 0.1  # enough, so nothing is said
    for r in (real, gaussian(real)):
        for f in (fake, gaussian(fake)):
            assert fid(r, f) == pytest.approx(frechet_distance(real, fake), rel=1e-10)


@pytest.mark.parametrize("given", [np.asarray, gaussian])
def test_a_score_of_few_samples_warns_where_it_was_asked_for(given):
    x = given(draw(30, 20))
    many = given(draw(10_000, 20))
    with pytest.warns(FewSamples):
        fid(many, x)
    with pytest.warns(FewSamples) as said:
        fid(x, many)
    assert [str(w.message) for w in said] == cautions(30, 10_000, 20)
    assert {w.filename for w in said} == {__file__}


def test_the_distance_itself_says_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frechet_distance(draw(30, 20), draw(30, 20))


@pytest.mark.parametrize(
    ("statistics", "said"),
    [
        ((np.full(3, np.nan), np.eye(3), 9), "finite mean"),
        ((np.zeros(3), np.diag([1, np.inf, 1]), 9), "finite covariance"),
        ((np.zeros(3), np.eye(4), 9), r"\(3,\) and \(4, 4\)"),
        ((np.zeros((3, 1)), np.eye(3), 9), r"\(3, 1\)"),
        ((np.zeros(3), np.eye(3), 1), "of 1 samples"),
        ((np.zeros(3), np.triu(np.ones((3, 3))), 9), "symmetric"),
        ((np.zeros(3), -np.eye(3), 9), "no variance below 0"),
    ],
)
def test_statistics_that_belong_to_no_features_are_refused(statistics, said):
    with pytest.raises(UsageError, match=said):
        Gaussian(*statistics)


def test_statistics_in_float32_become_float64():
    x = draw(300, 5)
    g = gaussian(x)
    single = Gaussian(g.mean.astype(np.float32), g.covariance.astype(np.float32), g.n)
    assert (single.mean.dtype, single.covariance.dtype) == (np.float64, np.float64)
    assert frechet_of_gaussians(single, g) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("n", "size"), [(5, 1e200), (50, 1e200), (50, 1e100)])
def test_features_too_large_to_square_are_refused_and_not_scored(n, size):
    """`max(0.0, nan)` would be 0.0, the perfect score."""
    with pytest.raises(UsageError, match="finite"):
        frechet_distance(size * draw(n, 9), size * draw(n, 9, seed=1))


def test_a_mean_too_far_away_to_square_is_refused():
    far = Gaussian(np.full(3, 1e200), np.eye(3), 100)
    with pytest.raises(UsageError, match="finite"):
        frechet_of_gaussians(far, Gaussian(np.zeros(3), np.eye(3), 100))


def test_each_vector_needs_a_label():
    x = draw(9, 3)
    with pytest.raises(UsageError, match=r"9 fake vectors.*\(8,\)"):
        frechet_per_class(x, np.zeros(9, int), x, np.zeros(8, int))


@pytest.mark.parametrize(
    ("real", "fake", "said"),
    [
        (np.zeros((1, 3)), np.zeros((9, 3)), r"at least 2 real vectors.*\(1, 3\)"),
        (np.zeros((9, 3)), np.zeros((9, 4)), "3 and 4"),
        (np.zeros((9, 3, 1)), np.zeros((9, 3)), r"\(9, 3, 1\)"),
        (np.zeros((9, 3)), np.full((9, 3), np.nan), "27 of 27"),
        (np.zeros((9, 3)), np.full((9, 3), "a"), "real numbers"),
    ],
)
def test_unfit_features_are_refused_in_one_sentence(real, fake, said):
    with pytest.raises(UsageError, match=said):
        frechet_distance(real, fake)


def test_a_batch_of_another_dimension_is_refused():
    with pytest.raises(UsageError, match="3 and 4"):
        Moments(3).add(np.zeros((2, 4)))
    with pytest.raises(UsageError, match="found 0"):
        Moments(3).gaussian()
