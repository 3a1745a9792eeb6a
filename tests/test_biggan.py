"""BigGAN: who is told what part of z, one table of classes, equation 3, and short z."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo import losses
from ganzoo.layers import SelfAttention, SpectralConv2D, SpectralDense, VectorBatchNorm
from ganzoo.plugin import DataSpec
from ganzoo.plugins.biggan import BigGAN

SMALL = BigGAN(width=2, z_dim=6, shared=4)
SPEC = DataSpec((16, 16, 1), classes=3)
BITS = np.random.default_rng(0)
Z = BITS.standard_normal((4, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def generator():
    made = SMALL.generator(SPEC)
    for _ in range(5):  # until the spectral norms are known
        made([Z, np.array([0, 1, 2, 0])], training=True)
    return made


def norms(generator) -> list[VectorBatchNorm]:
    return [layer for layer in generator.layers if isinstance(layer, VectorBatchNorm)]


def reached(generator, value) -> list[int]:
    """The columns of z that a tensor inside the generator depends on."""
    model, z = keras.Model(generator.inputs, value), tf.constant(Z)
    with tf.GradientTape() as tape:
        tape.watch(z)
        out = tf.reduce_sum(model([z, tf.constant([0, 1, 2, 0])]) ** 2)
    return np.flatnonzero(np.abs(tape.gradient(out, z)).max(0)).tolist()


# -- the hierarchical z ---------------------------------------------------------------------------


def test_a_chunk_of_z_reaches_the_gains_and_biases_of_its_own_block_alone(generator):
    first = next(layer for layer in generator.layers if isinstance(layer, SpectralDense))
    assert reached(generator, first.output) == [0, 1]
    for norm, chunk in zip(norms(generator), ([2, 3], [2, 3], [4, 5], [4, 5]), strict=True):
        told = norm.input[1]
        assert reached(generator, norm.gain(told)) == chunk
        assert reached(generator, norm.bias(told)) == chunk


def test_the_image_depends_on_every_chunk(generator):
    assert reached(generator, generator.output) == [0, 1, 2, 3, 4, 5]


def test_a_z_that_cannot_be_cut_evenly_is_used_to_its_end():
    unequal = BigGAN(width=2, z_dim=8, shared=4).generator(SPEC)
    first = next(layer for layer in unequal.layers if isinstance(layer, SpectralDense))
    widths = [norm.input[1].shape[-1] - 4 for norm in norms(unequal)]
    assert [first.input.shape[-1], *widths] == [2, 3, 3, 3, 3]


def test_all_blocks_are_told_the_class_by_one_table(generator):
    tables = [w for w in generator.weights if tuple(w.shape) == (3, 4)]
    assert len(tables) == 1
    rows = np.asarray(tables[0])
    np.testing.assert_allclose(rows @ rows.T, np.eye(3), atol=1e-5)  # orthogonal at first
    label = np.array([2, 0, 1, 2])
    for norm in norms(generator):
        told = keras.Model(generator.inputs, norm.input[1])([Z, label])
        np.testing.assert_allclose(told[:, :4], rows[label], atol=1e-6)


def test_another_class_is_another_image_and_another_logit(generator):
    made = np.asarray(generator([np.repeat(Z[:1], 3, 0), np.array([0, 1, 1])]))
    np.testing.assert_allclose(made[1], made[2], atol=1e-6)
    assert np.abs(made[0] - made[1]).max() > 1e-3
    logits = np.asarray(SMALL.discriminator(SPEC)([made[[0, 0]], np.array([0, 1])]))
    assert abs(logits[0, 0] - logits[1, 0]) > 1e-4


def test_without_labels_blocks_are_told_their_chunk_alone():
    networks = SMALL.networks(DataSpec((16, 16, 1)))
    assert [norm.input[1].shape[-1] for norm in norms(networks["generator"])] == [2] * 4
    assert [len(networks[name].inputs) for name in ("generator", "discriminator")] == [1, 1]


# -- the networks ---------------------------------------------------------------------------------


def test_at_128_pixels_the_channels_are_those_of_the_paper():
    networks = BigGAN(width=1, z_dim=120, shared=2).networks(DataSpec((128, 128, 3), classes=2))
    assert [norm.input[0].shape[-1] for norm in norms(networks["generator"])[::2]] == [
        16, 16, 8, 4, 2
    ]  # fmt: skip
    assert {norm.input[1].shape[-1] for norm in norms(networks["generator"])} == {2 + 20}
    inner = networks["discriminator"].layers
    wide = [x for x in inner if isinstance(x, SpectralConv2D) and x.kernel_size == (3, 3)]
    assert [layer.filters for layer in wide[::2]] == [1, 2, 4, 8, 16, 16]


def test_maps_of_the_side_of_attention_look_at_themselves_on_both_sides():
    for side, count in ((0, 0), (8, 1)):
        networks = BigGAN(width=2, z_dim=6, attention=side).networks(SPEC)
        for network in networks.values():
            found = [x for x in network.layers if isinstance(x, SelfAttention)]
            assert [layer.input.shape[1] for layer in found] == [side] * count


@pytest.mark.parametrize(
    ("plugin", "shape", "sentence"),
    [
        (BigGAN(), (16, 20, 1), "square"),
        (BigGAN(), (18, 18, 1), "not 18"),
        (BigGAN(), (8, 8, 1), "not 8"),
        (BigGAN(z_dim=2), (28, 28, 1), "3 chunks"),
        (BigGAN(attention=16), (28, 28, 1), "14, or 0"),
    ],
)
def test_what_it_cannot_make_is_refused_in_a_sentence(plugin, shape, sentence):
    assert sentence in plugin.unsupported(DataSpec(shape))


# -- equation 3 -----------------------------------------------------------------------------------


def written_out(w: np.ndarray) -> float:
    """|W^T W * (1 - I)|_F^2."""
    gram = w.T @ w
    return float(np.sum((gram * (1 - np.eye(len(gram)))) ** 2))


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (3, 3, 2, 5), (1, 1, 2, 9)])
def test_the_orthogonal_penalty_is_equation_3(shape):
    kernel = BITS.standard_normal(shape)
    w = kernel.reshape(-1, shape[-1])
    kernel = tf.constant(kernel, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        found = losses.orthogonal_penalty([kernel])
    assert float(found) == pytest.approx(written_out(w), rel=1e-4)
    slope = 4 * w @ ((w.T @ w) * (1 - np.eye(shape[-1])))
    np.testing.assert_allclose(tape.gradient(found, kernel), slope.reshape(shape), rtol=1e-3)


def test_filters_at_right_angles_cost_nothing_however_long_they_are():
    filters = np.linalg.qr(BITS.standard_normal((6, 6)))[0][:, :4] * [0.1, 1, 2, 3]
    assert float(losses.orthogonal_penalty([tf.constant(filters, tf.float32)])) == pytest.approx(
        0, abs=1e-3
    )
    assert float(losses.orthogonal_penalty([tf.ones((3, 2))])) == 18  # two of 3 by 3
    assert float(losses.orthogonal_penalty([])) == 0


def test_every_kernel_of_the_generator_is_drawn_to_it_but_the_table_of_classes():
    plugin = BigGAN(width=2, z_dim=6, shared=4, orthogonal=0.5)
    networks = plugin.networks(SPEC)
    weights = networks["generator"].trainable_variables
    kernels = [w for w in weights if "kernel" in w.name and tuple(w.shape) != (3, 4)]
    assert len(kernels) == 1 + 2 * (3 + 4) + 1
    for w in kernels:
        w.assign(BITS.standard_normal(w.shape))
    expected = 0.5 * sum(written_out(np.reshape(w, (-1, w.shape[-1]))) for w in kernels)
    assert float(plugin.g_penalty(networks, None, None)) == pytest.approx(expected, rel=1e-4)
    assert BigGAN(orthogonal=0.0).g_penalty(networks, None, None) is None


# -- truncation -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    data = {
        "image": BITS.integers(0, 256, (16, 16, 16, 1)).astype(np.uint8),
        "label": (np.arange(16) % 2).astype(np.int32),
    }
    place = tmp_path_factory.mktemp("runs") / "biggan"
    small = {"width": 2, "z_dim": 6, "shared": 4, "batch_size": 4, "steps": 2}
    return ganzoo.train("biggan", data, outdir=place, quiet=True, **small)


def spread(images: np.ndarray) -> float:
    return float(np.asarray(images, np.float64).std(0).mean())


def test_a_generator_of_normal_z_is_sampled_with_shorter_ones(run):
    found = [
        spread(run.sample(32, label=1, settings=settings))
        for settings in ({}, {"z.threshold": 0.5}, {"z.threshold": 0.01})
    ]
    assert found == sorted(found, reverse=True)
    assert found[2] < 0.1 * found[0]
