"""The run folder: whole files, damage noticed, nothing lost."""

from __future__ import annotations

import errno
import math
import os
from pathlib import Path

import numpy as np
import pytest
from test_cli import call

from ganzoo.errors import GanzooError, UsageError
from ganzoo.files import write_atomic
from ganzoo.run import RunDir, find_runs

STATE = {"networks/g/0": np.arange(1000, dtype=np.float32), "sampler/0": np.ones(3)}


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    made = RunDir.create(tmp_path / "run")
    made.write_config({"plugin": "dcgan"})
    return made


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="not a run folder"):
        RunDir.create(tmp_path)
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_an_existing_run_is_refused_with_the_way_to_go_on(run):
    with pytest.raises(UsageError, match="--resume"):
        RunDir.create(run.path)


def test_a_folder_without_configuration_is_no_run(tmp_path):
    with pytest.raises(UsageError, match=r"no config\.yaml"):
        RunDir.open(tmp_path)
    with pytest.raises(UsageError, match="no run at"):
        RunDir.open(tmp_path / "absent")


def test_the_last_two_checkpoints_and_the_best_are_kept(run):
    scores = {10: 0.1, 20: 0.4, 30: 0.3, 40: 0.2}
    for step in scores:
        run.save_checkpoint(step, STATE)
        run.prune_checkpoints(scores)
    assert run.checkpoints() == [10, 30, 40]


def test_the_checkpoint_of_a_stop_lasts_until_the_next_one(run):
    for step in (10, 14, 17, 20, 30):
        run.save_checkpoint(
            step, STATE | ({"pending/rows": STATE["sampler/0"]} if step % 10 else {})
        )
        run.prune_checkpoints({10: 0.1, 20: 0.4, 30: 0.5, 14: 0.01})
        expected = {10: [10], 14: [10, 14], 17: [10, 17], 20: [10, 20], 30: [10, 20, 30]}
        assert run.checkpoints() == expected[step]


def test_a_checkpoint_gives_back_its_arrays(run):
    run.save_checkpoint(5, STATE)
    step, arrays = run.latest()
    assert step == 5
    assert arrays.keys() == STATE.keys()
    assert list(run.latest("sampler/")[1]) == ["sampler/0"]


def test_a_truncated_newest_checkpoint_falls_back_with_a_warning(run):
    run.save_checkpoint(1, STATE)
    path = run.save_checkpoint(2, STATE)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.warns(UserWarning, match="step-00000002"):
        assert run.latest()[0] == 1


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_flipped_byte_in_the_data_is_noticed(run, place):
    path = run.save_checkpoint(1, STATE)
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(GanzooError, match="damaged"):
        run.read_checkpoint(1)


def test_a_run_with_damaged_checkpoints_only_says_so(run):
    run.save_checkpoint(1, STATE).write_bytes(b"no zip")
    with (
        pytest.warns(UserWarning, match="damaged"),
        pytest.raises(GanzooError, match="all 1 are"),
    ):
        run.latest()


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(GanzooError, match="disk is full"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_says_so_at_the_lock_too(tmp_path, monkeypatch):
    def full(path, flags, *rest, **named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(GanzooError, match="disk is full"), RunDir(tmp_path).locked():
        pass


def test_rows_keep_non_finite_numbers_and_survive_a_cut_line(run):
    run.append_metrics({"step": 1, "loss": 0.5})
    run.append_metrics({"step": 2, "loss": math.nan})
    with (run.path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 3, "lo')
    rows = run.metrics()
    assert [row["step"] for row in rows] == [1, 2]
    assert math.isnan(rows[1]["loss"])
    run.write_metrics(rows[:1])
    assert [row["step"] for row in run.metrics()] == [1]


def test_two_writers_cannot_share_a_folder(run):
    with run.locked(), pytest.raises(GanzooError, match="another process"), run.locked():
        pass


def test_runs_are_found_newest_first(tmp_path):
    for index, name in enumerate(["a", "b"]):
        made = RunDir.create(tmp_path / name)
        made.write_config({})
        os.utime(made.path / "config.yaml", (index, index))
    (tmp_path / "other").mkdir()
    assert [r.path.name for r in find_runs(tmp_path)] == ["b", "a"]


# -- a stranger's folder --------------------------------------------------------------------------


def test_a_lock_that_is_a_link_or_a_pipe_touches_nothing_outside(tmp_path, capsys):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    run = RunDir.create(tmp_path / "runs" / "a")
    run.write_config({"plugin": "x", "data": "y", "fields": {"steps": 1}})
    run.write_state("running")
    for make in (lambda p: p.symlink_to(precious), os.mkfifo, lambda p: p.symlink_to("/tmp/new")):
        make(run.path / ".lock")
        code, out, _ = call(capsys, "runs", str(tmp_path / "runs"))
        assert code == 0
        assert "interrupted" in out
        with pytest.raises(GanzooError, match="lock"), run.locked():
            pass
        (run.path / ".lock").unlink()
    assert precious.read_text() == "mine"
    assert not Path("/tmp/new").exists()
    assert not run.in_use()
    assert not (run.path / ".lock").exists()  # a look writes nothing
    with run.locked():
        assert run.in_use()


def test_a_device_is_written_into_and_a_pipe_is_refused(tmp_path):
    write_atomic(Path("/dev/null"), b"x")
    assert Path("/dev/null").is_char_device()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no file"):
        write_atomic(tmp_path / "pipe", b"x")


def test_an_entry_that_swallows_the_next_is_damage(run):
    """Where the length of its comment, in the list of an archive's entries, covers the last one."""
    path = run.save_checkpoint(3, {"a": np.zeros(2), "b": np.ones(2)})
    content = bytearray(path.read_bytes())
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    third = content.index(b"PK\x01\x02", second + 4)
    content[second + 32] = content.index(b"PK\x05\x06") - third
    path.write_bytes(content)
    with pytest.raises(GanzooError, match=r"damaged \(its list of arrays"):
        run.read_checkpoint(3)
