"""The sources of a sampler's inputs: the one place that draws a prior.

A `Source` says how an input is fed: while training from a turn, when sampling from a seed. Row i
of what is sampled depends on the seed and on i alone.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from ganzoo.errors import UsageError, unknown
from ganzoo.shrinking import METHODS, fits, shrunk, shrunk_tensor

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

    The threshold may be set when sampling, also where training had none: `--set z.threshold=0.5`.
    A row is then the normal row of that seed, drawn in: at the same quantile of what is left.
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
        from scipy.special import ndtr, ndtri

        least, quantile = self._least(), ndtr(bits.standard_normal((n, *shape), wide).astype(float))
        z = ndtri(least + (1 - 2 * least) * quantile)
        return np.clip(z, -self.threshold, self.threshold)


@dataclass(frozen=True)
class Categorical(Source):
    """One of the classes, all equally likely: one-hot over the last axis of a float input, the
    number of the class for a whole-number input, which needs `classes`."""

    kind: ClassVar[str] = "categorical"
    classes: int = 0

    def _count(self, name: str, shape: tuple[int, ...], dtype: str) -> int:
        count = shape[-1] if is_float(dtype) and shape else self.classes
        if count < 1 or (self.classes and count != self.classes):
            raise UsageError(
                f"a categorical input needs a float input (..., classes), or whole numbers and "
                f"Categorical(classes=...): {name or 'it'} is {dtype} of {shape}."
            )
        return count

    def draw(self, turn: Drawing, name: str, shape: tuple[int, ...], dtype: str) -> tf.Tensor:
        import tensorflow as tf

        count = self._count(name, shape, dtype)
        places = shape[:-1] if is_float(dtype) else shape
        drawn = turn.uniform(name, places, 0.0, float(count))
        chosen = tf.minimum(tf.cast(drawn, tf.int32), count - 1)
        return tf.one_hot(chosen, count) if is_float(dtype) else tf.cast(chosen, dtype)

    def rows(
        self, n: int, shape: tuple[int, ...], dtype: str, bits: np.random.Generator, wide: type
    ) -> np.ndarray:
        count = self._count("", shape, dtype)
        places = shape[:-1] if is_float(dtype) else shape
        chosen = np.minimum((bits.random((n, *places)) * count).astype(np.int64), count - 1)
        return _one_hot(chosen, count) if is_float(dtype) else chosen


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
        return (_one_hot(labels, shape[-1]) if shape else labels).astype(dtype)


@dataclass(frozen=True)
class Data(Source):
    """An array of the data: training rows while training, test rows when sampling.

    With a `size` it is images with that shorter side, reduced by area means or `bicubic`: what is
    as large as the data is reduced, and what is small already is taken.
    """

    kind: ClassVar[str] = "data"
    array: str = ""
    size: int = 0  # 0: as it is
    method: str = "area"

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise unknown("method", self.method, METHODS)
        if self.size < 0:
            raise UsageError(f"size is the shorter side in pixels, 0 as it is: not {self.size}.")

    def draw(self, turn: Drawing, name: str, shape: tuple[int, ...], dtype: str) -> tf.Tensor:
        import tensorflow as tf

        found = turn.batch[self.array]
        return tf.cast(shrunk_tensor(found, shape, self.method) if self.size else found, dtype)

    def of(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Rows of the array, pixels in [-1, 1], as the input takes them."""
        reduced = self.size and rows.shape[1:] != tuple(shape) and fits(rows, shape)
        return shrunk(rows, shape, self.method) if reduced else rows


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
    "unit_uniform": Uniform(0.0, 1.0),
    "truncated_normal": TruncatedNormal(),
}
"""What z may be drawn from by a plugin's field `z_prior`."""


def is_float(dtype: str) -> bool:
    return dtype.startswith(("float", "bfloat"))


def _one_hot(chosen: np.ndarray, count: int) -> np.ndarray:
    return (np.asarray(chosen)[..., None] == np.arange(count)).astype(np.float64)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
