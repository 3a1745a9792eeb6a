"""The animation: the run's pictures in order, for as long as was asked."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_cli import call

from ganzoo import pictures
from ganzoo.errors import GanzooError, UsageError
from ganzoo.eval.report import fields
from ganzoo.eval.report.animation import animate
from ganzoo.files import write_atomic
from ganzoo.run import RunDir


def make(path: Path, shades: list[int], side: int = 60) -> RunDir:
    """A run whose picture of each hundredth step has one shade."""
    run = RunDir.create(path)
    run.write_config({"plugin": "dcgan"})
    for step, shade in enumerate(shades, 1):
        image = np.full((side, side + 1, 1), shade, np.uint8)
        write_atomic(run.picture(f"step-{100 * step:08d}"), pictures.png(image))
    return run


def frames(path: Path) -> list[tuple[int, int]]:
    """(shade, milliseconds) of the frames of a GIF."""
    found = []
    with Image.open(path) as picture:
        for index in range(picture.n_frames):
            picture.seek(index)
            shade = picture.convert("L").getpixel((5, 5))
            found.append((shade, picture.info["duration"]))
    return found


def test_a_gif_shows_the_pictures_in_order_and_holds_the_last(tmp_path):
    run = make(tmp_path / "a", [10, 90, 170, 250])
    assert animate(run.path, tmp_path / "a.gif", seconds=3.0) == 4
    assert frames(tmp_path / "a.gif") == [(10, 800), (90, 800), (170, 800), (250, 600)]


def test_more_pictures_than_frames_are_thinned_evenly_from_first_to_last(tmp_path):
    run = make(tmp_path / "a", list(range(10, 60)))
    assert animate(run.path, tmp_path / "a.gif", seconds=0.25) == 5
    found = frames(tmp_path / "a.gif")
    assert [shade for shade, _ in found] == [10, 22, 34, 47, 59]
    assert sum(milliseconds for _, milliseconds in found) == 250


def test_an_mp4_lasts_as_long_as_asked(tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    run = make(tmp_path / "a", [10, 130, 250])
    animate(run.path, tmp_path / "a.mp4", seconds=2.0)
    reader = ffmpeg.read_frames(str(tmp_path / "a.mp4"), pix_fmt="gray", bits_per_pixel=8)
    facts = next(reader)
    shades = [frame[5 * facts["size"][0] + 5] for frame in reader]
    assert facts["size"] == (62, 86)
    assert abs(len(shades) - 50) <= 1
    assert np.allclose([shades[0], shades[25], shades[-1]], [10, 130, 250], atol=4)


def test_without_ffmpeg_an_mp4_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(UsageError, match="an MP4 needs imageio-ffmpeg"):
        animate(make(tmp_path / "a", [1, 2]).path, tmp_path / "a.mp4")
    assert not (tmp_path / "a.mp4").exists()


def test_pictures_that_are_damaged_or_of_another_size_are_passed_over(tmp_path):
    run = make(tmp_path / "a", [10, 90, 170, 250])
    run.picture("step-00000100").write_bytes(b"no picture")
    write_atomic(run.picture("step-00000200"), pictures.png(noise := np.zeros((9, 9, 1), np.uint8)))
    with pytest.warns(UserWarning, match=r"a: samples/step-00000100\.png cannot be read: left out"):
        assert animate(run.path, tmp_path / "a.gif") == 2
    run.picture("step-00000400").write_bytes(noise.tobytes())
    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(GanzooError, match="1 readable sample pictures of one size"),
    ):
        animate(run.path, tmp_path / "a.gif")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["one"], 1, "one has 1 readable sample pictures of one size: an animation takes 2"),
        (["two", "--out", "a.avi"], 2, "must end in .gif or .mp4, not 'a.avi'"),
        (["two", "--seconds", "0"], 2, "--seconds must lie in 0.1 to 600, not 0"),
        (["nowhere"], 2, "no run at nowhere"),
    ],
)
def test_what_cannot_be_animated_is_one_sentence(
    arguments, code, sentence, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    make(Path("one"), [1])
    make(Path("two"), [1, 2])
    found, _, err = call(capsys, "animate", *arguments)
    assert found == code
    assert sentence in err
    assert not list(tmp_path.rglob("*.gif"))


def test_the_command_writes_into_the_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make(Path("a"), [1, 2])
    code, out, _ = call(capsys, "animate", "a")
    assert code == 0
    assert out.startswith("a/samples.gif  (2 pictures, 6 s, 0.")


# -- runs on points -------------------------------------------------------------------------------


def field(side: int = 16, dimensions: int = 2, **more: np.ndarray) -> dict[str, np.ndarray]:
    """What a run on points keeps with a picture."""
    axis = np.linspace(-1, 1, side)
    points = np.random.default_rng(0).uniform(-1, 1, (50, dimensions))
    logits = np.broadcast_to(axis, (side,) * dimensions)
    axes = dict(zip("xy", [axis] * dimensions, strict=False))
    return axes | {"samples": points, "real": points, "logits_d": logits} | more


@pytest.mark.parametrize("dimensions", [1, 2])
def test_a_run_on_points_is_drawn_with_its_discriminator(tmp_path, dimensions):
    (tmp_path / "run" / "fields").mkdir(parents=True)
    (tmp_path / "run" / "config.yaml").write_text("plugin: x\n")
    for step in (1, 2):
        kept = field(dimensions=dimensions)
        kept["logits_d"] = kept["logits_d"] * (-1) ** step
        np.savez(tmp_path / "run" / "fields" / f"step-{step:08d}.npz", **kept)
    assert animate(tmp_path / "run", tmp_path / "out.gif", seconds=0.5) == 2
    with Image.open(tmp_path / "out.gif") as film:
        film.seek(0)
        first = np.asarray(film.convert("RGB")).astype(int)
        film.seek(1)
        assert np.abs(np.asarray(film.convert("RGB")).astype(int) - first).mean() > 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"x": np.zeros(16)},
        {"samples": np.full((50, 2), np.nan)},
        {"samples": np.zeros((50, 3))},
        {"real": np.zeros((0, 2))},
        {"logits_d": np.zeros((15, 16))},
        {"y": np.zeros((16, 16))},
    ],
)
def test_a_file_that_is_no_field_is_left_out(tmp_path, wrong):
    np.savez(tmp_path / "f.npz", **field(**wrong))
    assert fields.read(tmp_path / "f.npz") is None
    np.savez(tmp_path / "g.npz", **field())
    assert fields.read(tmp_path / "g.npz").logits["d"].shape == (16, 16)
    (tmp_path / "h.npz").write_bytes((tmp_path / "g.npz").read_bytes()[:300])
    assert fields.read(tmp_path / "h.npz") is None


def test_a_field_whose_list_of_arrays_hides_one_is_damaged(tmp_path):
    kept = {"x": np.linspace(0, 1, 16), "y": np.linspace(0, 1, 16)}
    kept |= dict.fromkeys(("samples", "real"), np.zeros((5, 2)))
    path = tmp_path / "f.npz"
    np.savez(path, **kept, logits_d=np.zeros((16, 16)))
    assert "d" in fields.read(path).logits
    content = bytearray(path.read_bytes())
    last = content.rindex(b"PK\x01\x02")
    before = content.rindex(b"PK\x01\x02", 0, last)
    content[before + 32] = content.rindex(b"PK\x05\x06") - last  # of its comment: the last entry
    path.write_bytes(content)
    assert fields.read(path) is None


def test_an_mp4_that_cannot_be_made_is_one_sentence(tmp_path, capsys):
    pytest.importorskip("imageio_ffmpeg")
    make(tmp_path / "a", [1, 2])
    for step in (100, 200):
        image = np.zeros((2, 32_000, 1), np.uint8)
        write_atomic(RunDir(tmp_path / "a").picture_of(step), pictures.png(image))
    out = str(tmp_path / "a.mp4")
    code, _, err = call(capsys, "animate", str(tmp_path / "a"), "--out", out)
    assert code == 1
    assert "no MP4 of 32000x28 pixels could be made" in err
