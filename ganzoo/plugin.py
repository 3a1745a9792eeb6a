"""The contract between an architecture and the loop: Plugin, Player, Turn, DataSpec.

A plugin is a frozen dataclass in a file of its own. Its fields are the hyperparameters, its
methods the networks and losses; all but those two kinds have defaults that may be replaced.
A GAN is a game: the loop knows a list of players and nothing else.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ganzoo.errors import UsageError, unknown
from ganzoo.priors import (
    PRIORS,
    Categorical,
    Constant,
    Data,
    Label,
    Normal,
    Rows,
    Source,
    TruncatedNormal,
    Uniform,
    Z,
    key,
)
from ganzoo.spec import ArraySpec, DataSpec

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

__all__ = [
    "CONTRACT",
    "ArraySpec",
    "Categorical",
    "Constant",
    "Data",
    "DataSpec",
    "Frozen",
    "Label",
    "Normal",
    "Player",
    "Plugin",
    "Rows",
    "Source",
    "TruncatedNormal",
    "Turn",
    "Uniform",
    "feed",
    "judged",
]

CONTRACT = 2
"""Version of what this file promises; a plugin states the one it was written for."""

ROLES = ("generator", "discriminator")
"""What a player may be in the game; "" for a player that is neither."""
ROLE_OF = {"generator": "generator", "discriminator": "discriminator", "critic": "discriminator"}
"""The role of a player that states none, by the name that it has or begins with."""

Networks = Mapping[str, "keras.Model"]


class Batch(dict):  # type: ignore[type-arg]
    """Named arrays of a turn; asking for one that the data does not bring says what it brings."""

    def __missing__(self, name: str) -> Any:
        raise UsageError(f"the data brings no array {name!r}; it brings {', '.join(sorted(self))}.")


class Turn:
    """What a player sees when it moves: a batch, z, the step, and randomness for this turn alone.

    Players that move in the same turn share one Turn, and with it whatever `once` computed. Draws
    and means are those of the whole batch, also where a batch is split over several devices.
    """

    batch: Mapping[str, tf.Tensor]
    """Named arrays: images in [-1, 1], `label` as int32."""
    batch_size: int
    """Rows of every array of this turn."""
    step: tf.Tensor
    """int64 scalar, 0 at the first step."""

    def __init__(
        self,
        seed: int,
        batch: Mapping[str, tf.Tensor],
        step: tf.Tensor,
        counter: tf.Tensor,
        batch_size: int,
        inputs: Mapping[str, Callable[[Turn], tf.Tensor]],
    ):
        self._seed, self._counter, self._inputs = seed, counter, inputs
        self._memory: dict[str, Any] = {}
        self.batch, self.step, self.batch_size = Batch(batch), step, batch_size

    @property
    def z(self) -> tf.Tensor:
        """(batch_size, z_dim), drawn from the plugin's prior, fresh for every turn."""
        return self.input(Z)

    def input(self, name: str) -> tf.Tensor:
        """What feeds the sampler's input `name` in this turn: (batch_size, ...), drawn once."""
        if name not in self._inputs:
            raise unknown("input of the sampler", name, self._inputs)
        return self.once(f"input {name}", lambda: self._inputs[name](self))

    def call(self, model: keras.Model, main: tf.Tensor | None = None, **given: Any) -> Any:
        """Call a network in training mode, a frozen one as it is, every input by its name.

        `main` is its first input. An input takes what is `given` by its name, else what feeds the
        sampler's input of that name, else the batch's array. An input without a name of its own
        is z. Returns what the network returns.
        """
        known = {*given, *self._inputs, *self.batch}
        values = [] if main is None else [main]
        for tensor in model.inputs[len(values) :]:
            name = tensor.name if tensor.name in known or len(model.inputs) > 1 else Z
            values.append(self._value(model, name, given))
        return model(values if len(model.inputs) > 1 else values[0], training=model.trainable)

    def _value(self, model: keras.Model, name: str, given: Mapping[str, Any]) -> tf.Tensor:
        if name in given:
            return given[name]
        if name in self._inputs:
            return self.input(name)
        if name in self.batch:
            return self.batch[name]
        raise _missing(model, name, {*given, *self._inputs, *self.batch})

    def seed(self, purpose: str) -> tf.Tensor:
        """A seed of shape (2,) for TensorFlow's stateless draws: (seed, purpose, step, turn).

        It is the same wherever parts of a batch are: for what is drawn once a turn, such as the
        slots of a pool. What is drawn for each row has its place with `normal` and `uniform`.
        """
        import tensorflow as tf

        return tf.stack([tf.constant(key(self._seed, purpose), tf.int64), self._counter])

    def normal(self, purpose: str, shape: Sequence[int] = ()) -> tf.Tensor:
        """(batch_size, *shape) of N(0, 1), float32: the same for the same purpose in this turn."""
        import tensorflow as tf

        whole = (self._whole_size(), *shape)
        drawn = tf.random.stateless_normal(whole, self._seed_of(purpose), alg="philox")
        return self._mine(drawn)

    def uniform(
        self, purpose: str, shape: Sequence[int] = (), low: float = 0.0, high: float = 1.0
    ) -> tf.Tensor:
        """(batch_size, *shape) of U(low, high), float32: the same for the same purpose."""
        import tensorflow as tf

        whole = (self._whole_size(), *shape)
        seed = self._seed_of(purpose)
        return self._mine(tf.random.stateless_uniform(whole, seed, low, high, alg="philox"))

    def mean(self, values: tf.Tensor) -> tf.Tensor:
        """The mean over the first axis, over the whole batch: what a loss compares with, where
        it is not itself a mean (relativistic averages, a statistic of the batch)."""
        import tensorflow as tf

        return tf.reduce_mean(values, 0)

    def places(self) -> tf.Tensor:
        """(batch_size,) int64: step * batch size + 0, 1, 2, ...: whose turn it is of given rows."""
        import tensorflow as tf

        whole = self._whole_size()
        return self._mine(self.step * whole + tf.range(whole, dtype=tf.int64))

    def once(self, name: str, compute: Callable[[], Any]) -> Any:
        """`compute()`, run by the first player that asks in this turn and shared by the others.

        What is first asked for inside a `tf.cond` is there for that branch alone: ask before it.
        """
        if name not in self._memory:
            self._memory[name] = compute(), _graphs()[:1]
        value, made_in = self._memory[name]
        if made_in and made_in[0] not in _graphs():
            raise UsageError(
                f"{name!r} was first computed inside a tf.cond or a loop, and is asked for outside "
                "of it: ask for it before."
            )
        return value

    # what a split batch has its own answers to
    def _whole_size(self) -> int:
        return self.batch_size

    def _mine(self, drawn: tf.Tensor) -> tf.Tensor:
        return drawn

    def _seed_of(self, purpose: str) -> tf.Tensor:
        return Turn.seed(self, purpose)


@dataclass(frozen=True)
class Player:
    """Who moves in the game: the networks it trains, the loss that it lowers, and how often.

    `loss(turn)` returns a scalar; `penalty(turn)` another that is added to it, or None:
    `NAME_loss` is recorded as their sum, `NAME_penalty` as it is. `record(turn)` returns named
    scalars for the log, computed with the networks as the loss saw them; where two players record
    the same name, each is kept behind its player's. `after()` or `after(turn)` runs behind every
    update: weight clipping, an image pool, the statistic of an adaptive augmentation.
    """

    name: str
    networks: tuple[str, ...]
    loss: Callable[[Turn], tf.Tensor]
    optimizer: keras.optimizers.Optimizer
    turns: int = 1
    record: Callable[[Turn], Mapping[str, tf.Tensor]] | None = None
    after: Callable[[], None] | Callable[[Turn], None] | None = None
    role: str | None = None
    """`generator`, `discriminator`, or "" for neither; None: by the name, if it begins so."""
    against: tuple[str, ...] | None = None
    """The players that it plays against, whom the diagnosis holds against it; None: all of the
    other role."""
    group: str | None = None
    """Players of one group take their last turn of a step together: every gradient at the same
    weights, from the same batch and fakes. None: alone, or with all if `simultaneous`."""
    penalty: Callable[[Turn], tf.Tensor | None] | None = None
    carry: bool = False
    """Whether, where the players change, the optimiser goes on from the slots that the player of
    this name had, weight by weight; else it begins anew."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", _names(self.networks))
        if self.against is not None:
            object.__setattr__(self, "against", _names(self.against))
        if self.turns < 1:
            raise UsageError(f"player {self.name!r} takes {self.turns} turns: expected at least 1.")
        if self.role not in (None, "", *ROLES):
            raise unknown("role", str(self.role), ROLES)

    @property
    def part(self) -> str:
        """Its role, stated or told by its name; "" for neither."""
        if self.role is not None:
            return self.role
        return next((role for name, role in ROLE_OF.items() if self.name.startswith(name)), "")

    def updated(self, turn: Turn) -> None:
        """Run `after`, with the turn where it takes one."""
        if self.after is not None:
            wants = inspect.signature(self.after).parameters.values()
            takes = [p for p in wants if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
            needed = [p for p in takes if p.default is p.empty]
            self.after(turn) if needed else self.after()  # type: ignore[call-arg]


@dataclass(frozen=True)
class Frozen:
    """A network that nobody trains, with its weights from a file: named, hashed, in no checkpoint.

    `build()` makes the network and an `.npz` holds its weights in Keras's order, under any names;
    without `build`, the file is a `.keras` model. `sha256` is the file's; None takes the file as it
    is. A run's record holds path and hash, and a resume refuses another file.
    """

    file: str
    sha256: str | None = None
    build: Callable[[], keras.Model] | None = None


def pairs(players: Sequence[Player]) -> list[tuple[str, str]]:
    """(generator, discriminator) of every two players that play against each other, by name.

    Raises UsageError where a player is against one that does not exist.
    """
    names = [player.name for player in players]
    for player in players:
        for other in player.against or ():
            if other not in names:
                raise unknown(f"player that {player.name!r} plays against", other, names)

    def meets(one: Player, other: Player) -> bool:
        return one.against is None or other.name in one.against

    return [
        (g.name, d.name)
        for g in players
        for d in players
        if (g.part, d.part) == ROLES and meets(g, d) and meets(d, g)
    ]


def _graphs() -> list[Any]:
    """The graph that is being traced, and those around it; none where operations run at once."""
    import tensorflow as tf

    if tf.executing_eagerly():
        return []
    found = [tf.compat.v1.get_default_graph()]
    while getattr(found[-1], "outer_graph", None) is not None:
        found.append(found[-1].outer_graph)
    return found


def _names(given: Any) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _missing(model: keras.Model, name: str, known: set[str]) -> UsageError:
    return UsageError(
        f"network {model.name!r} has an input {name!r} that the data does "
        f"not bring; it brings {', '.join(sorted(known))}."
    )


def feed(model: keras.Model, main: tf.Tensor, arrays: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Call a network in training mode: `main` is its first input, the rest go in by their names.

    `turn.call(model, main)` does the same and knows the sampler's inputs too.
    """
    names = [tensor.name for tensor in model.inputs[1:]]
    missing = [name for name in names if name not in arrays]
    if missing:
        raise _missing(model, missing[0], set(arrays))
    return model([main, *(arrays[name] for name in names)] if names else main, training=True)


@dataclass(frozen=True)
class Plugin:
    """An architecture. Give `generator`, `discriminator`, `d_loss` and `g_loss`, or the players.

    The fields below are every plugin's; a plugin changes their defaults and adds its own. A
    comment beside a field is its reason, and `ganzoo info` prints it.
    """

    paper: ClassVar[str] = ""
    contract: ClassVar[int] = CONTRACT

    z_dim: int = 100
    z_prior: str = "normal"  # or "uniform" on [-1, 1], or "truncated_normal" within 2
    batch_size: int = 128
    steps: int = 10_000  # each one turn of the player that moves least; may grow on --resume
    g_lr: float = 2e-4
    d_lr: float = 2e-4
    d_steps: int = 1  # discriminator (critic) turns for each generator turn
    simultaneous: bool = False  # both gradients at the same weights, from the same fakes
    ema: float = 0.999  # decay of the generator average that is sampled; 0 samples the raw weights
    low_precision: bool = True  # whether --precision auto may choose bfloat16
    jit_compile: bool = False  # XLA: pays for small dense networks, not for convolutions on a CPU

    def __post_init__(self) -> None:
        for name in ("z_dim", "batch_size", "steps", "d_steps"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if not 0 <= self.ema < 1:
            raise UsageError(f"ema must lie in [0, 1), not {self.ema}.")
        if self.z_prior not in PRIORS:
            raise unknown("z_prior", self.z_prior, PRIORS)

    # -- what an architecture says --------------------------------------------------------------

    def unsupported(self, spec: DataSpec) -> str | None:
        """None, or one sentence: which data this architecture cannot make, and which it can."""
        return None

    def generator(self, spec: DataSpec) -> keras.Model:
        """`z` (n, z_dim) [, `label` (n,)] -> samples (n, *spec.shape) in spec.range."""
        raise NotImplementedError(f"{type(self).__name__} has no generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        """Samples [, `label`] -> logits (n, 1), without a sigmoid."""
        raise NotImplementedError(f"{type(self).__name__} has no discriminator")

    def d_loss(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """The scalar that the discriminator lowers."""
        raise NotImplementedError(f"{type(self).__name__} has no d_loss")

    def g_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """The scalar that the generator lowers. One that also names `real_logits` gets them:
        `g_loss(self, fake_logits, real_logits)`, as relativistic losses want."""
        raise NotImplementedError(f"{type(self).__name__} has no g_loss")

    # -- what has a default ---------------------------------------------------------------------

    def penalty(
        self,
        discriminator: Callable[[tf.Tensor], tf.Tensor],
        real: tf.Tensor,
        fake: tf.Tensor,
        turn: Turn,
    ) -> tf.Tensor | None:
        """Added to the discriminator's loss: a scalar, such as a gradient penalty, or None."""
        return None

    def g_penalty(self, networks: Networks, fake: tf.Tensor, turn: Turn) -> tf.Tensor | None:
        """Added to the generator's loss: a scalar, such as a path length, or None."""
        return None

    def after_step(self, networks: Networks) -> None:
        """Runs behind every discriminator update: weight clipping goes here."""

    def optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """One for each player. Adam with beta_1 0.5 (Radford et al. 2015, section 4)."""
        from ganzoo.optimizers import Adam

        return {
            "generator": Adam(self.g_lr, beta_1=0.5),
            "discriminator": Adam(self.d_lr, beta_1=0.5),
        }

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        """All networks of the game by name, built; those that come into play later too.

        A layer may stand in two of them. A network may hold nothing but state that no player
        trains (a pool, a statistic, a fade): it is saved and resumed like the others.
        """
        return {"generator": self.generator(spec), "discriminator": self.discriminator(spec)}

    def frozen(self, spec: DataSpec) -> Mapping[str, Frozen]:
        """Networks that nobody trains, by name; they stand beside the others in `networks`."""
        return {}

    def sampler(self, networks: Networks, spec: DataSpec) -> keras.Model:
        """What is averaged, exported and sampled; by default the generator.

        Several outputs are a dict by name, or a list in the order of `outputs`.
        """
        return networks["generator"]

    def inputs(self, spec: DataSpec) -> Mapping[str, Source]:
        """Where the sampler's inputs come from, by name: a prior, a label, the data, a constant.

        What is left out is found by its name: `z` is drawn from the plugin's prior, `label` is a
        class, an array of the data is that array.
        """
        return {}

    def outputs(self, spec: DataSpec) -> Mapping[str, str]:
        """The sampler's outputs by name, each with the array of the data that it imitates.

        The first is scored by default, and its array is what `real.png` shows.
        """
        return {spec.key: spec.key}

    def groups(self, spec: DataSpec) -> Mapping[str, str]:
        """Arrays that are paired otherwise than the data says: name -> group.

        An array in a group of its own has an order of its own; "" is the key's group.
        """
        return {}

    def examples(self) -> Sequence[DataSpec]:
        """Data that `ganzoo plugin check` tries it on; none: the usual images and points, and two
        domains, as far as it supports them."""
        return ()

    def imitated(self, spec: DataSpec) -> DataSpec:
        """The data as its first output's array has it: shape, range, classes, samples."""
        return spec.of(next(iter(self.outputs(spec).values())))

    def epoch_steps(self, spec: DataSpec) -> int:
        """Steps in which a batch a step shows the imitated array once; 1 where nobody counted."""
        return max(1, round(self.imitated(spec).samples / self.batch_size))

    @property
    def milestones(self) -> tuple[int, ...]:
        """Steps at which the players change, in rising order; `players` is asked again at each."""
        return ()

    def accuracy(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tuple[Any, Any]:
        """Shares of real and of fake samples that the discriminator tells right, both in [0, 1]."""
        import tensorflow as tf

        return (
            tf.reduce_mean(tf.cast(real_logits > 0, tf.float32)),
            tf.reduce_mean(tf.cast(fake_logits < 0, tf.float32)),
        )

    def players(self, networks: Networks, spec: DataSpec, step: int = 0) -> list[Player]:
        """The game from `step` on. By default a discriminator and a generator, in this order."""
        import tensorflow as tf

        generator, discriminator = networks["generator"], networks["discriminator"]
        optimizers = self.optimizers()

        def judge(samples: tf.Tensor, turn: Turn) -> tf.Tensor:
            return tf.cast(turn.call(discriminator, samples), tf.float32)

        def fake(turn: Turn) -> tf.Tensor:
            return turn.once("fake", lambda: turn.call(generator))

        def real_logits(turn: Turn) -> tf.Tensor:
            return turn.once("real_logits", lambda: judge(turn.batch[spec.key], turn))

        def fake_logits(turn: Turn) -> tf.Tensor:
            return turn.once("fake_logits", lambda: judge(fake(turn), turn))

        def d_loss(turn: Turn) -> tf.Tensor:
            loss = self.d_loss(real_logits(turn), fake_logits(turn))
            extra = self.penalty(lambda x: judge(x, turn), turn.batch[spec.key], fake(turn), turn)
            return loss if extra is None else loss + extra

        def g_loss(turn: Turn) -> tf.Tensor:
            if "real_logits" in inspect.signature(self.g_loss).parameters:
                return self.g_loss(fake_logits(turn), real_logits=real_logits(turn))
            return self.g_loss(fake_logits(turn))

        def d_record(turn: Turn) -> dict[str, tf.Tensor]:
            real, fake = real_logits(turn), fake_logits(turn)
            return judged(real, fake, self.accuracy(real, fake))

        return [
            Player(
                "discriminator",
                ("discriminator",),
                d_loss,
                optimizers["discriminator"],
                turns=self.d_steps,
                record=d_record,
                after=lambda: self.after_step(networks),
                role="discriminator",
            ),
            Player(
                "generator",
                ("generator",),
                g_loss,
                optimizers["generator"],
                role="generator",
                penalty=lambda turn: self.g_penalty(networks, fake(turn), turn),
            ),
        ]


def judged(
    real_logits: tf.Tensor, fake_logits: tf.Tensor, accuracy: tuple[Any, Any]
) -> dict[str, tf.Tensor]:
    """What a discriminator's `record` returns for the diagnosis: accuracies, and the logits'
    means and deviations. `accuracy` is the share of real and of fake that it tells right."""
    import tensorflow as tf

    return {
        "d_accuracy_real": accuracy[0],
        "d_accuracy_fake": accuracy[1],
        "real_logits": tf.reduce_mean(real_logits),
        "fake_logits": tf.reduce_mean(fake_logits),
        "real_logits_std": tf.math.reduce_std(real_logits),
        "fake_logits_std": tf.math.reduce_std(fake_logits),
    }
