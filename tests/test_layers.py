"""Shared layers against what their papers say of them."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import (
    BatchNormalization,
    ConditionalBatchNorm,
    Dropout,
    Maxout,
    SelfAttention,
    SpectralConv2D,
    SpectralDense,
    SpectralEmbedding,
    VectorBatchNorm,
    instance_norm,
)
from ganzoo.optimizers import Adam


def test_attention_begins_as_the_identity_and_then_is_not():
    layer, x = SelfAttention(), tf.random.stateless_normal((2, 8, 8, 16), [1, 2])
    np.testing.assert_array_equal(layer(x), x)
    layer.gamma.assign(1.0)
    assert np.abs(layer(x) - x).max() > 1e-3


def test_attention_lets_a_far_corner_move_every_place():
    layer, x = SelfAttention(), np.zeros((1, 8, 8, 16), np.float32)
    layer(x)
    layer.gamma.assign(1.0)
    moved = x.copy()
    moved[0, 0, 0] = 5.0
    assert np.abs(layer(moved) - layer(x))[0, 7, 7].max() > 1e-5


@pytest.mark.parametrize("layer", [SpectralDense(12), SpectralConv2D(12, 3)])
def test_spectral_norm_converges_to_the_largest_singular_value(layer):
    x = tf.random.stateless_normal(
        (2, 9) if "Dense" in type(layer).__name__ else (2, 9, 9, 3), [1, 2]
    )
    for _ in range(200):
        layer(x, training=True)
    matrix = np.asarray(layer.normalised(False)).reshape(-1, 12)
    assert np.linalg.svd(matrix, compute_uv=False)[0] == pytest.approx(1, rel=1e-3)


def test_spectral_norm_leaves_the_weight_and_the_inference_vector_alone():
    layer, x = SpectralDense(4), tf.ones((2, 3))
    layer(x)
    weight, u = layer.kernel.numpy(), layer.u.numpy()
    layer(x, training=False)
    np.testing.assert_array_equal(layer.u, u)
    layer(x, training=True)
    np.testing.assert_array_equal(layer.kernel, weight)
    assert not np.array_equal(layer.u, u)


def test_the_gradient_through_spectral_norm_is_orthogonal_to_the_weight():
    # a normalised weight does not change with its scale, so the slope along it is zero
    layer, x = SpectralDense(1, use_bias=False), tf.random.stateless_normal((5, 7), [1, 2])
    for _ in range(50):
        layer(x, training=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x, training=False) ** 2)
    slope = tape.gradient(loss, layer.kernel.value)
    assert float(tf.reduce_sum(slope * layer.kernel)) == pytest.approx(0, abs=1e-4)


def test_conditional_batch_norm_scales_each_class_by_its_own_gain():
    layer = ConditionalBatchNorm(2)
    x = tf.random.stateless_normal((64, 4, 4, 3), [1, 2]) * 3 + 1
    label = np.arange(64) % 2
    layer([x, label])
    layer.gain.assign([[1.0] * 3, [2.0] * 3])
    out = np.asarray(layer([x, label], training=True))
    assert out[label == 1].std() / out[label == 0].std() == pytest.approx(2, rel=0.1)


def test_batch_norm_by_a_vector_has_gains_and_biases_that_are_linear_in_it():
    layer, bits = VectorBatchNorm(), np.random.default_rng(0)
    x = bits.normal(2, 3, (16, 4, 4, 3)).astype(np.float32)
    y = bits.normal(size=(16, 5)).astype(np.float32)
    layer([x, y])
    matrices = [bits.normal(size=(5, 3)).astype(np.float32) for _ in range(2)]
    for part, matrix in zip((layer.gain, layer.bias), matrices, strict=True):
        part.kernel.assign(matrix)
        part.u.assign(np.linalg.svd(matrix)[2][:1])  # of the largest singular value
    a, b = (matrix / np.linalg.norm(matrix, 2) for matrix in matrices)
    plain = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)
    expected = plain * (1 + y @ a)[:, None, None] + (y @ b)[:, None, None]
    np.testing.assert_allclose(layer([x, y], training=True), expected, rtol=1e-3, atol=1e-3)


def test_batch_norm_by_a_vector_begins_with_two_different_orthogonal_maps():
    layer = VectorBatchNorm()
    layer([tf.ones((2, 4, 4, 3)), tf.ones((2, 5))])
    gain, bias = (np.asarray(part.kernel) for part in (layer.gain, layer.bias))
    for matrix in (gain, bias):
        np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-5)
    assert np.abs(gain - bias).max() > 0.1


@pytest.mark.parametrize(
    "layer",
    [
        SelfAttention(),
        SpectralConv2D(4, 3, padding="same"),
        ConditionalBatchNorm(3),
        VectorBatchNorm(),
    ],
)
def test_layers_compute_in_bfloat16_and_survive_their_configuration(layer):
    twin = type(layer).from_config(layer.get_config() | {"dtype": "mixed_bfloat16"})
    x = tf.ones((2, 4, 4, 8))
    told = {ConditionalBatchNorm: np.zeros(2, np.int32), VectorBatchNorm: tf.ones((2, 3))}
    out = twin([x, told[type(layer)]] if type(layer) in told else x)
    assert out.dtype == tf.bfloat16
    assert all(w.dtype == "float32" for w in twin.weights)


def test_an_embedding_has_a_row_for_each_class():
    layer = SpectralEmbedding(3, 5)
    rows = np.asarray(layer(np.array([0, 1, 0])))
    assert rows.shape == (3, 5)
    np.testing.assert_array_equal(rows[0], rows[2])
    assert (
        keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer)).classes
        == 3
    )


@pytest.mark.parametrize("shape", [(64, 5), (32, 6, 6, 5)])
def test_fused_batch_norm_gives_what_keras_gives(shape):
    x = tf.random.stateless_normal(shape, [1, 2]) * 3 + 2
    ours, theirs = BatchNormalization(momentum=0.9), keras.layers.BatchNormalization(momentum=0.9)
    results = []
    for layer in (ours, theirs):
        layer.build(shape)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x, training=True) ** 3)
        sources = [x, *[w.value for w in layer.trainable_variables]]
        results.append(
            [
                layer(x, training=False),
                *tape.gradient(loss, sources),
                *[w.numpy() for w in layer.weights],
            ]
        )
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-3)


def test_an_instance_norm_takes_every_channel_of_every_image_by_itself():
    x = np.random.default_rng(0).normal(3.0, 2.0, (4, 5, 6, 3)).astype(np.float32)
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    layer = instance_norm()
    np.testing.assert_allclose(layer(x), (x - mean) / np.sqrt(variance + 1e-5), atol=1e-5)
    assert not layer.weights


def test_dropout_drops_its_share_keeps_the_mean_and_draws_anew():
    layer, x = Dropout(0.3, seed=1), tf.ones((64, 10, 10, 5))
    first, second = np.asarray(layer(x, training=True)), np.asarray(layer(x, training=True))
    assert (first == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert first.mean() == pytest.approx(1, abs=0.02)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(layer(x, training=False), x)


def test_fused_adam_walks_the_path_of_keras():
    paths = []
    for kind in (Adam, keras.optimizers.Adam):
        w, optimizer = (
            keras.Variable(np.linspace(-2, 2, 7), dtype="float32"),
            kind(0.05, beta_1=0.5),
        )
        for step in range(30):
            optimizer.apply([tf.sin(3 * w + step) * w], [w])
        paths.append(w.numpy())
    np.testing.assert_allclose(*paths, rtol=1e-5, atol=1e-6)


def test_maxout_is_the_largest_of_its_linear_maps():
    layer, x = Maxout(3, 4), np.random.default_rng(0).standard_normal((5, 7)).astype(np.float32)
    assert layer(x).shape == (5, 3)
    maps = layer.maps(x).numpy().reshape(5, 3, 4)
    np.testing.assert_array_equal(layer(x), maps.max(2))


def test_maxout_of_two_opposite_maps_is_the_absolute_value():
    layer, x = Maxout(1, 2), np.float32([[-3.0], [0.5]])
    layer(x)
    layer.maps.set_weights([np.float32([[1, -1]]), np.zeros(2, np.float32)])
    np.testing.assert_array_equal(layer(x), np.abs(x))
