"""The generator of dcgan_upsample: its sides, and that it draws no checkerboard."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganzoo import registry
from ganzoo.spec import DataSpec


def generator(side: int) -> keras.Model:
    return registry.load("dcgan_upsample")(width=4).generator(DataSpec((side, side, 1)))


def test_the_sides_of_mnist_are_those_of_the_recipe():
    sides = [layer.output.shape[1] for layer in generator(28).layers if len(layer.output.shape) > 2]
    assert sorted(set(sides)) == [4, 8, 10, 20, 22, 24, 26, 28]


@pytest.mark.parametrize("side", [16, 20, 32, 64])
def test_other_sides_are_reached_too(side):
    assert generator(side).output_shape == (None, side, side, 1)


def test_z_is_drawn_from_the_unit_cube():
    from ganzoo.priors import PRIORS

    prior = PRIORS[registry.load("dcgan_upsample")().z_prior]
    drawn = prior.rows(10_000, (2,), "float32", np.random.default_rng(0), np.float64)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert abs(drawn.mean() - 0.5) < 0.01


@pytest.mark.parametrize(("name", "sees"), [("dcgan", True), ("dcgan_upsample", False)])
def test_a_stride_sees_even_and_odd_pixels_otherwise(name, sees):
    """Of a constant input, and positive equal kernels, the inside of the image is flat or not."""
    side = 28
    model = registry.load(name)(width=4).generator(DataSpec((side, side, 1)))
    last = [i for i, layer in enumerate(model.layers) if "conv2d" in layer.name][-1]
    layer = model.layers[last]
    flat = np.ones((1, *layer.input.shape[1:]), np.float32)
    kernel = np.random.default_rng(0).normal(size=layer.kernel.shape)
    layer.kernel.assign(kernel)
    inside = np.asarray(layer(flat))[0, 6:-6, 6:-6, 0]
    assert bool(inside.std() > 1e-3) is sees
