"""Slowing a discriminator that wins too easily, by its own learning rate."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import tensorflow as tf

from ganzoo.errors import UsageError
from ganzoo.plugin import Player, Turn

BOUND = 0.95
"""Telling this share of a turn's real and fake samples right is winning too easily."""
PACE = 0.01
"""By this part the rate falls in a turn that is won, and rises in any other."""
LEAST = 1 / 32
"""The rate falls no further than to this part of the plugin's."""


def balanced(player: Player) -> Player:
    """The player, its rate led by its accuracy; one that records no accuracy is left as it is.

    The rate settles where half of the turns are won. It is a variable of the optimiser, so a
    checkpoint holds it, and each turn changes it by that turn's own accuracy: a resumed run ends
    on the same bits. Raises UsageError where the optimiser has a schedule in place of a rate.
    """
    if player.record is None:
        return player
    rate, record = player.optimizer.learning_rate, player.record
    if not hasattr(rate, "assign"):
        raise UsageError(
            f"--auto-balance leads the rate of player {player.name!r}, which follows a schedule: "
            "give its optimizer a number, or leave --auto-balance out."
        )
    full = float(rate)

    def lead(turn: Turn) -> Mapping[str, tf.Tensor]:
        values = dict(record(turn))
        if not {"d_accuracy_real", "d_accuracy_fake"} <= set(values):
            return values
        right = (values["d_accuracy_real"] + values["d_accuracy_fake"]) / 2
        led = rate.value * tf.where(right >= BOUND, 1 - PACE, 1 + PACE)
        rate.assign(tf.clip_by_value(led, full * LEAST, full))
        return values | {f"{player.name}_rate": rate.value}

    return dataclasses.replace(player, record=lead)
