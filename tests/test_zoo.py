"""The zoo's smallest presets: each plugin on its own data, stopped and resumed to the same bits.

A row for each plugin; that it keeps the contract is tested in `test_contract`.
"""

from __future__ import annotations

import numpy as np
import pytest

from ganzoo import training
from ganzoo.run import RunDir

SMALL = {
    "cogan": ("digits_edges", {"width": 2, "z_dim": 4}),
    "linear_gan": ("positive", {}),
    "line_gan": ("screws", {"start": 10.0, "d_steps": 2, "batch_size": 50, "jit_compile": False}),
}
"""Plugin -> data set and the fields that make it small."""
STEPS = 6


def train(path, name: str, data: str, fields: dict, steps: int) -> RunDir:
    values = {"plugin": name, "data": data, "fields": fields | {"steps": steps}, "log_every": 2}
    return training.start(training.prepare(values | {"precision": "float32"}), path)


@pytest.mark.parametrize("name", SMALL)
def test_a_plugin_that_is_stopped_goes_on_to_the_same_bits(name, tmp_path):
    straight = train(tmp_path / "straight", name, *SMALL[name], STEPS).latest()[1]
    paused = train(tmp_path / "paused", name, *SMALL[name], STEPS // 2)
    resumed = training.resume(paused.path, steps=STEPS).latest()[1]
    assert straight.keys() == resumed.keys()
    assert all(np.array_equal(straight[key], resumed[key]) for key in straight)
