"""Two domains in one folder, and attributes of images: CSV, and CelebA's own list."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ganzoo import data
from ganzoo.data import attributes
from ganzoo.errors import GanzooError
from ganzoo.spec import ArraySpec


def save(path, level=128, mode="L", shape=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = level if mode == "L" else (level, 0, 0)
    Image.new(mode, shape, colour).save(path)


def levels(images):
    return sorted(int(image[0, 0, 0]) for image in images)


def both(folder):
    return [data.load(str(folder), size=8, split=split) for split in ("train", "test")]


@pytest.fixture
def domains(tmp_path):
    """12 grey images of A and 30 of B, of which one is red; A has a test folder of 3."""
    for i in range(12):
        save(tmp_path / "trainA" / "deeper" / f"{i}.png", i)
    for i in range(3):
        save(tmp_path / "testA" / f"{i}.png", 100 + i)
    for i in range(30):
        save(tmp_path / "trainB" / f"{i:02}.png", i, "RGB" if i == 29 else "L", (20, 10))
    return tmp_path


def test_two_domains_of_unequal_length_are_two_groups(domains):
    train, test = both(domains)
    assert train.spec.key == "a"
    assert train.spec.group == "a"
    assert train.spec.others["b"] == ArraySpec((8, 8, 3), (-1.0, 1.0), group="b")
    assert train.spec == test.spec
    assert levels(train.arrays["a"]) == list(range(12))
    assert levels(test.arrays["a"]) == [100, 101, 102]
    assert train.groups()["a"] == 12
    assert train.note is None


def test_a_domain_without_a_test_folder_holds_some_out(domains):
    train, test = both(domains)
    assert len(test.arrays["b"]) > 0
    assert levels([*train.arrays["b"], *test.arrays["b"]]) == list(range(30))


def test_each_domain_is_grey_or_colour_by_itself_in_both_splits(domains):
    save(domains / "testA" / "red.png", 200, "RGB")
    for i in range(30):
        save(domains / "trainB" / f"{i:02}.png", i)
    for found in both(domains):
        assert found.spec.shape == (8, 8, 3)
        assert found.spec.others["b"].shape == (8, 8, 1)


def test_domains_are_64x64_unless_a_size_is_said(domains):
    found = data.load(str(domains))
    assert (found.spec.shape[:2], found.spec.others["b"].shape[:2]) == ((64, 64), (64, 64))


def test_an_empty_domain_is_an_error_that_names_it(domains):
    for path in (domains / "trainB").iterdir():
        path.unlink()
    with pytest.raises(GanzooError, match="trainB has no images for the train split"):
        data.load(str(domains))


def test_a_broken_image_of_a_domain_is_named_with_its_folder(domains):
    (domains / "trainA" / "broken.png").write_bytes(b"no image")
    assert "trainA/broken.png" in data.load(str(domains), size=8).note


def test_a_table_beside_two_domains_is_said_to_be_unused(domains):
    (domains / "attributes.csv").write_text("image,age\n0.png,3\n")
    assert "attributes.csv is not used" in data.load(str(domains), size=8).note


@pytest.fixture
def photos(tmp_path):
    """40 images whose level is their number, half of them in a sub-folder."""
    for i in range(40):
        save(tmp_path / "photos" / ("deep" if i % 2 else ".") / f"{i}.png", i)
    return tmp_path / "photos"


def table(rows=40, head="image,level,half", row="{0}.png,{0},{1}"):
    return "\n".join([head, *(row.format(i, i / 2) for i in range(rows))]) + "\n"


def assert_each_has_its_own(found):
    level = found.arrays["image"][:, 0, 0, 0]
    np.testing.assert_array_equal(found.arrays["attributes"], np.stack([level, level / 2], 1))


def test_a_csv_gives_each_image_its_own_attributes_in_both_splits(photos):
    (photos / "attributes.csv").write_text(table(), encoding="utf-8-sig")
    for found in both(photos):
        assert_each_has_its_own(found)
        described = ArraySpec((2,), None, names=("level", "half"))
        assert found.spec.others["attributes"] == described
        assert found.arrays["attributes"].dtype == np.float32
        assert found.note is None


def test_a_table_may_name_the_folder_and_must_where_names_are_not_unique(photos):
    save(photos / "deep" / "0.png", 77)
    text = table().replace("\n1.png", "\n./deep\\1.png")
    (photos / "attributes.csv").write_text(text + "deep/0.png,77,38.5\n")
    assert_each_has_its_own(data.load(str(photos), size=8))
    save(photos / "other" / "3.png", 3)
    (photos / "attributes.csv").write_text(text)
    with pytest.raises(GanzooError, match=r"2 images are called 3\.png"):
        data.load(str(photos), size=8)


def test_train_and_test_folders_have_a_table_each_or_one_for_both(tmp_path):
    for part, level in (("train", 6), ("test", 90)):
        save(tmp_path / part / "x.png", level)
        (tmp_path / part / "attributes.csv").write_text(f"image,level,half\nx.png,{level},45\n")
    _, test = both(tmp_path)
    assert test.arrays["attributes"].tolist() == [[90, 45]]
    (tmp_path / "test" / "attributes.csv").write_text("image,size\nx.png,1\n")
    with pytest.raises(GanzooError, match="has the columns size, expected level, half"):
        data.load(str(tmp_path))
    (tmp_path / "attributes.csv").write_text("image,n\ntrain/x.png,1\ntest/x.png,2\n")
    assert [one.arrays["attributes"].tolist() for one in both(tmp_path)] == [[[1]], [[2]]]


def test_classes_and_attributes_go_together(tmp_path):
    for i in range(10):
        save(tmp_path / ("cat" if i % 2 else "dog") / f"{i}.png", i)
    (tmp_path / "attributes.csv").write_text(table(10))
    found = data.load(str(tmp_path), size=8)
    np.testing.assert_array_equal(found.arrays["label"], 1 - found.arrays["attributes"][:, 0] % 2)


def test_images_without_a_row_are_an_error_with_the_count(photos):
    (photos / "attributes.csv").write_text(table(37))
    with pytest.raises(GanzooError, match=r"no row for 3 of 40 images, the first is 38\.png"):
        data.load(str(photos))


def test_a_table_of_other_images_gives_none_and_says_so(photos):
    (photos / "attributes.csv").write_text("image,age\nsomebody.png,3\n")
    found = data.load(str(photos), size=8)
    assert list(found.arrays) == ["image"]
    assert found.note == "no image has a row in attributes.csv"


def test_rows_without_image_are_counted_in_the_note(photos):
    (photos / "attributes.csv").write_text(table(45))
    assert "5 rows of attributes.csv without image" in data.load(str(photos), size=8).note


def test_the_row_of_a_broken_image_is_left_out_with_it(photos):
    (photos / "attributes.csv").write_text(table())
    for i in range(20):
        (photos / f"{2 * i}.png").write_bytes(b"no image")
    for found in both(photos):
        assert_each_has_its_own(found)


WRONG = {
    "a word": (table().replace("7.png,7,", "7.png,seven,"), r"line 9, column 'level'.*'seven'"),
    "nothing": (table().replace("7.png,7,", "7.png,,"), r"line 9, column 'level'.*''"),
    "not a number": (table().replace("7.png,7,", "7.png,nan,"), r"column 'level'.*'nan'"),
    "too large": (table().replace("7.png,7,", "7.png,1e39,"), r"column 'level'.*'1e39'"),
    "a short row": (table().replace(",3.5", ""), "line 9: expected 2 values"),
    "a row twice": (table() + "7.png,1,1\n", r"line 42: '7\.png' is there twice"),
    "a head only": (table(0), "a head and no rows"),
    "nothing at all": ("", "no attributes"),
    "semicolons": (table().replace(",", ";"), "with commas"),
    "a column twice": (table(head="image,age,age"), "two columns called 'age'"),
    "an open quote": (table() + '"7', "no CSV"),
    "Latin-1": (table().replace("half", "h\xe4lfte").encode("latin-1"), "not UTF-8"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_table_that_is_wrong_is_one_sentence_that_says_where(photos, kind):
    content, said = WRONG[kind]
    content = content if isinstance(content, bytes) else content.encode()
    (photos / "attributes.csv").write_bytes(content)
    with pytest.raises(GanzooError, match=said) as caught:
        data.load(str(photos))
    assert "attributes.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_too_large_is_not_read(photos, monkeypatch):
    monkeypatch.setattr(attributes, "LARGEST", 100)
    (photos / "attributes.csv").write_text(table())
    with pytest.raises(GanzooError, match="larger than 100 bytes"):
        data.load(str(photos))


@pytest.fixture
def celeba(tmp_path):
    """CelebA as it is unpacked, with 30 images: odd numbers are young, the last 5 are for tests."""
    folder, numbers = tmp_path / "celeba", range(1, 31)
    for i in numbers:
        save(folder / "img_align_celeba" / f"{i:06}.jpg", 8 * i, shape=(18, 22))
    rows = [f"{i:06}.jpg {'-1' if i % 2 == 0 else ' 1'} -1" for i in numbers]
    head = ["30", "Young Bald "]
    (folder / "list_attr_celeba.txt").write_text("\r\n".join(head + rows) + "\r\n")
    parts = [f"{i:06}.jpg {0 if i < 21 else 1 if i < 26 else 2}" for i in numbers]
    (folder / "list_eval_partition.txt").write_text("\n".join(parts) + "\n")
    return folder


@pytest.mark.parametrize("inner", ["", "img_align_celeba"])
def test_celeba_is_read_as_it_lies_on_the_disk(celeba, inner):
    train, test = both(celeba / inner)
    assert (len(train), len(test)) == (25, 5)
    assert train.spec.classes == 0
    assert train.spec.others["attributes"].names == ("Young", "Bald")
    for found in (train, test):
        number = np.rint(found.arrays["image"][:, 4, 4, 0] / 8)
        expected = np.stack([number % 2, np.zeros(len(number))], 1)
        np.testing.assert_array_equal(found.arrays["attributes"], expected)
        assert found.note is None


def test_celeba_without_a_partition_holds_out_by_names(celeba):
    (celeba / "list_eval_partition.txt").unlink()
    train, test = both(celeba)
    assert len(train) + len(test) == 30
    assert "attributes" in train.arrays


def test_a_folder_beside_celebas_lists_has_nothing_to_do_with_them(celeba):
    for i in range(12):
        save(celeba / "mine" / f"{i}.png", i)
    found = data.load(str(celeba / "mine"), size=8)
    assert (list(found.arrays), found.note) == (["image"], None)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("list_attr_celeba.txt", "30\r", "202599\r", "'202599' rows, and has 30"),
        ("list_attr_celeba.txt", "000003.jpg  1", "000003.jpg 7", "line 5: expected -1 and 1"),
        ("list_attr_celeba.txt", "000003.jpg  1", "000003.jpg", "line 5: expected 2 values"),
        ("list_eval_partition.txt", "000003.jpg 0", "000003.jpg 5", "line 3: expected an image"),
        ("list_eval_partition.txt", "000003.jpg 0\n", "", "no row for 1 of 30 images"),
    ],
)
def test_a_damaged_list_of_celeba_is_refused(celeba, file, old, new, said):
    text = (celeba / file).read_bytes().decode()
    assert old in text
    (celeba / file).write_bytes(text.replace(old, new).encode())
    with pytest.raises(GanzooError, match=said):
        data.load(str(celeba))
