"""A plugin's game, compiled: networks, players and the chunk of many steps in one call.

Every draw comes from (seed, purpose, step, turn), so a step's numbers do not depend on how the
steps were cut into calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganzoo.data import Dataset
from ganzoo.errors import GanzooError, UsageError
from ganzoo.plugin import Player, Plugin, Turn, key
from ganzoo.training.balance import balanced
from ganzoo.training.batches import Order

MAX_TURNS = 1 << 16
MAX_SCALARS = 64  # a step's scalars, padded: XLA wants the width before the step is traced


class Game:
    """Networks, players, the averaged sampler and the compiled loop over them.

    `precision` is "float32" or "bfloat16": the compute type of the trained networks. Weights,
    losses, optimiser state and the averaged sampler are float32 always. With `auto_balance` a
    player that wins too easily is slowed (`ganzoo.training.balance`).
    """

    def __init__(
        self,
        plugin: Plugin,
        dataset: Dataset,
        *,
        seed: int,
        precision: str,
        chunk_steps: int,
        auto_balance: bool = False,
    ):
        self.plugin, self.spec, self.seed = plugin, dataset.spec, seed
        self.chunk_steps, self.auto_balance = chunk_steps, auto_balance
        check(plugin, dataset)
        self.networks, self.sampler, self.average = _build(plugin, self.spec, seed, precision)
        self.arrays = {name: tf.constant(array) for name, array in dataset.arrays.items()}
        self._order = Order(len(dataset), plugin.batch_size, seed)
        self.enter(0)

    # -- players --------------------------------------------------------------------------------

    def enter(self, step: int) -> None:
        """Take up the players of `step`: theirs are the updates until the next milestone."""
        past = [m for m in self.plugin.milestones if m <= step]
        self.phase_start = past[-1] if past else 0
        self.players = self.plugin.players(self.networks, self.spec, self.phase_start)
        if self.auto_balance:
            self.players = [balanced(player) for player in self.players]
        for player in self.players:
            player.optimizer.build(self.weights(player))
        self.schedule = _schedule(self.players, self.plugin.simultaneous)
        _same_graph_every_time()
        self._chunk = tf.function(self._run, jit_compile=self.plugin.jit_compile or None)
        self.names: list[str] = []

    def next_milestone(self, step: int) -> int | None:
        """The step at which the players change next, or None."""
        return min((m for m in self.plugin.milestones if m > step), default=None)

    def weights(self, player: Player) -> list[keras.Variable]:
        """All trainable weights of the networks that a player trains."""
        return [w for name in player.networks for w in self.networks[name].trainable_variables]

    # -- state ----------------------------------------------------------------------------------

    def variables(self) -> dict[str, keras.Variable]:
        """Name -> everything that a checkpoint must hold; dropout's seed counters are among it."""
        groups = {f"networks/{name}": net.variables for name, net in self.networks.items()}
        groups |= {f"optimizers/{p.name}": p.optimizer.variables for p in self.players}
        groups["sampler"] = self.average.variables
        return {
            f"{group}/{index}": variable
            for group, variables in groups.items()
            for index, variable in enumerate(variables)
        }

    def state(self) -> dict[str, np.ndarray]:
        """The values of `variables()`."""
        return {name: np.asarray(variable) for name, variable in self.variables().items()}

    def restore(self, arrays: dict[str, np.ndarray], step: int) -> None:
        """Take up a state that `state()` gave at `step`."""
        self.enter(step)
        variables = self.variables()
        if set(variables) != set(arrays):
            raise GanzooError(
                "the checkpoint holds other weights than this plugin has: was its "
                "source changed since?"
            )
        for name, variable in variables.items():
            if tuple(variable.shape) != arrays[name].shape:
                raise GanzooError(
                    f"the checkpoint's {name} has shape {arrays[name].shape}, the "
                    f"plugin's {tuple(variable.shape)}: was its source changed since?"
                )
            variable.assign(arrays[name])

    def non_finite_weight(self) -> str | None:
        """The path of the first weight that is not finite, or None."""
        for name, network in self.networks.items():
            for weight in network.weights:
                if weight.dtype.startswith("float") and not np.isfinite(np.asarray(weight)).all():
                    return f"{name}/{weight.path}"
        return None

    # -- the loop -------------------------------------------------------------------------------

    def run(self, step: int, count: int) -> tuple[list[str], np.ndarray]:
        """Play `count` steps from `step` in one call: scalar names, and a row for each step.

        `count` is at most `chunk_steps`. Fewer rows come back where a value was not finite: the
        last row holds it.
        """
        draws = len(self.schedule)
        first = self._first_draw(step)
        indices = np.zeros((self.chunk_steps, draws, self.plugin.batch_size), np.int32)
        indices[:count] = self._order.take(first, count * draws).reshape(count, draws, -1)
        done, rows = self._chunk(tf.constant(step, tf.int64), tf.constant(count), indices)
        return self.names, rows.numpy()[: int(done), : len(self.names)]

    def _first_draw(self, step: int) -> int:
        """How many batches were drawn before `step`, over all phases."""
        edges = [0, *self.plugin.milestones]
        total = 0
        for start, end in zip(edges, [*edges[1:], None], strict=True):
            if start >= step:
                break
            if start == self.phase_start:
                draws = len(self.schedule)
            else:
                players = self.plugin.players(self.networks, self.spec, start)
                draws = len(_schedule(players, self.plugin.simultaneous))
            total += draws * ((step if end is None else min(step, end)) - start)
        return total

    def _run(self, start: tf.Tensor, count: tf.Tensor, indices: tf.Tensor):
        rows = tf.TensorArray(tf.float32, self.chunk_steps, element_shape=[MAX_SCALARS])

        def body(i, rows, _):
            row = self._step(start + tf.cast(i, tf.int64), indices[i])
            return i + 1, rows.write(i, row), tf.reduce_all(tf.math.is_finite(row))

        done, rows, _ = tf.while_loop(
            lambda i, _, finite: tf.logical_and(i < count, finite),
            body,
            (tf.constant(0), rows, tf.constant(True)),
            parallel_iterations=1,
        )
        return done, rows.stack()

    def _step(self, step: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
        """All turns of one step, then the average; returns the scalars of `self.names`."""
        scalars: dict[str, list[tf.Tensor]] = {}
        for number, movers in enumerate(self.schedule):
            turn = self._turn(step, number, indices[number])
            for name, value in self._play(movers, turn):
                scalars.setdefault(name, []).append(tf.cast(value, tf.float32))
        self._update_average(step)
        self.names = list(scalars)
        row = tf.stack([tf.add_n(values) / len(values) for values in scalars.values()])
        return tf.pad(row, [[0, MAX_SCALARS - len(self.names)]])

    def _turn(self, step: tf.Tensor, number: int, indices: tf.Tensor) -> Turn:
        batch = {name: _to_model(tf.gather(array, indices)) for name, array in self.arrays.items()}
        return Turn(self.seed, batch, step, step * MAX_TURNS + number, self._draw_z)

    def _draw_z(self, turn: Turn) -> tf.Tensor:
        shape = (self.plugin.batch_size, self.plugin.z_dim)
        if self.plugin.z_prior == "uniform":
            return tf.random.stateless_uniform(shape, turn.seed("z"), -1.0, 1.0, alg="philox")
        return tf.random.stateless_normal(shape, turn.seed("z"), alg="philox")

    def _play(self, movers: Sequence[Player], turn: Turn) -> Iterator[tuple[str, tf.Tensor]]:
        """One turn: every mover's gradient at the same weights, then every update."""
        with tf.GradientTape(persistent=len(movers) > 1) as tape:
            found = [player.loss(turn) for player in movers]
        gradients = [
            tape.gradient(loss, [w.value for w in self.weights(player)])
            for player, loss in zip(movers, found, strict=True)
        ]
        for player, loss, grads in zip(movers, found, gradients, strict=True):
            yield f"{player.name}_loss", loss
            yield f"{player.name}_grad_norm", self._norm(player, grads)
            if player.record:
                yield from player.record(turn).items()
        for player, grads in zip(movers, gradients, strict=True):
            pairs = [
                (g, w) for g, w in zip(grads, self.weights(player), strict=True) if g is not None
            ]
            player.optimizer.apply([g for g, _ in pairs], [w for _, w in pairs])
            if player.after:
                player.after()

    def _norm(self, player: Player, gradients: list[tf.Tensor | None]) -> tf.Tensor:
        present = [g for g in gradients if g is not None]
        if not present:
            raise GanzooError(
                f"no gradient of player {player.name!r}'s loss reaches a weight of "
                f"{', '.join(player.networks)}."
            )
        return tf.linalg.global_norm(present)

    def _update_average(self, step: tf.Tensor) -> None:
        """Exponential moving average, quicker at first so that the start is forgotten."""
        age = tf.cast(step, tf.float32)
        keep = tf.minimum(self.plugin.ema, (1.0 + age) / (10.0 + age))
        for mean, live in zip(self.average.variables, self.sampler.variables, strict=True):
            if mean.trainable:
                tf.raw_ops.ResourceApplyGradientDescent(  # mean -= (1 - keep) (mean - live)
                    var=mean.value.handle, alpha=1.0 - keep, delta=mean.value - live.value
                )
            else:
                mean.assign(live.value)


def _schedule(players: Sequence[Player], simultaneous: bool) -> list[list[Player]]:
    """Who moves in each turn of a step. Players that move together share batch, z and weights."""
    if not simultaneous:
        return [[player] for player in players for _ in range(player.turns)]
    alone = [[player] for player in players for _ in range(player.turns - 1)]
    return [*alone, list(players)]


def _build(plugin: Plugin, spec: Any, seed: int, precision: str):
    """The networks, the live sampler among them, and a float32 copy of it for the average."""
    policy = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
        keras.utils.set_random_seed(key(seed, "weights") % 2**31)
        networks = dict(plugin.networks(spec))
        live = plugin.sampler(networks, spec)
        keras.config.set_dtype_policy("float32")
        average = plugin.sampler(dict(plugin.networks(spec)), spec)
    finally:
        keras.config.set_dtype_policy(policy)
    if tuple(live.output_shape[1:]) != tuple(spec.shape):
        raise GanzooError(
            f"{type(plugin).__name__}'s sampler makes {live.output_shape[1:]} where "
            f"the data has {spec.shape}: mend the plugin's generator."
        )
    for mean, variable in zip(average.variables, live.variables, strict=True):
        mean.assign(variable)
    return networks, live, average


def _same_graph_every_time() -> None:
    """Leave the traced graph as it is, where bits are promised.

    On a CPU TensorFlow's graph rewriting fuses and reorders differently from process to process,
    and with it the last bits of a step. A GPU promises none, and gains from the rewriting.
    """
    if not tf.config.get_visible_devices("GPU"):
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def check(plugin: Plugin, dataset: Dataset) -> None:
    """Raise UsageError where the plugin cannot make this data, or the batch is larger than it."""
    sentence = plugin.unsupported(dataset.spec)
    if sentence:
        raise UsageError(f"{sentence} The data {dataset.name!r} is {dataset.spec}.")
    if plugin.batch_size > len(dataset):
        raise UsageError(
            f"a batch of {plugin.batch_size} is larger than the data set "
            f"{dataset.name!r} with {len(dataset)} samples: lower --batch-size."
        )


def _to_model(values: tf.Tensor) -> tf.Tensor:
    """uint8 pixels to [-1, 1]; everything else as it is."""
    return tf.cast(values, tf.float32) / 127.5 - 1.0 if values.dtype == tf.uint8 else values
