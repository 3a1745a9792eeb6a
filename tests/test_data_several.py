"""Arrays beside the values of an `.npz`, and groups of arrays that nothing pairs."""

from __future__ import annotations

import numpy as np
import pytest

from ganzoo import data
from ganzoo.data import Dataset
from ganzoo.data.arrays import samples
from ganzoo.data.memory import Held
from ganzoo.errors import GanzooError
from ganzoo.spec import ArraySpec, DataSpec

RAMP = np.linspace(0, 255, 20 * 64).round().astype(np.uint8).reshape(20, 8, 8)
ROWS = np.arange(20, dtype=np.float32)
"""Row i of what is paired with RAMP says i."""


@pytest.fixture
def load(tmp_path):
    """Load these arrays from a file."""

    def load(stored, split="train", size=None):
        np.savez(tmp_path / "a.npz", **stored)
        return data.load(str(tmp_path / "a.npz"), split=split, size=size)

    return load


BESIDE = {
    "uint8 images": (RAMP, np.uint8, (8, 8, 1), (-1.0, 1.0), 0),
    "float images": (RAMP / 255, np.uint8, (8, 8, 1), (-1.0, 1.0), 0),
    "colour images": (RAMP.repeat(3).reshape(20, 8, 8, 3), np.uint8, (8, 8, 3), (-1.0, 1.0), 0),
    "masks": (RAMP > 99, np.uint8, (8, 8, 1), (-1.0, 1.0), 0),
    "maps without a clear range": (RAMP / 100, np.float32, (8, 8), None, 0),
    "series": (np.tile(ROWS / 20, (6, 5, 1)).T, np.float32, (5, 6), None, 0),
    "numbers": (ROWS / 7, np.float32, (), None, 0),
    "vectors": (np.tile(ROWS, (3, 1)).T, np.float32, (3,), None, 0),
    "classes": (np.arange(20) % 5, np.int32, (), None, 5),
    "flags": (np.arange(20) % 2 == 1, np.int32, (), None, 2),
    "years": (np.arange(20) + 1990, np.float32, (), None, 0),
    "attributes": (np.eye(20, dtype=np.uint8), np.float32, (20,), None, 0),
    "bool attributes": (np.eye(20, dtype=bool), np.float32, (20,), None, 0),
}


@pytest.mark.parametrize("kind", BESIDE)
def test_an_array_beside_the_values_is_described_by_what_it_holds(load, kind):
    stored, dtype, shape, bounds, classes = BESIDE[kind]
    for split in ("train", "test"):
        found = load({"x": RAMP, "other": stored}, split)
        assert found.arrays["other"].dtype == dtype
        assert found.spec.others["other"] == ArraySpec(shape, bounds, classes)
        assert found.note is None


def test_maps_of_the_values_own_size_are_images_though_not_square_and_others_are_numbers(load):
    wide = np.linspace(0, 1, 20 * 96).reshape(20, 8, 12)
    found = load({"x": (255 * wide).astype(np.uint8), "mask": wide, "series": wide[:, :6]})
    assert found.spec.others["mask"] == ArraySpec((8, 12, 1), (-1.0, 1.0))
    assert found.spec.others["series"] == ArraySpec((6, 12), None)


def test_arrays_of_one_length_keep_their_order_in_both_splits(load):
    for split, kept in (("train", slice(18)), ("test", slice(18, None))):
        found = load({"image": RAMP, "Row-Number": ROWS, "y": np.arange(20) % 3}, split)
        np.testing.assert_array_equal(found.arrays["row_number"], ROWS[kept])
        np.testing.assert_array_equal(found.arrays["image"][..., 0], RAMP[kept])
        assert found.groups() == {"": len(ROWS[kept])}


def test_both_splits_are_described_alike_whatever_their_rows_hold(load):
    late = np.where(ROWS < 18, 0.2, 0.99)[:, None, None] * np.ones((8, 8))
    stored = {"x": RAMP, "mask": late, "kind": np.minimum(np.arange(20) // 18, 1)}
    assert load(stored).spec == load(stored, "test").spec
    assert load(stored).spec.others["kind"].classes == 2


def test_bool_attributes_are_zeros_and_ones(load):
    found = load({"x": RAMP, "flags": np.eye(20, dtype=bool)})
    np.testing.assert_array_equal(found.arrays["flags"], np.eye(20)[:18])


@pytest.mark.parametrize("name", ["mask_test", "test_mask"])
@pytest.mark.parametrize("train", ["mask", "mask_train"])
def test_an_array_has_a_test_part_where_the_values_have_one(load, train, name):
    stored = {"x_train": RAMP, "x_test": RAMP[:5], train: RAMP, name: RAMP[5:10]}
    np.testing.assert_array_equal(load(stored).arrays["mask"][..., 0], RAMP)
    np.testing.assert_array_equal(load(stored, "test").arrays["mask"][..., 0], RAMP[5:10])


def test_without_a_test_part_beside_test_values_an_array_is_left_out_of_both_splits(load):
    for split in ("train", "test"):
        found = load({"x_train": RAMP, "x_test": RAMP[:5], "mask": RAMP}, split)
        assert "mask" not in found.arrays
        assert "mask (no mask_test beside the test values)" in found.note


@pytest.mark.parametrize(
    "test", [RAMP[:4], RAMP[:5, :4], RAMP[:5] / 255], ids=["few", "small", "floats"]
)
def test_a_test_part_that_does_not_fit_is_refused(load, test):
    with pytest.raises(GanzooError, match="test part of mask"):
        load({"x_train": RAMP, "x_test": RAMP[:5], "mask": RAMP, "mask_test": test})


def test_an_array_of_another_length_is_a_group_of_its_own_with_those_as_long(load):
    stored = {"x": RAMP, "style": RAMP.repeat(2, 0), "kind": np.arange(40) % 4, "row": ROWS}
    train, test = load(stored), load(stored, "test")
    groups = {name: array.group for name, array in train.spec.arrays.items()}
    assert groups == {"image": "", "style": "style", "kind": "style", "row": ""}
    assert (train.groups(), test.groups()) == ({"": 18, "style": 36}, {"": 2, "style": 4})
    np.testing.assert_array_equal(test.arrays["kind"], [0, 1, 2, 3])


def two(**more):
    """Two domains of one length, the second in colour."""
    return {"b/image": RAMP[::-1, ..., None].repeat(3, 3), "a/image": RAMP} | more


def test_groups_of_one_length_are_not_paired(load):
    found = load(two())
    assert found.spec.key == "a"
    assert (found.spec.group, found.spec.others["b"].group) == ("a", "b")
    assert found.groups() == {"a": 18, "b": 18}
    assert (found.spec.shape, found.spec.others["b"].shape) == ((8, 8, 1), (8, 8, 3))
    assert found.of("b").spec.shape == (8, 8, 3)


def test_each_group_has_its_own_length_and_splits(load):
    stored = {"b/x_train": RAMP[:7], "b/x_test": RAMP[7:10], "a/image": RAMP}
    assert load(stored).groups() == {"a": 18, "b": 7}
    assert load(stored, "test").groups() == {"a": 2, "b": 3}


def test_labels_and_others_belong_to_their_group(load):
    stored = two(**{"b/label": np.arange(20) % 4, "a/y": np.arange(20) % 2, "a/mask": RAMP})
    found = load(stored | {"b/row": ROWS})
    assert found.spec.classes == 2
    assert found.spec.others["b_label"] == ArraySpec((), None, 4, "b")
    groups = {name: array.group for name, array in found.spec.arrays.items()}
    assert groups == {"a": "a", "label": "a", "a_mask": "a", "b": "b", "b_label": "b", "b_row": "b"}
    np.testing.assert_array_equal(found.arrays["b_row"], ROWS[:18])


def test_the_first_group_with_values_is_the_key_where_none_is_called_a(load):
    found = load({"mean/level": ROWS, "photo/x": RAMP, "sketch/x": RAMP})
    assert found.spec.key == "photo"
    assert found.spec.others["mean_level"].group == "mean"
    assert load({"image": RAMP, "style/image": RAMP}).spec.key == "image"


def test_an_array_without_a_group_beside_groups_is_paired_with_none(load):
    found = load(two(row=ROWS))
    assert found.spec.others["row"].group == "row"


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (two(Row=ROWS, row=ROWS), "'row'"),
        (two(label=np.arange(20) % 2), "a/label"),
        ({"a/one": ROWS, "b/one": ROWS}, "a/image"),
        (two(**{"b/x": RAMP}), "several arrays that could be the values: image, x"),
        (two(**{"b/y": np.arange(20) + 1}), r"a.npz, b/: labels"),
    ],
    ids=["one name twice", "labels of no group", "no values", "two values", "labels from 1"],
)
def test_names_that_say_too_little_or_too_much_are_refused(load, stored, said):
    with pytest.raises(GanzooError, match=said):
        load(stored)


def test_every_image_array_is_resized_and_nothing_else(load):
    found = load(two(**{"a/mask": RAMP, "b/row": np.tile(ROWS, (3, 1)).T}), size=16)
    shapes = {name: array.shape for name, array in found.spec.arrays.items()}
    assert shapes == {"a": (16, 16, 1), "a_mask": (16, 16, 1), "b": (16, 16, 3), "b_row": (3,)}
    assert found.arrays["b"].shape == (18, 16, 16, 3)


def test_values_labels_and_test_alone_are_what_they_were(load):
    plain = load({"x": RAMP, "y": np.arange(20) % 3})
    assert (list(plain.arrays), dict(plain.spec.others)) == (["image", "label"], {})
    assert plain.fingerprint.startswith("c336c3ffd7300492")
    assert load({"some/thing": RAMP}).spec.key == "image"


def test_stored_samples_are_the_main_values(tmp_path):
    np.savez(tmp_path / "s.npz", **two(**{"a/label": np.arange(20)}))
    values, labels, _ = samples(str(tmp_path / "s.npz"))
    np.testing.assert_array_equal(values[..., 0], RAMP)
    np.testing.assert_array_equal(labels, np.arange(20))
    np.savez(tmp_path / "s.npz", mask=RAMP > 3, images=RAMP)
    np.testing.assert_array_equal(samples(str(tmp_path / "s.npz"))[0][..., 0], RAMP)


def test_arrays_from_python_are_taken_like_those_of_a_file(load):
    held = Held(two(**{"a/row": ROWS}))
    found = data.load(held.name)
    assert found.fingerprint == load(two(**{"a/row": ROWS})).fingerprint
    assert found.groups() == {"a": 18, "b": 18}


def test_all_images_of_a_given_dataset_are_resized():
    spec = DataSpec((8, 8, 1), key="a", others={"b": ArraySpec((4, 4, 3), group="b"), "row": ()})
    arrays = {"a": RAMP[..., None], "b": np.zeros((5, 4, 4, 3), np.uint8), "row": ROWS}
    held = Held(Dataset("mine", spec, arrays, "none", "made here"))
    found = data.load(held.name, size=16)
    assert (found.spec.shape, found.spec.others["b"].shape) == ((16, 16, 1), (16, 16, 3))
    assert found.spec.others["row"].shape == ()
    assert found.groups() == {"": 20, "b": 5}


def test_an_array_of_classes_keeps_its_description_in_a_dataset():
    spec = DataSpec((8, 8, 1), others={"kind": ArraySpec((), classes=4, group="else")})
    arrays = {"image": RAMP[..., None], "kind": np.zeros(3, np.int32)}
    found = Dataset("mine", spec, arrays, "none", "made here").spec.others["kind"]
    assert (found.classes, found.group, found.samples) == (4, "else", 3)


def test_paired_images_of_two_sizes_keep_their_proportion(tmp_path):
    large, small = (np.zeros((30, side, side), np.uint8) for side in (16, 8))
    np.savez(tmp_path / "paired.npz", image=large, small=small)
    held = Held({"image": large, "small": small})
    for name in (str(tmp_path / "paired.npz"), held.name):
        found = data.load(name, size=32)
        assert found.spec.shape == (32, 32, 1)
        assert found.spec.others["small"].shape == (16, 16, 1)
