"""A cheap look at the players while they train: a fixed grid, a score, and what the monitor reads.

The score chooses among the checkpoints of one run; it is no FID and is never compared between
runs. Nothing here changes a weight or draws a number that training draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from threadpoolctl import ThreadpoolController

from ganzoo import data, pictures, priors
from ganzoo import inputs as named
from ganzoo.data import Dataset, to_float
from ganzoo.errors import GanzooError
from ganzoo.eval.diagnosis.multiscale_mmd import MultiscaleMMD
from ganzoo.eval.diagnosis.variety import Variety
from ganzoo.eval.frechet import frechet_distance
from ganzoo.eval.modes import point_modes
from ganzoo.exporting import Output
from ganzoo.inputs import Input
from ganzoo.priors import Data, Label
from ganzoo.spec import DataSpec

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
OTHER = 0.5
"""Of the samples' spread: as far apart the same z must come out in training and in inference mode
for the samples of training mode to be scored as well."""
EDGE = 0.05
"""Of the range: as far beyond it, or beyond its middle, a value counts as there."""
PROTOCOL = (
    f"of images, the Frechet distance of {SAMPLES} samples of the averaged generator to {SAMPLES} "
    f"training samples, as {SIDE}x{SIDE} block means; of points, the squared MMD of {COMPARED} to "
    f"{COMPARED} under Gaussian kernels of several widths"
)


FINE = {1: 256, 2: 64}
"""Places along each axis of the grid on which discriminators of points are asked."""


class Probe:
    """Fixed inputs and real samples of one run, and its networks compiled for inference.

    `inputs` are what the `sampler` takes, `outputs` what it makes, of which the first is looked at;
    `judges` are the discriminators by their players' names.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        inputs: Sequence[Input],
        outputs: Sequence[Output],
        sampler: keras.Model,
        judges: Mapping[str, keras.Model],
        seed: int,
        size: int | None = None,
    ):
        self.whole, self.dataset = dataset, dataset.of(outputs[0].imitates)
        self.spec, self.size = self.dataset.spec, size
        bits = np.random.Generator(np.random.Philox(key=seed))
        order = bits.permutation(len(self.dataset))
        self.arrays = _chosen(dataset, order, self.spec, seed)
        train = self._features(self.dataset.arrays[self.spec.key][order[:REFERENCES]])
        self.real, others = train[:SAMPLES], train[SAMPLES : 2 * SAMPLES]
        self.score = self._score()
        enough = len(others) >= ENOUGH
        self.floor = {"score_of_reals": self.score(others)} if enough else {}
        classes = self.spec.classes if self.spec.classes <= MOST_CLASSES else 0
        labels = self.dataset.arrays["label"][order[:REFERENCES]] if classes else None
        self.held_out = self._held_out()
        self.variety = Variety(
            train,
            COMPARED,
            labels=labels,
            classes=classes,
            held_out=self._features(self.held_out[self.spec.key]) if self.held_out else None,
        )
        self.inputs = [self._input(one, bits) for one in inputs]
        self._blas = ThreadpoolController()
        self._made = [_called(sampler, self.inputs, i, o) for i, o in enumerate(outputs)]
        self._sample = self._made[0]
        self._moving = [v for v in sampler.non_trainable_variables if "float" in v.dtype]
        self._restored = sampler.non_trainable_variables
        self._sample_in_training = _called(sampler, self.inputs, 0, outputs[0], training=True)
        fed = list(zip(inputs, self.inputs, strict=True))
        self._fed = {one.name: rows for one, rows in fed}
        self.asked = next((_labels(x) for one, x in fed if isinstance(one.source, Label)), None)
        self._shown = [rows for one, rows in fed if isinstance(one.source, Data) and rows.ndim == 4]
        self.judge_by(judges)

    def _input(self, one: Input, bits: np.random.Generator) -> np.ndarray:
        """What an input of the sampler is fed at every look: training rows, all labels in turn, or
        a prior's draws."""
        if isinstance(one.source, Data):
            rows = self.arrays[one.source.array]
            return one.source.of(_floats(rows), one.shape) if one.source.size else rows
        if isinstance(one.source, Label):
            labels = np.arange(SAMPLES, dtype=np.int32) % one.source.classes
            return one.source.of(labels, one.shape, one.dtype)
        return named.rows(one, SAMPLES, bits, wide=np.float64)

    def judge_by(self, judges: Mapping[str, keras.Model]) -> None:
        """Take up other discriminators: those of a new phase."""
        self._logits = {name: self._judge_of(model) for name, model in judges.items()}
        self._several = len(judges) > 1

    def grid(self) -> tuple[np.ndarray, np.ndarray | None]:
        """The fixed samples: 64 images and None, or all points and real ones to lay them upon."""
        n = GRID if self.spec.is_image else SAMPLES
        samples = _in_batches(self._sample, [x[:n] for x in self.inputs])
        return samples, None if self.spec.is_image else self.real

    def picture(self) -> tuple[np.ndarray, np.ndarray | None, int | None]:
        """What a picture shows: the grid; or, of a sampler that images feed or that makes several
        kinds, for each sample its inputs and then all that is made of them, side by side.

        Returns samples, real points to lay them upon, and how many are drawn in a row.
        """
        kinds = len(self._shown) + len(self._made)
        if not self.spec.is_image or kinds == 1:
            return *self.grid(), None
        n = max(1, GRID // kinds)
        inputs = [x[:n] for x in self.inputs]
        parts = [_floats(x[:n]) for x in self._shown]
        parts += [_in_batches(call, inputs) for call in self._made]
        tiles = np.stack(pictures.alike(parts), 1)
        return tiles.reshape(-1, *tiles.shape[2:]), None, kinds * max(1, 8 // kinds)

    def field(self) -> dict[str, np.ndarray]:
        """Of points with one or two dimensions: what a picture of the game needs.

        `samples` and `real` (n, d); `x` and, of two, `y`: the axes of a grid around the real
        points, of numbers around nearly all samples too; `logits_NAME` (len(x),) or (len(y),
        len(x)) of every discriminator that takes a point alone. Empty for all other data.
        """
        if self.spec.shape not in ((1,), (2,)):
            return {}
        samples, _ = self.grid()
        ends = [pictures.frame(self.real[:, i]) for i in range(self.spec.size)]
        if self.spec.size == 1:  # the curve also where the samples are: they may begin far away
            near = np.percentile(samples, (1, 99))
            ends = [(min(ends[0][0], near[0]), max(ends[0][1], near[1]))]
        fine = FINE[self.spec.size]
        axes = [np.linspace(*end, fine).astype(np.float32) for end in ends]
        places = np.stack(np.meshgrid(*axes), -1).reshape(-1, self.spec.size)
        found = dict(zip("xy", axes, strict=False))
        found |= {"samples": samples, "real": self.real.astype(np.float32)}
        for name, (call, names) in self._logits.items():
            if call is not None and names == [self.spec.key]:
                shape = [len(axis) for axis in reversed(axes)]
                found[f"logits_{name}"] = _in_batches(call, [places]).reshape(shape)
        return found

    # -- at a checkpoint ------------------------------------------------------------------------

    def look(self) -> dict[str, Any]:
        """The players as they are now, as values of a row.

        Always `score` (`PROTOCOL`; lower is better) and those of `Variety.variety`; where there
        are enough other training samples, `score_of_reals`, which is what they score. For images
        also `Variety.neighbours`; for points with known modes the shares of samples by nearest
        mode as `classes`, and `high_quality`, the share within 3 sigma of one. Of data with a
        range, the share of the samples' values `outside` it, and that of the reals' values in the
        half of it that no sample enters, `unreached`. `score_in_training`, where the sampler's
        training mode makes other samples of the same z: what those score. Of a discriminator that
        takes an image and at most what the data brings beside it, in inference mode, the mean
        logits on training images (`real_logits_train`, with their deviation,
        `real_logits_train_std`), on those of the test split (`real_logits_heldout`) and on the
        samples (`fake_logits_sampled`); of several, each behind its player's name. Raises
        GanzooError where a sample is not finite.
        """
        fake = _in_batches(self._sample, self.inputs)
        if not np.isfinite(fake).all():
            raise GanzooError("a sample of the averaged generator is not finite")
        with self._blas.limit(limits=1, user_api="blas"):  # its threads spin beside TensorFlow's
            return self.compare(fake) | self._in_training(fake) | self._judge(fake)

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
            asked = None if self.asked is None else self.asked[:COMPARED]
            row |= self.variety.neighbours(features[:COMPARED], asked)
            if self._shown:  # made from training images: to be like them is its task
                del row["copies"]
            return row | self._values(fake[:COMPARED])
        return row | self._modes(fake)

    def _values(self, fake: np.ndarray) -> dict[str, float]:
        """How the values of the samples lie in those of the data."""
        if self.spec.range is None:
            return {}
        low, high = self.spec.range
        edge = EDGE * (high - low)
        real = _floats(self.arrays[self.spec.key][:COMPARED])
        beyond = (fake < low - edge) | (fake > high + edge)
        middle, least, most = (low + high) / 2, fake.min(), fake.max()
        missed = np.zeros(1)
        if least >= middle or most <= middle:  # of all pixels, so that no grey that begins does so
            missed = real < middle - edge if least >= middle else real > middle + edge
        return {"outside": float(beyond.mean()), "unreached": float(missed.mean())}

    def _in_training(self, fake: np.ndarray) -> dict[str, float]:
        """What the samples score in training mode, where that makes others of the same z."""
        if not self._moving:
            return {}
        before = [variable.numpy() for variable in self._restored]
        try:
            n = min(GRID, len(fake))
            some = _in_batches(self._sample_in_training, [x[:n] for x in self.inputs])
            apart = np.sqrt(np.mean((some - fake[:n]) ** 2))
            if not apart > OTHER * np.sqrt(np.mean((some - some.mean(0)) ** 2)):
                return {}
            made = _in_batches(self._sample_in_training, self.inputs)
        finally:
            for variable, value in zip(self._restored, before, strict=True):
                variable.assign(value)
        finite = np.isfinite(made).all()
        return {"score_in_training": self.score(self._features(made))} if finite else {}

    def _modes(self, points: np.ndarray) -> dict[str, Any]:
        """Of points with known modes: who hits which. None are known of other data."""
        modes = self.dataset.judging.modes
        if modes is None or len(modes.centres) < 2 or modes.centres.shape[1:] != points.shape[1:]:
            return {}
        found = point_modes(points, centres=modes.centres, sigma=modes.sigma)
        count = len(modes.centres)
        return {
            "classes": [round(share, 6) for share in found["histogram"]],
            "real_classes": [1 / count] * count,
            "high_quality": found["high_quality"],
        }

    # -- the discriminators ---------------------------------------------------------------------

    def _judge(self, fake: np.ndarray) -> dict[str, float]:
        """Logits on reals that were trained on, on reals that nobody saw, and on these samples."""
        if not self.held_out:
            return {}
        train = {name: _floats(array[:COMPARED]) for name, array in self.arrays.items()}
        made = {name: rows[:COMPARED] for name, rows in self._fed.items()}
        made[self.spec.key] = fake[:COMPARED]
        found = {}
        for judge, (call, names) in self._logits.items():
            if call is None or not set(names) <= set(self.held_out) & set(train):
                continue
            real, new = (
                _in_batches(call, [arrays[name] for name in names])
                for arrays in (train, self.held_out)
            )
            values = {"real_logits_train": real.mean(), "real_logits_heldout": new.mean()}
            values["real_logits_train_std"] = real.std()
            if all(
                name in made and made[name].shape[1:] == train[name].shape[1:] for name in names
            ):
                values["fake_logits_sampled"] = _in_batches(call, [made[n] for n in names]).mean()
            name = f"{judge}_" if self._several else ""
            found |= {f"{name}{column}": float(value) for column, value in values.items()}
        return found

    def _held_out(self) -> dict[str, np.ndarray] | None:
        """Real images that training never sees; None for points, which are made without end."""
        if not self.spec.is_image:
            return None
        try:
            test = data.load(self.dataset.name, size=self.size, split="test").of(self.spec.key)
        except GanzooError:
            return None  # a source without a test split
        if test.spec != self.spec:
            return None
        return {name: _floats(_spread(array)) for name, array in test.arrays.items()}

    def _judge_of(self, model: keras.Model) -> tuple[Callable[[list[Any]], Any] | None, list[str]]:
        """A discriminator compiled for inference, and the arrays that it takes; None where it
        takes something else, or gives no logit for each sample."""
        arrays = self.whole.arrays
        first, *rest = (tensor.name for tensor in model.inputs)
        names = [first if first in arrays else self.spec.key, *rest]
        made = [tuple(tensor.shape[1:]) for tensor in model.outputs]
        if made != [(1,)] or not set(names) <= set(arrays):
            return None, names
        like = [_floats(arrays[name][:1]) for name in names]
        shapes = [tuple(tensor.shape[1:]) for tensor in model.inputs]
        if [array.shape[1:] for array in like] != shapes:
            return None, names
        return _called(model, like), names

    @staticmethod
    def _features(samples: np.ndarray) -> np.ndarray:
        return block_means(_floats(samples))


def _floats(samples: np.ndarray) -> np.ndarray:
    return to_float(samples) if samples.dtype == np.uint8 else samples


def _chosen(
    dataset: Dataset, order: np.ndarray, spec: DataSpec, seed: int
) -> dict[str, np.ndarray]:
    """`SAMPLES` training rows of every array: those of `order` of the imitated array's group, an
    order of its own for every other group. A small set repeats."""
    orders = {spec.group: order}
    described, found = dataset.spec.arrays, {}
    for name, array in dataset.arrays.items():
        group = described[name].group if name in described else dataset.spec.group
        if group not in orders:
            bits = np.random.Generator(np.random.Philox(key=priors.key(seed, f"look/{group}")))
            orders[group] = bits.permutation(len(array))
        found[name] = array[np.resize(orders[group], SAMPLES)]
    return found


def _labels(rows: np.ndarray) -> np.ndarray:
    """Whole numbers (n,) of a label input's rows, which may be one-hot."""
    return rows.argmax(-1) if rows.ndim == 2 else rows.astype(np.int64)


def _spread(array: np.ndarray) -> np.ndarray:
    """Some rows from the first to the last: of all classes, where they are sorted by class."""
    return array[np.linspace(0, len(array) - 1, min(COMPARED, len(array))).astype(int)]


def _called(
    model: keras.Model,
    like: list[np.ndarray],
    place: int = 0,
    output: Output | None = None,
    training: bool = False,
) -> Callable[[list[Any]], Any]:
    """The model compiled for arrays like those: pixels in, float32 out; of several outputs the one
    of this name, or at this place. In inference mode if not `training`."""
    signature = [tf.TensorSpec((None, *x.shape[1:]), x.dtype) for x in like]

    @tf.function(input_signature=[signature])
    def call(arrays: list[tf.Tensor]) -> tf.Tensor:
        inputs = [
            tf.cast(x, tf.float32) / 127.5 - 1.0 if x.dtype == tf.uint8 else x for x in arrays
        ]
        made = model(inputs if len(inputs) > 1 else inputs[0], training=training)
        if isinstance(made, dict):
            made = made[output.name]
        return tf.cast(made[place] if isinstance(made, (list, tuple)) else made, tf.float32)

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
