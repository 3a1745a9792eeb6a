"""TensorBoard's events of a run that goes on: each step once, whatever the file went through."""

from __future__ import annotations

import warnings

import pytest
from tensorboard.compat.proto.summary_pb2 import Summary

from ganzoo.run import RunDir
from ganzoo.training import events


def written(path, steps: int = 5) -> RunDir:
    run = RunDir(path)
    path.mkdir()
    log = events.Events(run, 0)
    for step in range(1, steps + 1):
        log.add(step, Summary.Value(tag="loss", simple_value=step / 10))
    return run


def steps(run: RunDir) -> list[int]:
    (path,) = run.events.iterdir()
    return [event.step for event in events._events(path) if event.HasField("summary")]


def damaged(run: RunDir, place: int) -> None:
    (path,) = run.events.iterdir()
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)


def test_later_steps_are_forgotten_and_earlier_ones_kept(tmp_path):
    run = written(tmp_path / "run")
    events.Events(run, 3)
    assert steps(run) == [1, 2, 3]


@pytest.mark.parametrize("part", ["length", "its checksum", "data", "checksum"])
def test_a_flipped_bit_costs_one_event_and_is_told(tmp_path, part):
    run = written(tmp_path / "run")
    (path,) = run.events.iterdir()
    size = (path.stat().st_size - _size_of_version(path)) // 5
    third = _size_of_version(path) + 2 * size
    at = {"length": 0, "its checksum": 8, "data": 20, "checksum": size - 1}
    damaged(run, third + at[part])
    with pytest.warns(UserWarning, match=r"tfevents.* is damaged: \d+ bytes of TensorBoard's"):
        events.Events(run, 5)
    assert steps(run) == [1, 2, 4, 5]


def test_an_event_that_a_kill_cut_off_is_no_damage(tmp_path):
    run = written(tmp_path / "run")
    (path,) = run.events.iterdir()
    path.write_bytes(path.read_bytes()[:-7])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        events.Events(run, 5)
    assert steps(run) == [1, 2, 3, 4]


def _size_of_version(path) -> int:
    return events.HEAD + int.from_bytes(path.read_bytes()[:8], "little") + 4
