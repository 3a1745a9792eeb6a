"""Two of the games of `tests/games`, as the harness plays them; `make games` plays all."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "games"))

import harness

SHORT = ("cyclegan", "srgan")
"""Several inputs, outputs, pairs, groups of data and a pool; a milestone, an input made smaller."""


@pytest.mark.long
@pytest.mark.parametrize("name", SHORT)
def test_a_game_is_trained_killed_resumed_to_the_bit_sampled_and_judged(name, tmp_path):
    row = harness.play(name, tmp_path, short=True)
    assert "failed" not in row, row["failed"]
    assert not harness._unequal(row), row


def test_every_game_is_played():
    files = {path.stem for path in Path(harness.HERE).glob("*.py")} - {"harness"}
    assert files == {name for name in harness.GAMES if harness.plugin(name) != name}


@pytest.mark.parametrize("name", ["cyclegan", "cogan"])
def test_a_plugin_of_several_arrays_is_checked_by_the_fixtures_way(name):
    from ganzoo.testing import check_registered

    found = check_registered(harness.plugin(name), "shapes")
    assert {result.status for result in found} == {"ok"}
