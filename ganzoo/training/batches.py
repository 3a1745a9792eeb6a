"""The data of a training, batch by batch."""

from __future__ import annotations

import numpy as np

from ganzoo.plugin import key


class Order:
    """The order of the samples: an endless run of shuffles, one for each (seed, epoch).

    Batch `k` holds the places k B to (k + 1) B of that run, so no position has to be saved.
    """

    def __init__(self, samples: int, batch: int, seed: int):
        self.samples, self.batch, self.seed = samples, batch, seed
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
        """A permutation of all samples: the order of Philox's raw numbers, stable everywhere."""
        raw = np.random.Philox(key=[key(self.seed, "order"), epoch]).random_raw(self.samples)
        return np.argsort(raw, kind="stable").astype(np.int32)
