"""Style-based generators' layers against the formulas of their papers, written out in NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import losses
from ganzoo.layers import (
    AdaIN,
    AddNoise,
    LearntConstant,
    ModulatedConv2D,
    MovingMean,
    Truncation,
    mapping_network,
    mixed_styles,
    style_based,
)
from ganzoo.plugin import Turn

RNG = np.random.default_rng


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return RNG(seed).standard_normal(shape).astype(np.float32)


def turn_of(rows: int, z_dim: int, step: int = 0) -> Turn:
    at = tf.constant(step, tf.int64)
    inputs = {"z": lambda turn: turn.normal("z", (z_dim,)), "psi": lambda turn: tf.ones((rows, 1))}
    return Turn(0, {}, at, at, rows, inputs)


# -- modulation -----------------------------------------------------------------------------------


def kernels(layer: ModulatedConv2D, style: np.ndarray) -> np.ndarray:
    """(n, k, k, in, out): each row's kernel, equations 1 and 3 of Karras et al. 2020."""
    matrix, bias = (weight.numpy() for weight in layer.scales.weights)
    scales = style @ matrix / np.sqrt(style.shape[1]) + bias
    kernel = layer.convolution.kernel.numpy()
    kernel = kernel / np.sqrt(kernel[..., 0].size)
    found = scales[:, None, None, :, None] * kernel
    if layer.demodulate:
        found = found / np.sqrt((found**2).sum((1, 2, 3), keepdims=True) + 1e-8)
    return layer.gain * found


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize(("side", "channels", "filters"), [(5, 3, 2), (4, 48, 64)])
def test_a_modulated_convolution_is_one_with_a_kernel_for_each_row(
    demodulate, side, channels, filters
):
    layer = ModulatedConv2D(filters, 3, demodulate)
    x, style = normal(3, side, side, channels), 2 * normal(3, 7, seed=1)
    layer([x, style])
    layer.bias.assign(np.arange(filters))
    expected = [
        tf.nn.conv2d(x[i : i + 1], kernel, 1, "SAME")[0] + np.arange(filters)
        for i, kernel in enumerate(kernels(layer, style))
    ]
    np.testing.assert_allclose(layer([x, style]), expected, atol=2e-4)


def test_demodulation_gives_outputs_the_variance_of_the_inputs_whatever_the_style():
    layer = ModulatedConv2D(64, 3, gain=1.0)
    x, style = normal(4, 24, 24, 8), normal(4, 5, seed=1) * np.float32([[0.1], [1], [10], [100]])
    made = np.asarray(layer([x, style]))[:, 1:-1, 1:-1]
    np.testing.assert_allclose(made.std((1, 2, 3)), 1, rtol=0.05)
    plain = ModulatedConv2D(64, 3, demodulate=False)
    made = np.asarray(plain([x, style]))
    assert made[3].std() > 10 * made[1].std()


def test_scales_begin_at_1():
    layer = ModulatedConv2D(2, 1)
    layer([normal(2, 3, 3, 6), normal(2, 5)])
    np.testing.assert_allclose(layer.scales(np.zeros((1, 5))), np.ones((1, 6)))


def test_adaptive_instance_norm_gives_each_channel_the_styles_mean_and_deviation():
    layer = AdaIN()
    x, style = 3 * normal(2, 6, 5, 4) + 7, normal(2, 3, seed=1)
    made = np.asarray(layer([x, style]))
    matrix, _ = (weight.numpy() for weight in layer.style.weights)
    y = style @ matrix / np.sqrt(3)
    np.testing.assert_allclose(made.mean((1, 2)), y[:, 4:], atol=1e-5)
    np.testing.assert_allclose(made.std((1, 2)), np.abs(1 + y[:, :4]), rtol=1e-4)
    turned = np.corrcoef(made[0, ..., 0].ravel(), x[0, ..., 0].ravel())[0, 1]
    assert turned == pytest.approx(np.sign(1 + y[0, 0]), abs=1e-4)


def test_an_image_of_one_colour_takes_the_styles_mean_alone():
    layer, style = AdaIN(), normal(2, 3)
    made = np.asarray(layer([np.ones((2, 4, 4, 2), np.float32), style]))
    np.testing.assert_allclose(made, np.broadcast_to(made[:, :1, :1], made.shape), atol=1e-6)
    assert np.abs(made).max() > 0.01


def test_noise_is_nothing_at_first_and_then_the_same_for_every_channel():
    layer, x, noise = AddNoise(4), normal(2, 3, 2, 5), normal(2, 10, seed=1)
    np.testing.assert_array_equal(layer([x, noise]), x)
    layer.strength.assign(0.5)
    added = np.asarray(layer([x, noise])) - x
    expected = 0.5 * noise[:, 4:].reshape(2, 3, 2, 1)
    np.testing.assert_allclose(added, np.broadcast_to(expected, added.shape), atol=1e-6)


def test_noise_by_channel_has_a_strength_for_each():
    layer, x, noise = AddNoise(by_channel=True), normal(2, 2, 2, 3), normal(2, 4, seed=1)
    layer([x, noise])
    layer.strength.assign([0.0, 1.0, 2.0])
    added = np.asarray(layer([x, noise])) - x
    np.testing.assert_allclose(added, noise.reshape(2, 2, 2, 1) * [0, 1, 2], atol=1e-6)


def test_noise_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="needs 10 numbers a row, not 9"):
        AddNoise(6)([normal(2, 2, 2, 3), normal(2, 9)])


def test_a_learnt_constant_is_the_same_for_every_row():
    layer = LearntConstant((2, 3, 4), "random_normal")
    made = np.asarray(layer(np.zeros((5, 7))))
    assert made.shape == (5, 2, 3, 4)
    np.testing.assert_array_equal(made, np.broadcast_to(layer.value, made.shape))
    assert made.std() > 0
    assert len(layer.trainable_weights) == 1


# -- styles ---------------------------------------------------------------------------------------


def test_a_moving_mean_goes_its_share_of_the_way_in_training_alone():
    layer, x = MovingMean(0.9), np.float32([[1, 2], [3, 6]])  # means 2 and 4
    np.testing.assert_allclose(layer(x, training=True), [[0.2, 0.4]], rtol=1e-5)
    np.testing.assert_allclose(layer(x, training=True), [[0.38, 0.76]], rtol=1e-5)
    np.testing.assert_allclose(layer(x + 5), [[0.38, 0.76]], rtol=1e-5)
    assert not layer.trainable_weights


def test_psi_1_gives_w_to_the_bit_and_psi_0_the_mean():
    layer, w = Truncation(), normal(6, 4)
    layer([w, np.ones((6, 1), np.float32)])
    layer.usual.mean.assign([1.0, 2.0, 3.0, 4.0])
    made = {psi: np.asarray(layer([w, np.full((6, 1), psi, np.float32)])) for psi in (0, 0.5, 1)}
    np.testing.assert_array_equal(made[1], w)
    np.testing.assert_array_equal(made[0], np.tile([1, 2, 3, 4], (6, 1)))
    np.testing.assert_allclose(made[0.5], (w + [1, 2, 3, 4]) / 2, atol=1e-6)


def test_in_training_nothing_is_truncated_and_the_mean_follows():
    layer, w = Truncation(0.75), normal(6, 4)
    np.testing.assert_array_equal(layer([w, np.zeros((6, 1))], training=True), w)
    np.testing.assert_allclose(layer.usual.mean, w.mean(0) / 4, atol=1e-6)


def test_a_mapping_sees_the_direction_of_z_alone():
    network, z, psi = mapping_network(4, 3), normal(5, 4), np.ones((5, 1), np.float32)
    np.testing.assert_allclose(network([3 * z, psi]), network([z, psi]), atol=1e-5)
    dense = [layer for layer in network.layers if layer.weights and "dense" in layer.name]
    assert len(dense) == 3
    assert dense[0].kernel.numpy().std() > 30  # stored 100 times as large as used


def generator(layers_: int = 4) -> keras.Model:
    """Its images show every layer's style, in one row for each layer."""
    styles, noise = keras.Input((layers_, 3), name="styles"), keras.Input((2,), name="noise")
    image = keras.layers.Reshape((layers_, 3, 1))(styles)
    synthesis = keras.Model([styles, noise], image, name="synthesis")
    return style_based(mapping_network(3, 1), synthesis, (-0.1, 0.1))


def test_a_sampler_has_one_style_for_all_layers_within_the_range():
    model, z = generator(), normal(5, 3)
    assert [tensor.name for tensor in model.inputs] == ["z", "psi", "noise"]
    psi = np.ones((5, 1), np.float32)
    made = np.asarray(model([z, psi, normal(5, 2)]))[..., 0]
    w = np.asarray(model.get_layer("mapping")([z, psi]))
    np.testing.assert_allclose(made, np.tile(np.clip(w, -0.1, 0.1)[:, None], (1, 4, 1)))
    assert np.abs(w).max() > 0.1


def test_a_share_of_the_images_changes_its_style_once_at_any_layer():
    model, turn = generator(), turn_of(4000, 3)
    styles = np.asarray(mixed_styles(turn, model, 0.75))
    same = (styles == styles[:, :1]).all(2)  # as the first layer's
    own = turn.call(model.get_layer("mapping"))
    np.testing.assert_array_equal(styles[:, 0], own)
    kept = same.sum(1)
    for row, count in zip(styles[kept < 4], kept[kept < 4], strict=True):
        np.testing.assert_array_equal(row[count:], np.tile(row[-1], (4 - count, 1)))
    shares = np.bincount(kept, minlength=5)[1:] / len(kept)
    np.testing.assert_allclose(shares, [0.25, 0.25, 0.25, 0.25], atol=0.03)


def test_without_mixing_every_layer_has_the_style_of_z():
    model, turn = generator(), turn_of(8, 3)
    styles = np.asarray(mixed_styles(turn, model, 0.0))
    own = np.asarray(turn.call(model.get_layer("mapping")))
    np.testing.assert_array_equal(styles, np.tile(own[:, None], (1, 4, 1)))


# -- penalties ------------------------------------------------------------------------------------


def test_path_lengths_of_a_linear_map_are_its_transpose_times_y():
    matrix, y = normal(2 * 3, 5), normal(4, 2, 3, 1, seed=1)

    def synthesis(styles):  # of two layers, of which the second counts twice
        flat = styles[:, 0] + 2 * styles[:, 1]
        return tf.reshape(tf.linalg.matvec(matrix, flat), (-1, 2, 3, 1))

    found = losses.path_lengths(synthesis, tf.constant(normal(4, 2, 5, seed=2)), y)
    one = np.linalg.norm(y.reshape(4, 6) @ matrix, axis=1) / np.sqrt(6)
    np.testing.assert_allclose(found[:, 0], one * np.sqrt((1 + 4) / 2), rtol=1e-5)


def test_a_lazy_penalty_falls_whole_on_every_fourth_step():
    computed = []

    @tf.function
    def penalty(step):
        def counted():
            tf.py_function(lambda: computed.append(1), [], [])
            return tf.constant(2.5)

        return losses.lazy(step, 4, counted)

    found = [float(penalty(tf.constant(step, tf.int64))) for step in range(9)]
    assert found == [10, 0, 0, 0, 10, 0, 0, 0, 10]
    assert len(computed) == 3


# -- all of them ----------------------------------------------------------------------------------

LAYERS = [
    (ModulatedConv2D(3, 3, demodulate=False, gain=1.5), [(2, 4, 4, 5), (2, 6)]),
    (ModulatedConv2D(3, 1), [(2, 4, 4, 5), (2, 6)]),
    (AdaIN(), [(2, 4, 4, 5), (2, 6)]),
    (AddNoise(3, by_channel=True), [(2, 4, 4, 5), (2, 19)]),
    (LearntConstant((4, 4, 2), "random_normal"), [(2, 6)]),
    (MovingMean(0.5), [(2, 6)]),
    (Truncation(0.5), [(2, 6), (2, 1)]),
]


@pytest.mark.parametrize(("layer", "shapes"), LAYERS)
def test_layers_come_back_from_their_configuration_and_know_their_shape(layer, shapes):
    arrays = [normal(*shape) for shape in shapes]
    given = arrays if len(arrays) > 1 else arrays[0]
    expected = np.asarray(layer(given))
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(twin) is type(layer)
    twin(given)
    twin.set_weights(layer.get_weights())
    np.testing.assert_array_equal(twin(given), expected)
    told = layer.compute_output_shape(shapes if len(shapes) > 1 else shapes[0])
    assert tuple(told) == expected.shape


@pytest.mark.parametrize(("layer", "shapes"), LAYERS[:5])
def test_layers_of_images_compute_in_bfloat16(layer, shapes):
    twin = type(layer).from_config(layer.get_config() | {"dtype": "mixed_bfloat16"})
    arrays = [tf.cast(normal(*shape), tf.bfloat16) for shape in shapes]
    assert twin(arrays if len(arrays) > 1 else arrays[0]).dtype == tf.bfloat16
    assert all(weight.dtype == "float32" for weight in twin.weights)
