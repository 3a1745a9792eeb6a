"""A training that was interrupted leaves the folder of one that was not."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from faults.alike import difference

from ganzoo import training
from ganzoo.errors import GanzooError, UsageError
from ganzoo.run import RunDir
from ganzoo.views.view import Silent

SETTINGS = {
    "plugin": "mlp_gan",
    "data": "ring",
    "device": "cpu",
    "precision": "float32",
    "log_every": 5,
    "checkpoint_every": 20,
    "picture_every": 15,
    "fields": {"batch_size": 16, "z_dim": 4, "hidden": 16, "steps": 60},
}


def differences(one: Path, other: Path) -> list[str]:
    """But for the sampler's graph, whose layers are numbered through within one process."""
    return difference(one, other, ["sampler.pb", "sampler.json"]).told


class StopsAt(Silent):
    """A user who asks to stop in the middle of the steps after these."""

    def __init__(self, *steps: int):
        self.steps = list(steps)

    def progress(self, step: int, *_: object) -> None:
        if self.steps and step >= self.steps[0]:
            self.steps.pop(0)
            os.kill(os.getpid(), signal.SIGTERM)


def start(path: Path, view: Silent | None = None, **changes: object) -> RunDir:
    return training.start(training.prepare(SETTINGS | changes), path, view)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return start(tmp_path_factory.mktemp("whole") / "run").path


@pytest.mark.parametrize("steps", [(1,), (13,), (20,), (15, 30), (22, 23, 26, 41, 57)])
def test_a_stopped_run_goes_on_in_the_middle_of_a_row(whole, tmp_path, steps):
    run = start(tmp_path / "run", StopsAt(*steps))
    for _ in steps[1:]:
        assert run.state() == "stopped"
        training.resume(run.path, view=StopsAt(*steps[1:]))
        steps = steps[1:]
    training.resume(run.path)
    assert differences(whole, run.path) == []


def cut_back(whole: Path, path: Path, **missing: object) -> RunDir:
    """The folder as a kill would have left it that came before the last words were written."""
    shutil.copytree(whole, path)
    run = RunDir(path)
    run.write_state("running", step=0)
    return run


def test_a_kill_after_the_last_checkpoint_leaves_a_verdict_to_give(whole, tmp_path):
    run = cut_back(whole, tmp_path / "run")
    run.write_findings(run.findings()[:-1])
    training.resume(run.path)
    assert (run.state(), run.findings()[-1]["name"]) == ("finished", "doubtful")
    assert differences(whole, run.path) == []


def test_what_is_missing_at_the_checkpoint_s_step_is_made_up(whole, tmp_path):
    run = cut_back(whole, tmp_path / "run")
    for step in (60, 40):  # as 0.1 could leave it: a checkpoint, and not its row
        run.write_metrics([row for row in run.metrics() if row["step"] < step])
        run.drop_checkpoints([s for s in run.checkpoints() if s > step])
        run.picture_of(step).unlink(missing_ok=True)
        training.resume(run.path)
        assert {20, 40, 60} <= run.scored().keys()
        assert run.picture_of(60).is_file()
        expected = {row["step"]: row.get("score") for row in RunDir(whole).metrics()}
        assert {row["step"]: row.get("score") for row in run.metrics()} == expected


def test_rows_pictures_and_events_behind_the_resumed_step_are_forgotten(whole, tmp_path):
    run = cut_back(whole, tmp_path / "run")
    run.drop_checkpoints([60])
    run.append_metrics({"step": 59, "score": 1e-9})
    shutil.copy(run.picture_of(60), run.picture_of(59))
    training.resume(run.path)
    assert differences(whole, run.path) == []


def test_a_damaged_row_is_named_and_survived(whole, tmp_path):
    run = cut_back(whole, tmp_path / "run")
    path = run.path / "metrics.jsonl"
    content = bytearray(path.read_bytes())
    content[content.index(b"\n") + 30] ^= 1
    path.write_bytes(content)
    with pytest.warns(UserWarning, match=r"metrics\.jsonl is damaged and read without line 2 "):
        training.resume(run.path)
    assert len(run.metrics()) == len(RunDir(whole).metrics()) - 1


def test_a_folder_that_is_deleted_ends_its_training_at_once(tmp_path):
    class Deletes(Silent):
        def progress(self, step: int, *_: object) -> None:
            self.last = step
            shutil.rmtree(tmp_path / "run", ignore_errors=True)

    view = Deletes()
    with pytest.raises(GanzooError, match="was deleted, moved or replaced"):
        start(tmp_path / "run", view, log_every=1000, picture_every=1000, checkpoint_every=1000)
    assert view.last <= 30
    assert not (tmp_path / "run").exists()


def test_a_start_that_fails_leaves_no_folder_in_the_way(tmp_path, monkeypatch):
    def broken(*_: object) -> None:
        raise ValueError("a plugin's own")

    (tmp_path / "empty").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr("ganzoo.training.game.Game.run", broken)
        for name in ("new", "empty"):
            with pytest.raises(ValueError, match="own"):
                start(tmp_path / name)
    assert not (tmp_path / "new").exists()
    assert list((tmp_path / "empty").iterdir()) == []
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / ".lock").touch()  # all that a process left that was killed at once
    (tmp_path / "new" / ".config.yaml.0123abcd.tmp").touch()
    assert start(tmp_path / "new").state() == "finished"


@pytest.mark.parametrize("name", ["checkpoints", "samples", "fields", "tensorboard"])
def test_a_link_inside_a_run_leads_nowhere(whole, tmp_path, name):
    run = cut_back(whole, tmp_path / "run")
    outside = tmp_path / "outside"
    shutil.move(run.path / name, outside)
    (outside / ".precious.01234567.tmp").write_text("mine")
    (run.path / name).symlink_to(outside)
    before = {path: path.read_bytes() for path in outside.iterdir()}
    with pytest.raises(GanzooError, match=r"is a link|no checkpoint"):
        training.resume(run.path, {"on_failure": "warn"}, 80)
    assert {path: path.read_bytes() for path in outside.iterdir()} == before


def test_a_renamed_checkpoint_is_no_other_step(whole, tmp_path):
    run = cut_back(whole, tmp_path / "run")
    run.checkpoint_path(60).rename(run.checkpoint_path(50))
    with pytest.raises(GanzooError, match="holds step 60: was it renamed"):
        run.read_checkpoint(50)
    with pytest.warns(UserWarning, match="renamed"):
        step, arrays = run.latest()
    assert step == 40
    assert all(np.isfinite(a).all() for a in arrays.values() if a.dtype.kind == "f")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a: &x [1]\nb: *x\n", "alias"),
        (b"- " * 100 + b"1", "nested"),
        (b"plugin: 5\n", "'plugin' is int"),
        (b"fields: [1]\n", "'fields' is list"),
        (b"record: 2026-01-01\n", "'record' is str"),
        (b"!!python/name:os.system\n", "tag"),
        (b"\xff\n", "utf-8"),
        (b"#" * 2**21, "larger"),
    ],
)
def test_a_run_s_configuration_is_read_strictly(tmp_path, content, why):
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(GanzooError, match=why):
        RunDir.open(tmp_path).config()


def test_an_edited_configuration_is_told(whole, tmp_path):
    run = cut_back(whole, tmp_path / "run")
    path = run.path / "config.yaml"
    path.write_text(path.read_text().replace("batch_size: 16", "batch_size: 17"))
    with pytest.raises(GanzooError, match="delete its last line"):
        run.config()
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert run.config()["fields"]["batch_size"] == 17


def test_a_run_does_not_bring_the_code_that_resumes_it(whole, tmp_path):
    run = cut_back(whole, tmp_path / "run")
    (run.path / "evil.py").write_text("raise SystemExit('executed')")
    run.write_config(run.config() | {"plugin": str(run.path / "evil.py")})
    with pytest.raises(UsageError, match="executes nothing"):
        training.resume(run.path, {}, 80)


@pytest.mark.parametrize("record", [{}, {"data": 1, "frozen": [2]}, {"threads": [1], "data": {}}])
def test_what_a_run_says_that_it_met_may_be_anything(whole, tmp_path, record):
    run = cut_back(whole, tmp_path / "run")
    run.write_config(run.config() | {"record": record})
    training.resume(run.path)
    assert run.state() == "finished"


def test_nothing_is_left_of_a_start_that_was_killed_in_its_first_words(whole, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".config.yaml.64e6522d.tmp").write_text("plugin: mlp_g")
    assert differences(whole, start(tmp_path / "run").path) == []


@pytest.mark.parametrize("wrong", [np.array([b"a"]), np.array(["x", "y"]), np.zeros(3, "M8[s]")])
def test_a_checkpoint_that_holds_no_numbers_is_refused(whole, tmp_path, wrong):
    run = cut_back(whole, tmp_path / "run")
    arrays = run.read_checkpoint(60)
    name = next(name for name in arrays if name.startswith("optimizers/"))
    run.save_checkpoint(60, arrays | {name: wrong})
    with pytest.raises(GanzooError, match=f"checkpoint's {name} holds .*, no numbers"):
        training.resume(run.path)


@pytest.mark.parametrize("wrong", [{"rows": np.zeros(3)}, {"seconds": np.zeros(2)}, {"rows": None}])
def test_what_is_no_row_that_was_begun_is_refused(tmp_path, wrong):
    run = start(tmp_path / "run", StopsAt(13))
    step, arrays = run.latest()
    arrays |= {f"pending/{name}": value for name, value in wrong.items()}
    run.save_checkpoint(step, {name: value for name, value in arrays.items() if value is not None})
    with pytest.raises(GanzooError, match="is no row that was begun"):
        training.resume(run.path)
