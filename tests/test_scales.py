"""The distance of points over several scales: its definition, and what it must see."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ganzoo import data
from ganzoo.eval.diagnosis.multiscale_mmd import MultiscaleMMD

BITS = np.random.default_rng(0)


def ring(n: int = 500, skip: int = 0) -> np.ndarray:
    points = data.load("ring").arrays["point"]
    return points[BITS.permutation(len(points))[skip : skip + n]].astype(float)


def test_it_is_the_mean_of_mmd2_over_widths_that_halve():
    real, fake = BITS.normal(0, 1, (40, 3)), BITS.normal(0.5, 1, (30, 3))
    scales = MultiscaleMMD(real)
    assert scales.levels > 1
    found = []
    for level in range(scales.levels):
        width = scales.width / 2**level

        def mean(x, y, width=width):
            pairs = [math.exp(-((a - b) ** 2).sum() / (2 * width**2)) for a in x for b in y]
            return sum(pairs) / len(pairs)

        found.append(mean(real, real) + mean(fake, fake) - 2 * mean(real, fake))
    assert scales.mmd2(fake) == pytest.approx(np.mean(found), rel=1e-9)


def test_a_set_is_at_no_distance_from_itself_in_any_order():
    real = ring()
    assert MultiscaleMMD(real).mmd2(real[::-1]) == pytest.approx(0, abs=1e-12)


def test_a_cloud_with_the_moments_of_the_ring_is_far_from_it():
    real, other = ring(), ring(skip=500)
    cloud = BITS.multivariate_normal(real.mean(0), np.cov(real.T), 500)
    scales = MultiscaleMMD(real)
    assert scales.mmd2(cloud) > 10 * scales.mmd2(other)


def test_it_grows_with_noise_and_with_every_mode_that_is_dropped():
    real, other = ring(), ring(skip=500)
    scales, noise = MultiscaleMMD(real), BITS.normal(0, 1, other.shape)
    noised = [scales.mmd2(other + s * noise) for s in (0, 0.03, 0.1, 0.3)]
    assert noised == sorted(noised)
    mode = np.floor(np.arctan2(other[:, 1], other[:, 0]) / (math.pi / 4) + 0.5).astype(int)
    dropped = [scales.mmd2(other[mode > lowest]) for lowest in (-9, -3, -1, 1)]
    assert dropped == sorted(dropped)


@pytest.mark.parametrize("real", [np.zeros((50, 2)), np.repeat(np.eye(3), 20, axis=0)])
def test_reals_without_any_fine_structure_have_a_distance(real):
    scales = MultiscaleMMD(real)
    assert scales.mmd2(real) == pytest.approx(0, abs=1e-12)
    assert 0 < scales.mmd2(real + 5) < 2
