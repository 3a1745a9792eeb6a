"""`ganzoo data info`: what it shows of data with several arrays."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from test_cli import call

IMAGES = np.linspace(0, 255, 20 * 64).round().astype(np.uint8).reshape(20, 8, 8)


@pytest.fixture
def two(tmp_path):
    """An `.npz` of two groups."""
    stored = {"a/image": IMAGES, "a/y": np.arange(20) % 2, "b/image": IMAGES[:10, :6, :6]}
    np.savez(tmp_path / "two.npz", **stored)
    return str(tmp_path / "two.npz")


def table(out):
    """The rows of the table of arrays, without its head, as words."""
    return [line.split() for line in out.partition("\narray ")[2].splitlines()[1:]]


def test_every_array_is_shown_with_its_rows_shape_range_and_group(capsys, two):
    code, out, _ = call(capsys, "data", "info", two)
    assert code == 0
    assert table(out) == [
        ["a", "18", "8x8x1", "uint8", "in", "[0,", "229]", "a"],
        ["label", "18", "one", "number", "int32", "in", "[0,", "1]", "a"],
        ["b", "9", "6x6x1", "uint8", "in", "[0,", "111]", "b"],
    ]


def test_the_group_is_not_mentioned_where_there_is_one(capsys, tmp_path):
    np.savez(tmp_path / "one.npz", x=IMAGES, mask=IMAGES > 99)
    out = call(capsys, "data", "info", str(tmp_path / "one.npz"))[1]
    assert "group" not in out.partition("\narray ")[2].splitlines()[0]
    assert [row[0] for row in table(out)] == ["image", "mask"]


def test_json_has_every_array_too(capsys, two):
    found = json.loads(call(capsys, "data", "info", two, "--split", "test", "--json")[1])
    assert list(found["arrays"]) == ["a", "label", "b"]
    b = {"rows": 1, "shape": [6, 6, 1], "range": [-1.0, 1.0], "classes": 0, "group": "b"}
    assert b.items() <= found["arrays"]["b"].items()
    assert found["arrays"]["label"]["classes"] == 2


def test_the_picture_is_of_the_keys_array(capsys, tmp_path, two):
    call(capsys, "data", "info", two, "--picture", str(tmp_path / "key.png"))
    np.savez(tmp_path / "alone.npz", image=IMAGES)
    alone = str(tmp_path / "alone.npz")
    call(capsys, "data", "info", alone, "--picture", str(tmp_path / "alone.png"))
    assert (tmp_path / "key.png").read_bytes() == (tmp_path / "alone.png").read_bytes()


def test_the_first_names_of_attributes_are_shown(capsys, tmp_path):
    folder, names = tmp_path / "photos", [f"column{i}" for i in range(9)]
    folder.mkdir()
    rows = [",".join(["image", *names])]
    for i in range(12):
        Image.new("L", (8, 8), 9 * i).save(folder / f"{i}.png")
        rows.append(",".join([f"{i}.png", *"012345678"]))
    (folder / "attributes.csv").write_text("\n".join(rows))
    out = call(capsys, "data", "info", str(folder))[1]
    assert "column0, column1, column2, column3, column4, ..." in out
    assert "column5" not in out
    found = json.loads(call(capsys, "data", "info", str(folder), "--json")[1])
    assert found["arrays"]["attributes"]["names"] == names
