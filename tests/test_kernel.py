"""Kernel Inception distance: the sum written out, its zero mean, its directions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import polynomial_kernel

from ganzoo.errors import UsageError
from ganzoo.eval import kernel
from ganzoo.eval.kernel import kernel_distance, mmd2

RNG = np.random.default_rng


def test_it_is_the_sum_over_pairs_of_different_samples():
    x, y = RNG(0).standard_normal((7, 3)), RNG(1).standard_normal((5, 3)) + 1

    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    within = [
        np.mean([k(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j])
        for z in (x, y)
    ]
    across = np.mean([k(a, b) for a in x for b in y])
    assert mmd2(x, y) == pytest.approx(sum(within) - 2 * across, rel=1e-12)


def test_the_kernel_is_scikit_learns_cubic_one():
    x = RNG(0).standard_normal((20, 4))
    expected = polynomial_kernel(x, degree=3, gamma=None, coef0=1).sum()
    assert kernel._sum(x, x) == pytest.approx(expected)


def test_rows_at_a_time_change_nothing(monkeypatch):
    x, y = RNG(0).standard_normal((50, 4)), RNG(1).standard_normal((60, 4))
    whole = mmd2(x, y)
    monkeypatch.setattr(kernel, "ROWS", 7)
    assert mmd2(x, y) == pytest.approx(whole, rel=1e-10)


def test_two_sets_of_one_distribution_are_at_zero_on_average():
    x, y = RNG(0).standard_normal((2000, 8)), RNG(1).standard_normal((2000, 8))
    found = kernel_distance(x, y, rng=RNG(2), subsets=200, subset_size=100)
    assert abs(found["kid"]) < 4 * found["kid_std"] / np.sqrt(200)
    assert found["kid_std"] > 0


def test_noise_moves_it_up_and_order_does_not_move_it():
    x, y = RNG(0).standard_normal((300, 8)), RNG(1).standard_normal((300, 8))
    found = [mmd2(x, y + s * RNG(2).standard_normal(y.shape)) for s in (0, 0.5, 1, 2)]
    assert found == sorted(found)
    assert mmd2(x[::-1], y[::-1]) == pytest.approx(mmd2(x, y), rel=1e-9)
    assert mmd2(y, x) == pytest.approx(mmd2(x, y), rel=1e-9)


def test_the_same_seed_draws_the_same_subsets():
    x, y = RNG(0).standard_normal((50, 4)), RNG(1).standard_normal((60, 4))
    a, b, c = (kernel_distance(x, y, rng=RNG(s), subsets=5, subset_size=20) for s in (0, 0, 1))
    assert a == b != c


def test_one_subset_of_everything_is_the_plain_estimate():
    x, y = RNG(0).standard_normal((50, 4)), RNG(1).standard_normal((50, 4))
    found = kernel_distance(x, y, rng=RNG(0), subsets=1, subset_size=50)
    assert found == {"kid": pytest.approx(mmd2(x, y), rel=1e-9), "kid_std": 0}


def test_subsets_larger_than_the_sets_are_refused():
    with pytest.raises(UsageError, match="2 to 50 samples"):
        kernel_distance(np.zeros((50, 3)), np.zeros((90, 3)), rng=RNG(0))


def test_no_subset_at_all_is_refused():
    with pytest.raises(UsageError, match="found 0 of 10"):
        kernel_distance(np.zeros((50, 3)), np.zeros((50, 3)), rng=RNG(0), subsets=0, subset_size=10)
