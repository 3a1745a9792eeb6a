"""A stranger's run folder: a look at it writes nothing, waits for nothing and ends nothing."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_animate import field
from test_cli import call
from test_report import make, score, words

from ganzoo import files
from ganzoo.errors import GanzooError, UsageError
from ganzoo.eval import scores
from ganzoo.eval.diagnosis import records
from ganzoo.eval.evaluation import evaluate
from ganzoo.eval.report import fields, run_facts, stored_pictures
from ganzoo.eval.report.page import html
from ganzoo.run import RunDir
from ganzoo.untrusted import lines, visible
from ganzoo.views import notebook
from ganzoo.views.terminal import Plain

pytestmark = pytest.mark.filterwarnings("always")  # damage is told, as on the command line

ESCAPE = "\x1b]0;owned\x07\x1b[2J"
LOOKS = (
    ("runs", "runs"),
    ("compare",),
    ("diagnose", "runs/a"),
    ("report", "runs/a", "--out", "out.html"),
    ("animate", "runs/a", "--out", "out.gif"),
)


@pytest.fixture(autouse=True)
def _nothing_waits() -> Iterator[None]:
    """A command that waits for a pipe is a failure, not a test that never ends."""

    def late(*_: object) -> None:
        raise TimeoutError("it waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    """`runs/a`, with everything that a run can hold, and a good run beside it."""
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        made = make(Path("runs") / name)
        made.write_game({"milestones": [], "phases": [{"step": 0, "pairs": [["g", "d"]]}]})
        made.write_state("finished")
        score(made, 1.0, pictures={"pairs": picture()})
    return RunDir("runs/a")


@pytest.fixture
def points(run: RunDir) -> RunDir:
    """The same of a run on points."""
    return with_fields(run)


def with_fields(run: RunDir) -> RunDir:
    for step in (50, 100):
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **field())
        run.write("fields", run.field_of(step).name, content=buffer.getvalue())
    return run


def picture(width: int = 8, height: int = 8) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def told(found: tuple[int, str, str]) -> str:
    """What a command said, of which nothing is a traceback or moves the terminal's cursor."""
    text = found[1] + found[2]
    assert "please report" not in text, text
    assert "Traceback" not in text, text
    assert not set(text) & set("\x1b\x07\r\x9b"), repr(text)
    return text


def page(run: RunDir) -> str:
    return words(html([run_facts.read(run.path)]))


# -- nothing is written, nothing is followed ------------------------------------------------------


def state(folder: Path) -> dict[str, tuple]:
    return {
        str(p): (p.lstat().st_mtime_ns, p.lstat().st_size) for p in [folder, *folder.rglob("*")]
    }


def test_looking_at_a_run_writes_nothing_into_it(points, capsys):
    before = state(points.path)
    for words_ in LOOKS:
        assert call(capsys, *words_)[0] == 0
    notebook.html(points)
    assert state(points.path) == before


PLACES = (
    "config.yaml",
    "metrics.jsonl",
    "findings.jsonl",
    "game.json",
    "status.json",
    ".lock",
    "samples/step-00000100.png",
    "samples/real.png",
    "fields/step-00000100.npz",
    "eval/score.json",
    "eval/score-pairs.png",
    "checkpoints/step-00000100.npz",
    "report.html",
    "samples.gif",
)
KINDS: tuple[Callable[[Path], None], ...] = (
    os.mkfifo,
    Path.mkdir,
    lambda path: path.symlink_to(Path("outside/file").resolve()),
    lambda path: path.symlink_to("/dev/zero"),
    lambda path: path.symlink_to(path.name),
)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_file_of_the_run_is_neither_opened_nor_waited_for(run, place, capsys):
    Path("outside").mkdir()
    Path("outside/file").write_bytes(picture())
    outside = state(Path("outside"))
    if place.startswith("fields"):
        with_fields(run)
    path = run.path / place
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    drawn = ("config.yaml", "samples/step", "fields")
    for make_kind in KINDS:
        make_kind(path)
        for words_ in LOOKS if place.startswith(drawn) else LOOKS[:-1]:
            told(call(capsys, *words_))
        notebook.html(run)
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    assert state(Path("outside")) == outside


@pytest.mark.parametrize("name", ["samples", "fields", "eval", "checkpoints"])
def test_a_folder_of_a_run_that_is_a_link_is_not_followed(run, name, capsys):
    (run.path / name).is_dir() and (run.path / name).rename("outside")
    Path("outside").mkdir(exist_ok=True)
    (run.path / name).symlink_to(Path("outside").resolve())
    facts = run_facts.read(run.path) if name != "eval" else None
    for words_ in LOOKS:
        told(call(capsys, *words_))
    if name == "eval":
        with pytest.warns(UserWarning, match=r"eval is no folder of this run's"):
            facts = run_facts.read(run.path)
        assert facts.scores == []
    assert name != "samples" or (facts.grids, facts.real) == ([], None)
    assert name != "fields" or facts.fields == []


@pytest.mark.parametrize(
    ("command", "name"), [("report", "report.html"), ("animate", "samples.gif")]
)
def test_the_default_place_is_refused_where_it_is_a_link_or_the_run_is_read_only(
    run, command, name, capsys, monkeypatch
):
    Path("precious").write_text("mine")
    (run.path / name).symlink_to(Path("precious").resolve())
    code, _, err = call(capsys, command, "runs/a")
    where = "say with --out where to write.\n"
    assert (code, err) == (2, f"ganzoo: runs/a/{name} is no regular file: {where}")
    assert Path("precious").read_text() == "mine"
    (run.path / name).unlink()
    monkeypatch.setattr(os, "access", lambda *_: False)
    code, _, err = call(capsys, command, "runs/a")
    assert (code, err) == (
        2,
        "ganzoo: runs/a cannot be written in: say with --out where to write.\n",
    )
    assert not (run.path / name).exists()


# -- eval prints what it cannot keep --------------------------------------------------------------


def _as_a_link(path: Path) -> None:
    Path("elsewhere").mkdir()
    path.symlink_to(Path("elsewhere").resolve())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from ganzoo.cli import main

    path = tmp_path_factory.mktemp("strange") / "ring"
    options = ["--data", "ring", "--steps", "4", "--batch-size", "8", "--quiet"]
    main(["train", "mlp_gan", *options, "--outdir", str(path)])
    return path


@pytest.mark.parametrize(
    "spoilt", [_as_a_link, os.mkfifo, Path.touch], ids=["link", "pipe", "file"]
)
def test_eval_prints_the_score_that_it_cannot_keep(trained, spoilt, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = trained / "eval"
    spoilt(folder)
    try:
        code, out, err = call(capsys, "eval", str(trained), "--fid", "--samples", "50")
        assert code == 0
        assert "Frechet distance (raw values, 50 vs test 100k)" in out
        assert "warning: The score is told, and not kept in" in err
        assert "eval" in os.listdir(trained)
        assert not Path("elsewhere").exists() or os.listdir("elsewhere") == []
    finally:
        folder.unlink()


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_a_disk_that_takes_no_score_is_a_warning_for_all_of_them(trained, number, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.warns(UserWarning, match="2 scores are told, and not kept") as warned:
        found = evaluate(trained, ["fid"], samples=50, seeds=2)
    assert len(found) == 2
    assert len(warned) == 1
    assert not list((trained / "eval").glob("*"))


# -- one bad folder never ends a list -------------------------------------------------------------


def _binary(run: RunDir) -> None:
    (run.path / "config.yaml").write_bytes(b"plugin: \xff\xfe")


def _deep(run: RunDir) -> None:
    (run.path / "config.yaml").write_text("[" * 100_000)


def _nameless(run: RunDir) -> None:
    (run.path / "config.yaml").write_text("data: digits\n")


def _other_types(run: RunDir) -> None:
    (run.path / "config.yaml").write_text("plugin: x\nfields: [1]\n")


def _wild_rows(run: RunDir) -> None:
    rows = (b'{"step": 1, "score": ["a"]}', b'{"step": 1e400}', b"\xff\xfe", b"[]")
    last = b'{"step": 7, "score": 1e999, "d": [1], "g": 1' + b"0" * 500 + b"}\n"
    (run.path / "metrics.jsonl").write_bytes(b"\n".join((*rows, last)))


@pytest.mark.parametrize("spoil", [_binary, _deep, _nameless, _other_types])
def test_one_bad_folder_is_one_row_of_a_list(run, spoil, capsys):
    spoil(run)
    for json_too in ([], ["--json"]):
        code, out, _ = call(capsys, "runs", *json_too)
        assert code == 0
        assert "unreadable (" in out
        assert "runs/b" in out
        code, out, _ = call(capsys, "compare", *json_too)
        assert code == 0
        assert "runs/b" in out
        assert "saturated" not in out
    assert "unreadable" in out or spoil is _nameless


def test_rows_that_are_no_numbers_are_left_out(run, capsys):
    _wild_rows(run)
    for words_ in LOOKS:
        assert "metrics.jsonl is damaged" in told(call(capsys, *words_)) or words_[0] == "animate"
    with pytest.warns(UserWarning, match="metrics"):
        found = records.rows(run)
    assert found == [{"step": 7, "score": float("inf"), "g": float("inf")}]


def test_a_folder_that_nobody_may_look_into_is_a_row(run, capsys, monkeypatch):
    Path("runs/c").mkdir()
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "c")
    _, out, _ = call(capsys, "runs", "--json")
    rows = {row["run"]: row for row in json.loads(out)}
    assert rows["runs/c"]["state"].startswith("unreadable (")
    assert rows["runs/b"]["state"] == "finished"


@pytest.mark.parametrize(
    ("make_root", "code", "said"),
    [
        (lambda path: None, 0, "no runs in root/"),
        (os.mkfifo, 2, "root is no folder"),
        (Path.touch, 2, "root is no folder"),
        (lambda path: path.symlink_to("nowhere"), 2, "root is no folder"),
    ],
)
def test_a_root_that_holds_no_runs_is_one_sentence(
    make_root, code, said, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    make_root(Path("root"))
    found = call(capsys, "runs", "root")
    assert found[0] == code
    assert said in told(found)


def test_a_root_that_cannot_be_read_is_one_sentence_and_offers_nothing(
    tmp_path, monkeypatch, capsys
):
    from test_completion import offered

    def closed(_: Path) -> Iterator[Path]:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    monkeypatch.setattr(Path, "iterdir", closed)
    assert call(capsys, "runs") == (2, "", "ganzoo: runs cannot be read: Permission denied.\n")
    assert offered("sample runs/") == []


# -- nothing reaches the terminal as it is --------------------------------------------------------


def test_what_moves_the_cursor_is_made_visible(run, capsys):
    from test_completion import offered

    evil = Path("runs") / f"evil{ESCAPE}"
    made = make(evil, plugin=f"p{ESCAPE}", data=f"d{ESCAPE}", fields={"steps": ESCAPE})
    made.append_metrics({"step": 110, f"loss{ESCAPE}": float("nan")})
    made.append_finding({"step": 3, "name": ESCAPE, "severity": ESCAPE, "message": ESCAPE})
    label = f"FID {ESCAPE}"
    scores.Score(f"fid{ESCAPE}", label, 1.0, {"x": ESCAPE}, better=ESCAPE, step=1).save(made)
    made.write("eval", f"bad{ESCAPE}.json", content=b"{")
    (made.path / "samples.gif").mkdir()
    for words_ in (
        ("runs",),
        ("compare",),
        ("compare", str(evil)),
        ("diagnose", str(evil)),
        ("report", str(evil)),
        ("report", str(evil), "--out", "out.html"),
        ("animate", str(evil)),
        ("eval", str(evil)),
        ("sample", str(evil)),
    ):
        text = told(call(capsys, *words_))
        assert "\\x1b]0;owned" in text or "\\x1b" not in text, text
    for words_ in (("runs",), ("compare",), ("diagnose", str(evil))):
        found = call(capsys, *words_, "--json")
        told((0, found[1], ""))
        json.loads(found[1])
    assert str(evil) not in offered("sample runs/")
    assert "runs/b" in offered("sample runs/")
    told((0, notebook.html(made), ""))


def test_a_name_that_is_no_utf_8_is_shown(run, capsys):
    strange = os.fsencode("runs/") + b"x\xff\xfe"
    os.rename("runs/a", strange)
    for words_ in (("runs",), ("compare",), ("diagnose", os.fsdecode(strange))):
        assert r"x\udcff\udcfe" in told(call(capsys, *words_))
        _, out, _ = call(capsys, *words_, "--json")
        assert os.fsdecode(strange) in json.dumps(json.loads(out), ensure_ascii=False)


def test_a_table_on_a_terminal_shows_names_as_they_are_written(run, capsys, monkeypatch):
    os.rename("runs/a", f"runs/[bold]:x:{ESCAPE}")
    for words_ in (("runs",), ("compare",)):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        code, out, err = call(capsys, *words_)
        assert (code, err) == (0, "")
        assert "[bold]:x:\\x1b]0;owned" in out.replace("\n", "")


def test_what_a_view_of_a_training_says_is_visible(capsys):
    with Plain() as view:
        view.say(f"training {ESCAPE}\non x")
    told((0, capsys.readouterr().out, ""))


def test_only_what_can_be_seen_is_visible():
    assert visible("a\x1b\u202e\udcff\u2028\tb\u00e9") == "a\\x1b\\u202e\\udcff  b\u00e9"
    assert lines("a\x07\nb") == "a\\x07\nb"


# -- score files ----------------------------------------------------------------------------------


def stored(**changes: object) -> bytes:
    """A score's file as 0.1.0 wrote it, with no digest, and with these values in it."""
    whole = {"metric": "fid", "label": "FID", "value": 2.0, "std": None, "better": "lower"}
    whole |= {"step": 100, "source": "a", "details": {}, "protocol": {"samples": 3, "seed": 0}}
    return json.dumps(whole | changes).encode()


ODD = {
    "no value": stored(value=None),
    "a list for a value": stored(value=[1]),
    "text for a value": stored(value="high"),
    "truth for a value": stored(value=True),
    "a step below 0": stored(step=-1),
    "a step between": stored(step=1.5),
    "a step in words": stored(step="last"),
    "a step without end": stored(step=10**30),
    "a digit too many": b'{"step": ' + b"9" * 5000 + b"}",
    "a list for a protocol": stored(protocol=[1]),
    "no protocol": stored(protocol=None),
    "a number for a label": stored(label=3),
    "text for details": stored(details="x"),
    "a spread in words": stored(std="wide"),
    "a key twice": stored()[:-1] + b', "value": 3.0}',
    "depth": b'{"a":' * 200 + b"1" + b"}" * 200,
    "more depth": b"[" * 200_000,
    "no UTF-8": stored(label="FID").replace(b"FID", b"\xff\xfe"),
    "a list": b"[1]",
    "nothing": b"",
    "half": stored()[:40],
    "100 MB": b" " * 100_000_000,
}


@pytest.mark.parametrize("what", ODD)
def test_a_file_that_is_no_score_is_named_and_left_out(run, what, capsys):
    (run.path / "eval" / "odd.json").write_bytes(ODD[what])
    for words_ in (LOOKS[1], LOOKS[3]):
        found = call(capsys, *words_)
        assert found[0] == 0
        assert "warning: runs/a/eval/odd.json is no score file, and is left out: " in told(found)
    _, out, _ = call(capsys, "compare", "runs/a", "--json")
    (row,) = json.loads(out, parse_constant=pytest.fail)
    assert row["scores"] == {"fid": {"mean": 1.0, "spread": None, "seeds": 1}}
    with pytest.warns(UserWarning, match=r"odd\.json"):
        assert [one.value for one in scores.read(run)] == [1.0]
    with pytest.warns(UserWarning, match=r"odd\.json"):
        assert "odd.json is no score file" in page(run)


@pytest.mark.parametrize(
    ("value", "mean"),
    [(b"NaN", "nan"), (b'"nan"', "nan"), (b"1e999", "inf"), (b"-Infinity", "-inf"), (b"9", 9.0)],
)
def test_a_number_that_is_not_finite_has_its_name_in_json(run, value, mean, capsys):
    content = stored(value=1234, metric="kid").replace(b"1234", value)
    (run.path / "eval" / "kid.json").write_bytes(content)
    _, out, _ = call(capsys, "compare", "runs/a", "--json")
    (row,) = json.loads(out, parse_constant=pytest.fail)
    assert row["scores"]["kid"]["mean"] == mean
    assert call(capsys, "compare", "runs/a")[0] == 0
    assert "at step 100" in page(run)


def test_numbers_at_the_end_of_the_range_have_a_mean_and_a_spread(run, capsys):
    for seed, value in enumerate((1e308, -1e308, 1.7e308)):
        protocol = {"samples": 3, "seed": seed}
        (run.path / "eval" / f"{seed}.json").write_bytes(stored(value=value, protocol=protocol))
    _, out, _ = call(capsys, "compare", "runs/a", "--json")
    (row,) = json.loads(out, parse_constant=pytest.fail)
    assert row["scores"]["fid [1]"]["seeds"] == 3
    assert row["scores"]["fid [1]"]["spread"] == "inf"
    assert "over 3 seeds at step 100" in page(run)


def test_scores_with_and_without_a_step_stand_side_by_side(run, capsys):
    (run.path / "eval" / "a.json").write_bytes(stored(step=None))
    _, out, _ = call(capsys, "compare", "runs/a", "--json")
    assert [row["step"] for row in json.loads(out)] == [None, 100]
    assert call(capsys, "compare", "runs/a")[0] == 0
    assert "2 at step 0" in page(run)


def test_a_copy_of_a_score_is_no_second_seed(run, capsys):
    (one,) = (run.path / "eval").glob("*.json")
    (run.path / "eval" / "zz.json").write_bytes(one.read_bytes())
    _, out, err = call(capsys, "compare", "runs/a", "--json")
    assert json.loads(out)[0]["scores"]["fid"]["seeds"] == 1
    assert f"zz.json is no score file, and is left out: it is a copy of {one.name}" in err


def test_a_score_that_was_changed_is_told_by_its_digest(run):
    (path,) = (run.path / "eval").glob("*.json")
    assert len(json.loads(path.read_text())["sha256"]) == 64
    assert [one.value for one in scores.read(run)] == [1.0]
    path.write_text(path.read_text().replace('"value": 1.0', '"value": 0.5'))
    with pytest.warns(UserWarning, match="damaged or edited"):
        assert scores.read(run) == []
    path.write_bytes(stored())  # as 0.1.0 wrote it
    assert [one.value for one in scores.read(run)] == [2.0]


def test_the_line_that_makes_scores_is_one_word_for_the_shell(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make(Path("runs/a; rm -rf x"))
    _, _, err = call(capsys, "compare")
    assert "`ganzoo eval 'runs/a; rm -rf x' --all`" in err


# -- pictures and fields --------------------------------------------------------------------------


def chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + check


def bomb(width: int, height: int) -> bytes:
    """A small PNG of many black pixels."""
    pixels = zlib.compressobj(9)
    row = bytes(1 + width)
    packed = b"".join(pixels.compress(row) for _ in range(height)) + pixels.flush()
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*one) for one in ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
    )


PICTURES = {
    "a bomb": lambda: bomb(20_000, 5_000),
    "a claim": lambda: bomb(10, 10).replace(b"\0\0\0\n\0\0\0\n", b"\xff" * 8),
    "half of one": lambda: picture(64, 64)[:60],
    "a line": lambda: bomb(40_000, 1),
    "text that unpacks": lambda: (
        picture()[:33]
        + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(80_000_000)))
        + picture()[33:]
    ),
    "a GIF": lambda: b"GIF89a",
    "nothing": bytes,
}


@pytest.mark.parametrize("what", PICTURES)
def test_a_picture_that_is_none_is_left_out_and_costs_nothing(run, what, capsys):
    content = PICTURES[what]()
    path = run.picture_of(100)
    path.write_bytes(content)
    began = time.process_time()
    assert stored_pictures.opened(path) is None
    assert "samples/step-00000100.png is no PNG that can be read" in page(run)
    assert "<img" not in notebook.html(run)
    assert call(capsys, "animate", "runs/a", "--out", "a.gif")[0] == 0
    assert time.process_time() - began < 20


def test_large_pictures_are_shown_smaller_and_in_time(run):
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), np.uint8)
    began = time.process_time()
    assert len(stored_pictures.data_uri(Image.fromarray(noise), 300_000)) <= 300_000
    line = Image.fromarray(noise.reshape(-1, 3)[None, :30_000])
    assert len(stored_pictures.data_uri(line, 20_000)) <= 20_000
    assert time.process_time() - began < 30


def archive(kind: int, **members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as packed:
        for name, content in members.items():
            packed.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def header(shape: str, kind: str = "<f8") -> bytes:
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


FIELDS = {
    "a bomb": lambda: archive(zipfile.ZIP_DEFLATED, x=header("(20000000,)") + bytes(160_000_000)),
    "another bomb": lambda: archive(zipfile.ZIP_BZIP2, x=header("(9,)") + bytes(72)),
    "a claim": lambda: archive(zipfile.ZIP_STORED, x=header("(1000000000000,)") + bytes(64)),
    "a claim below 0": lambda: archive(zipfile.ZIP_STORED, x=header("(-5,)") + bytes(64)),
    "objects": lambda: archive(zipfile.ZIP_STORED, x=header("(8,)", "|O") + bytes(64)),
    "text": lambda: archive(zipfile.ZIP_STORED, x=header("(8,)", "<U2") + bytes(64)),
    "single numbers": lambda: archive(zipfile.ZIP_STORED, x=header("()") + bytes(8)),
    "no array": lambda: archive(zipfile.ZIP_STORED, x=b"hello"),
    "no archive": lambda: b"PK\3\4" + bytes(100),
}


@pytest.mark.parametrize("what", FIELDS)
def test_a_field_that_is_none_is_left_out(points, what, capsys):
    path = points.field_of(100)
    path.write_bytes(FIELDS[what]())
    assert fields.read(path) is None
    assert "fields/step-00000100.npz cannot be read" in page(points)
    assert call(capsys, "animate", "runs/a", "--out", "a.gif")[0] == 0


@pytest.mark.parametrize("far", [1e6, 1e12, 1e29])
def test_samples_that_flew_away_are_still_drawn(points, far):
    kept = field(dimensions=1)
    kept["samples"] = kept["samples"] * far
    np.savez(points.field_of(100), **kept)
    (drawn,) = fields.pictures([fields.read(points.field_of(100))])
    assert drawn.size == (560, 500)


def test_a_field_that_no_chart_can_show_is_left_out(points):
    kept = field(2)
    kept |= {"x": np.array([-1e-12, 1e-6]), "y": np.array([-1.0, 1e29])}
    np.savez(points.field_of(100), **kept)
    found = fields.read(points.field_of(100))
    assert found is None or fields.pictures([found]) == [None]
    assert "fields/step-00000100.npz cannot be read" in page(points)


def test_a_player_called_by_mathematics_is_drawn(points):
    kept = field()
    kept["logits_$\\frac{$"] = kept.pop("logits_d")
    np.savez(points.field_of(100), **kept)
    (drawn,) = fields.pictures([fields.read(points.field_of(100))])
    assert drawn is not None


# -- other files ----------------------------------------------------------------------------------

GAMES = (
    b"[]",
    b'{"phases": 3}',
    b'{"phases": [{"step": 1e99, "pairs": [[1, 2]]}], "milestones": {"a": 1}}',
    b'{"phases": [{"step": 5, "pairs": [["g", "d", "e"]]}, {"step": -1, "pairs": []}]}',
    b"\xff",
)
FINDINGS = (
    b'{"step": 1e400, "name": 3}\n',
    b'{"step": 3, "since": "x", "severity": ["failure"], "message": {"a": [1]}, "remedy": 1e999}\n',
    b'{"step": 3, "evidence": 5, "command": ["ganzoo", "list"]}\n[]\n\xff\n',
)
STATES = (b'{"state": ["running"]}', b'{"state": "\\u001b[2J"}', b"[1]", b"\xff")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (name, one)
        for name, all_ in (("game.json", GAMES), ("findings.jsonl", FINDINGS))
        for one in all_
    ]
    + [("status.json", one) for one in STATES],
)
def test_other_files_of_any_content_are_survived(run, name, content, capsys):
    (run.path / name).write_bytes(content)
    for words_ in LOOKS:
        found = call(capsys, *words_)
        assert found[0] == 0
        told(found)
    assert "<img" in notebook.html(run)


def test_a_notebook_shows_a_run_that_cannot_be_read(run):
    (run.path / "config.yaml").write_bytes(b"\xff")
    assert "config.yaml cannot be read" in notebook.html(run)


def test_a_plugin_that_is_a_pipe_is_not_opened(run):
    os.mkfifo("plugin.py")
    made = make(Path("runs/c"), plugin="plugin.py")
    assert "The defaults of plugin &#39;plugin.py&#39; are not known here" in page(made)


# -- numbers of the command line ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"samples": 10**15}, "expected 2 to 10,000,000 samples, not 1000000000000000"),
        ({"samples": -1}, "expected 2 to 10,000,000 samples, not -1"),
        ({"seeds": 10**12}, "expected 1 to 1,000 seeds"),
        ({"seeds": -1}, "expected 1 to 1,000 seeds"),
        ({"seeds": "3"}, "expected 1 to 1,000 seeds, not '3'"),
        ({"seed": -1}, "seed must lie in"),
        ({"seed": 2**31 - 1, "seeds": 2}, "seed must lie in"),
        ({"seed": 10**40}, "seed must lie in"),
    ],
)
def test_counts_without_sense_are_refused(trained, terms, said):
    with pytest.raises(UsageError, match=said):
        evaluate(trained, ["fid"], **terms)


@pytest.mark.parametrize("checkpoint", ["\N{SUPERSCRIPT TWO}", "9" * 5000, "-1", "", "04"])
@pytest.mark.parametrize("command", ["eval", "sample"])
def test_a_checkpoint_is_a_word_or_a_step(trained, command, checkpoint, capsys, tmp_path):
    more = ("--fid", "--samples", "50") if command == "eval" else ("--out", str(tmp_path / "a.npz"))
    found = call(capsys, command, str(trained), "--checkpoint", checkpoint, *more)
    assert found[0] == (0 if checkpoint == "04" else 2)
    assert len(told(found)) < 600  # a short table, or one sentence


def test_a_record_with_a_step_beyond_all_is_refused(tmp_path):
    (tmp_path / "log.csv").write_text("step,g_loss\n1e300,1\n")
    with pytest.raises(GanzooError, match="line 2: expected a step above -inf"):
        list(records.of_csv(tmp_path / "log.csv"))
