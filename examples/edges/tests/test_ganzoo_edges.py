"""The edge distance is zero on itself and grows with what is wrong with the edges."""

import numpy as np
import pytest
from ganzoo_edges import EdgeDistance, histograms, slopes

from ganzoo import data
from ganzoo.eval import UnsuitedError

RNG = np.random.default_rng(0)
DIGITS = data.load("digits").arrays["image"][:400]


def distance(real: np.ndarray, fake: np.ndarray) -> float:
    return EdgeDistance()(real, fake, rng=RNG)["distance"]


def test_it_is_zero_on_itself():
    assert distance(DIGITS, DIGITS) == pytest.approx(0, abs=1e-6)


def test_turned_digits_are_farther_than_other_digits():
    other = data.load("digits").arrays["image"][400:800]
    assert distance(DIGITS, other) < distance(DIGITS, np.rot90(other, axes=(1, 2)))


def test_a_vertical_edge_falls_in_the_first_direction():
    image = np.zeros((1, 16, 16, 1), np.uint8)
    image[:, :, 8:] = 255
    by_direction = histograms(*slopes(image)).reshape(16, 9).sum(0)
    assert by_direction[0] == by_direction.sum() > 0


def test_points_have_no_edges():
    with pytest.raises(UnsuitedError, match="points"):
        distance(np.zeros((4, 2), np.float32), np.zeros((4, 2), np.float32))
