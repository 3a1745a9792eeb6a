"""The data of a training, batch by batch: in memory, or whatever else keeps `Batches`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from ganzoo import memory
from ganzoo.data import Dataset
from ganzoo.priors import key

SURELY_FITS = 2**28
"""Bytes for which the system is not asked how many are free: that takes as long as some steps."""


class Batches(Protocol):
    """Where the loop's batches come from. Batch k is the same whenever it is asked for."""

    def feed(self, first: int, steps: int, draws: int, room: int) -> Sequence[np.ndarray]:
        """What a compiled call gets for `steps` steps of `draws` batches, from batch `first` on.

        Every array has the leading axes (room, draws); rows behind `steps` are never looked at.
        """

    def batch(self, fed: Sequence[tf.Tensor]) -> Mapping[str, tf.Tensor]:
        """Inside the call: one batch by array names, from what `feed` gave for it."""


class InMemory:
    """All arrays on the device as they were stored, gathered there by indices from the host."""

    def __init__(self, dataset: Dataset, batch: int, seed: int):
        self.size = batch
        self.arrays = {name: tf.constant(array) for name, array in dataset.arrays.items()}
        own = dataset.spec.group
        described = dataset.spec.arrays
        self.group = {n: described[n].group if n in described else own for n in dataset.arrays}
        self.orders = {
            group: Order(samples, batch, seed, "order" if group == own else f"order/{group}")
            for group, samples in dataset.groups().items()
        }

    def feed(self, first: int, steps: int, draws: int, room: int) -> list[np.ndarray]:
        """Indices (room, draws, batch), int32, for each group of arrays."""
        self._check_fits(room, draws)
        found = []
        for order in self.orders.values():
            indices = np.zeros((room, draws, self.size), np.int32)
            indices[:steps] = order.take(first, steps * draws).reshape(steps, draws, -1)
            found.append(indices)
        return found

    def _check_fits(self, room: int, draws: int) -> None:
        needed = 4 * room * draws * self.size * len(self.orders)
        if needed > SURELY_FITS:
            what = f"to draw {draws:,} batches of {self.size:,} for each of {room} steps"
            memory.require(needed, what, "lower d_steps or --batch-size")

    def batch(self, fed: Sequence[tf.Tensor]) -> dict[str, tf.Tensor]:
        """The rows at these indices; pixels as floats in [-1, 1]."""
        indices = dict(zip(self.orders, fed, strict=True))
        return {
            name: _to_model(tf.gather(array, indices[self.group[name]]))
            for name, array in self.arrays.items()
        }


def _to_model(values: tf.Tensor) -> tf.Tensor:
    """uint8 pixels to [-1, 1]; everything else as it is."""
    return tf.cast(values, tf.float32) / 127.5 - 1.0 if values.dtype == tf.uint8 else values


class Order:
    """The order of a group's rows: an endless run of shuffles, one for each (seed, epoch).

    Batch `k` holds the places k B to (k + 1) B of that run, so no position has to be saved.
    """

    def __init__(self, samples: int, batch: int, seed: int, purpose: str = "order"):
        self.samples, self.batch, self.seed, self.purpose = samples, batch, seed, purpose
        self._epochs: dict[int, np.ndarray] = {}

    def take(self, first: int, count: int) -> np.ndarray:
        """Indices of `count` batches from batch `first` on: (count, batch), int32."""
        places = np.arange(first * self.batch, (first + count) * self.batch)
        epochs, within = np.divmod(places, self.samples)
        needed = range(int(epochs[0]), int(epochs[-1]) + 1)
        self._epochs = {e: self._epochs.get(e, None) for e in needed}
        out = np.empty(places.shape, np.int32)
        for epoch in needed:
            if self._epochs[epoch] is None:
                self._epochs[epoch] = self.shuffle(epoch)
            mine = epochs == epoch
            out[mine] = self._epochs[epoch][within[mine]]
        return out.reshape(count, self.batch)

    def shuffle(self, epoch: int) -> np.ndarray:
        """A permutation of all rows: the order of Philox's raw numbers, stable everywhere."""
        raw = np.random.Philox(key=[key(self.seed, self.purpose), epoch]).random_raw(self.samples)
        return np.argsort(raw, kind="stable").astype(np.int32)
