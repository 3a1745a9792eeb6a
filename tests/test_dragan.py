"""DRAGAN's penalty against closed forms, and its networks."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from test_stability import SLOPE, drawn, turn_of

from ganzoo.plugin import DataSpec
from ganzoo.plugins.dragan import DRAGAN


def squares(x: tf.Tensor) -> tf.Tensor:
    """Half of the squared length: its slope at x is x."""
    return tf.reduce_sum(x * x, 1, keepdims=True) / 2


@pytest.mark.parametrize("steepness", [0.0, 1.0, 3.0])
def test_the_penalty_of_a_linear_discriminator_is_how_far_its_slope_is_from_k(steepness):
    real = drawn(1)
    found = DRAGAN(weight=10.0, slope=2.0).penalty(
        lambda x: steepness * x @ SLOPE, real, drawn(2), turn_of(real)
    )
    assert float(found) == pytest.approx(10 * (steepness - 2) ** 2, abs=1e-4)


def test_it_is_taken_on_the_way_from_the_reals_to_the_perturbed_ones():
    """Reals at 3 and 5 have std 1: x + a C U, with a and U uniform, whose square has the mean
    x^2 + x C / 2 + C^2 / 9."""
    real, c = np.repeat([[3.0], [5.0]], 20_000, 0), 2.0
    plugin = DRAGAN(weight=1.0, slope=0.0, spread=c)
    found = plugin.penalty(squares, tf.constant(real, tf.float32), None, turn_of(real))
    assert float(found) == pytest.approx((9 + 25) / 2 + 4 * c / 2 + c**2 / 9, rel=0.01)


def test_without_a_spread_it_is_taken_at_the_reals_themselves():
    real = drawn(3)
    found = DRAGAN(weight=1.0, slope=0.0, spread=0.0).penalty(squares, real, None, turn_of(real))
    assert float(found) == pytest.approx(float(tf.reduce_mean(squares(real))) * 2, rel=1e-5)


def test_reals_that_are_all_alike_have_a_finite_penalty():
    real = np.ones((8, 2), np.float32)
    assert np.isfinite(DRAGAN().penalty(squares, tf.constant(real), None, turn_of(real)))


@pytest.mark.parametrize("shape", [(28, 28, 1), (30, 22, 3), (9, 8, 1)])
def test_images_of_any_sides_are_made_and_no_sample_is_judged_by_its_neighbours(shape):
    plugin, spec = DRAGAN(width=2, z_dim=4), DataSpec(shape)
    assert plugin.generator(spec).output_shape[1:] == shape
    judge = plugin.discriminator(spec)
    x = np.random.default_rng(0).uniform(-1, 1, (4, *shape)).astype(np.float32)
    alone, together = judge(x[:1], training=True), judge(x, training=True)
    np.testing.assert_allclose(alone, together[:1], rtol=1e-4, atol=1e-5)
