"""Folders of images: sizes, colours, classes, broken files."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ganzoo import data
from ganzoo.errors import GanzooError


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)


def grey(level=128, shape=(20, 30)):
    return np.full(shape, level, np.uint8)


def only(folder, size=8):
    """The one image of a folder: it is in train however its name hashes."""
    images = data.load(str(folder), size=size).arrays["image"]
    assert len(images) == 1
    return images[0]


def test_images_of_any_size_become_squares_of_one_size(tmp_path):
    for i, shape in enumerate([(20, 30), (100, 10), (64, 64), (1, 1)] * 5):
        save(tmp_path / f"{i}.png", grey(i, shape))
    train, test = data.load(str(tmp_path)), data.load(str(tmp_path), split="test")
    assert train.spec.shape == test.spec.shape == (64, 64, 1)
    assert len(train) + len(test) == 20
    levels = [{int(image[0, 0, 0]) for image in part.arrays["image"]} for part in (train, test)]
    assert levels[0] | levels[1] == set(range(20))
    assert train.spec.classes == 0


def test_shrinking_is_antialiased(tmp_path):
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    save(tmp_path / "a.png", stripes)
    pixels = only(tmp_path)[:, 1:-1]
    assert abs(pixels.astype(int) - 127).max() <= 3


def test_the_centre_is_what_remains_of_a_wide_image(tmp_path):
    wide = np.zeros((10, 30), np.uint8)
    wide[:, 10:20] = 200
    save(tmp_path / "a.png", wide)
    assert (only(tmp_path, 10) == 200).all()


def test_one_coloured_image_makes_all_coloured(tmp_path):
    for i in range(12):
        save(tmp_path / f"{i}.png", grey())
    red = np.zeros((9, 9, 3), np.uint8)
    red[..., 0] = 255
    for i in range(12, 30):
        save(tmp_path / f"{i}.png", red)
    assert data.load(str(tmp_path)).spec.shape == (64, 64, 3)


def test_grey_images_stored_as_rgb_are_grey(tmp_path):
    save(tmp_path / "a.png", np.full((9, 9, 3), 77, np.uint8))
    assert only(tmp_path).shape == (8, 8, 1)


def test_transparency_shows_white(tmp_path):
    save(tmp_path / "a.png", np.zeros((9, 9, 4), np.uint8))
    assert (only(tmp_path) == 255).all()


def test_a_transparent_palette_colour_shows_white(tmp_path):
    image = Image.fromarray(np.zeros((9, 9), np.uint8)).convert("P")
    save(tmp_path / "a.png", image, transparency=image.getpixel((0, 0)))
    assert (only(tmp_path) == 255).all()


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    save(tmp_path / "a.png", np.full((9, 9), 128 * 257, np.uint16))
    assert (only(tmp_path) == 128).all()


def test_cmyk_is_converted(tmp_path):
    save(tmp_path / "a.jpg", Image.new("CMYK", (9, 9), (255, 0, 0, 0)), quality=100)
    red, green, blue = only(tmp_path)[4, 4]
    assert red < 30
    assert green > 100
    assert blue > 100


def test_the_turn_that_exif_states_is_made(tmp_path):
    pixels = np.zeros((8, 8), np.uint8)
    pixels[:4] = 250  # stored with the bright half up, shown with it at the right
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "a.png", pixels, exif=exif)
    shown = only(tmp_path)[..., 0]
    assert (shown[:, 4:] == 250).all()
    assert (shown[:, :4] == 0).all()


def test_sub_folders_are_classes(tmp_path):
    for i in range(30):
        save(tmp_path / "cat" / f"{i}.png", grey(10))
        save(tmp_path / "dog" / f"{i}.png", grey(200))
    found = data.load(str(tmp_path), size=8)
    assert found.class_names == ("cat", "dog")
    assert found.spec.classes == 2
    bright = found.arrays["image"][:, 0, 0, 0] > 100
    np.testing.assert_array_equal(found.arrays["label"], bright)


def test_train_and_test_folders_are_the_splits_and_share_their_classes(tmp_path):
    for label in ("a", "b", "c"):
        save(tmp_path / "train" / label / "1.png", grey(1))
    save(tmp_path / "test" / "c" / "1.png", grey(2))
    train, test = data.load(str(tmp_path)), data.load(str(tmp_path), split="test")
    assert (len(train), len(test)) == (3, 1)
    assert train.class_names == test.class_names == ("a", "b", "c")
    assert test.arrays["label"].tolist() == [2]


def test_the_split_of_an_image_does_not_change_when_others_come(tmp_path):
    for i in range(40):
        save(tmp_path / f"{i:03}.png", grey(i))
    before = {int(image[0, 0, 0]) for image in data.load(str(tmp_path)).arrays["image"]}
    for i in range(40, 83):
        save(tmp_path / f"{i:03}.png", grey(i))
    after = {int(image[0, 0, 0]) for image in data.load(str(tmp_path)).arrays["image"]}
    assert before == {level for level in after if level < 40}


def test_a_broken_image_is_named_and_skipped(tmp_path):
    for i in range(30):
        save(tmp_path / f"{i}.png", grey())
    names = [f"broken{i}.png" for i in range(30)]
    for name in names:
        (tmp_path / name).write_bytes((tmp_path / "0.png").read_bytes()[:45])
    found = data.load(str(tmp_path))
    count = int(found.note.split()[0])
    assert 20 < count < 31
    assert f"{count} broken images skipped" in found.note
    assert len(found) + len(data.load(str(tmp_path), split="test")) == 30
    assert "\n" not in found.note
    assert any(name in found.note for name in names)


def test_all_broken_is_an_error_with_the_count(tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(b"not an image")
    with pytest.raises(GanzooError, match="all"):
        data.load(str(tmp_path))


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(GanzooError, match=str(tmp_path)):
        data.load(str(tmp_path))


def test_hidden_files_are_left_out(tmp_path):
    save(tmp_path / "a.png", grey())
    (tmp_path / "._a.png").write_bytes(b"resource fork")
    assert data.load(str(tmp_path)).note is None


@pytest.mark.parametrize("coloured", ["train", "test"])
def test_both_splits_of_a_folder_have_the_same_channels(tmp_path, coloured):
    for split in ("train", "test"):
        for i in range(3):
            save(tmp_path / split / f"{i}.png", grey())
    red = np.zeros((9, 9, 3), np.uint8)
    red[..., 0] = 255
    save(tmp_path / coloured / "red.png", red)
    for split in ("train", "test"):
        assert data.load(str(tmp_path), size=8, split=split).spec.shape == (8, 8, 3)


def test_images_beside_sub_folders_have_no_labels_and_that_is_said(tmp_path):
    for name in ("a/1", "a/2", "b/1", "b/2", "top"):
        save(tmp_path / f"{name}.png", grey())
    found = data.load(str(tmp_path), size=8)
    assert found.spec.classes == 0
    assert "no labels: 1 of 5" in found.note


def test_a_path_is_found_again_from_another_folder(tmp_path, monkeypatch):
    save(tmp_path / "photos" / "a.png", grey())
    monkeypatch.chdir(tmp_path)
    name = data.load("photos", size=8).name
    monkeypatch.chdir("/")
    assert len(data.load(name, size=8)) == 1
