"""Array files: ranges, names, labels, and files that are refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from ganzoo import data
from ganzoo.errors import GanzooError

RAMP = np.linspace(0, 255, 20 * 64).round().astype(np.uint8).reshape(20, 8, 8)


def load(path, split="train", **arrays):
    if arrays:
        np.savez(path / "a.npz", **arrays)
    return data.load(str(path / "a.npz"), split=split)


def test_uint8_images_are_kept_and_the_last_tenth_is_held_out(tmp_path):
    np.save(tmp_path / "a.npy", RAMP)
    train = data.load(str(tmp_path / "a.npy"))
    test = data.load(str(tmp_path / "a.npy"), split="test")
    np.testing.assert_array_equal(train.arrays["image"][..., 0], RAMP[:18])
    np.testing.assert_array_equal(test.arrays["image"][..., 0], RAMP[18:])


@pytest.mark.parametrize(
    "stored",
    [
        RAMP.astype(np.float32) / 255,
        RAMP.astype(np.float64) / 127.5 - 1,
        RAMP.astype(np.float32),
        RAMP.astype(np.int64),
    ],
    ids=["[0, 1]", "[-1, 1]", "[0, 255]", "integers"],
)
def test_each_clear_range_gives_the_same_pixels(tmp_path, stored):
    np.testing.assert_array_equal(load(tmp_path, image=stored).arrays["image"][..., 0], RAMP[:18])


@pytest.mark.parametrize(
    "stored",
    [
        RAMP.astype(np.float32) / 100,
        RAMP.astype(np.float32) - 128,
        np.zeros((20, 8, 8)),
        RAMP / 255 - 0.5,
        RAMP.astype(np.float32) * (100 / 255),
    ],
    ids=["to 2.55", "from -128", "all zero", "half contrast", "per cent"],
)
def test_a_range_that_could_mean_several_things_is_asked_about(tmp_path, stored):
    with pytest.raises(GanzooError, match="uint8"):
        load(tmp_path, image=stored)


def test_labels_come_along(tmp_path):
    found = load(tmp_path, x=RAMP, y=np.arange(20) % 3)
    assert found.spec.classes == 3
    assert found.arrays["label"].dtype == np.int32
    assert found.arrays["label"].tolist() == [i % 3 for i in range(18)]


def test_a_test_set_in_the_file_is_the_test_split(tmp_path):
    stored = {"x_train": RAMP, "y_train": np.arange(20) % 3}
    stored |= {"x_test": RAMP[:5], "y_test": np.arange(5) % 3}
    assert len(load(tmp_path, **stored)) == 20
    assert len(load(tmp_path, split="test")) == 5


def test_two_dimensional_floats_are_points(tmp_path):
    values = np.random.Generator(np.random.Philox(0)).normal(size=(50, 3)) * 9
    found = load(tmp_path, anything=values)
    assert found.spec.key == "point"
    assert found.spec.range is None
    np.testing.assert_array_equal(found.arrays["point"], values[:45].astype(np.float32))


def test_the_only_array_may_have_any_name(tmp_path):
    assert len(load(tmp_path, faces=RAMP)) == 18


@pytest.mark.parametrize("names", [("left", "right"), ("x", "images")])
def test_several_candidates_are_listed(tmp_path, names):
    with pytest.raises(GanzooError, match=rf"{names[0]}.*{names[1]}"):
        load(tmp_path, **dict.fromkeys(names, RAMP))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("shape", [(20, 8, 8), (20, 3)])
def test_values_that_are_no_numbers_are_refused(tmp_path, bad, shape):
    stored = np.linspace(0, 1, int(np.prod(shape))).reshape(shape)
    stored[3] = bad
    with pytest.raises(GanzooError, match=r"NaN"):
        load(tmp_path, image=stored)


@pytest.mark.parametrize(
    "labels",
    [np.arange(19), np.arange(20) - 1, np.eye(20), np.full(20, 10**9)],
    ids=["too few", "negative", "one-hot", "huge"],
)
def test_labels_that_are_no_labels_are_refused(tmp_path, labels):
    with pytest.raises(GanzooError, match="label"):
        load(tmp_path, x=RAMP, y=labels)


@pytest.mark.parametrize("shape", [(20, 3, 8, 8), (20,), (8, 8, 3), (0, 8, 8), (2, 2, 2, 2, 2)])
def test_shapes_that_are_no_images_are_refused(tmp_path, shape):
    with pytest.raises(GanzooError, match=r"a\.npz"):
        load(tmp_path, image=np.zeros(shape, np.uint8))


class Payload:
    def __reduce__(self):
        return (print, ("a pickle was run",))


def test_a_pickle_is_refused_and_not_run(tmp_path, capsys):
    path = tmp_path / "a.npy"
    path.write_bytes(pickle.dumps(Payload()))
    with pytest.raises(GanzooError, match=r"(?i)pickle"):
        data.load(str(path))
    np.save(path, np.array([Payload()] * 20, dtype=object), allow_pickle=True)
    with pytest.raises(GanzooError, match=r"(?i)pickle"):
        data.load(str(path))
    assert not capsys.readouterr().out


@pytest.mark.parametrize("suffix", ["npy", "npz"])
@pytest.mark.parametrize("keep", [0, 5, 100, -9])
def test_a_truncated_file_is_refused_by_name(tmp_path, suffix, keep):
    path = tmp_path / f"a.{suffix}"
    (np.save if suffix == "npy" else np.savez)(path, RAMP)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(GanzooError, match=path.name):
        data.load(str(path))


def test_a_flipped_byte_in_an_archive_is_noticed(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, image=RAMP)
    content = bytearray(path.read_bytes())
    content[700] ^= 1
    path.write_bytes(content)
    with pytest.raises(GanzooError, match=path.name):
        data.load(str(path))


@pytest.mark.parametrize("test", [RAMP[:5, :4], np.ones((5, 2))], ids=["smaller", "points"])
def test_test_samples_of_another_shape_are_refused(tmp_path, test):
    with pytest.raises(GanzooError, match="x_test"):
        load(tmp_path, x_train=RAMP, x_test=test)


def test_a_number_too_large_for_float32_is_refused(tmp_path):
    with pytest.raises(GanzooError, match="infinite"):
        load(tmp_path, x=np.full((20, 2), 1e300))


def test_an_array_that_is_not_used_is_named_with_the_reason(tmp_path):
    odd = {"scale": np.float64(3), "names": np.array(["a"] * 20), "few": np.zeros((4, 2))}
    odd["depth"] = np.full((20, 2), np.nan)
    found = load(tmp_path, images=RAMP, **odd)
    assert list(found.arrays) == ["image"]
    assert found.note == (
        "not used from a.npz: scale (one value), names (no numbers), depth (NaN or infinite "
        "values), few (4 rows: too few to hold 10 % out for a test)"
    )
    assert load(tmp_path, x=RAMP, y=np.arange(20) % 2).note is None


def test_labels_that_count_from_1_are_refused(tmp_path):
    with pytest.raises(GanzooError, match="from 0"):
        load(tmp_path, x=RAMP, y=np.arange(20) % 4 + 1)
    few = {"x_test": RAMP[:2], "y_test": np.array([2, 3])}
    assert load(tmp_path, x=RAMP, y=np.arange(20) % 4, **few, split="test").spec.classes == 4


def test_a_text_file_is_not_called_a_pickle(tmp_path):
    (tmp_path / "a.npz").write_text("x, y, z")
    with pytest.raises(GanzooError) as caught:
        load(tmp_path)
    assert "pickle" not in str(caught.value)
