"""A cheap look at the generator while it trains: a fixed grid, and a score to keep the best by.

The score is for one run alone, to choose among its checkpoints; it is no FID and is never
compared between runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ganzoo.data import Dataset, to_float
from ganzoo.eval.frechet import frechet_distance

SAMPLES = 1000
SIDE = 8
PROTOCOL = (
    f"Frechet distance of {SAMPLES} samples of the averaged generator to {SAMPLES} training "
    f"samples, images as {SIDE}x{SIDE} block means"
)


class Probe:
    """Fixed z, labels and real samples of one run."""

    def __init__(self, dataset: Dataset, seed: int):
        self.spec = dataset.spec
        bits = np.random.Generator(np.random.Philox(key=seed))
        chosen = bits.permutation(len(dataset))[:SAMPLES]
        real = dataset.arrays[self.spec.key][chosen]
        self.arrays = {name: array[chosen] for name, array in dataset.arrays.items()}
        self.real = block_means(to_float(real) if real.dtype == np.uint8 else real)
        self.bits = bits

    def inputs(self, plugin: Any, sampler: Any) -> list[np.ndarray]:
        """What the sampler takes: z from the plugin's prior first, the rest by name."""
        n = len(self.real)
        shape = (n, plugin.z_dim)
        uniform = plugin.z_prior == "uniform"
        z = self.bits.uniform(-1, 1, shape) if uniform else self.bits.standard_normal(shape)
        arrays = dict(self.arrays)
        if self.spec.classes:
            arrays["label"] = np.arange(n, dtype=np.int32) % self.spec.classes
        return [arrays.get(tensor.name, z.astype(np.float32)) for tensor in sampler.inputs]

    def grid(self, sampler: Any, inputs: list[np.ndarray], n: int = 64) -> np.ndarray:
        """The fixed samples: 64 images, or all points."""
        if not self.spec.is_image:
            n = len(self.real)
        return self._sample(sampler, [x[:n] for x in inputs])

    def score(self, sampler: Any, inputs: list[np.ndarray]) -> float:
        """`PROTOCOL`; lower is better."""
        fake = [
            block_means(self._sample(sampler, [x[i : i + 250] for x in inputs]))
            for i in range(0, len(self.real), 250)
        ]
        return float(frechet_distance(self.real, np.concatenate(fake)))

    @staticmethod
    def _sample(sampler: Any, inputs: list[np.ndarray]) -> np.ndarray:
        out = sampler(inputs if len(inputs) > 1 else inputs[0], training=False)
        return np.asarray(out, np.float32)


def block_means(samples: np.ndarray) -> np.ndarray:
    """Images (n, h, w, c) as means over at most 8x8 blocks, flat, in float64; others flat."""
    if samples.ndim == 4:
        for axis in (1, 2):
            side = samples.shape[axis]
            edges = np.arange(min(SIDE, side)) * side // min(SIDE, side)
            counts = np.diff([*edges, side])
            shape = [1] * 4
            shape[axis] = len(counts)
            samples = np.add.reduceat(samples, edges, axis) / counts.reshape(shape)
    return samples.reshape(len(samples), -1).astype(np.float64)
