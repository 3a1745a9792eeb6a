"""What a player sees when it moves: the batch, the sampler's inputs, and draws for this turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ganzoo.errors import UsageError, unknown
from ganzoo.priors import Z, key

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


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
        sampler's input of that name, else the batch's array. A lone input without a name of its
        own is z. Returns what the network returns, floats as float32.
        """
        import tensorflow as tf

        known = {*given, *self._inputs, *self.batch}
        values = [] if main is None else [main]
        names = [tensor.name for tensor in model.inputs[len(values) :]]
        nameless = [name for name in names if name not in known]
        lone = len(nameless) == 1 and Z not in names and main is None
        for tensor in model.inputs[len(values) :]:
            name = Z if lone and tensor.name in nameless else tensor.name
            values.append(self._value(model, name, tuple(tensor.shape[1:]), given))
        made = model(values if len(model.inputs) > 1 else values[0], training=model.trainable)
        return tf.nest.map_structure(_whole_float, made)

    def _value(
        self, model: keras.Model, name: str, shape: tuple[int, ...], given: Mapping[str, Any]
    ) -> tf.Tensor:
        """What an input takes; of the sampler's and the batch's the one that has its shape, since
        a label may be one-hot for one network and a whole number for another."""
        if name in given:
            return given[name]
        found = [self.input(name)] if name in self._inputs else []
        found += [self.batch[name]] if name in self.batch else []
        if not found:
            raise _missing(model, name, {*given, *self._inputs, *self.batch})
        return next((value for value in found if tuple(value.shape[1:]) == shape), found[0])

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


def feed(model: keras.Model, main: tf.Tensor, arrays: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Call a network in training mode: `main` is its first input, the rest go in by their names.

    `turn.call(model, main)` does the same and knows the sampler's inputs too.
    """
    names = [tensor.name for tensor in model.inputs[1:]]
    missing = [name for name in names if name not in arrays]
    if missing:
        raise _missing(model, missing[0], set(arrays))
    return model([main, *(arrays[name] for name in names)] if names else main, training=True)


def _missing(model: keras.Model, name: str, known: set[str]) -> UsageError:
    return UsageError(
        f"network {model.name!r} has an input {name!r} that the data does "
        f"not bring; it brings {', '.join(sorted(known))}."
    )


def _whole_float(value: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    return tf.cast(value, tf.float32) if value.dtype in (tf.bfloat16, tf.float16) else value


def _graphs() -> list[Any]:
    """The graph that is being traced, and those around it; none where operations run at once."""
    import tensorflow as tf

    if tf.executing_eagerly():
        return []
    found = [tf.compat.v1.get_default_graph()]
    while getattr(found[-1], "outer_graph", None) is not None:
        found.append(found[-1].outer_graph)
    return found
