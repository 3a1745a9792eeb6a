"""The Wasserstein distance of numbers: closed forms, and what it says of a run."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ganzoo.errors import UsageError
from ganzoo.eval import evaluate, sources
from ganzoo.eval.swd import sliced_wasserstein
from ganzoo.eval.wasserstein import wasserstein


def quantiles(distribution, n: int) -> np.ndarray:
    """The distribution by n equally heavy numbers (n, 1)."""
    return distribution.ppf((np.arange(n) + 0.5) / n)[:, None]


NORMAL = quantiles(stats.norm(), 20_000)


def test_it_is_zero_on_itself_and_does_not_mind_the_order():
    shuffled = np.random.default_rng(0).permutation(NORMAL)
    assert wasserstein(NORMAL, shuffled) == 0


@pytest.mark.parametrize("shift", [-7.0, 0.25, 5.0])
def test_of_two_shifted_distributions_it_is_the_shift(shift):
    assert wasserstein(NORMAL, NORMAL + shift) == pytest.approx(abs(shift))


def test_of_two_centred_normals_it_is_the_difference_of_deviations_by_the_mean_of_a_normal():
    """W1 = |s - t| E|Z|, and E|Z| = sqrt(2 / pi)."""
    found = wasserstein(0.5 * NORMAL, 2.0 * NORMAL)
    assert found == pytest.approx(1.5 * np.sqrt(2 / np.pi), rel=1e-3)


def test_of_two_uniforms_of_other_counts_it_is_the_area_between_their_functions():
    """U(0, 1) and U(0, 2): the integral of |2 q - q| over q in [0, 1] is 1 / 2."""
    short, long = quantiles(stats.uniform(0, 1), 500), quantiles(stats.uniform(0, 2), 3_000)
    assert wasserstein(short, long) == pytest.approx(0.5, rel=1e-3)
    assert wasserstein(short, long) == wasserstein(long, short)


def test_a_generator_of_one_number_is_as_far_as_the_mean_distance_to_it():
    one = np.full((10, 1), 0.0)
    assert wasserstein(NORMAL, one) == pytest.approx(np.abs(NORMAL).mean())


def test_on_a_line_the_sliced_distance_is_the_same():
    fake = 0.3 * NORMAL[:501] + 1
    sliced = sliced_wasserstein(NORMAL, fake, rng=np.random.default_rng(0), projections=3)
    assert sliced == pytest.approx(wasserstein(NORMAL, fake))


def test_it_is_a_metric_with_its_protocol_and_tells_both_means():
    real, fake = sources.Stored("r", NORMAL[::10]), sources.Stored("f", NORMAL[::20] - 2)
    (score,) = evaluate(fake, ["wasserstein"], against=real)
    assert score.value == pytest.approx(2, rel=1e-2)
    assert score.label == "Wasserstein (1k vs 2k)"
    assert score.better == "lower"
    assert score.details["mean_fake"] - score.details["mean_real"] == pytest.approx(-2, rel=1e-2)


def test_points_of_the_plane_are_sent_to_the_sliced_distance():
    plane = np.zeros((10, 2))
    with pytest.raises(UsageError, match="numbers"):
        wasserstein(plane, plane)
    with pytest.raises(UsageError, match="--swd"):
        evaluate(sources.Stored("f", plane), ["wasserstein"], against=sources.Stored("r", plane))
