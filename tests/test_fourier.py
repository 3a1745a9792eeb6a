"""Fourier convolutions against Keras's own: results, gradients, second derivatives."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganzoo.layers import convolution


def draw(*shape: int, seed: int = 1) -> tf.Tensor:
    return tf.random.stateless_normal(shape, [seed, 2])


def both(ours: layers.Layer, theirs: layers.Layer, x: tf.Tensor) -> list[list[np.ndarray]]:
    """Output and gradients of input and weights, of two layers with equal weights."""
    theirs.build(x.shape)
    ours.build(x.shape)
    ours.fourier = True  # whether or not it would pay
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        b.assign(draw(*b.shape, seed=3))
        a.assign(b)
    results = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            loss = tf.reduce_sum(y * draw(*y.shape, seed=4))
        results.append([y, *tape.gradient(loss, [x, *[w.value for w in layer.weights]])])
    return results


def close(ours: list, theirs: list) -> None:
    for a, b in zip(ours, theirs, strict=True):
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        assert np.linalg.norm(a - b) <= 1e-5 * np.linalg.norm(b)


@pytest.mark.parametrize(
    ("side", "kernel", "stride"),
    [
        (7, 5, 1),
        (8, 5, 2),
        (14, 5, 2),
        (14, 4, 2),
        (8, 4, 2),
        (6, 3, 1),
        (8, 3, 2),
        (12, 5, 3),
        (5, 2, 1),
    ],
)
def test_the_convolution_is_keras(side, kernel, stride):
    arguments = (5, kernel, stride, "same")
    close(*both(convolution.Conv2D(*arguments), layers.Conv2D(*arguments), draw(3, side, side, 4)))


@pytest.mark.parametrize(
    ("side", "kernel", "stride"),
    [(7, 5, 1), (7, 5, 2), (7, 4, 2), (4, 4, 2), (6, 3, 1), (4, 3, 2), (4, 5, 3), (5, 2, 1)],
)
def test_the_transposed_convolution_is_keras(side, kernel, stride):
    arguments = (5, kernel, stride, "same")
    close(
        *both(
            convolution.Conv2DTranspose(*arguments),
            layers.Conv2DTranspose(*arguments),
            draw(3, side, side, 4),
        )
    )


def test_a_gradient_penalty_can_go_through():
    ours, theirs = convolution.Conv2D(3, 5, 2, "same"), layers.Conv2D(3, 5, 2, "same")
    x = draw(2, 8, 8, 2)
    both(ours, theirs, x)
    slopes = []
    for layer in (ours, theirs):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(tf.tanh(layer(x)))
            penalty = tf.reduce_sum(inner.gradient(y, x) ** 2)
        slopes.append([outer.gradient(penalty, layer.kernel.value)])
    close(*slopes)


def test_it_is_used_where_it_pays_and_not_elsewhere():
    small, large = (
        convolution.Conv2DTranspose(128, 5, 1, "same"),
        convolution.Conv2D(64, 3, 1, "same"),
    )
    small.build((None, 7, 7, 256))
    large.build((None, 64, 64, 3))
    assert small.fourier
    assert not large.fourier
    for arguments in ({"padding": "valid"}, {"strides": (1, 2), "padding": "same"}):
        odd = convolution.Conv2D(128, 5, **arguments)
        odd.build((None, 8, 8, 256))
        assert not odd.fourier


def test_layers_survive_their_configuration():
    layer = convolution.Conv2DTranspose(4, 5, 2, "same", use_bias=False)
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert (type(twin), twin.strides, twin.use_bias) == (convolution.Conv2DTranspose, (2, 2), False)
