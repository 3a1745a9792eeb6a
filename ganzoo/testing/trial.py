"""A plugin's game on made-up data, small and played eagerly: what the contract's checks look at."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganzoo.data import Dataset, to_float
from ganzoo.errors import UsageError
from ganzoo.inputs import rows
from ganzoo.plugin import Player, Plugin, Turn
from ganzoo.priors import Data, Normal, Uniform
from ganzoo.spec import ArraySpec, DataSpec
from ganzoo.training.game import Game

BATCH = 8
SAMPLES = 64
CANDIDATES = (
    DataSpec((16, 16, 1), classes=3),
    DataSpec((16, 16, 1)),
    DataSpec((28, 28, 1)),
    DataSpec((32, 32, 3)),
    DataSpec((16, 24, 1)),
    DataSpec((2,), range=None, key="point"),
)
"""What is offered to a plugin; it is tried on all that its `unsupported` does not refuse."""
LARGE = (DataSpec((64, 64, 3)), DataSpec((128, 128, 3)), DataSpec((256, 256, 3)))
"""What is offered next, until one is supported, to a plugin that takes none of these."""
DOMAINS = tuple(
    DataSpec(shape, key="a", others={"b": ArraySpec(shape, (-1.0, 1.0), group="b")}, group="a")
    for shape in ((16, 16, 1), (28, 28, 1), (32, 32, 3), (64, 64, 3))
)
"""Two domains of images that nobody paired: offered to a plugin that takes none of all those."""


def example(spec: DataSpec, n: int = SAMPLES) -> Dataset:
    """`n` made-up samples of this description: images of noise with a bright corner, or normals.

    A group of arrays that is not the key's has 5 rows more.
    """
    bits = np.random.Generator(np.random.Philox(0))

    def array(told: ArraySpec) -> np.ndarray:
        rows = n if told.group == spec.group else n + 5
        if told.classes:
            return (
                np.arange(rows).reshape(-1, *[1] * len(told.shape))
                + np.zeros(told.shape, int) % told.classes
            ).astype(np.int32) % told.classes
        if len(told.shape) != 3:
            return bits.standard_normal((rows, *told.shape), np.float32)
        pixels = bits.integers(0, 128, (rows, *told.shape)).astype(np.uint8)
        pixels[:, : told.shape[0] // 4, : told.shape[1] // 4] = 250
        return pixels

    arrays = {spec.key: array(spec.arrays[spec.key])}
    arrays |= {name: array(told) for name, told in spec.others.items()}
    if spec.classes:
        arrays["label"] = (np.arange(n) % spec.classes).astype(np.int32)
    return Dataset("made-up samples", spec, arrays, licence="", source="made here")


class Trial:
    """A plugin, made small by its batch size, and the data that it is tried on.

    `specs` are by default the plugin's own `examples`, or those of CANDIDATES that it supports, or
    else the first of LARGE or of DOMAINS. Raises UsageError where it supports none.
    """

    def __init__(self, plugin: Plugin, specs: Sequence[DataSpec] | None = None):
        self.original = plugin
        self.plugin = smaller(plugin, min(plugin.batch_size, BATCH)) or plugin
        own = specs or tuple(plugin.examples())
        self.specs = _supported(plugin, own or CANDIDATES)
        for more in () if own else (LARGE, DOMAINS):
            self.specs = self.specs or _supported(plugin, more)[:1]
        if not self.specs:
            offered = "; ".join(map(str, own or CANDIDATES + LARGE + DOMAINS))
            raise UsageError(
                f"{type(plugin).__name__} supports none of the data that it was offered "
                f"({offered}): say which in its `examples`, with `specs` or --data, or change its "
                "`unsupported`."
            )
        self._games: dict[str, Game] = {}

    @property
    def spec(self) -> DataSpec:
        """The data of the closer looks: the first that is supported, small and labelled."""
        return self.specs[0]

    def new_game(
        self, spec: DataSpec | None = None, *, precision: str = "float32", seed: int = 0
    ) -> Game:
        """A game at step 0 that nothing else plays."""
        data = example(spec or self.spec)
        return Game(self.plugin, data, seed=seed, precision=precision, chunk_steps=2)

    def game(self, spec: DataSpec | None = None) -> Game:
        """The game of this data that all checks share that do not mind who played before."""
        name = repr(spec or self.spec)
        if name not in self._games:
            self._games[name] = self.new_game(spec)
        return self._games[name]

    def inputs(self, game: Game, n: int = BATCH, scale: float = 1.0) -> dict[str, np.ndarray]:
        """What a game's sampler takes, by the names of its inputs: normal priors times `scale`."""
        bits = np.random.Generator(np.random.Philox(1))
        arrays = model_arrays(example(game.spec), n)
        found = {}
        for one in game.inputs:
            if isinstance(one.source, Data):
                fed = one.source.of(arrays[one.source.array], one.shape)
                found[one.name] = fed.astype(one.dtype)
                continue
            drawn = rows(one, n, bits)
            wide = isinstance(one.source, (Normal, Uniform))
            found[one.name] = np.float32(scale) * drawn if wide else drawn
        return found


def smaller(plugin: Plugin, batch_size: int) -> Plugin | None:
    """The plugin with another batch size, or None where it refuses that."""
    try:
        return dataclasses.replace(plugin, batch_size=batch_size)
    except (UsageError, ValueError):
        return None


def _supported(plugin: Plugin, specs: Sequence[DataSpec]) -> list[DataSpec]:
    return [spec for spec in specs if plugin.unsupported(spec) is None]


def sample(game: Game, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the averaged sampler makes of these inputs, by the names of its outputs."""
    values = [tf.constant(inputs[one.name]) for one in game.inputs]
    made = game.average(values if len(values) > 1 else values[0], training=False)
    if not isinstance(made, dict):
        parts = made if isinstance(made, (list, tuple)) else [made]
        made = dict(zip([one.name for one in game.outputs], parts, strict=True))
    return {name: np.asarray(part) for name, part in made.items()}


def model_arrays(data: Dataset, n: int) -> dict[str, np.ndarray]:
    """The first `n` rows as networks see them: pixels in [-1, 1]."""
    return {
        name: to_float(array[:n]) if array.dtype == np.uint8 else array[:n]
        for name, array in data.arrays.items()
    }


@contextmanager
def eagerly() -> Iterator[None]:
    """Run compiled functions operation by operation: a step of a small game is quicker so."""
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


def play(game: Game, step: int, count: int) -> dict[str, np.ndarray]:
    """Named scalars of `count` steps from `step`, one call a step, without compiling."""
    with eagerly():
        played = [game.run(step + i, 1) for i in range(count)]
    rows = np.concatenate([rows for _, rows in played])
    return dict(zip(played[0][0], rows.T, strict=True))


def phases(plugin: Plugin) -> list[tuple[int, int]]:
    """Start and middle of every stretch of steps with the same players."""
    edges = [0, *plugin.milestones]
    middles = [(a + b) // 2 for a, b in zip(edges, [*edges[1:], edges[-1] + 4], strict=True)]
    return list(zip(edges, middles, strict=True))


def largest_gradients(game: Game) -> dict[str, float | None]:
    """Weight -> the largest gradient that any player's update had.

    The first step of each phase is played, and as long as some weight lacks one, two steps more.
    None where the loop never had one; a weight's name is `network/path`.
    """
    names = {
        id(weight): f"{name}/{weight.path}"
        for name, network in game.networks.items()
        for weight in network.trainable_variables
    }
    largest: dict[str, float | None] = dict.fromkeys(names.values())
    for start, middle in phases(game.plugin):
        game.enter(start)
        for player in game.players:
            _watch(player, names, largest)
        for step in (start, start + 1, middle):
            if step == start or not all(largest.values()):
                play(game, step, 1)
    return largest


def _watch(player: Player, names: Mapping[int, str], largest: dict[str, float | None]) -> None:
    """Note down what the player's optimiser is given."""
    update = player.optimizer.apply

    def apply(gradients: Sequence[tf.Tensor], weights: Sequence[keras.Variable]) -> Any:
        for gradient, weight in zip(gradients, weights, strict=True):
            dense = tf.convert_to_tensor(gradient)
            seen = float(tf.reduce_max(tf.abs(dense))) if tf.size(dense) else 0.0
            name = names[id(weight)]
            largest[name] = max(largest[name] or 0.0, seen)
        return update(gradients, weights)

    player.optimizer.apply = apply


class Part(Turn):
    """A turn on some rows of a batch, as one of several devices sees it.

    It remembers which random numbers the loss drew for itself, and whether it asked for a mean
    over the batch, which a part cannot know.
    """

    def __init__(self, game: Game, rows: slice, arrays: Mapping[str, np.ndarray], whole: int):
        batch = {name: tf.constant(array[rows]) for name, array in arrays.items()}
        step = tf.constant(0, tf.int64)
        size = len(range(whole)[rows])
        super().__init__(game.seed, batch, step, step, size, game.draws())
        self.rows, self.whole = rows, whole
        self.drawn: set[str] = set()
        self.shared = False

    def _whole_size(self) -> int:
        return self.whole

    def _mine(self, drawn: tf.Tensor) -> tf.Tensor:
        return drawn[self.rows]

    def seed(self, purpose: str) -> tf.Tensor:
        self.drawn.add(purpose)
        return super().seed(purpose)

    def mean(self, values: tf.Tensor) -> tf.Tensor:
        if len(range(self.whole)[self.rows]) < self.whole:
            self.shared = True
        return super().mean(values)


def gradient(game: Game, player: Player, turn: Turn) -> np.ndarray:
    """The gradient of a player's loss over all its weights, flat; 0 where there is none."""
    weights = game.weights(player)
    with tf.GradientTape() as tape:
        loss = player.loss(turn)
        extra = player.penalty(turn) if player.penalty else None
        loss = loss if extra is None else loss + extra
    found = tape.gradient(loss, [w.value for w in weights], unconnected_gradients="zero")
    return np.concatenate([np.asarray(tf.convert_to_tensor(g), np.float64).ravel() for g in found])
