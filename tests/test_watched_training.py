"""Training under the monitor's eyes: what it says, what it ends, and the balance of the players."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ganzoo import training
from ganzoo.errors import GanzooError, UsageError
from ganzoo.run import RunDir
from ganzoo.training import loop
from ganzoo.training.recorder import Recorder
from ganzoo.views.view import Silent

STEPS = 48
STUCK = {"g_lr": 1e-9, "d_lr": 1e-9, "batch_size": 16, "z_dim": 8, "steps": STEPS}
"""Rates that learn nothing: the run stagnates, as all looks at its samples say."""
QUICK = {"data": "digits", "device": "cpu", "precision": "float32", "picture_every": STEPS}


def train(path, on_failure="warn", plugin="mlp_gan", **fields):
    request = training.prepare(
        {
            **QUICK,
            "plugin": plugin,
            "log_every": 3,
            "checkpoint_every": 3,
            "on_failure": on_failure,
            "fields": STUCK | fields,
        }
    )
    return training.start(request, path)


def names(run: RunDir) -> list[tuple[str, str]]:
    return [(found["name"], found["severity"]) for found in run.findings()]


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> RunDir:
    return train(tmp_path_factory.mktemp("runs") / "run")


def test_a_failing_run_is_told_of_and_trained_to_its_end(told):
    assert ("stagnation", "failure") in names(told)
    assert told.state() == "finished"
    found = next(f for f in told.findings() if f["name"] == "stagnation")
    assert 0.4 * STEPS <= found["step"] <= 0.8 * STEPS
    assert found["command"].startswith(f"ganzoo train --config {told}/config.yaml --set g_lr=")


def test_a_failing_run_can_be_stopped_by_its_alarm(tmp_path):
    with pytest.raises(GanzooError, match=r"stopped at step \d+ by stagnation.*--on-failure warn"):
        train(tmp_path / "run", on_failure="stop")
    run = RunDir.open(tmp_path / "run")
    assert run.state() == "stopped"
    assert 0.4 * STEPS < run.checkpoints()[-1] < STEPS


def test_a_failing_run_can_be_rolled_back_to_its_best_checkpoint(tmp_path):
    run = train(tmp_path / "run", on_failure="rollback", g_lr=0.05)  # D stands still: G runs away
    status = json.loads((run.path / "status.json").read_text())
    scores = {row["step"]: row["score"] for row in run.metrics() if "score" in row}
    assert (status["finding"], "failure") in names(run)
    assert run.checkpoints()[-1] == status["step"] == min(scores, key=scores.get)
    assert status["step"] < status["rolled_back_from"] < STEPS


def test_a_resumed_run_knows_what_was_found_before(told):
    before = names(told)
    training.resume(told.path, {}, STEPS + 3)
    assert names(told)[: len(before)] == before
    assert len(names(told)) == len(set(names(told)))


def test_steps_of_a_second_and_more_have_a_rate_too(tmp_path):
    request = training.prepare({**QUICK, "plugin": "mlp_gan", "fields": STUCK})
    run, game = RunDir.create(tmp_path / "run"), loop.make_game(request)
    recorder = Recorder(run, game, request, Silent(), 0)
    rows = np.zeros((1, 2), np.float32)
    recorder.add(0, ["a", "b"], rows, seconds=9.0)  # compiles
    assert (recorder.rate, recorder.pace) == (0, 1)
    recorder.add(1, ["a", "b"], rows, seconds=2.0)
    assert recorder.rate == 0.5


# -- balance ------------------------------------------------------------------------------------


def balanced(path, steps=40, **fields):
    values = {**QUICK, "plugin": "mlp_gan", "log_every": 4, "checkpoint_every": 20}
    request = training.prepare(
        values | {"auto_balance": True, "fields": STUCK | {"steps": steps} | fields}
    )
    return training.start(request, path)


def test_a_discriminator_that_wins_too_easily_is_slowed_down(tmp_path):
    run = balanced(tmp_path / "run", d_lr=1e-2)
    rates = [row["discriminator_rate"] for row in run.metrics()]
    assert rates[-1] < 0.9 * max(rates)
    assert max(rates) <= 1e-2 * (1 + 1e-6)


def test_a_discriminator_that_does_not_win_keeps_its_rate(tmp_path):
    run = balanced(tmp_path / "run")
    assert {round(row["discriminator_rate"] * 1e9, 3) for row in run.metrics()} == {1.0}


def test_the_balanced_rate_is_resumed_to_the_bit(tmp_path):
    whole = balanced(tmp_path / "whole", d_lr=1e-2)
    part = balanced(tmp_path / "part", steps=20, d_lr=1e-2)
    training.resume(part.path, {}, 40)
    (_, a), (_, b) = whole.latest(), part.latest()
    assert a.keys() == b.keys()
    for name, array in a.items():
        assert np.array_equal(array, b[name]), name


def test_a_rate_with_a_schedule_cannot_be_led(tmp_path):
    plugin = tmp_path / "decaying.py"
    plugin.write_text(
        "import keras\nfrom dataclasses import dataclass\n"
        "from ganzoo.plugins.mlp_gan import MLPGAN\n\n"
        "@dataclass(frozen=True)\nclass Decaying(MLPGAN):\n    '''Rates that fall.'''\n"
        "    def optimizers(self):\n"
        "        def fall():\n"
        "            return keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.9)\n"
        "        return {n: keras.optimizers.Adam(fall()) for n in self.rates}\n"
        "    rates = ('generator', 'discriminator')\n"
    )
    values = {**QUICK, "plugin": str(plugin), "auto_balance": True, "fields": STUCK}
    with pytest.raises(UsageError, match="follows a schedule"):
        training.start(training.prepare(values), tmp_path / "run")
