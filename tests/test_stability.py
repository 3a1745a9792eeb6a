"""GANs that were made to train steadily: their mathematics against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import losses
from ganzoo.layers import cropped, halved
from ganzoo.plugin import DataSpec, Turn
from ganzoo.plugins.lsgan import LSGAN
from ganzoo.plugins.sngan import SNGAN
from ganzoo.plugins.wgan_gp import WGANGP

ROWS = 64
SLOPE = tf.constant([[0.6], [0.8]])
"""A critic x @ SLOPE has a gradient of length 1 everywhere."""


def turn_of(real: tf.Tensor | np.ndarray) -> Turn:
    """A turn at step 0 that shows these points."""
    batch = {"point": tf.convert_to_tensor(real, tf.float32)}
    step = tf.constant(0, tf.int64)
    return Turn(0, batch, step, step, len(real), {})


def drawn(name: int, rows: int = ROWS) -> tf.Tensor:
    return tf.random.stateless_normal((rows, 2), [name, 0])


# -- what several share ---------------------------------------------------------------------------


def test_an_image_is_halved_as_strided_convolutions_do_and_doubled_back():
    assert halved((28, 20, 3)) == [(28, 20), (14, 10), (7, 5), (4, 3)]
    assert halved((3, 3, 1)) == [(3, 3)]
    x = np.arange(64.0, dtype=np.float32).reshape(1, 8, 8, 1)
    np.testing.assert_array_equal(cropped(x, (7, 8)), x[:, :7])
    assert cropped(x, (8, 8)) is x


def test_logits_without_a_zero_are_told_apart_in_the_middle():
    real, fake = tf.constant([[9.0], [11.0], [5.0], [11.0]]), tf.constant([[5.0], [6.0]])
    assert [float(share) for share in losses.told_apart(real, fake)] == [0.75, 1.0]


# -- wgan_gp --------------------------------------------------------------------------------------


@pytest.mark.parametrize("steepness", [0.0, 1.0, 3.0])
def test_the_gradient_penalty_of_a_linear_critic_is_how_far_its_slope_is_from_1(steepness):
    real = drawn(1)
    found = WGANGP(weight=10.0).penalty(
        lambda x: steepness * x @ SLOPE, real, drawn(2), turn_of(real)
    )
    assert float(found) == pytest.approx(10 * (steepness - 1) ** 2, abs=1e-4)


def test_the_gradient_penalty_is_taken_on_the_way_from_real_to_fake():
    real, fake = tf.zeros((20_000, 2)), 2 * tf.ones((20_000, 1)) @ tf.transpose(SLOPE)
    half_square = lambda x: tf.reduce_sum(x * x, 1, keepdims=True) / 2  # noqa: E731
    found = WGANGP(weight=1.0).penalty(half_square, real, fake, turn_of(real))
    assert float(found) == pytest.approx(1 / 3, abs=0.01)  # the mean of (2 t - 1)^2 over [0, 1]


# -- lsgan ----------------------------------------------------------------------------------------


def test_the_targets_of_the_least_squares_are_the_papers_letters():
    real, fake = tf.constant([[1.0], [3.0]]), tf.constant([[0.5], [-1.0]])
    pearson = LSGAN(a=-1.0, b=1.0, c=0.0)  # equation 8, whose sum is Pearson's chi squared
    assert float(pearson.d_loss(real, fake)) == pytest.approx((0 + 4) / 4 + (2.25 + 0) / 4)
    assert float(pearson.g_loss(fake)) == pytest.approx((0.25 + 1) / 4)
    assert float(LSGAN().d_loss(real, fake)) == pytest.approx((0 + 4) / 4 + (0.25 + 1) / 4)
    assert [float(share) for share in LSGAN().accuracy(real, fake)] == [1.0, 0.5]


def test_a_fake_on_the_right_side_of_the_border_still_pulls():
    """Figure 1 of the paper: where D is sure of a fake, logarithms leave no slope."""
    sure = tf.constant([[6.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(sure)
        squared, logarithm = LSGAN().g_loss(sure), losses.nonsaturating_g(sure)
    assert float(tape.gradient(squared, sure)[0, 0]) == pytest.approx(5.0)
    assert abs(float(tape.gradient(logarithm, sure)[0, 0])) < 0.01


# -- sngan ----------------------------------------------------------------------------------------


def test_every_kernel_of_the_discriminator_has_spectral_norm_1():
    judge = SNGAN(width=2).discriminator(DataSpec((8, 8, 1)))
    x = tf.random.stateless_normal((2, 8, 8, 1), [1, 0])
    for _ in range(200):  # so that the power iteration is done
        judge(x, training=True)
    kernels = [layer.normalised(False) for layer in judge.layers if hasattr(layer, "normalised")]
    norms = [np.linalg.norm(np.reshape(k, (-1, k.shape[-1])), 2) for k in kernels]
    assert norms == pytest.approx([1.0] * 4, rel=1e-3)


def test_the_loss_of_sngan_is_a_field():
    real, fake = tf.constant([[0.5]]), tf.constant([[-2.0]])
    assert float(SNGAN(loss="hinge").d_loss(real, fake)) == pytest.approx(0.5)
    assert float(SNGAN(loss="hinge").g_loss(fake)) == pytest.approx(2.0)
    assert float(SNGAN().d_loss(real, fake)) == pytest.approx(float(losses.minimax_d(real, fake)))
