"""Any change to any file of a run: what looks at it says a sentence, quickly, and writes nothing.

The short form is a test; `python tests/test_mutated_runs.py COUNT [FIRST]` makes as many changes as
are asked for, each with a seed of its own, and names those that something stumbled over.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from test_animate import field
from test_diagnostics import EVERY, LOOK, healthy
from test_report import make, score

from ganzoo import sealing
from ganzoo.cli import main
from ganzoo.run import RunDir
from ganzoo.views import notebook

SHORT = 20
SLOW = 20.0
"""Seconds of the processor that no look at a run of some kilobytes may take."""
RUN = "runs/a"
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1, 3, 0.5, -0.0, 1e308, -1e308, 1e-320, 10**15, 10**18, 10**400, -(10**400),
    float("nan"), float("inf"), "nan", "-inf", "", "x", "\x1b]0;x\x07\x1b[2J", "a\nb", "\udcff",
    "\u202e", "$x^{$", "{{ 7*7 }}", "<script>", "../../x", "/dev/zero", "1e400", "9" * 400,
    "y" * 5000, [], {}, [[]], [None], [1, "a"], ["a", "b"], [[1, 2], [3]], {"a": {"b": 1}},
    {"": ""}, [0.5] * 700, [float("nan")] * 10, {"step": 1},
)  # fmt: skip


def lay_out(folder: Path) -> Path:
    """A finished run on points and pictures at once, in `folder`, and a good one beside it."""
    (folder / "runs").mkdir(parents=True)
    for name in "ab":
        run = make(folder / "runs" / name)
        pairs = [["generator", "discriminator"]]
        run.write_game({"milestones": [8000], "phases": [{"step": 0, "pairs": pairs}]})
        run.write_state("finished", seconds=1.0)
        details = {"histogram": [0.5, 0.5], "missing": [], "cautions": ["few"]}
        score(run, 1.0, details=details, pictures={"pairs": run.picture_of(10).read_bytes()})
        score(run, 2.0, seed=1)
        for step in (20, 30, 40, 50, 60, 70, 80, 90):
            run.picture_of(step).unlink()
    run = RunDir(folder / RUN)
    run.write_metrics(healthy()[LOOK // EVERY - 1 :: LOOK // EVERY])
    for step, dimensions in ((90, 1), (100, 2)):
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **field(8, dimensions))
        run.write("fields", run.field_of(step).name, content=buffer.getvalue())
    return run.path


# -- changes --------------------------------------------------------------------------------------

Change = Callable[[random.Random, bytes], bytes]


def _bytes(bits: random.Random, content: bytes) -> bytes:
    """Some bytes changed, cut out, said twice or put in."""
    changed = bytearray(content)
    for _ in range(bits.randint(1, 4)):
        at = bits.randrange(len(changed) + 1)
        until = min(len(changed), at + bits.choice((1, 1, 2, 8, 100)))
        new = bits.choice((b"", bits.randbytes(until - at), b"\xff", b"{", b"\n", b"\0", b"1e999"))
        changed[at:until] = bits.choice((new, bytes(changed[at:until]) * 2))
    return bytes(changed)


def _cut(bits: random.Random, content: bytes) -> bytes:
    return content[: bits.randrange(len(content) + 1)]


def _values(bits: random.Random, content: bytes) -> bytes:
    """A value of JSON, or of lines of it, replaced by an odd one; digests are left out."""
    text = content.decode()
    whole = [json.loads(text)] if text.count("\n{") == 0 else [*map(json.loads, text.splitlines())]
    line = bits.randrange(len(whole))
    whole[line] = _odd(bits, _bare(whole[line]))
    return "\n".join(map(json.dumps, whole)).encode(errors="surrogatepass") + b"\n"


def _column(bits: random.Random, content: bytes) -> bytes:
    """A column of all rows, made of a few odd values."""
    rows = [_bare(json.loads(line)) for line in content.decode().splitlines()]
    name = bits.choice(sorted({name for row in rows for name in row} - {"step"}))
    odd = bits.sample(ODD, 2)
    changed = [row | {name: bits.choice((*odd, *odd, row.get(name)))} for row in rows]
    return "\n".join(map(json.dumps, changed)).encode() + b"\n"


def _settings(bits: random.Random, content: bytes) -> bytes:
    """The same for YAML."""
    text, _, _ = content.decode().partition(sealing.COMMENT)
    changed = _odd(bits, yaml.safe_load(text))
    with contextlib.suppress(yaml.YAMLError):
        return yaml.safe_dump(changed).encode(errors="surrogateescape")
    return repr(changed).encode(errors="surrogateescape")


def _bare(found: Any) -> Any:
    digests = (sealing.SEAL, sealing.LINE_SEAL)
    return {name: value for name, value in found.items() if name not in digests}


def _odd(bits: random.Random, found: Any) -> Any:
    """One place in plain data changed, or a few."""
    found = copy.deepcopy(found)
    for _ in range(bits.randint(1, 3)):
        places = list(_places(found))
        if not places:
            return bits.choice(ODD)
        inside, key = bits.choice(places)
        kind = bits.random()
        if kind < 0.15:
            del inside[key]
        elif kind < 0.25 and isinstance(inside, dict):
            inside[bits.choice([str(odd)[:2000] for odd in ODD])] = inside.pop(key)
        else:
            inside[key] = copy.deepcopy(bits.choice(ODD))
    return found


def _places(found: Any) -> Iterator[tuple[Any, Any]]:
    keys = found.keys() if isinstance(found, dict) else range(len(found))
    for key in list(keys) if isinstance(found, (dict, list)) else ():
        yield found, key
        if isinstance(found[key], (dict, list)):
            yield from _places(found[key])


def _head(bits: random.Random, content: bytes) -> bytes:
    """A PNG with another head, whose checksum is right."""
    head = bytearray(content[12:29])
    at = bits.randrange(4, len(head))
    head[at] = bits.choice((0, 1, 2, 3, 6, 16, 255))
    return content[:12] + bytes(head) + zlib.crc32(head).to_bytes(4, "big") + content[33:]


def _arrays(bits: random.Random, content: bytes) -> bytes:
    """An archive with an odd array in the place of one."""
    with np.load(io.BytesIO(content)) as stored:
        arrays = dict(stored)
    name, scale = bits.choice(list(arrays)), bits.choice((0, 1e-300, 1e-9, 1, 1e6, 1e29, 1e308))
    numbers = np.random.default_rng(bits.randrange(2**32))
    np.seterr(over="ignore")
    shape = bits.choice(((), (0,), (1,), (2,), (8,), (8, 8), (50, 1), (50, 2), (9, 9), (2, 2, 2)))
    arrays[name] = bits.choice(
        (
            arrays[name] * scale,
            arrays[name][::-1],
            numbers.standard_normal(shape) * scale,
            np.sort(numbers.standard_normal(8)) * scale,
            np.array(["a", "b"]),
            np.zeros(shape, bits.choice(("i1", "u8", "f2", "c8", "?", "M8[s]", "S3"))),
            np.full(arrays[name].shape, bits.choice((np.nan, np.inf, 1e30, -1e30))),
        )
    )
    if bits.random() < 0.3:
        arrays[bits.choice(("x", "y", "logits_e", "logits_$_$", "z"))] = arrays.pop(name)
    buffer = io.BytesIO()
    with np.errstate(all="ignore"):
        np.savez(buffer, **arrays)
    return buffer.getvalue()


CHANGES: dict[str, tuple[Change, ...]] = {
    ".json": (_bytes, _cut, _values, _values, _values),
    ".jsonl": (_bytes, _cut, _values, _values, _column, _column),
    ".yaml": (_bytes, _cut, _settings, _settings, _settings),
    ".png": (_bytes, _bytes, _cut, _head),
    ".npz": (_bytes, _cut, _arrays, _arrays),
}


def change(bits: random.Random, run: Path) -> list[str]:
    """Change one file of the run, or two; what was done."""
    told = []
    for _ in range(bits.choice((1, 1, 1, 2))):
        files = sorted(p for p in run.rglob("*") if p.is_file() and p.suffix in CHANGES)
        path = bits.choice(files)
        how = bits.choice(CHANGES[path.suffix])
        with contextlib.suppress(Exception):  # it was changed once already
            path.write_bytes(how(bits, path.read_bytes()))
        told.append(f"{how.__name__[1:]} of {path.relative_to(run)}")
    return told


# -- looks ----------------------------------------------------------------------------------------

LOOKS = (
    ("runs", "runs"),
    ("runs", "runs", "--json"),
    ("compare",),
    ("compare", RUN, "--json"),
    ("diagnose", RUN),
    ("diagnose", RUN, "--json"),
    ("report", RUN, "--out", "out.html"),
    ("animate", RUN, "--out", "out.gif", "--seconds", "0.3"),
)


def look(words: tuple[str, ...]) -> str:
    """Run a command on the folder that this process is in; what is wrong with its answer, or ""."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    begun = time.process_time()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("default")
        try:
            main(list(words))
        except SystemExit as done:
            code = int(done.code or 0)
    took, text = time.process_time() - begun, out.getvalue() + err.getvalue()
    if "please report" in text or "Traceback" in text or code not in (0, 1, 2):
        return f"code {code}: {text}"
    if set(text) & set("\x1b\x07\x9b\u202e") or any("\ud800" <= c <= "\udfff" for c in text):
        return f"reaches the terminal: {text!r}"
    if took > SLOW:
        return f"took {took:.1f} s"
    if code == 0 and words[-1] == "--json":
        try:
            json.loads(out.getvalue(), parse_constant=_no_number)
        except ValueError as error:
            return f"no JSON: {error}"
    listed = words[0] == "runs" or words == ("compare",)
    if listed and (code or "runs/b" not in out.getvalue()):
        return f"the other run is not listed: {text}"
    return ""


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of all that is in a run."""
    return {str(p): (p.lstat().st_mtime_ns, p.lstat().st_size) for p in folder.rglob("*")}


def shown() -> str:
    """The same of a notebook."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook.html(RunDir(RUN))
    except Exception:
        return traceback.format_exc()
    return ""


def stumbles(seed: int, whole: Path) -> list[str]:
    """Change a copy of the folder `whole` by this seed; everything that goes wrong with it."""
    bits, before = random.Random(seed), Path.cwd()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(shutil.copytree(whole, Path(place, "copy")))
        os.chdir(folder)
        try:
            what = ", ".join(change(bits, folder / RUN))
            if "fields" not in what:  # they take longer to draw than all else
                shutil.rmtree(folder / RUN / "fields")
            as_it_was = state(folder / RUN)
            looks = LOOKS if {"fields", "samples"} & set(re.split(r"\W", what)) else LOOKS[:-1]
            wrong = [f"{' '.join(words)}: {said}" for words in looks if (said := look(words))]
            wrong += [f"notebook: {said}" for said in [shown()] if said]
            if state(folder / RUN) != as_it_was:
                wrong.append("something was written")
        finally:
            os.chdir(before)
    return [f"seed {seed}, {what}: {one}" for one in wrong]


# -- the short form, and the long one -------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutated") / "whole"
    lay_out(folder)
    return folder


@pytest.mark.filterwarnings("default")
def test_the_run_as_it_was_is_looked_at_without_a_word(whole, monkeypatch):
    monkeypatch.chdir(whole)
    assert [said for words in LOOKS if (said := look(words))] == []


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("first", range(0, SHORT, 10))
def test_a_changed_run_is_looked_at_and_nothing_ends(first, whole):
    assert [one for seed in range(first, first + 10) for one in stumbles(seed, whole)] == []


def _long(count: int, first: int) -> None:
    def late(*_: object) -> None:
        raise TimeoutError("it waits")

    signal.signal(signal.SIGALRM, late)
    with tempfile.TemporaryDirectory() as place:
        whole = Path(place, "whole")
        lay_out(whole)
        found = 0
        for seed in range(first, first + count):
            signal.alarm(300)
            wrong = stumbles(seed, whole)
            found += bool(wrong)
            print("\n".join(one[-1500:] for one in wrong), end="\n" if wrong else "", flush=True)
        signal.alarm(0)
    print(f"{count} changes, {found} of them stumbled over")


if __name__ == "__main__":
    _long(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
