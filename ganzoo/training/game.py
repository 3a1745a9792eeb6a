"""A plugin's game, compiled: networks, players and the chunk of many steps in one call.

Every draw comes from (seed, purpose, step, turn), so a step's numbers do not depend on how the
steps were cut into calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganzoo.data import Dataset
from ganzoo.errors import GanzooError, UsageError
from ganzoo.inputs import Input
from ganzoo.player import Player, pairs
from ganzoo.plugin import Plugin, rising
from ganzoo.priors import PRIORS, Z
from ganzoo.training import given, slots
from ganzoo.training.balance import balanced
from ganzoo.training.batches import Batches, InMemory
from ganzoo.training.networks import build
from ganzoo.turn import Turn

NUMBERS = "fiubV"
"""Kinds of the arrays of a checkpoint; bfloat16 is NumPy's V."""
MAX_TURNS = 1 << 16
MAX_SCALARS = 256  # a step's scalars, padded: XLA wants the width before the step is traced

Scalars = dict[tuple[str, str], tf.Tensor]
"""(player, name) -> a scalar that the player records."""


class Game:
    """Networks, players, the averaged sampler and the compiled loop over them.

    `precision` is "float32" or "bfloat16": the compute type of the trained networks. Weights,
    losses, optimiser state and the averaged sampler are float32 always. With `auto_balance` a
    player that wins too easily is slowed (`ganzoo.training.balance`). `batches` gives the data, by
    default from memory.
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
        batches: Batches | None = None,
    ):
        check(plugin, dataset)
        self.dataset = dataset = dataset.grouped(plugin.groups(dataset.spec))
        self.plugin, self.spec, self.seed = plugin, dataset.spec, seed
        self.chunk_steps, self.auto_balance = chunk_steps, auto_balance
        self.milestones = rising(plugin)
        built = build(plugin, self.spec, seed, precision)
        self.networks, self.frozen = built.networks, built.frozen
        self.sampler, self.average = built.sampler, built.average
        self.inputs, self.outputs = built.inputs, built.outputs
        self.batches = batches or InMemory(dataset, plugin.batch_size, seed)
        self.players: list[Player] = []
        self._slots: dict[str, slots.Slots] = {}
        self._draws: dict[int, int] = {}
        self.enter(0)

    # -- players --------------------------------------------------------------------------------

    def enter(self, step: int) -> None:
        """Take up the players of `step`: theirs are the updates until the next milestone."""
        self.phase_start = max((m for m in self.milestones if m <= step), default=0)
        self._before = self._draws_before(self.phase_start)
        before = {p.name: (p, self._slots[p.name]) for p in self.players}
        made = self.plugin.players(self.networks, self.spec, self.phase_start)
        self.players = given.players(self.plugin, made)
        self._check_players()
        if self.auto_balance:
            self.players = [balanced(player) for player in self.players]
        self._slots = {p.name: slots.built(p.optimizer, self.weights(p)) for p in self.players}
        for player in self.players:
            if player.carry and player.name in before:
                old, memory = before[player.name]
                slots.carry(old.optimizer, memory, player.optimizer, self._slots[player.name])
        self.schedule = schedule(self.players, self.plugin.simultaneous)
        self._draws[self.phase_start] = len(self.schedule)
        _same_graph_every_time()
        self._chunk = tf.function(self._run, jit_compile=self.plugin.jit_compile or None)
        self.names: list[str] = []

    def _check_players(self) -> None:
        names = [player.name for player in self.players]
        kind = type(self.plugin).__name__
        if not names or len(set(names)) != len(names):
            raise GanzooError(
                f"{kind}.players gives {', '.join(names) or 'nobody'} from step "
                f"{self.phase_start} on: expected one player or more, each with its own name."
            )
        for player in self.players:
            for name in player.networks:
                if name in self.frozen or name not in self.networks:
                    trained = sorted(set(self.networks) - set(self.frozen))
                    raise GanzooError(
                        f"player {player.name!r} of {kind} trains {name!r}, which is "
                        f"{'frozen' if name in self.frozen else 'no network'}: it can train "
                        f"{', '.join(trained)}."
                    )
        pairs(self.players)

    def next_milestone(self, step: int) -> int | None:
        """The step at which the players change next, or None."""
        return min((m for m in self.milestones if m > step), default=None)

    def weights(self, player: Player) -> list[keras.Variable]:
        """All trainable weights of the networks that a player trains, a shared one once."""
        found = {
            id(w): w for name in player.networks for w in self.networks[name].trainable_variables
        }
        return list(found.values())

    def judges(self) -> dict[str, keras.Model]:
        """Discriminating player -> its network, or the network called "discriminator"."""
        found = {
            p.name: self.networks[p.networks[0]]
            for p in self.players
            if p.part == "discriminator" and p.networks
        }
        lone = self.networks.get("discriminator")
        return found or ({} if lone is None else {"discriminator": lone})

    def phase(self) -> dict[str, Any]:
        """Who plays against whom now, as plain data."""
        return {
            "step": self.phase_start,
            "players": [
                {"name": p.name, "role": p.part, "against": list(p.against or ())}
                for p in self.players
            ],
            "pairs": [list(pair) for pair in pairs(self.players)],
        }

    # -- state ----------------------------------------------------------------------------------

    def variables(self) -> dict[str, keras.Variable]:
        """Name -> everything that a checkpoint must hold; dropout's seed counters are among it."""
        groups = {
            f"networks/{name}": net.variables
            for name, net in self.networks.items()
            if name not in self.frozen
        }
        groups |= {f"optimizers/{p.name}": p.optimizer.variables for p in self.players}
        groups["sampler"] = self.average.variables
        found: dict[str, keras.Variable] = {}
        seen: set[int] = set()
        for group, variables in groups.items():
            for index, variable in enumerate(variables):
                if id(variable) not in seen:  # a layer that two networks share is held once
                    found[f"{group}/{index}"] = variable
                    seen.add(id(variable))
        return found

    def state(self) -> dict[str, np.ndarray]:
        """The values of `variables()`."""
        return {name: np.asarray(variable) for name, variable in self.variables().items()}

    def restore(self, arrays: dict[str, np.ndarray], step: int) -> None:
        """Take up a state that `state()` gave at `step`, with the players of that step."""
        self.enter(step)
        self.assign(arrays)

    def assign(self, arrays: dict[str, np.ndarray]) -> None:
        """Give every variable the value that `state()` gave, in the phase that it is in."""
        variables = self.variables()
        if set(variables) != set(arrays):
            raise GanzooError(
                "the checkpoint holds other weights than this plugin has: was its "
                "source changed since?"
            )
        for name, variable in variables.items():
            if arrays[name].dtype.kind not in NUMBERS:
                raise GanzooError(
                    f"the checkpoint's {name} holds {arrays[name].dtype}, no numbers."
                )
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
        fed = self.batches.feed(first, count, draws, self.chunk_steps)
        try:
            done, rows = self._chunk(tf.constant(step, tf.int64), tf.constant(count), list(fed))
        except GanzooError as error:  # AutoGraph has put the way to it before what it says
            said = str(error).strip().splitlines()[-1].strip()
            raise type(error)(said.removeprefix(f"{type(error).__name__}: ")) from error
        return self.names, rows.numpy()[: int(done), : len(self.names)]

    def _first_draw(self, step: int) -> int:
        """How many batches were drawn before `step`, over all phases."""
        return self._before + (step - self.phase_start) * len(self.schedule)

    def _draws_before(self, step: int) -> int:
        """How many batches the phases before that of `step` drew."""
        edges = [0, *(m for m in self.milestones if m <= step)]
        for start in edges[:-1]:
            if start not in self._draws:  # a resumed game, which never entered that phase
                players = self.plugin.players(self.networks, self.spec, start)
                self._draws[start] = len(schedule(players, self.plugin.simultaneous))
        return sum(self._draws[start] * (end - start) for start, end in pairwise(edges))

    def _run(self, start: tf.Tensor, count: tf.Tensor, fed: Sequence[tf.Tensor]) -> Any:
        rows = tf.TensorArray(tf.float32, self.chunk_steps, element_shape=[MAX_SCALARS])

        def body(i, rows, _):
            row = self._step(start + tf.cast(i, tf.int64), [part[i] for part in fed])
            return i + 1, rows.write(i, row), tf.reduce_all(tf.math.is_finite(row))

        done, rows, _ = tf.while_loop(
            lambda i, _, finite: tf.logical_and(i < count, finite),
            body,
            (tf.constant(0), rows, tf.constant(True)),
            parallel_iterations=1,
        )
        return done, rows.stack()

    def _step(self, step: tf.Tensor, fed: Sequence[tf.Tensor]) -> tf.Tensor:
        """All turns of one step, then the average; returns the scalars of `self.names`."""
        sums: Scalars = {}
        counts: dict[tuple[str, str], int] = {}
        number = 0
        for movers, turns in _runs(self.schedule):
            for place, value in self._turns(movers, turns, number, step, fed).items():
                sums[place] = sums[place] + value if place in sums else value
                counts[place] = counts.get(place, 0) + turns
            number += turns
        self._update_average(step)
        self.names = _row_names(sums)
        row = tf.stack([value / counts[place] for place, value in sums.items()])
        return tf.pad(row, [[0, MAX_SCALARS - len(self.names)]])

    def _turns(
        self,
        movers: Sequence[Player],
        turns: int,
        number: int,
        step: tf.Tensor,
        fed: Sequence[tf.Tensor],
    ) -> Scalars:
        """The scalars of some equal turns, summed; however many they are, they are traced once."""
        if turns == 1:
            return self._play(movers, self._turn(step, number, [part[number] for part in fed]))
        places = []  # an annotation here would stop AutoGraph

        def body(i: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            here = number + i
            found = self._play(movers, self._turn(step, here, [part[here] for part in fed]))
            places[:] = found
            row = tf.stack(list(found.values()))
            return i + 1, sums + tf.pad(row, [[0, MAX_SCALARS - len(found)]])

        _, sums = tf.while_loop(
            lambda i, _: i < turns,
            body,
            (tf.constant(0), tf.zeros([MAX_SCALARS])),
            parallel_iterations=1,
        )
        return {place: sums[i] for i, place in enumerate(places)}

    def _turn(self, step: tf.Tensor, number: int | tf.Tensor, fed: Sequence[tf.Tensor]) -> Turn:
        counter = step * MAX_TURNS + tf.cast(number, tf.int64)
        batch = self.batches.batch(fed)
        return Turn(self.seed, batch, step, counter, self.plugin.batch_size, self.draws())

    def draws(self) -> dict[str, Any]:
        """Name of an input of the sampler, or z -> what draws it for a turn."""
        found = {one.name: one for one in self.inputs}
        prior = PRIORS[self.plugin.z_prior]
        found.setdefault(Z, Input(Z, (self.plugin.z_dim,), "float32", prior))
        return {
            name: lambda turn, one=one: one.source.draw(turn, one.name, one.shape, one.dtype)
            for name, one in found.items()
        }

    def _play(self, movers: Sequence[Player], turn: Turn) -> Scalars:
        """One turn: every mover's gradient at the same weights, then every update."""
        scalars: Scalars = {}
        with tf.GradientTape(persistent=len(movers) > 1) as tape:
            found = [self._loss(player, turn, scalars) for player in movers]
        gradients = [
            tape.gradient(loss, [w.value for w in self.weights(player)])
            for player, loss in zip(movers, found, strict=True)
        ]
        for player, loss, grads in zip(movers, found, gradients, strict=True):
            scalars[player.name, f"{player.name}_loss"] = loss
            scalars[player.name, f"{player.name}_grad_norm"] = self._norm(player, grads)
            for name, value in (player.record(turn) if player.record else {}).items():
                scalars[player.name, name] = value
        for player, grads in zip(movers, gradients, strict=True):
            pairs = [
                (g, w) for g, w in zip(grads, self.weights(player), strict=True) if g is not None
            ]
            player.optimizer.apply([g for g, _ in pairs], [w for _, w in pairs])
            player.updated(turn)
        return {place: _scalar(*place, value) for place, value in scalars.items()}

    def _loss(self, player: Player, turn: Turn, scalars: Scalars) -> tf.Tensor:
        loss = given.loss(self.plugin, player.name, player.loss(turn))
        extra = player.penalty(turn) if player.penalty else None
        if extra is None:
            return loss
        scalars[player.name, f"{player.name}_penalty"] = extra
        return loss + extra

    def _norm(self, player: Player, gradients: list[tf.Tensor | None]) -> tf.Tensor:
        present = [g for g in gradients if g is not None]
        if not present:
            raise GanzooError(
                f"no gradient of player {player.name!r}'s loss reaches a weight of "
                f"{', '.join(player.networks)}."
            )
        return tf.linalg.global_norm(present)

    def _update_average(self, step: tf.Tensor) -> None:
        """Exponential moving average, with the decay that the plugin gives for this step."""
        keep = self.plugin.averaging(step)
        for mean, live in zip(self.average.variables, self.sampler.variables, strict=True):
            if mean is live:
                continue  # of a frozen network, which stands in both
            if mean.trainable:
                tf.raw_ops.ResourceApplyGradientDescent(  # mean -= (1 - keep) (mean - live)
                    var=mean.value.handle, alpha=1.0 - keep, delta=mean.value - live.value
                )
            else:
                mean.assign(live.value)


def schedule(players: Sequence[Player], simultaneous: bool) -> list[list[Player]]:
    """Who moves in each turn of a step. Players that move together share batch, z and weights.

    Those of a group take all but their last turn alone, and the last one together.
    """
    count = sum(player.turns for player in players)
    if count > MAX_TURNS:
        raise UsageError(f"a step has {count:,} turns: expected at most {MAX_TURNS:,}.")
    if simultaneous:
        groups: list[list[Player]] = [list(players)]
    else:
        named: dict[str, list[Player]] = {}
        for player in players:
            named.setdefault(player.group or f"alone: {player.name}", []).append(player)
        groups = list(named.values())
    return [
        turn
        for group in groups
        for turn in [*([p] for p in group for _ in range(p.turns - 1)), group]
    ]


def _runs(turns: Sequence[list[Player]]) -> list[tuple[list[Player], int]]:
    """Equal turns that follow each other as one, with their number."""
    return [(movers, len(list(same))) for movers, same in groupby(turns)]


def _row_names(places: Mapping[tuple[str, str], Any]) -> list[str]:
    """The columns of a row: what a player records under a name that another one has is kept
    behind the player's own name."""
    names = [name for _, name in places]
    columns = [name if names.count(name) == 1 else f"{player}_{name}" for player, name in places]
    if len(columns) > MAX_SCALARS:
        raise GanzooError(
            f"the players record {len(columns)} scalars a step: expected at most {MAX_SCALARS}."
        )
    return columns


def _scalar(player: str, name: str, value: Any) -> tf.Tensor:
    value = tf.convert_to_tensor(value)
    if value.shape.rank != 0:
        raise GanzooError(
            f"{name} of player {player!r} has the shape {tuple(value.shape)}: expected a scalar; "
            "take the mean over the batch."
        )
    return tf.cast(value, tf.float32)


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
        raise UsageError(f"{sentence.rstrip('. ')}. The data {dataset.name!r} is {dataset.spec}.")
    for group, samples in dataset.groups().items():
        if plugin.batch_size > samples:
            part = f" (group {group!r})" if group != dataset.spec.group else ""
            raise UsageError(
                f"a batch of {plugin.batch_size} is larger than the data set "
                f"{dataset.name!r}{part} with {samples} samples: lower --batch-size."
            )
