"""Precision, recall, density, coverage: the definitions written out, and which one fails when."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from ganzoo.errors import UsageError
from ganzoo.eval.prdc import prdc

RNG = np.random.default_rng


def written_out(real: np.ndarray, fake: np.ndarray, k: int) -> dict[str, float]:
    """The published definitions on whole matrices (ties do not occur in these tests)."""
    r_real = np.sort(cdist(real, real), axis=1)[:, k]
    r_fake = np.sort(cdist(fake, fake), axis=1)[:, k]
    d = cdist(real, fake)
    return {
        "precision": (d <= r_real[:, None]).any(0).mean(),
        "recall": (d <= r_fake[None]).any(1).mean(),
        "density": (d <= r_real[:, None]).sum(0).mean() / k,
        "coverage": (d.min(1) <= r_real).mean(),
    }


@pytest.mark.parametrize("k", [1, 3, 5])
def test_they_are_the_published_definitions(k):
    real, fake = RNG(0).standard_normal((150, 4)), 0.8 * RNG(1).standard_normal((130, 4)) + 0.3
    assert prdc(real, fake, k=k) == pytest.approx(written_out(real, fake, k))


def test_three_points_on_a_line_are_counted_by_hand():
    real = np.array([[0.0], [1.0], [3.0]])  # radii 1, 1, 2
    fake = np.array([[0.5], [4.0], [10.0]])  # radii 3.5, 3.5, 6
    assert prdc(real, fake, k=1) == pytest.approx(
        {"precision": 2 / 3, "recall": 1, "density": 1, "coverage": 1}
    )


def test_samples_of_one_distribution_have_density_one_and_the_expected_coverage():
    """E[coverage] = 1 - (n - 1) ... / (2n - 1) ... (Naeem et al. 2020, lemma 2), about 1 - 2^-k."""
    real, fake = RNG(0).standard_normal((2000, 3)), RNG(1).standard_normal((2000, 3))
    found = prdc(real, fake, k=5)
    assert found["density"] == pytest.approx(1, abs=0.05)
    assert found["coverage"] == pytest.approx(1 - 2**-5, abs=0.02)


def test_a_collapse_lowers_recall_and_coverage_and_leaves_precision():
    real = 3 * RNG(0).standard_normal((400, 16))
    found = prdc(real, 0.1 * RNG(1).standard_normal((400, 16)))
    assert found["precision"] > 0.99
    assert found["recall"] < 0.05
    assert found["coverage"] < 0.5


def test_samples_beside_the_data_lower_precision_and_leave_recall():
    real = RNG(0).standard_normal((400, 4))
    fake = np.concatenate([RNG(1).standard_normal((200, 4)), RNG(2).standard_normal((200, 4)) + 20])
    found = prdc(real, fake)
    assert found["precision"] < 0.6
    assert found["recall"] > 0.9


def test_every_dropped_mode_lowers_recall_and_coverage():
    label = np.arange(600) % 6
    real = RNG(0).standard_normal((600, 5)) + 20 * np.eye(6, 5)[label]
    fake = RNG(1).standard_normal((600, 5)) + 20 * np.eye(6, 5)[label]
    found = [prdc(real, fake[label < kept]) for kept in (6, 4, 2, 1)]
    for name in ("recall", "coverage"):
        scores = [f[name] for f in found]
        assert scores == sorted(scores, reverse=True)
        assert scores[0] - scores[-1] > 0.6
    assert min(f["precision"] for f in found) > 0.9


def test_swapping_the_sets_swaps_precision_and_recall():
    a, b = RNG(0).standard_normal((100, 4)), 2 * RNG(1).standard_normal((100, 4))
    assert prdc(a, b)["precision"] == prdc(b, a)["recall"]
    assert prdc(a, b)["precision"] != prdc(a, b)["recall"]


def test_a_set_scores_one_against_itself():
    x = RNG(0).standard_normal((200, 8)).astype(np.float32)
    assert prdc(x, RNG(1).permutation(x)) == pytest.approx(dict.fromkeys(prdc(x, x), 1.0))


def test_ties_on_a_lattice_score_one_against_itself():
    x = np.stack(np.meshgrid(*[np.arange(6.0)] * 3), -1).reshape(-1, 3)
    assert prdc(x, x[::-1]) == pytest.approx(dict.fromkeys(prdc(x, x), 1.0))


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_identical_constant_sets_score_one_and_other_constants_nothing(value):
    one = np.full((40, 7), value)
    assert prdc(one, one[:20]) == pytest.approx(dict.fromkeys(prdc(one, one), 1.0))
    assert set(prdc(one, one + 1).values()) == {0.0}


def test_duplicated_reals_do_not_inflate_density():
    x = RNG(0).standard_normal((60, 3))
    twenty = np.repeat(x, 20, axis=0)
    assert prdc(twenty, x, k=5)["density"] == pytest.approx(1)
    assert prdc(twenty, x, k=5)["coverage"] == 1


def test_far_from_zero_it_is_the_same():
    real, fake = RNG(0).standard_normal((100, 4)), RNG(1).standard_normal((100, 4))
    assert prdc(real + 1e7, fake + 1e7) == pytest.approx(prdc(real, fake))


@pytest.mark.parametrize("entries", [1, 1000, 10**6])
def test_neither_blocks_nor_order_change_a_score(entries):
    real, fake = RNG(0).standard_normal((90, 4)), RNG(1).standard_normal((110, 4))
    assert prdc(real[::-1], fake[::-1], entries=entries) == pytest.approx(prdc(real, fake))


def test_no_matrix_of_all_distances_is_held():
    x = RNG(0).standard_normal((2000, 4))
    tracemalloc.start()
    prdc(x, x + 1, entries=2**16)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2000 * 2000 * 8 / 4


@pytest.mark.parametrize("k", [0, 20])
def test_a_k_beyond_the_samples_is_refused(k):
    with pytest.raises(UsageError, match="from 1 to 19"):
        prdc(np.zeros((20, 2)), np.zeros((30, 2)), k=k)


def test_nans_and_other_dimensions_are_refused():
    with pytest.raises(UsageError, match="diverged"):
        prdc(np.zeros((20, 2)), np.full((20, 2), np.inf))
    with pytest.raises(UsageError, match="2 and 3"):
        prdc(np.zeros((20, 2)), np.zeros((20, 3)))
