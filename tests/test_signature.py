"""A run's `sampler.json`: written, read back, and refused where anything of it is not as it must
be."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import ganzoo
from ganzoo import sealing, signature
from ganzoo.errors import GanzooError
from ganzoo.run import RunDir
from ganzoo.sampling import Sampler

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunDir:
    """A run on points."""
    place = tmp_path_factory.mktemp("signed") / "run"
    ganzoo.train("mlp_gan", "ring", outdir=place, steps=2, quiet=True)
    return RunDir.open(place)


def copied(run: RunDir, place: Path) -> RunDir:
    shutil.copytree(run.path, place)
    return RunDir.open(place)


def of_version_1(content: dict) -> dict:
    """The signature as version 0.1.0 wrote it."""
    (z,), (made,) = content["inputs"], content["outputs"]
    kept = {name: content[name] for name in ("feeds", "weights", "classes")}
    shown = {name: made[name] for name in ("shape", "range", "fetch")}
    names = {"inputs": [z["name"]], "z_dim": z["shape"][0], "z_prior": z["source"]["kind"]}
    return {**names, **kept, **shown, "key": made["name"]}


def of_version_2(content: dict) -> dict:
    """The signature before it had digests."""
    return {n: v for n, v in content.items() if n not in ("sha256", "graph")} | {"format": 2}


def write(run: RunDir, content: dict) -> None:
    (run.path / "sampler.json").write_text(json.dumps(content))


def samples(run: RunDir) -> np.ndarray:
    return np.concatenate(list(Sampler(run).batches(20, seed=3)))


# -- written and read -----------------------------------------------------------------------------


def test_what_is_written_is_read(run):
    graph, content = run.sampler()
    assert content["format"] == 3
    assert content["graph"]["bytes"] == len(graph)
    found = signature.read(content, graph)
    again = signature.sealed(signature.as_json(found), graph)
    assert again == content
    assert signature.read(again, graph) == found


@pytest.mark.parametrize("older", [of_version_1, of_version_2])
def test_what_earlier_versions_wrote_is_read_with_a_note(run, tmp_path, older):
    wanted, old = samples(run), copied(run, tmp_path / "old")
    write(old, older(old.sampler()[1]))
    with pytest.warns(UserWarning, match="has no digests") as notes:
        found = samples(old)
    assert len(notes) == 1
    np.testing.assert_array_equal(found, wanted)


def test_damage_is_told_by_the_digests(run, tmp_path):
    content, hurt = run.sampler()[1], copied(run, tmp_path / "hurt")
    without = {name: value for name, value in content.items() if name != "sha256"}
    other = {**content, "classes": 3}
    older = {**content, "format": 2}
    for odd, why in (
        (without, "no SHA-256"),
        (other, "does not fit its SHA-256"),
        (older, "does not fit its SHA-256"),
        (sealing.sealed({**without, "graph": None}), "sampler.pb is damaged"),
        (sealing.sealed({**without, "format": 4}), "its format is 4"),
    ):
        write(hurt, odd)
        with pytest.raises(GanzooError, match=why):
            Sampler(hurt)
    write(hurt, content)
    (hurt.path / "sampler.pb").write_bytes(run.sampler()[0] + b"\x0a\x00")
    with pytest.raises(GanzooError, match=r"sampler\.pb is damaged"):
        Sampler(hurt)


# -- each value -----------------------------------------------------------------------------------

Z = ("inputs", 0)
MADE = ("outputs", 0)
WRONG = [
    ((*Z, "name"), 3, "name must be a name"),
    ((*Z, "name"), "a\nb", "name must be a name"),
    ((*Z, "name"), "x" * 300, "name must be a name"),
    ((*Z, "shape"), "2", "shape must be a list"),
    ((*Z, "shape"), [-1], "shape must be a whole number"),
    ((*Z, "shape"), [2.0], "shape must be a whole number"),
    ((*Z, "shape"), [True], "shape must be a whole number"),
    ((*Z, "shape"), [2**13, 2**13], "shape must be the shape of"),
    ((*Z, "shape"), [3], "it takes"),
    ((*Z, "dtype"), "string", "dtype must be one of"),
    ((*Z, "dtype"), "float64", "it takes"),
    ((*Z, "dtype"), ["float32"], "dtype must be one of"),
    ((*Z, "source"), "normal", "source must be a source"),
    ((*Z, "source"), {"kind": "uniforn"}, "'uniforn' as it stands is no source"),
    ((*Z, "source"), {"kind": ["normal"]}, "is no source"),
    ((*Z, "source"), {"kind": "normal", "mean": 2}, "has no 'mean'"),
    ((*Z, "source"), {"kind": "uniform", "low": 0.0, "hign": 1.0}, "'hig"),
    ((*Z, "source"), {"kind": "uniform", "low": 1.0, "high": 0.0}, "low < high"),
    ((*Z, "source"), {"kind": "uniform", "low": "0", "high": 1.0}, "cannot have low"),
    ((*Z, "source"), {"kind": "uniform", "low": False, "high": 1.0}, "cannot have low"),
    ((*Z, "source"), {"kind": "uniform", "low": 0.0, "high": 1e300}, "cannot have high"),
    ((*Z, "source"), {"kind": "truncated_normal", "threshold": -1}, "above 0"),
    ((*Z, "source"), {"kind": "categorical", "classes": -1}, "cannot have classes"),
    ((*Z, "source"), {"kind": "categorical", "classes": 7}, "nothing can feed"),
    ((*Z, "source"), {"kind": "rows", "values": 7}, "cannot have values"),
    ((*Z, "source"), {"kind": "rows", "values": [[1], [1, 2]]}, "rows as it stands is no source"),
    ((*Z, "source"), {"kind": "rows", "values": [[1, 2, 3]]}, "nothing can feed"),
    ((*Z, "source"), {"kind": "label", "classes": 0}, "is one of 0"),
    ((*Z, "source"), {"kind": "label", "classes": 2**30}, "is one of"),
    ((*Z, "source"), {"kind": "data", "array": 3}, "cannot have array"),
    ((*Z, "source"), {"kind": "constant", "value": None}, "cannot have value"),
    ((*Z, "columns"), "ab", "columns must be a list"),
    ((*Z, "columms"), ["a"], "has 'columms', which is not known"),
    ((*Z, "extra"), 1, "has 'extra', which is not known"),
    ((*MADE, "name"), "", "name must be a name"),
    ((*MADE, "imitates"), None, "imitates must be a name"),
    ((*MADE, "shape"), [3], "it makes"),
    ((*MADE, "range"), [1.0, -1.0], "two numbers that rise"),
    ((*MADE, "range"), ["nan", 1.0], "two numbers that rise"),
    ((*MADE, "range"), [1.0], "two numbers that rise"),
    ((*MADE, "needs"), ["z", "y"], "needs"),
    ((*MADE, "needs"), [], "needs"),
    ((*MADE, "fetch"), "nowhere:0", "it has no 'nowhere'"),
    ((*MADE, "fetch"), "../x", "fetch must be the name of a tensor"),
    ((*MADE, "fetch"), "values:7", "it has no output 7"),
    (("feeds", 0), "inputs", "feeds must be the name of a tensor"),
    (("feeds", 0), "nowhere:0", "it has no input 'nowhere:0'"),
    (("feeds", 1), "values:0", "two of its feeds"),
    (("weights", 0), -1, "weights must be a whole number"),
    (("weights", 0), "0", "weights must be a whole number"),
    (("weights", 0), 999, "found none"),
    (("weights",), [], "one feed for each input and each weight"),
    (("classes",), 1.5, "classes must be a whole number"),
    (("inputs",), [], "inputs must be a list"),
    (("outputs",), {}, "outputs must be a list"),
    (("nothing",), 1, "has 'nothing', which is not known"),
]


def changed(content: dict, way: tuple, value: object) -> dict:
    found = copy.deepcopy(content)
    inner = found
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = value
    return found


@pytest.mark.parametrize(("way", "value", "why"), WRONG, ids=lambda v: str(v)[:40])
def test_what_is_not_as_it_must_be_is_one_sentence(run, tmp_path, way, value, why):
    """Under digests that fit: a stranger writes them too."""
    graph, content = run.sampler()
    odd = copied(run, tmp_path / "odd")
    write(odd, signature.sealed(changed(content, way, value), graph))
    with pytest.raises(GanzooError) as error:
        samples(odd)
    assert why in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 1000


def test_the_weights_are_those_that_the_graph_takes(run, tmp_path):
    odd = copied(run, tmp_path / "odd")
    step = odd.checkpoints()[-1]
    arrays = odd.read_checkpoint(step)
    for wrong in (np.zeros(3, np.float32), arrays["sampler/0"].astype(np.float64)):
        odd.save_checkpoint(step, {**arrays, "sampler/0": wrong})
        with pytest.raises(GanzooError, match="the checkpoint does not belong"):
            Sampler(odd)


# -- flipped bits ---------------------------------------------------------------------------------


def flipped(run: RunDir, folder: Path, count: int) -> Counter:
    """What came of so many flips, in a process of their own."""
    log = folder / "log.txt"
    words = [sys.executable, HERE / "sampler_flips.py", run.path, log, "0", str(count)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    lines = log.read_text().splitlines()
    assert done.returncode == 0, f"{lines[-1]}: {done.stderr[-1000:]}"
    return Counter((line.split()[0], line.split()[-1]) for line in lines)


def test_every_flipped_bit_is_told(run, tmp_path):
    found = flipped(copied(run, tmp_path / "run"), tmp_path, 200)
    assert found == {("sampler.pb", "refused"): 100, ("sampler.json", "refused"): 100}


def test_a_flipped_bit_of_an_old_folder_is_no_traceback(run, tmp_path):
    old = copied(run, tmp_path / "run")
    write(old, of_version_1(old.sampler()[1]))
    found = flipped(old, tmp_path, 200)
    assert {outcome for _, outcome in found} <= {"refused", "same", "other"}
    assert found["sampler.pb", "refused"] > 10
