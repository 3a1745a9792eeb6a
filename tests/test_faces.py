"""Faces: files of the layouts in which they are published, and small."""

from __future__ import annotations

import joblib
import numpy as np
import pytest
from PIL import Image

from ganzoo import data
from ganzoo.data import faces
from ganzoo.errors import GanzooError


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """No network, and a home of its own for scikit-learn."""
    monkeypatch.setattr(faces.download, "failure", lambda url: "no network")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def pictures() -> np.ndarray:
    bits = np.random.default_rng(0)
    pixels = bits.integers(3, 250, (400, 64, 64), np.uint8)
    pixels[0, 0, :2] = 0, 255
    return pixels


def test_olivetti_is_the_same_from_a_file_and_from_scikit_learn(pictures, tmp_path):
    (tmp_path / "home").mkdir()
    stored = pictures.transpose(0, 2, 1).reshape(400, -1)  # it turns them round when it reads
    joblib.dump(stored, tmp_path / "home" / "olivetti_py3.pkz")
    theirs = data.load("olivetti")
    (tmp_path / "own" / "olivetti_faces").mkdir(parents=True)
    np.savez(tmp_path / "own" / "olivetti_faces" / "olivetti_faces_400_64x64.npz", images=pictures)
    ours = data.load("olivetti")
    assert str(tmp_path / "own") in ours.source
    assert str(tmp_path / "home") in theirs.source
    assert np.array_equal(ours.arrays["image"], theirs.arrays["image"])
    assert np.array_equal(ours.arrays["image"][7], pictures[7][..., None])


def test_two_pictures_of_each_person_are_held_out(pictures, tmp_path):
    (tmp_path / "own" / "olivetti_faces").mkdir(parents=True)
    np.savez(tmp_path / "own" / "olivetti_faces" / "olivetti_faces_400_64x64.npz", images=pictures)
    train, test = data.load("olivetti"), data.load("olivetti", split="test", size=28)
    assert np.bincount(train.arrays["label"]).tolist() == [8] * 40
    assert np.bincount(test.arrays["label"]).tolist() == [2] * 40
    assert test.spec.shape == (28, 28, 1)
    np.savez(tmp_path / "own/olivetti_faces/olivetti_faces_400_64x64.npz", images=pictures[:9])
    with pytest.raises(GanzooError, match="is not Olivetti's faces: expected"):
        data.load("olivetti")


@pytest.mark.parametrize("place", ["own", "home"])
def test_lfw_is_read_as_scikit_learn_keeps_it(place, tmp_path):
    home = tmp_path / place / "lfw_home"
    for number in range(20):  # people by name; two pictures of the first
        folder = home / "lfw_funneled" / f"Person_{number:02}"
        folder.mkdir(parents=True)
        for picture in range(2 if number == 0 else 1):
            pixels = np.zeros((250, 250, 3), np.uint8)
            pixels[61:189, 61:189] = (10 * number, 200, 50)  # the middle, and nothing beside it
            Image.fromarray(pixels).save(folder / f"{folder.name}_{picture + 1:04}.jpg", quality=95)
    for name in ("pairsDevTrain.txt", "pairsDevTest.txt", "pairs.txt"):
        (home / name).write_text("")
    train, test = data.load("lfw"), data.load("lfw", split="test")
    assert train.arrays["image"].shape == (19, 64, 64, 3)
    assert test.arrays["image"].shape == (2, 64, 64, 3)
    seen = np.sort(test.arrays["image"][:, 8:-8, 8:-8].mean((1, 2)), axis=0)
    assert np.abs(seen - [[90, 200, 50], [190, 200, 50]]).max() < 4  # the 10th and the 20th
    assert data.load("lfw", size=128).spec.shape == (128, 128, 3)


def test_celeba_is_a_folder_with_its_lists(tmp_path):
    images = tmp_path / "own" / "celeba" / "img_align_celeba"
    images.mkdir(parents=True)
    names = [f"{number:06}.jpg" for number in range(1, 7)]
    for name in names:
        Image.new("RGB", (178, 218), (90, 60, 30)).save(images / name)
    attributes = [
        "6",
        "Smiling Young",
        *(f"{n}  {1 - 2 * (i % 2)} -1" for i, n in enumerate(names)),
    ]
    (images.parent / "list_attr_celeba.txt").write_text("\n".join(attributes))
    split = [f"{n} {2 * (i >= 4)}" for i, n in enumerate(names)]
    (images.parent / "list_eval_partition.txt").write_text("\n".join(split))
    train, test = data.load("celeba", size=28), data.load("celeba", split="test")
    assert train.arrays["attributes"].tolist() == [[1, 0], [0, 0], [1, 0], [0, 0]]
    assert test.arrays["image"].shape == (2, 64, 64, 3)
    assert train.name == "celeba"


@pytest.mark.parametrize("name", faces.NAMES)
def test_what_is_nowhere_says_where_it_was_looked_for(name, tmp_path):
    with pytest.raises(GanzooError, match=f"{name} was not found: .* GANZOO_DATA"):
        data.load(name)
    assert not (tmp_path / "own").exists()
