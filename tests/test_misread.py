"""Modes that a classifier's errors make: closed forms, and samples that are really misread."""

from __future__ import annotations

import numpy as np
import pytest

from ganzoo.errors import UsageError
from ganzoo.eval.misread import error_rates, misread_modes

RNG = np.random.default_rng
N = 26_000


def confusion(images: int = 5_000, share: float = 0.005) -> np.ndarray:
    """Ten classes, each mostly taken for its neighbours where it is taken for another."""
    wrong = np.zeros((10, 10))
    for a in range(10):
        wrong[a, (a + 1) % 10], wrong[a, (a + 2) % 10], wrong[a, (a - 1) % 10] = 0.6, 0.3, 0.1
    return np.rint(images * ((1 - share) * np.eye(10) + share * wrong)).astype(int)


RATES = error_rates(confusion())


def read(digits: np.ndarray, rates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Counts (10, 10, 10) of drawn digits (n, 3), each read by chance as the rates say."""
    thresholds = rates.cumsum(1)[digits]
    said = (rng.random((*digits.shape, 1)) > thresholds).sum(2).clip(0, 9)
    counts = np.zeros((10, 10, 10), int)
    np.add.at(counts, tuple(said.T), 1)
    return counts


def drawn(choices: list[list[int]], rng: np.random.Generator, n: int = N) -> np.ndarray:
    return np.stack([rng.choice(digits, n) for digits in choices], 1)


def test_of_one_triple_the_expected_modes_are_those_of_the_closed_form():
    counts = np.zeros((10, 10, 10), int)
    counts[3, 5, 8] = N
    found = misread_modes(counts, RATES)
    product = np.einsum("i,j,k", RATES[3], RATES[5], RATES[8])
    product[3, 5, 8] = 0
    assert found["expected"] == pytest.approx((1 - (1 - product) ** N).sum())
    assert found["beyond"] == 1


@pytest.mark.parametrize(
    "choices",
    [[[3], [5], [8]], [[0, 1, 2, 3, 4]] * 3, [[0, 2, 4, 6, 8], [1, 9], list(range(10))]],
)
def test_misread_samples_make_as_many_modes_as_are_expected(choices):
    true = np.prod([len(digits) for digits in choices])
    made, expected = [], []
    for seed in range(20):
        counts = read(drawn(choices, RNG(seed)), RATES, RNG(1000 + seed))
        found = misread_modes(counts, RATES)
        made.append((counts > 0).sum() - true)
        expected.append(found["expected"])
        assert abs(found["beyond"] - true) <= 2
    spread = np.std(made) / len(made) ** 0.5
    assert np.mean(made) > 5
    assert np.mean(expected) == pytest.approx(np.mean(made), abs=4 * spread)


def test_where_all_modes_are_there_errors_explain_none():
    counts = read(drawn([list(range(10))] * 3, RNG(0)), RATES, RNG(1))
    assert misread_modes(counts, RATES) == {"beyond": 1000, "expected": 0.0}


def test_a_classifier_without_errors_explains_nothing():
    counts = np.zeros((10, 10, 10), int)
    counts[1, 2, 3], counts[4, 5, 6] = N, 1
    assert misread_modes(counts, np.eye(10)) == {"beyond": 2, "expected": 0.0}


def test_modes_of_few_samples_are_told_from_errors_by_how_rare_those_are():
    """3, 5, 8 is misread as 4, 5, 8 about 78 times: 70 more of it are a mode, 10 are none."""
    counts = np.rint(N * np.einsum("i,j,k", RATES[3], RATES[5], RATES[8])).astype(int)
    for more, beyond in ((10, 1), (70, 2)):
        found = counts.copy()
        found[4, 5, 8] += more
        assert misread_modes(found, RATES)["beyond"] == beyond


def test_error_rates_are_shares_with_one_image_of_each_class_spread_over_all():
    assert RATES.sum(1) == pytest.approx(1)
    assert RATES[0, 5] == pytest.approx(0.1 / 5_001)
    assert RATES[0, 0] == pytest.approx((confusion()[0, 0] + 0.1) / 5_001)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: error_rates(np.zeros((3, 3), int)), "real images of each class"),
        (lambda: error_rates(np.ones((3, 2), int)), r"\(classes, classes\)"),
        (lambda: misread_modes(np.zeros((10, 10, 10), int), RATES), "found 0"),
        (lambda: misread_modes(np.ones((9, 9), int), RATES), "10 classes"),
        (lambda: misread_modes(np.ones((10, 10), int), 2 * RATES), "sum 1"),
    ],
)
def test_unfit_input_is_refused(call, said):
    with pytest.raises(UsageError, match=said):
        call()
