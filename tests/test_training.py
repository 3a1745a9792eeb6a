"""Runs as a user makes them: killed, resumed, refused, stopped, broken, sampled."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from ganzoo import sampling, training
from ganzoo.errors import GanzooError, UsageError
from ganzoo.run import RunDir

SMALL = {
    "data": "digits",
    "device": "cpu",
    "precision": "float32",
    "log_every": 4,
    "checkpoint_every": 4,
    "picture_every": 8,
}
FIELDS = {"batch_size": 16, "z_dim": 8, "steps": 12}

BROKEN = textwrap.dedent("""
    from dataclasses import dataclass
    import keras, tensorflow as tf
    from ganzoo import losses
    from ganzoo.plugin import Plugin

    @dataclass(frozen=True)
    class Broken(Plugin):
        '''Its generator loss becomes NaN at step 7.'''
        batch_size: int = 16
        z_dim: int = 4

        def generator(self, spec):
            return keras.Sequential([keras.Input((self.z_dim,)), keras.layers.Dense(spec.size),
                                     keras.layers.Reshape(spec.shape)])

        def discriminator(self, spec):
            return keras.Sequential([keras.Input(spec.shape), keras.layers.Flatten(),
                                     keras.layers.Dropout(0.5), keras.layers.Dense(1)])

        def d_loss(self, real_logits, fake_logits):
            return losses.hinge_d(real_logits, fake_logits)

        def g_loss(self, fake_logits):
            return losses.hinge_g(fake_logits)

        def players(self, networks, spec, step=0):
            d, g = super().players(networks, spec, step)
            bad = lambda turn: g.loss(turn) + tf.math.log(tf.cast(6 - turn.step, tf.float32)) * 0.0
            import dataclasses
            return [d, dataclasses.replace(g, loss=bad)]
""")


def train(path: Path, plugin: str = "mlp_gan", fields: dict | None = None, **changes) -> RunDir:
    values = SMALL | {"plugin": plugin, "fields": FIELDS | (fields or {})} | changes
    return training.start(training.prepare(values), path)


def final(run: RunDir) -> dict[str, np.ndarray]:
    return run.latest()[1]


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunDir:
    return train(tmp_path_factory.mktemp("runs") / "run")


def test_a_run_leaves_everything_that_the_folder_promises(run):
    assert run.checkpoints() == sorted({8, 12} | set(run.checkpoints()))
    assert run.state() == "finished"
    assert [row["step"] for row in run.metrics()] == [4, 8, 12]
    assert {
        "discriminator_loss",
        "generator_grad_norm",
        "d_accuracy_real",
        "images_per_second",
        "score",
    } <= set(run.metrics()[-1])
    last = run.findings()[-1]
    assert (last["name"], last["severity"]) == ("doubtful", "warning")
    assert {"score", "diversity", "generator_grad_norm"} <= set(last["evidence"])
    assert run.picture("real").is_file()
    assert run.picture("step-00000012").is_file()
    assert list((run.path / "tensorboard").iterdir())


def test_the_configuration_repeats_the_run(run, tmp_path):
    config = yaml.safe_load((run.path / "config.yaml").read_text())
    assert config["fields"]["steps"] == 12
    assert config["record"]["data"]["fingerprint"]
    assert config["record"]["threads"] >= 1
    again = training.start(training.prepare(config), tmp_path / "again")
    assert same(final(run), final(again))


def test_more_steps_after_the_end_equal_one_longer_run(tmp_path):
    longer = train(tmp_path / "longer", fields={"steps": 16})
    shorter = train(tmp_path / "shorter")
    training.resume(shorter.path, steps=16)
    assert same(final(longer), final(shorter))
    assert [row["step"] for row in shorter.metrics()] == [4, 8, 12, 16]


def test_a_finished_run_is_left_alone(run):
    before = {p: p.stat().st_mtime_ns for p in run.path.rglob("*.npz")}
    training.resume(run.path)
    assert before == {p: p.stat().st_mtime_ns for p in run.path.rglob("*.npz")}


def test_a_damaged_newest_checkpoint_still_ends_on_the_same_bits(tmp_path):
    whole = train(tmp_path / "whole")
    hurt = train(tmp_path / "hurt")
    path = hurt.checkpoint_path(12)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.warns(UserWarning, match="damaged"):
        training.resume(hurt.path)
    assert same(final(whole), final(hurt))


def test_other_settings_are_refused_one_line_each(run):
    with pytest.raises(UsageError) as refused:
        training.resume(run.path, {"seed": 5, "fields": {"g_lr": 0.5}})
    lines = str(refused.value).splitlines()
    assert len(lines) == 3
    assert "g_lr: the run has 0.001, you ask for 0.5" in lines[1]
    assert "seed: the run has 0, you ask for 5" in lines[2]


def test_a_value_that_is_not_finite_stops_the_run_and_names_itself(tmp_path):
    plugin = tmp_path / "broken.py"
    plugin.write_text(BROKEN)
    with pytest.raises(GanzooError) as stopped:
        train(tmp_path / "run", str(plugin))
    text = str(stopped.value)
    assert "generator_loss of player 'generator' became nan at step 7" in text
    assert "checkpoint of step 4 is good" in text
    run = RunDir.open(tmp_path / "run")
    assert run.state() == "failed"
    assert np.isnan(run.metrics()[-1]["generator_loss"])
    assert run.checkpoints() == [4]


def test_sampling_needs_the_folder_alone_and_no_batch_size(run, tmp_path):
    moved = tmp_path / "elsewhere"
    os.rename(run.path, moved)
    try:
        sampler = sampling.Sampler(RunDir.open(moved))
        one = np.concatenate(list(sampler.batches(10, seed=1)))
        many = np.concatenate(list(sampler.batches(10, seed=1, batch_size=3)))
        first = np.concatenate(list(sampler.batches(4, seed=1)))
    finally:
        os.rename(moved, run.path)
    np.testing.assert_allclose(one, many, atol=1e-6)
    np.testing.assert_allclose(one[:4], first, atol=1e-6)
    assert one.shape == (10, 16, 16, 1)
    assert np.abs(one).max() <= 1


def test_conditional_runs_take_a_label(tmp_path):
    run = train(tmp_path / "run", "sagan", {"steps": 2, "width": 4}, checkpoint_every=2)
    sampler = sampling.Sampler(run)
    assert sampler.conditional
    three = next(sampler.batches(4, seed=0, label=3))
    four = next(sampler.batches(4, seed=0, label=4))
    assert three.shape == (4, 16, 16, 1)
    assert np.abs(three - four).max() > 0
    with pytest.raises(UsageError, match=r"0\.\.9"):
        next(sampler.batches(4, seed=0, label=10))


# -- in a process of its own ----------------------------------------------------------------------


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ganzoo", *arguments]


def launch(path: Path, *more: str) -> subprocess.Popen:
    return subprocess.Popen(
        command(
            "train",
            "mlp_gan",
            "--data",
            "digits",
            "--steps",
            "2000",
            "--batch-size",
            "16",
            "--outdir",
            str(path),
            "--checkpoint-every",
            "100",
            "--log-every",
            "20",
            "--device",
            "cpu",
            *more,
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for_checkpoint(run: RunDir, process: subprocess.Popen) -> None:
    for _ in range(600):
        if run.checkpoints():
            return
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    raise AssertionError("no checkpoint in a minute")


@pytest.mark.slow
def test_a_killed_run_ends_on_the_bits_of_an_uninterrupted_one(tmp_path):
    whole = launch(tmp_path / "whole")
    assert whole.wait() == 0, whole.stdout.read()
    killed = launch(tmp_path / "killed")
    wait_for_checkpoint(RunDir(tmp_path / "killed"), killed)
    time.sleep(random.random() * 0.5)
    killed.kill()
    killed.wait()
    done = subprocess.run(
        command("train", "--resume", str(tmp_path / "killed")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert same(final(RunDir(tmp_path / "whole")), final(RunDir(tmp_path / "killed")))


@pytest.mark.slow
def test_sigterm_saves_and_says_how_to_go_on(tmp_path):
    process = launch(tmp_path / "run", "--set", "hidden=512")
    run = RunDir(tmp_path / "run")
    wait_for_checkpoint(run, process)
    process.send_signal(signal.SIGTERM)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    status = json.loads((run.path / "status.json").read_text())
    assert status["state"] == "stopped"
    assert status["step"] in run.checkpoints()
    assert f"--resume {run}" in output
