"""What a run on points keeps beside each picture: samples, and logits on a grid."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import images, probe_of
from plain import Plain, game

import ganzoo
from ganzoo.data import Dataset
from ganzoo.run import RunDir


def test_a_run_on_points_keeps_samples_and_logits_with_each_picture(tmp_path):
    run = ganzoo.train(
        Plain,
        "ring",
        outdir=tmp_path / "run",
        steps=4,
        picture_every=2,
        precision="float32",
        quiet=True,
    )
    kept = RunDir.open(run.path).fields()
    assert [step for step, _ in kept] == [2, 4]
    with np.load(kept[-1][1]) as field:
        assert field["samples"].shape == (1000, 2)
        assert field["logits_discriminator"].shape == (64, 64)
        x, y, logits = field["x"], field["y"], field["logits_discriminator"]
    assert x[0] < -1 < 1 < x[-1]
    made = game(Plain(), ganzoo_data("ring"))
    made.restore(run.folder.read_checkpoint(4), 4)
    judge = made.networks["discriminator"]
    corner = judge(np.array([[x[5], y[9]]], np.float32), training=False)
    assert float(corner[0, 0]) == pytest.approx(float(logits[9, 5]), rel=1e-4)
    assert probe_of(images(), game(Plain(), images())).field() == {}


def ganzoo_data(name: str) -> Dataset:
    from ganzoo import data

    return data.load(name)
