"""PacGAN's packs, and `ganzoo repeat`, which takes its protocol over seeds."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from test_cli import call
from test_stability import drawn, turn_of

from ganzoo.cli.repeat import over_runs
from ganzoo.errors import UsageError
from ganzoo.eval.scores import Score
from ganzoo.layers import Maxout
from ganzoo.plugin import DataSpec
from ganzoo.plugins.pacgan import PacGAN
from ganzoo.run import RunDir

POINTS = DataSpec((2,), range=None, key="point")


def played(m: int, rows: int = 8):
    """A small one's networks, its players by name, and a turn of so many reals."""
    plugin = PacGAN(m=m, batch_size=rows, g_hidden=8, d_hidden=4)
    networks = plugin.networks(POINTS)
    turn = turn_of(drawn(1, rows))
    turn._inputs = {"z": lambda turn: drawn(2, rows)}
    return networks, {p.name: p for p in plugin.players(networks, POINTS)}, turn


@pytest.mark.parametrize("m", [1, 2, 4])
def test_rows_that_follow_each_other_are_judged_as_one(m):
    networks, players, turn = played(m)
    judge = networks["discriminator"]
    assert judge.input_shape == (None, 2 * m)
    real, fake = turn.batch["point"], networks["generator"](turn.z, training=True)
    logits = [
        np.concatenate([judge(np.reshape(x[i : i + m], (1, -1))) for i in range(0, 8, m)])
        for x in (np.asarray(real), np.asarray(fake))
    ]
    expected = np.mean(np.log1p(np.exp(-logits[0])) + np.log1p(np.exp(logits[1])))
    assert float(players["discriminator"].loss(turn)) == pytest.approx(expected, rel=1e-4)
    expected = np.mean(np.log1p(np.exp(-logits[1])))
    assert float(players["generator"].loss(turn)) == pytest.approx(expected, rel=1e-4)


def test_pacgan_has_the_layers_of_its_code():
    networks = PacGAN(m=3, batch_size=300).networks(POINTS)
    norm = 4 * 400  # gain, bias and two moving statistics of each unit
    g = 2 * 400 + 3 * 400 * 400 + 4 * norm + (400 + 1) * 2
    d = (6 + 1) * 1000 + 2 * (200 + 1) * 1000 + (200 + 1)
    assert networks["generator"].count_params() == g
    assert networks["discriminator"].count_params() == d
    first = next(x for x in networks["discriminator"].layers if isinstance(x, Maxout))
    assert np.std(first.maps.kernel) == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("fields", [{"m": 0}, {"m": 3, "batch_size": 100}])
def test_packs_that_cannot_be_are_refused(fields):
    with pytest.raises(UsageError, match=r"m must be at least 1|whole packs"):
        PacGAN(**fields)


def test_images_are_refused():
    assert PacGAN().unsupported(POINTS) is None
    assert "points only" in PacGAN().unsupported(DataSpec((16, 16, 1)))


# -- over seeds -----------------------------------------------------------------------------------


def score(value: float, run: str, metric: str = "modes", seed: int = 0) -> Score:
    return Score(metric, f"{metric} of 8", value, {"seed": seed, "samples": 2500}, source=run)


def test_a_mean_has_the_deviation_over_the_root_of_the_runs_as_its_error():
    found = [score(v, f"run {i}", seed=i) for i, v in enumerate((6.0, 8.0, 7.0))]
    modes, kl = over_runs([*found, score(0.5, "run 0", "modes_kl")])
    assert (modes["mean"], modes["error"]) == (7.0, pytest.approx(1 / math.sqrt(3)))
    assert modes["values"] == {"run 0": 6.0, "run 1": 8.0, "run 2": 7.0}
    assert (kl["mean"], kl["error"]) == (0.5, None)


SMALL = ["--data", "ring", "--steps", "2", "--batch-size", "16", "--set", "hidden=4", "--modes"]


def test_one_command_trains_judges_and_averages_and_another_time_only_judges(tmp_path, capsys):
    asked = ["repeat", "mlp_gan", *SMALL, "--outdir", str(tmp_path), "--samples", "50"]
    code, out, _ = call(capsys, *asked, "--seeds", "2", "--json")
    assert code == 0
    rows = {row["metric"]: row for row in json.loads(out)}
    runs = [RunDir(tmp_path / f"seed-{seed}") for seed in (0, 1)]
    assert [run.config()["seed"] for run in runs] == [0, 1]
    kept = [run.checkpoint_path(2).stat().st_mtime_ns for run in runs]
    kl = rows["modes_kl"]
    assert kl["mean"] == pytest.approx(np.mean(list(kl["values"].values())))
    assert sorted(kl["values"]) == [f"{run.path} step 2" for run in runs]
    assert kl["error"] == pytest.approx(np.ptp(list(kl["values"].values())) / 2)
    code, out, _ = call(capsys, *asked, "--seeds", "2")
    assert code == 0
    assert "standard error" in out
    assert f"{kl['mean']:.4g}" in out
    assert kept == [run.checkpoint_path(2).stat().st_mtime_ns for run in runs]
    code, _, err = call(capsys, *asked, "--seeds", "2", "--set", "hidden=5")
    assert code == 2
    assert "hidden" in err


def test_no_seeds_are_refused(capsys):
    code, _, err = call(capsys, "repeat", "mlp_gan", "--seeds", "0")
    assert code == 2
    assert "--seeds must be at least 1" in err
