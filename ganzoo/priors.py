"""Where a sampler's inputs come from: the one place that draws a prior.

A `Source` says how an input is fed: while training from a Turn, when sampling from a seed. Row i
of what is sampled depends on the seed and on i alone. `resolve` finds the source of every input
of a sampler; `as_json` and `from_json` carry them into a run's folder and back.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np

from ganzoo.errors import GanzooError, UsageError, unknown

if TYPE_CHECKING:
    import tensorflow as tf

Z = "z"


class Drawing(Protocol):
    """What a source needs of a turn; `ganzoo.plugin.Turn` is one."""

    batch: Mapping[str, tf.Tensor]
    batch_size: int

    def normal(self, purpose: str, shape: tuple[int, ...]) -> tf.Tensor:
        """(batch_size, *shape) of N(0, 1)."""

    def uniform(self, purpose: str, shape: tuple[int, ...], low: float, high: float) -> tf.Tensor:
        """(batch_size, *shape) of U(low, high)."""

    def places(self) -> tf.Tensor:
        """(batch_size,): step * batch size + 0, 1, 2, ..."""


def key(seed: int, purpose: str) -> int:
    """A 63-bit number for each (seed, purpose): the streams of two purposes are unrelated."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


@dataclass(frozen=True)
class Source:
    """How one input of a sampler is fed; the kinds below are all there are."""

    kind: ClassVar[str] = ""

    def draw(self, turn: Drawing, name: str, shape: tuple[int, ...], dtype: str) -> tf.Tensor:
        """While training: (batch_size, *shape) for the input `name` in this turn."""
        raise NotImplementedError

    def rows(
        self, n: int, shape: tuple[int, ...], dtype: str, bits: np.random.Generator, wide: type
    ) -> np.ndarray:
        """When sampling: (n, *shape), drawn from `bits` in the type `wide`."""
        raise NotImplementedError


@dataclass(frozen=True)
class Normal(Source):
    """N(0, 1)."""

    kind: ClassVar[str] = "normal"

    def draw(self, turn: Drawing, name: str, shape: tuple[int, ...], dtype: str) -> tf.Tensor:
        return turn.normal(name, shape)

    def rows(
        self, n: int, shape: tuple[int, ...], dtype: str, bits: np.random.Generator, wide: type
    ) -> np.ndarray:
        return bits.standard_normal((n, *shape), wide)


@dataclass(frozen=True)
class Uniform(Source):
    """U(low, high)."""

    kind: ClassVar[str] = "uniform"
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise UsageError(f"a uniform prior needs low < high, not {self.low} and {self.high}.")

    def draw(self, turn: Drawing, name: str, shape: tuple[int, ...], dtype: str) -> tf.Tensor:
        return turn.uniform(name, shape, self.low, self.high)

    def rows(
        self, n: int, shape: tuple[int, ...], dtype: str, bits: np.random.Generator, wide: type
    ) -> np.ndarray:
        return bits.random((n, *shape), wide) * wide(self.high - self.low) + wide(self.low)


@dataclass(frozen=True)
class TruncatedNormal(Source):
    """N(0, 1) within `threshold` of 0: the truncation trick (Brock et al. 2019, section 3.1).

    The threshold may be set when sampling: `--set z.threshold=0.5`.
    """

    kind: ClassVar[str] = "truncated_normal"
    threshold: float = 2.0

    def __post_init__(self) -> None:
        if not self.threshold > 0:
            raise UsageError(f"a threshold must be above 0, not {self.threshold}.")

    def _least(self) -> float:
        return 0.5 * math.erfc(self.threshold / math.sqrt(2))

    def draw(self, turn: Drawing, name: str, shape: tuple[int, ...], dtype: str) -> tf.Tensor:
        import tensorflow as tf

        least = self._least()
        z = tf.math.ndtri(turn.uniform(name, shape, least, 1 - least))
        return tf.clip_by_value(z, -self.threshold, self.threshold)

    def rows(
        self, n: int, shape: tuple[int, ...], dtype: str, bits: np.random.Generator, wide: type
    ) -> np.ndarray:
        from scipy.special import ndtri

        least = self._least()
        z = ndtri(least + (1 - 2 * least) * bits.random((n, *shape)))
        return np.clip(z, -self.threshold, self.threshold)


@dataclass(frozen=True)
class Categorical(Source):
    """One of the classes, all equally likely: one-hot over the last axis of a float input, the
    number of the class for a whole-number input, which needs `classes`."""

    kind: ClassVar[str] = "categorical"
    classes: int = 0

    def _count(self, name: str, shape: tuple[int, ...], dtype: str) -> int:
        count = shape[-1] if _is_float(dtype) and shape else self.classes
        if count < 1 or (self.classes and count != self.classes):
            raise UsageError(
                f"a categorical input needs a float input (..., classes), or whole numbers and "
                f"Categorical(classes=...): {name or 'it'} is {dtype} of {shape}."
            )
        return count

    def draw(self, turn: Drawing, name: str, shape: tuple[int, ...], dtype: str) -> tf.Tensor:
        import tensorflow as tf

        count = self._count(name, shape, dtype)
        places = shape[:-1] if _is_float(dtype) else shape
        drawn = turn.uniform(name, places, 0.0, float(count))
        chosen = tf.minimum(tf.cast(drawn, tf.int32), count - 1)
        return tf.one_hot(chosen, count) if _is_float(dtype) else tf.cast(chosen, dtype)

    def rows(
        self, n: int, shape: tuple[int, ...], dtype: str, bits: np.random.Generator, wide: type
    ) -> np.ndarray:
        count = self._count("", shape, dtype)
        places = shape[:-1] if _is_float(dtype) else shape
        chosen = np.minimum((bits.random((n, *places)) * count).astype(np.int64), count - 1)
        return np.eye(count)[chosen] if _is_float(dtype) else chosen


@dataclass(frozen=True)
class Rows(Source):
    """These rows, all of them in order and then again: step s takes rows s B to (s + 1) B."""

    kind: ClassVar[str] = "rows"
    values: tuple[Any, ...] = ()

    def __init__(self, values: Any):
        rows = np.asarray(values, np.float64)
        if not rows.size or not np.isfinite(rows).all():
            raise UsageError("Rows needs one finite row or more.")
        object.__setattr__(self, "values", _frozen(rows.tolist()))

    def _array(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        rows = np.asarray(self.values)
        if rows[0].size != math.prod(shape):
            raise UsageError(f"a row of {rows[0].size} numbers does not fill an input of {shape}.")
        return rows.reshape(-1, *shape).astype(dtype)

    def draw(self, turn: Drawing, name: str, shape: tuple[int, ...], dtype: str) -> tf.Tensor:
        import tensorflow as tf

        values = self._array(shape, dtype)
        return tf.gather(values, turn.places() % len(values))

    def rows(
        self, n: int, shape: tuple[int, ...], dtype: str, bits: np.random.Generator, wide: type
    ) -> np.ndarray:
        values = self._array(shape, dtype)
        return values[np.arange(n) % len(values)]


@dataclass(frozen=True)
class Label(Source):
    """A class of the data: of the real batch while training, all in turn when sampling."""

    kind: ClassVar[str] = "label"
    classes: int = 0

    def draw(self, turn: Drawing, name: str, shape: tuple[int, ...], dtype: str) -> tf.Tensor:
        import tensorflow as tf

        label = turn.batch["label"]
        return tf.one_hot(label, shape[-1], dtype=dtype) if shape else tf.cast(label, dtype)

    def rows(
        self, n: int, shape: tuple[int, ...], dtype: str, bits: np.random.Generator, wide: type
    ) -> np.ndarray:
        return self.of(np.arange(n) % max(1, self.classes), shape, dtype)

    def of(self, labels: np.ndarray, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """These labels (n,) as the input takes them."""
        return (np.eye(shape[-1])[labels] if shape else labels).astype(dtype)


@dataclass(frozen=True)
class Data(Source):
    """An array of the data: training rows while training, test rows when sampling."""

    kind: ClassVar[str] = "data"
    array: str = ""

    def draw(self, turn: Drawing, name: str, shape: tuple[int, ...], dtype: str) -> tf.Tensor:
        import tensorflow as tf

        return tf.cast(turn.batch[self.array], dtype)


@dataclass(frozen=True)
class Constant(Source):
    """The same number everywhere, which may be set when sampling: `--set psi=0.5`."""

    kind: ClassVar[str] = "constant"
    value: float = 0.0

    def draw(self, turn: Drawing, name: str, shape: tuple[int, ...], dtype: str) -> tf.Tensor:
        import tensorflow as tf

        return tf.fill([turn.batch_size, *shape], tf.cast(self.value, dtype))

    def rows(
        self, n: int, shape: tuple[int, ...], dtype: str, bits: np.random.Generator, wide: type
    ) -> np.ndarray:
        return np.full((n, *shape), self.value)


KINDS: dict[str, type[Source]] = {
    cls.kind: cls
    for cls in (Normal, Uniform, TruncatedNormal, Categorical, Rows, Label, Data, Constant)
}
PRIORS: dict[str, Source] = {
    "normal": Normal(),
    "uniform": Uniform(),
    "truncated_normal": TruncatedNormal(),
}
"""What z may be drawn from by a plugin's field `z_prior`."""


class Input(NamedTuple):
    """One input of a sampler: its name, its shape without the batch axis, its type, its source."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    source: Source


def resolve(
    inputs: Sequence[Any],
    declared: Mapping[str, Source],
    arrays: Mapping[str, int],
    z: Source,
    z_dim: int,
) -> list[Input]:
    """The source of every input of a sampler (`model.inputs`), or one sentence about the first
    that nothing feeds.

    In order: what the plugin declares; `label`; an array of the data by its name; z. An input
    without a name of its own is z where it is the only one left and has z's shape. `arrays` maps
    the data's arrays to their numbers of classes (0: not labels).
    """
    names = [tensor.name for tensor in inputs]
    for name, source in declared.items():
        if not isinstance(source, Source):
            raise GanzooError(
                f"the plugin's inputs() gives {source!r} for {name!r}: expected a source, such as "
                "Normal() or Constant(1.0) of ganzoo.plugin."
            )
        if name not in names:
            raise GanzooError(
                f"the plugin declares an input {name!r} that its sampler does not have; it has "
                f"{', '.join(names)}."
            )
    found: list[Input | None] = []
    for tensor in inputs:
        shape = tuple(tensor.shape[1:])
        source = _source(tensor.name, declared, arrays, z)
        _check_source(tensor.name, shape, source, arrays)
        if isinstance(source, Label):
            source = replace(source, classes=arrays["label"])
        found.append(source and Input(tensor.name, shape, str(tensor.dtype), source))
    left = [i for i, one in enumerate(found) if one is None]
    if len(left) == 1 and Z not in names and tuple(inputs[left[0]].shape[1:]) == (z_dim,):
        tensor = inputs[left[0]]
        found[left[0]] = Input(Z, (z_dim,), str(tensor.dtype), z)
    elif left:
        name = names[left[0]]
        raise GanzooError(
            f"nothing feeds the sampler's input {name!r}: it is neither z, nor label, nor an array "
            f"of the data ({', '.join(sorted(arrays))}). Say where it comes from in the plugin's "
            f"inputs(), as in {{{name!r}: Constant(1.0)}}."
        )
    return [one for one in found if one is not None]


def _source(
    name: str, declared: Mapping[str, Source], arrays: Mapping[str, int], z: Source
) -> Source | None:
    if name in declared:
        return declared[name]
    if name == "label":
        return Label()
    if name == Z:
        return z
    return Data(name) if name in arrays else None


def _check_source(
    name: str, shape: tuple[int, ...], source: Source | None, arrays: Mapping[str, int]
) -> None:
    if isinstance(source, Label) and not arrays.get("label"):
        raise UsageError(
            f"the sampler's input {name!r} is a class, and the data has no labels: train on "
            "labelled data."
        )
    if isinstance(source, Data) and source.array not in arrays:
        raise UsageError(
            f"the sampler's input {name!r} is the data's array {source.array!r}, and the data "
            f"brings {', '.join(sorted(arrays))}."
        )


# -- in a run's folder ---------------------------------------------------------------------------


def as_json(source: Source) -> dict[str, Any]:
    """A source as plain data."""
    return {"kind": source.kind, **asdict(source)}


def from_json(content: Mapping[str, Any]) -> Source:
    """The source that `as_json` gave; GanzooError for anything else."""
    values = dict(content)
    kind = values.pop("kind", None)
    if kind not in KINDS:
        raise GanzooError(f"{kind!r} is no source of an input: expected one of {', '.join(KINDS)}.")
    try:
        return KINDS[kind](**values)
    except (TypeError, ValueError) as error:
        raise GanzooError(f"{content!r} is no source of an input ({error}).") from error


# -- when sampling --------------------------------------------------------------------------------


class Held(NamedTuple):
    """What `--set` asks of one input: a value for all of it or for one column, or a threshold."""

    value: Any = None
    columns: Mapping[int, float] | None = None


def changed(
    inputs: Sequence[Input], settings: Mapping[str, Any]
) -> tuple[list[Input], dict[str, Held]]:
    """The inputs with the settings `psi`, `z.threshold` or `code.0` -> value, and what they hold.

    `NAME` holds a whole input at a value (a number, or as many as it has), `NAME.COLUMN` one
    number of it, `NAME.threshold` cuts a normal prior. Raises UsageError for anything else.
    """
    known = {one.name: one for one in inputs}
    held: dict[str, Held] = {}
    for name, value in settings.items():
        plain, _, part = name.partition(".")
        if plain not in known:
            raise unknown("input", plain, known)
        one = known[plain]
        if part == "threshold":
            known[plain] = one._replace(source=_truncated(one, value))
        elif part.isdigit():
            columns = dict(held.get(plain, Held()).columns or {})
            held[plain] = held.get(plain, Held())._replace(
                columns=columns | {_column(one, int(part)): _number(name, value)}
            )
        elif part:
            raise UsageError(f"--set {name}: expected {plain}, {plain}.threshold or {plain}.0.")
        else:
            held[plain] = held.get(plain, Held())._replace(value=_value(one, value))
    return [known[one.name] for one in inputs], held


def _truncated(one: Input, value: Any) -> Source:
    if not isinstance(one.source, (Normal, TruncatedNormal)):
        raise UsageError(
            f"--set {one.name}.threshold: the input is {one.source.kind}; a threshold is for "
            "normal priors."
        )
    return TruncatedNormal(_number(f"{one.name}.threshold", value))


def _column(one: Input, column: int) -> int:
    if isinstance(one.source, Data) or len(one.shape) != 1 or not column < one.shape[0]:
        raise UsageError(f"--set {one.name}.{column}: the input has the shape {one.shape}.")
    return column


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"--set {name}: expected a number, not {value!r}.")
    return number


def _value(one: Input, value: Any) -> np.ndarray:
    lone = isinstance(one.source, (Label, Categorical)) and isinstance(value, (int, float, str))
    if lone and _is_float(one.dtype) and len(one.shape) == 1:  # one-hot: a class stands for it
        number = _number(one.name, value)
        if number % 1:
            raise UsageError(f"--set {one.name}: expected a class, not {value!r}.")
        check_label(int(number), one.shape[0], one.name)
        return np.eye(one.shape[0])[int(number)]
    try:
        array = np.asarray(value, np.float64)
        array = np.broadcast_to(array, one.shape)
    except (TypeError, ValueError):
        raise UsageError(
            f"--set {one.name}: expected a number, or numbers of shape {one.shape}, not {value!r}."
        ) from None
    if not np.isfinite(array).all() or (not _is_float(one.dtype) and (array % 1).any()):
        raise UsageError(f"--set {one.name}: {value!r} is no value of a {one.dtype} input.")
    if isinstance(one.source, Label) and not one.shape:
        check_label(int(array), one.source.classes, one.name)
    return array


def check_label(label: int, classes: int, name: str = "label") -> None:
    """Raise UsageError for a class that there is not."""
    if not 0 <= label < classes:
        raise UsageError(f"{name} must lie in 0..{classes - 1}, not {label}.")


def rows(
    one: Input,
    n: int,
    bits: np.random.Generator,
    *,
    held: Held | None = None,
    wide: type = np.float32,
) -> np.ndarray:
    """(n, *shape) for an input that needs no data, in its own type."""
    held = held or Held()
    if held.value is not None:
        drawn = np.broadcast_to(held.value, (n, *one.shape))
    else:
        drawn = one.source.rows(n, one.shape, one.dtype, bits, wide)
    if held.columns:
        drawn = np.array(drawn)
        for column, number in held.columns.items():
            drawn[:, column] = number
    return np.ascontiguousarray(drawn, one.dtype)


def streams(inputs: Iterable[Input], seed: int) -> dict[str, np.random.Generator]:
    """For each input the random numbers of its own that its samples are drawn from."""
    return {
        one.name: np.random.Generator(
            np.random.Philox(key=key(seed, "sample" if one.name == Z else f"sample/{one.name}"))
        )
        for one in inputs
    }


def _is_float(dtype: str) -> bool:
    return dtype.startswith(("float", "bfloat"))


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
