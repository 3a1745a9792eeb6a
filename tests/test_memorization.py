"""Copies are found, generalisation is not accused, and duplicates bound the support."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from ganzoo.errors import UsageError
from ganzoo.eval import memorization as module
from ganzoo.eval.distances import squared_distances
from ganzoo.eval.memorization import (
    birthday_paradox,
    closest_pairs,
    copying_z,
    mann_whitney_z,
    memorization,
    nearest,
)

RNG = np.random.default_rng


def reals(n: int, seed: int) -> np.ndarray:
    return RNG(seed).standard_normal((n, 6))


def test_the_nearest_neighbour_is_the_one_of_the_whole_matrix():
    q, r = reals(70, 0), reals(90, 1)
    distances, index = nearest(q, r)
    d = cdist(q, r)
    np.testing.assert_array_equal(index, d.argmin(1))
    np.testing.assert_allclose(distances, d.min(1), rtol=1e-9)


def test_a_copy_is_at_distance_zero_exactly():
    x = RNG(0).standard_normal((500, 64)) + 100
    distances, index = nearest(x[::-1], x)
    assert not distances.any()
    np.testing.assert_array_equal(index, np.arange(500)[::-1])


def test_samples_of_the_distribution_are_not_accused():
    found = memorization(reals(400, 0), reals(400, 1), reals(400, 2))
    assert found["ratio"] == pytest.approx(1, abs=0.1)
    assert abs(found["z"]) < 3
    assert found["closer"] < 0.05


def test_copies_with_a_little_noise_are_found_with_their_originals():
    train = reals(400, 0)
    copies = train[::-1] + 0.01 * reals(400, 3)
    found = memorization(train, reals(400, 1), copies, pairs=7)
    assert found["ratio"] < 0.1
    assert found["z"] < -10
    assert found["p_value"] < 1e-20
    assert found["closer"] > 0.9
    assert len(found["pairs"]) == 7
    assert all(i + j == 399 for i, j, _ in found["pairs"])
    distances = [d for *_, d in found["pairs"]]
    assert distances == sorted(distances)


def test_samples_beside_the_data_are_bad_but_no_copies():
    found = memorization(reals(200, 0), reals(200, 1), reals(200, 2) + 5)
    assert found["ratio"] > 2
    assert found["z"] > 10
    assert found["closer"] == 0


def test_one_sample_far_away_does_not_hide_the_copies():
    train = reals(200, 0)
    copies = np.concatenate([train[:199], np.full((1, 6), 1e6)])
    assert memorization(train, reals(200, 1), copies)["ratio"] == 0


def test_more_copies_lower_z():
    train, fresh = reals(300, 0), reals(300, 2)
    z = [
        memorization(train, reals(300, 1), np.concatenate([train[:n], fresh[n:]]))["z"]
        for n in (0, 50, 150, 300)
    ]
    assert z == sorted(z, reverse=True)


def test_z_is_the_mann_whitney_test_with_and_without_ties():
    for a, b in (
        (reals(40, 0)[:, 0], reals(30, 1)[:, 0] + 0.3),
        (RNG(0).integers(0, 4, 40), RNG(1).integers(0, 5, 30)),
    ):
        expected = stats.mannwhitneyu(
            a, b, alternative="less", method="asymptotic", use_continuity=False
        )
        assert stats.norm.cdf(mann_whitney_z(a, b)) == pytest.approx(expected.pvalue)
    assert mann_whitney_z(np.ones(5), np.ones(4)) == 0


def test_one_cell_is_the_global_test():
    train, held_out, samples = reals(200, 0), reals(100, 1), reals(100, 2)
    whole = memorization(train, held_out, samples)["z"]
    assert copying_z(train, held_out, samples, rng=RNG(0), cells=1) == pytest.approx(whole)


def test_copying_in_one_region_hides_from_the_global_test_and_not_from_the_cells():
    """Meehan et al. 2020, section 3.1: elsewhere the generator underfits, which cancels."""

    def two_blobs(seed):
        return reals(600, seed) + 20 * (np.arange(600) % 2)[:, None]

    train, held_out, samples = two_blobs(0), two_blobs(1), two_blobs(2)
    samples[::2] = 1.5 * samples[::2]
    samples[1::20] += 4.0
    samples[3::4] = train[3::4]
    hidden = memorization(train, held_out, samples)["z"]
    seen = copying_z(train, held_out, samples, rng=RNG(0), cells=2)
    assert hidden > 0
    blob = [x[1::2] for x in (train, held_out, samples)]
    assert memorization(*blob)["z"] < -3
    assert seen == pytest.approx(
        (memorization(*blob)["z"] + memorization(train[::2], held_out[::2], samples[::2])["z"]) / 2,
        rel=0.05,
    )


def test_cells_weigh_what_they_hold_of_the_held_out_set():
    """Meehan et al. 2020, equation 3: 300 and 100 vectors."""

    def two_blobs(seed):
        return reals(400, seed) + 20 * (np.arange(400) < 100)[:, None]

    train, held_out, samples = two_blobs(0), two_blobs(1), two_blobs(2)
    samples[:100] = train[:100]
    small, large = (
        memorization(train[part], held_out[part], samples[part])["z"]
        for part in (slice(100), slice(100, None))
    )
    found = copying_z(train, held_out, samples, rng=RNG(0), cells=2)
    assert found == pytest.approx((small + 3 * large) / 4)
    assert small < -10


@pytest.mark.parametrize("entries", [1, 200, 10**6])
def test_blocks_of_any_size_find_the_same(entries, monkeypatch):
    x, y = reals(80, 0), reals(60, 1)
    x[70] = x[3]

    def found():
        return *nearest(x, y), *zip(*closest_pairs(x, pairs=5), strict=True)

    whole, duplicates = found(), birthday_paradox(x, threshold=0.8)
    blocks = functools.partial(squared_distances, entries=entries)
    monkeypatch.setattr(module, "squared_distances", blocks)
    for a, b in zip(found(), whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)
    assert birthday_paradox(x, threshold=0.8) == duplicates
    assert duplicates["duplicates"] > 1


def test_held_out_copies_of_the_training_set_are_refused_as_a_baseline():
    x = reals(50, 0)
    with pytest.raises(UsageError, match="another split"):
        memorization(x, x, reals(50, 1))


def test_the_closest_pairs_are_the_whole_matrix_sorted():
    x = reals(80, 0)
    d = cdist(x, x)
    i, j = np.triu_indices(80, 1)
    order = np.argsort(d[i, j])[:12]
    found = closest_pairs(x, pairs=12)
    assert [(a, b) for a, b, _ in found] == list(zip(i[order], j[order], strict=True))
    assert [c for *_, c in found] == pytest.approx(d[i, j][order])
    assert len(closest_pairs(x[:3], pairs=20)) == 3


@pytest.mark.parametrize("support", [100, 1000])
def test_the_support_of_a_uniform_choice_is_estimated(support):
    x = reals(support, 0)[RNG(1).integers(0, support, 2000)]
    found = birthday_paradox(x, threshold=1e-9)
    assert found["support"] == pytest.approx(support, rel=0.1)
    assert found["batch"] == pytest.approx(1.177 * math.sqrt(support), rel=0.1)


def test_duplicates_are_counted_in_pairs():
    x = np.repeat(reals(5, 0), [3, 2, 1, 1, 1], axis=0)
    assert birthday_paradox(x, threshold=0)["duplicates"] == 3 + 1
    assert birthday_paradox(x, threshold=0)["support"] == 28 / 4


def test_without_duplicates_only_a_bound_is_known():
    found = birthday_paradox(reals(50, 0), threshold=0)
    assert found == {"duplicates": 0, "support": None, "batch": None, "at_least": 50 * 49 / 2}


def test_a_collapse_has_a_support_of_one():
    assert birthday_paradox(np.ones((30, 4)), threshold=0)["support"] == 1


def test_unfit_input_is_refused():
    with pytest.raises(UsageError, match="threshold"):
        birthday_paradox(reals(5, 0), threshold=-1)
    with pytest.raises(UsageError, match="found 0"):
        closest_pairs(reals(5, 0), pairs=0)
    with pytest.raises(UsageError, match="found -1"):
        memorization(reals(5, 0), reals(5, 1), reals(5, 2), pairs=-1)
    with pytest.raises(UsageError, match="fewer cells"):
        copying_z(reals(50, 0), reals(50, 1), reals(5, 2), rng=RNG(0))
    with pytest.raises(UsageError, match="6 and 2"):
        memorization(reals(50, 0), reals(50, 1), reals(50, 2)[:, :2])
