"""Milestones: where the players change, rows end, and a checkpoint resumes to the same bits."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf
from plain import Plain, dense, game, same

import ganzoo
from ganzoo.errors import UsageError
from ganzoo.optimizers import Adam
from ganzoo.plugin import Player
from ganzoo.testing import ContractError, check_plugin


@dataclass(frozen=True)
class Grows(Plain):
    """From step 3 on a third player moves; the generator's slots carry over if `carry`."""

    carry: bool = True

    @property
    def milestones(self):
        return (3,)

    def networks(self, spec):
        return super().networks(spec) | {"encoder": dense(spec.shape, self.z_dim, "encoder")}

    def players(self, networks, spec, step=0):
        both = [dataclasses.replace(p, carry=self.carry) for p in super().players(networks, spec)]

        def recover(turn):
            return tf.reduce_mean((turn.call(networks["encoder"], turn.batch[spec.key])) ** 2)

        return both if step < 3 else [*both, Player("encoder", ("encoder",), recover, Adam(1e-3))]


def timeless(rows: list[dict]) -> list[dict]:
    """Rows without what a clock says."""
    clock = ("seconds", "interval", "images_per_second")
    return [{name: row[name] for name in row if name not in clock} for row in rows]


@pytest.mark.parametrize("carry", [True, False])
def test_a_checkpoint_on_a_milestone_resumes_to_the_same_bits(tmp_path, carry):
    values = {"data": "ring", "seed": 1, "log_every": 2, "checkpoint_every": 1, "quiet": True}
    values |= {"precision": "float32", "picture_every": 100, "fields": {"carry": carry}}
    straight = ganzoo.train(Grows, outdir=tmp_path / "straight", steps=5, **values)
    paused = ganzoo.train(Grows, outdir=tmp_path / "paused", steps=3, **values)
    paused.resume(5, quiet=True)
    ours, theirs = (r.folder.read_checkpoint(5) for r in (straight, paused))
    assert not same(ours, theirs)
    assert timeless(straight.metrics) == timeless(paused.metrics)
    assert "encoder_loss" not in straight.metrics[2]
    assert "encoder_loss" in straight.metrics[3]


def test_a_row_ends_where_the_players_change(tmp_path):
    run = ganzoo.train(Grows, "ring", outdir=tmp_path / "run", steps=6, log_every=100, quiet=True)
    assert [row["step"] for row in run.metrics] == [3, 6]
    assert "encoder_loss" not in run.metrics[0]
    assert "encoder_loss" in run.metrics[1]
    told = run.folder.game()
    assert [phase["step"] for phase in told["phases"]] == [0, 3]
    assert told["phases"][1]["pairs"] == [["generator", "discriminator"]]


def test_slots_carry_over_where_the_plugin_says_so():
    def momentum(carry):
        made = game(Grows(carry=carry))
        made.run(0, 3)
        before = made.state()
        made.enter(3)
        after = made.state()
        name = next(n for n in before if n.startswith("optimizers/generator/2"))
        return before[name], after[name]

    before, after = momentum(True)
    assert np.abs(before).max() > 0
    np.testing.assert_array_equal(before, after)
    assert not momentum(False)[1].any()


def test_the_check_resumes_across_milestones_and_sees_that_something_moved():
    found = check_plugin(Grows, only=["resumes"])
    assert {r.case.rpartition(", ")[2] for r in found} == {"at step 2", "at step 3", "at step 4"}

    @dataclass(frozen=True)
    class Still(Plain):
        g_lr: float = 0.0

    with pytest.raises(AssertionError, match="generator stood still"):
        check_plugin(Still, only=["resumes"])


class Counts(Plain):
    """Its loss grows with a number that no checkpoint holds."""

    def d_loss(self, real_logits, fake_logits):
        return super().d_loss(real_logits, fake_logits) * self.count()


class InTheGraph(Counts):
    """Counted by the compiled step itself."""

    def players(self, networks, spec, step=0):
        object.__setattr__(self, "seen", tf.Variable(0.0))
        return super().players(networks, spec)

    def count(self):
        return self.seen.assign_add(1.0)


class WhenBuilt(Counts):
    """Counted whenever the players are made."""

    made = 0

    def players(self, networks, spec, step=0):
        type(self).made += 1
        return super().players(networks, spec)

    def count(self):
        return float(self.made)


class Draws(Counts):
    """Drawn anew each time, whatever the step is."""

    def count(self):
        return 1.0 + tf.random.uniform(())


@pytest.mark.parametrize("plugin", [InTheGraph, WhenBuilt, Draws])
def test_the_check_sees_what_a_checkpoint_does_not_hold(plugin):
    with pytest.raises(ContractError, match="expected the same bits after a restart"):
        check_plugin(plugin, only=["resumes"])


@pytest.mark.parametrize("wrong", [(0,), (4, 2), (2.5,)])
def test_milestones_are_rising_steps(wrong):
    @dataclass(frozen=True)
    class Wrong(Plain):
        @property
        def milestones(self):
            return wrong

    with pytest.raises(UsageError, match="rising"):
        Wrong()
