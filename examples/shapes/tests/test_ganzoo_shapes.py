"""The shapes are found by name, always the same, and told apart by their labels."""

import numpy as np
import pytest
from ganzoo_shapes import CLASSES, load

from ganzoo import data
from ganzoo.errors import UsageError


def test_ganzoo_finds_them_by_name():
    found = data.load("shapes", size=16)
    assert (found.name, len(found), found.spec.shape, found.spec.classes) == (
        "shapes",
        6000,
        (16, 16, 1),
        3,
    )


def test_they_are_the_same_every_time_and_other_ones_in_the_test_split():
    assert load(16).fingerprint == load(16).fingerprint
    train, test = (load(16, split).arrays["image"] for split in ("train", "test"))
    assert not {image.tobytes() for image in train} & {image.tobytes() for image in test}


def test_every_class_has_its_own_shape():
    found = load(32)
    pixels = found.arrays["image"][..., 0] > 127
    heights, widths = pixels.any(2).sum(1), pixels.any(1).sum(1)
    filled = pixels.sum((1, 2)) / (heights * widths)  # of the box around it
    shares = [filled[found.arrays["label"] == c].mean() for c in range(len(CLASSES))]
    np.testing.assert_allclose(shares, [np.pi / 4, 1, 1 / 2], atol=0.06)


def test_a_side_that_cannot_be_drawn_is_refused():
    with pytest.raises(UsageError, match="8 to 256 pixels, not 4"):
        load(4)
