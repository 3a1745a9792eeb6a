"""Modes: counted by hand, on rings with gaps, and on a thousand triples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from ganzoo.errors import UsageError
from ganzoo.eval.modes import class_modes, expected_kl, point_modes, stacked_modes

RNG = np.random.default_rng
RING = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], 1)


def says(labels: np.ndarray, classes: int = 10) -> np.ndarray:
    """A classifier that is certain."""
    return np.eye(classes)[labels]


def test_all_classes_in_their_shares_are_a_perfect_answer():
    labels = np.arange(1000) % 10
    found = class_modes(labels, says(labels[::-1]))
    assert (found["covered"], found["classes"], found["missing"]) == (10, 10, [])
    assert found["entropy"] == pytest.approx(math.log(10))
    assert found["kl_fake_real"] == found["kl_real_fake"] == pytest.approx(0)
    assert found["confidence"] == 1


def test_missing_classes_are_named_and_the_divergence_is_that_of_the_rest():
    labels = np.arange(1000) % 10
    found = class_modes(labels, says(labels[labels < 5]))
    assert (found["covered"], found["missing"]) == (5, [5, 6, 7, 8, 9])
    assert found["kl_fake_real"] == pytest.approx(math.log(2))
    assert found["kl_real_fake"] == math.inf
    assert found["histogram"] == [0.2] * 5 + [0.0] * 5


def test_a_lucky_sample_is_no_coverage_and_the_share_that_is_can_be_set():
    labels = np.concatenate([np.arange(990) % 9, np.full(5, 9)])
    real = np.arange(1000) % 10
    assert class_modes(real, says(labels))["missing"] == [9]
    assert class_modes(real, says(labels), min_share=0.05)["missing"] == []
    assert class_modes(real, says(labels[labels < 9]), min_share=0)["missing"] == [9]


def test_the_share_is_relative_to_the_reals():
    real = np.concatenate([np.zeros(990, int), np.ones(10, int)])
    fake = np.concatenate([np.zeros(998, int), np.ones(2, int)])
    assert class_modes(real, says(fake, 2))["covered"] == 2


@pytest.mark.parametrize("classes", [3, 7, 10])
def test_a_class_with_exactly_the_least_share_is_covered(classes):
    real = np.arange(100 * classes) % classes
    least = np.full(10, classes - 1)
    fake = np.concatenate([np.arange(100 * classes - 10) % (classes - 1), least])
    assert class_modes(real, says(fake, classes))["missing"] == []
    assert class_modes(real, says(fake[:-1], classes))["missing"] == [classes - 1]


def test_classes_that_the_reals_lack_are_not_asked_for():
    found = class_modes(np.arange(100) % 3, says(np.arange(100) % 3, 10))
    assert (found["covered"], found["classes"], found["missing"]) == (3, 3, [])


def test_doubt_lowers_confidence():
    labels = np.arange(100) % 10
    assert class_modes(labels, 0.5 * says(labels) + 0.05)["confidence"] == pytest.approx(0.55)


def test_a_full_set_of_stacked_digits_has_a_thousand_modes_and_no_divergence():
    digits = np.stack(np.unravel_index(np.arange(26_000) % 1000, (10, 10, 10)), 1)
    found = stacked_modes(says(digits))
    assert (found["modes"], found["of"], found["n"]) == (1000, 1000, 26_000)
    assert found["kl_fake_real"] == pytest.approx(0, abs=1e-12)
    same = stacked_modes(says(digits), real_digits=digits)
    assert same["kl_fake_real"] == pytest.approx(0, abs=1e-12)


def test_stacked_modes_are_counted_once_each():
    digits = np.array([[1, 2, 3], [1, 2, 3], [3, 2, 1], [0, 0, 9]])
    found = stacked_modes(says(digits))
    assert found["modes"] == 3
    shares = np.array([0.5, 0.25, 0.25])
    assert found["kl_fake_real"] == pytest.approx((shares * np.log(shares * 1000)).sum())


def test_the_divergence_of_stacks_is_from_the_real_digits_where_they_are_given():
    digits = np.array([[1, 2, 3], [1, 2, 3], [1, 2, 3], [3, 2, 1]])
    found = stacked_modes(says(digits[2:]), real_digits=digits)
    assert found["kl_fake_real"] == pytest.approx(0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(2))
    assert found["confidence"] == 1


def test_stacks_that_all_show_one_digit_find_ten_modes():
    digits = np.repeat(np.arange(200)[:, None] % 10, 3, axis=1)
    assert stacked_modes(says(digits))["modes"] == 10


def test_a_ring_with_three_modes_hit_counts_three():
    mode = np.arange(300) % 3
    points = RING[mode] + 0.01 * RNG(0).standard_normal((300, 2))
    found = point_modes(points, centres=RING, sigma=0.01)
    assert (found["modes"], found["of"]) == (3, 8)
    assert found["histogram"] == pytest.approx([1 / 3] * 3 + [0] * 5)
    assert found["kl_fake_real"] == pytest.approx(math.log(8 / 3))


def test_the_mixture_itself_has_the_share_of_good_samples_of_a_plane_gaussian():
    """P(|x| <= 3 sigma) = 1 - exp(-9 / 2) in two dimensions."""
    points = RING[RNG(0).integers(0, 8, 20_000)] + 0.02 * RNG(1).standard_normal((20_000, 2))
    found = point_modes(points, centres=RING, sigma=0.02)
    assert found["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.003)
    assert found["modes"] == 8
    assert found["kl_fake_real"] < 1e-3


def test_a_sample_beyond_three_sigma_finds_no_mode():
    found = point_modes(RING * 1.5, centres=RING, sigma=0.1)
    assert (found["modes"], found["high_quality"]) == (0, 0)
    assert found["histogram"] == [1 / 8] * 8
    assert point_modes(RING * 1.5, centres=RING, sigma=0.1, within=6)["modes"] == 8


def test_good_samples_have_a_divergence_of_their_own():
    """Half of the first mode is good and all of the second: 1/3 and 2/3 of the good samples."""
    mode = np.arange(400) % 2
    points = RING[mode] * np.where((mode == 0) & (np.arange(400) < 200), 1.1, 1)[:, None]
    found = point_modes(points, centres=RING, sigma=0.01)
    assert found["high_quality"] == 0.75
    assert found["kl_fake_real"] == pytest.approx(math.log(4))
    shares = np.array([1 / 3, 2 / 3])
    assert found["kl_good"] == pytest.approx((shares * np.log(8 * shares)).sum())
    assert point_modes(RING * 1.5, centres=RING, sigma=0.1)["kl_good"] == math.inf


@pytest.mark.parametrize(("modes", "n"), [(2, 1), (8, 2_500), (1000, 26_000)])
def test_the_divergence_of_a_perfect_generator_is_the_mean_over_many(modes, n):
    counts = RNG(0).multinomial(n, np.full(modes, 1 / modes), size=400)
    drawn = special.rel_entr(counts / n, 1 / modes).sum(1)
    found = expected_kl(np.full(modes, 1 / modes), n)
    assert found == pytest.approx(drawn.mean(), abs=4 * drawn.std() / 20 + 1e-12)


def test_the_divergence_of_one_sample_is_known_and_that_of_many_is_the_leading_term():
    assert expected_kl(np.full(7, 1 / 7), 1) == pytest.approx(math.log(7))
    assert expected_kl(np.full(10, 0.1), 10_000) == pytest.approx(9 / 20_000, rel=1e-3)


def test_the_divergence_from_other_shares_is_theirs_and_that_of_sampling():
    shares, uniform = np.arange(1, 11) / 55, np.full(10, 0.1)
    apart = special.rel_entr(shares, uniform).sum()
    found = expected_kl(shares, 5_000, real=uniform)
    assert found == pytest.approx(apart + 9 / 10_000, rel=1e-4)
    counts = RNG(0).multinomial(5_000, shares, size=400)
    drawn = special.rel_entr(counts / 5_000, uniform).sum(1)
    assert found == pytest.approx(drawn.mean(), abs=4 * drawn.std() / 20)
    assert expected_kl(uniform, 10, real=np.eye(10)[0]) == math.inf


def test_every_dropped_mode_costs_a_mode_and_raises_the_divergence():
    points = RING[np.arange(800) % 8] + 0.01 * RNG(0).standard_normal((800, 2))
    found = [
        point_modes(points[np.arange(800) % 8 < kept], centres=RING, sigma=0.01)
        for kept in (8, 5, 2, 1)
    ]
    assert [f["modes"] for f in found] == [8, 5, 2, 1]
    divergences = [f["kl_fake_real"] for f in found]
    assert divergences == sorted(divergences)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: class_modes(np.array([0, 12]), says(np.arange(10))), "below 10, found 12"),
        (lambda: class_modes(np.array([0.5]), says(np.arange(10))), "whole numbers"),
        (lambda: class_modes(np.arange(10), 3 * says(np.arange(10))), "softmax"),
        (
            lambda: class_modes(np.arange(10), says(np.arange(10)), min_share=math.nan),
            "from 0 to 1, found nan",
        ),
        (lambda: stacked_modes(says(np.arange(10))), "3 axes"),
        (
            lambda: stacked_modes(says(np.zeros((4, 3), int)), real_digits=np.zeros((4, 2), int)),
            r"\(m, 3\)",
        ),
        (lambda: point_modes(RING, centres=RING, sigma=0), "sigma above 0"),
        (lambda: expected_kl(np.full(3, 0.5), 10), "of sum 1.5"),
        (lambda: expected_kl(np.full(2, 0.5), 10, real=np.full(3, 1 / 3)), "2 and 3 shares"),
        (lambda: point_modes(RING, centres=RING[:, :1], sigma=1), "dimension"),
        (lambda: point_modes(RING * np.nan, centres=RING, sigma=1), "finite"),
    ],
)
def test_unfit_input_is_refused(call, said):
    with pytest.raises(UsageError, match=said):
        call()
