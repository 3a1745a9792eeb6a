"""A cheap look at the players while they train: a fixed grid, a score, and what the monitor reads.

The score chooses among the checkpoints of one run; it is no FID and is never compared between
runs. Nothing here changes a weight or draws a number that training draws.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from threadpoolctl import ThreadpoolController

from ganzoo import data
from ganzoo.data import Dataset, to_float
from ganzoo.errors import GanzooError
from ganzoo.eval.diagnosis.multiscale_mmd import MultiscaleMMD
from ganzoo.eval.diagnosis.variety import Variety
from ganzoo.eval.frechet import frechet_distance
from ganzoo.eval.modes import point_modes

GRID = 64
SAMPLES = 1000
COMPARED = 500
"""Samples that are compared with each other and with as many reals, pair by pair."""
REFERENCES = 5000
"""Training samples among which a sample's nearest are looked for."""
BATCH = 500
ENOUGH = 200
"""Other reals that may be scored as if they were samples."""
SIDE = 8
MOST_CLASSES = 100  # more have too few of the samples each to be told from chance
PROTOCOL = (
    f"of images, the Frechet distance of {SAMPLES} samples of the averaged generator to {SAMPLES} "
    f"training samples, as {SIDE}x{SIDE} block means; of points, the squared MMD of {COMPARED} to "
    f"{COMPARED} under Gaussian kernels of several widths"
)


class Probe:
    """Fixed z, labels and real samples of one run, and its players compiled for inference."""

    def __init__(self, dataset: Dataset, game: Any, *, seed: int, size: int | None = None):
        self.dataset, self.spec = dataset, dataset.spec
        bits = np.random.Generator(np.random.Philox(key=seed))
        order = bits.permutation(len(dataset))
        chosen = np.resize(order, SAMPLES)  # a small set repeats
        self.arrays = {name: array[chosen] for name, array in dataset.arrays.items()}
        train = self._features(dataset.arrays[self.spec.key][order[:REFERENCES]])
        self.real, others = train[:SAMPLES], train[SAMPLES : 2 * SAMPLES]
        self.score = self._score()
        enough = len(others) >= ENOUGH
        self.floor = {"score_of_reals": self.score(others)} if enough else {}
        classes = self.spec.classes if self.spec.classes <= MOST_CLASSES else 0
        labels = dataset.arrays["label"][order[:REFERENCES]] if classes else None
        held_out = self._held_out(size)
        self.variety = Variety(
            train,
            COMPARED,
            labels=labels,
            classes=classes,
            held_out=self._features(held_out[self.spec.key]) if held_out else None,
        )
        self.inputs = self._inputs(game.plugin, game.average, bits)
        self._blas = ThreadpoolController()
        self._sample = _inference(game.average, self.inputs)
        self._judge = self._judge_of(game.networks.get("discriminator"), held_out)

    def _inputs(self, plugin: Any, sampler: Any, bits: np.random.Generator) -> list[np.ndarray]:
        """What the sampler takes: z from the plugin's prior first, the rest by name."""
        n, shape = SAMPLES, (SAMPLES, plugin.z_dim)
        z = bits.uniform(-1, 1, shape) if plugin.z_prior == "uniform" else bits.normal(size=shape)
        arrays = dict(self.arrays)
        if self.spec.classes:
            arrays["label"] = np.arange(n, dtype=np.int32) % self.spec.classes
        return [arrays.get(tensor.name, z.astype(np.float32)) for tensor in sampler.inputs]

    def grid(self) -> tuple[np.ndarray, np.ndarray | None]:
        """The fixed samples: 64 images and None, or all points and real ones to lay them upon."""
        n = GRID if self.spec.is_image else SAMPLES
        samples = _in_batches(self._sample, [x[:n] for x in self.inputs])
        return samples, None if self.spec.is_image else self.real

    # -- at a checkpoint ------------------------------------------------------------------------

    def look(self) -> dict[str, Any]:
        """The players as they are now, as values of a row.

        Always `score` (`PROTOCOL`; lower is better) and those of `Variety.variety`; where there
        are enough other training samples, `score_of_reals`, which is what they score. For images
        also `Variety.neighbours`; for points with known modes the shares of samples by nearest
        mode as `classes`, and `high_quality`, the share within 3 sigma of one. Where a network
        called "discriminator" takes an image and at most its label, `real_logits_train` and
        `real_logits_heldout`: its mean logit, in inference mode, on training images and on those
        of the test split. Raises GanzooError where a sample is not finite.
        """
        fake = _in_batches(self._sample, self.inputs)
        if not np.isfinite(fake).all():
            raise GanzooError("a sample of the averaged generator is not finite")
        with self._blas.limit(limits=1, user_api="blas"):  # its threads spin beside TensorFlow's
            return self.compare(fake) | self._judge()

    def _score(self) -> Callable[[np.ndarray], float]:
        """Features -> the score of `PROTOCOL`."""
        if self.spec.is_image:
            return lambda features: float(frechet_distance(self.real, features))
        scales = MultiscaleMMD(self.real[:COMPARED])
        return lambda features: scales.mmd2(features[:COMPARED])

    def compare(self, fake: np.ndarray) -> dict[str, Any]:
        """The values that samples alone decide."""
        features = self._features(fake)
        row: dict[str, Any] = {"score": self.score(features), **self.floor}
        row |= self.variety.variety(features[: self.variety.n])
        if self.spec.is_image:
            return row | self.variety.neighbours(features[:COMPARED])
        return row | self._modes(fake)

    def _modes(self, points: np.ndarray) -> dict[str, Any]:
        """Of points with known modes: who hits which. None are known of other data."""
        with contextlib.suppress(GanzooError):
            centres, sigma = data.modes(self.dataset.name)
            if len(centres) > 1 and centres.shape[1:] == points.shape[1:]:
                found = point_modes(points, centres=centres, sigma=sigma)
                return {
                    "classes": [round(share, 6) for share in found["histogram"]],
                    "real_classes": [1 / len(centres)] * len(centres),
                    "high_quality": found["high_quality"],
                }
        return {}

    # -- the discriminator ----------------------------------------------------------------------

    def _judge_of(
        self, discriminator: Any, held_out: dict[str, np.ndarray] | None
    ) -> Callable[[], dict[str, float]]:
        """Its mean logit on reals that it trained on, and on reals that it never saw."""
        if discriminator is None or held_out is None or discriminator.output_shape[1:] != (1,):
            return dict
        names = [self.spec.key, *(tensor.name for tensor in discriminator.inputs[1:])]
        if not set(names) <= set(held_out):
            return dict
        train = {name: array[:COMPARED] for name, array in self.arrays.items()}
        arrays = {
            f"real_logits_{split}": [values[name] for name in names]
            for split, values in (("train", train), ("heldout", held_out))
        }
        logits = _inference(discriminator, arrays["real_logits_train"])

        def judge() -> dict[str, float]:
            return {name: float(_in_batches(logits, x).mean()) for name, x in arrays.items()}

        return judge

    def _held_out(self, size: int | None) -> dict[str, np.ndarray] | None:
        """Real images that training never sees; None for points, which are made without end."""
        if not self.spec.is_image:
            return None
        try:
            test = data.load(self.dataset.name, size=size, split="test")
        except GanzooError:
            return None  # a source without a test split
        if test.spec != self.spec:
            return None
        count = min(COMPARED, len(test))
        spread = np.linspace(0, len(test) - 1, count).astype(int)  # of all classes
        return {name: array[spread] for name, array in test.arrays.items()}

    @staticmethod
    def _features(samples: np.ndarray) -> np.ndarray:
        return block_means(to_float(samples) if samples.dtype == np.uint8 else samples)


def _inference(model: Any, like: list[np.ndarray]) -> Callable[[list[Any]], Any]:
    """The model compiled for inference on arrays like those: pixels in, float32 out."""
    signature = [tf.TensorSpec((None, *x.shape[1:]), x.dtype) for x in like]

    @tf.function(input_signature=[signature])
    def call(arrays: list[tf.Tensor]) -> tf.Tensor:
        inputs = [
            tf.cast(x, tf.float32) / 127.5 - 1.0 if x.dtype == tf.uint8 else x for x in arrays
        ]
        return tf.cast(model(inputs if len(inputs) > 1 else inputs[0], training=False), tf.float32)

    return call


def _in_batches(call: Callable[[list[Any]], Any], arrays: list[np.ndarray]) -> np.ndarray:
    """All rows of the arrays through `call`, some at a time."""
    parts = [
        call([tf.constant(x[i : i + BATCH]) for x in arrays]).numpy()
        for i in range(0, len(arrays[0]), BATCH)
    ]
    return np.concatenate(parts)


def block_means(samples: np.ndarray) -> np.ndarray:
    """Images (n, h, w, c) as means over at most 8x8 blocks, flat, in float64; others flat."""
    n = len(samples)
    if samples.ndim == 4:
        h, w, c = samples.shape[1:]
        samples = _means(h) @ samples.reshape(n, h, w * c)
        samples = _means(w) @ samples.reshape(-1, w, c)
    return samples.reshape(n, -1).astype(np.float64)


def _means(side: int) -> np.ndarray:
    """(blocks, side): each row takes the mean of its block of pixels."""
    blocks = min(SIDE, side)
    block = (np.arange(1, side + 1) * blocks - 1) // side  # block k begins at k * side // blocks
    of = block == np.arange(blocks)[:, np.newaxis]
    return (of / of.sum(1, keepdims=True)).astype(np.float32)
