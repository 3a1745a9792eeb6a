"""An optimiser's slots by the weight that each belongs to, so that they can outlive a milestone."""

from __future__ import annotations

from collections.abc import Sequence

import keras

Slots = dict[tuple[int, str], keras.Variable]
"""(identity of the weight, name of the slot) -> the slot."""


def built(optimizer: keras.optimizers.Optimizer, weights: Sequence[keras.Variable]) -> Slots:
    """Build the optimiser for these weights, noting down which slot is made for which."""
    found: Slots = {}
    make = optimizer.add_variable_from_reference

    def noted(reference_variable: keras.Variable, name: str | None = None, **options: object):
        slot = make(reference_variable, name, **options)
        found[id(reference_variable), str(name)] = slot
        return slot

    optimizer.add_variable_from_reference = noted
    try:
        optimizer.build(weights)
    finally:
        del optimizer.add_variable_from_reference
    return found


def carry(
    old: keras.optimizers.Optimizer,
    before: Slots,
    new: keras.optimizers.Optimizer,
    after: Slots,
) -> None:
    """Take over the slots of the weights that were trained before, and the count of updates."""
    new.iterations.assign(old.iterations)
    for place, slot in after.items():
        if place in before:
            slot.assign(before[place])
