"""Grids of images, and points upon real ones."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ganzoo import pictures
from ganzoo.errors import UsageError


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_images_stand_side_by_side_in_their_order():
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 56, 56, 1), np.uint8)
    found = decoded(pictures.grid(images))
    assert found.shape == (2 * 57 + 1, 3 * 57 + 1)
    assert [found[30, 30], found[30, 87], found[87, 30]] == [0, 1, 3]


@pytest.mark.parametrize("dims", [1, 2])
def test_real_points_set_the_axes_whatever_the_samples_do(dims):
    real = np.random.default_rng(0).normal(0, 1, (500, dims))
    near, far = real[:1] + 0.1, real[:1] + 1e6
    assert (decoded(pictures.grid(far, real)) != decoded(pictures.grid(far * 2, real))).sum() == 0
    alone = [decoded(pictures.grid(np.concatenate([real, x]))) for x in (near, far)]
    laid = [decoded(pictures.grid(np.concatenate([real, x]), real)) for x in (near, far)]
    below = 70  # the title says how many lie outside
    assert (alone[0] != alone[1])[below:].any(-1).mean() > 10 * (laid[0] != laid[1])[below:].any(
        -1
    ).mean()


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(UsageError, match="1 or 3 channels"):
        pictures.grid(np.zeros((4, 8, 8, 2)))
