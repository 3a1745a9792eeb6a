"""A sampler's inputs: which source feeds each, what may be set when sampling, and their rows.

`resolve` finds the source of every input of a sampler by one rule; `as_json` and `from_json` carry
sources into a run's folder and back; `changed` takes what a user sets; `rows` draws.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, NamedTuple

import numpy as np

from ganzoo.errors import GanzooError, UsageError, unknown
from ganzoo.priors import (
    KINDS,
    Categorical,
    Data,
    Label,
    Normal,
    Rows,
    Source,
    TruncatedNormal,
    Z,
    is_float,
    key,
)

LATER = {Data.kind: frozenset({"size", "method"})}
"""Fields of a source that folders of earlier versions lack: their defaults are what was meant."""


class Input(NamedTuple):
    """One input of a sampler: its name, its shape without the batch axis, its type, its source,
    and the names of its columns where the data has them."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    source: Source
    columns: tuple[str, ...] = ()


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
    """The source that `as_json` gave; GanzooError for anything else, by its name."""
    values = dict(content)
    kind = values.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise _no_source(repr(kind)[:60], f"expected one of {', '.join(KINDS)}")
    known = {one.name: one.default for one in fields(KINDS[kind])}
    lacking = known.keys() - values.keys() - LATER.get(kind, frozenset())
    for name in sorted((values.keys() - known.keys()) | lacking):
        raise _no_source(kind, f"it {'has no' if name in values else 'needs'} {name[:60]!r}")
    for name, value in values.items():
        if not _is_like(value, known[name]):
            raise _no_source(kind, f"it cannot have {name} = {repr(value)[:60]}")
    try:
        return KINDS[kind](**values)
    except (TypeError, ValueError, UsageError) as error:
        raise _no_source(kind, str(error).rstrip(".")) from error


def _no_source(kind: str, why: str) -> GanzooError:
    return GanzooError(f"{kind} as it stands is no source of an input: {why}.")


def _is_like(value: Any, default: Any) -> bool:
    """Whether a value of a source is of its default's type, and of a size that can be meant."""
    if isinstance(default, tuple):
        return isinstance(value, (list, tuple))
    if isinstance(default, str):
        return isinstance(value, str) and value.isprintable() and 0 < len(value) <= 200
    if isinstance(default, int):
        return type(value) is int and 0 <= value < 2**31
    return type(value) in (int, float) and abs(value) <= 1e30


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
        elif part.isdigit() or part in one.columns:
            columns = dict(held.get(plain, Held()).columns or {})
            place = one.columns.index(part) if part in one.columns else int(part)
            held[plain] = held.get(plain, Held())._replace(
                columns=columns | {_column(one, place): _number(name, value)}
            )
        elif part and one.columns:
            raise unknown(f"column of {plain}", part, one.columns)
        elif part:
            cut = isinstance(one.source, (Normal, TruncatedNormal))
            raise UsageError(
                f"--set {name}: expected {plain}{f', {plain}.threshold' if cut else ''} or "
                f"{plain}.0, its first number."
            )
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
    if len(one.shape) != 1 or not column < one.shape[0]:
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
    if lone and is_float(one.dtype) and len(one.shape) == 1:  # one-hot: a class stands for it
        number = _number(one.name, value)
        if number % 1:
            raise UsageError(f"--set {one.name}: expected a class, not {value!r}.")
        check_label(int(number), one.shape[0], one.name)
        return (np.arange(one.shape[0]) == int(number)).astype(np.float64)
    try:
        value = value.split(",") if isinstance(value, str) and "," in value else value
        array = np.asarray(value, np.float64)
        array = np.broadcast_to(array, one.shape)
    except (TypeError, ValueError):
        raise UsageError(
            f"--set {one.name}: expected a number, or as many as the input has, {one.shape}, "
            f"as in {one.name}=[1, 0, 1]; not {value!r}."
        ) from None
    if not np.isfinite(array).all() or (not is_float(one.dtype) and (array % 1).any()):
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
    first: int = 0,
) -> np.ndarray:
    """(n, *shape) for an input that needs no data, in its own type.

    `first` is the number of the first row, where `bits` have drawn those before it.
    """
    held = held or Held()
    if held.value is not None:
        drawn = np.broadcast_to(held.value, (n, *one.shape))
    else:
        skipped = first % _period(one.source)
        drawn = one.source.rows(skipped + n, one.shape, one.dtype, bits, wide)[skipped:]
    return with_columns(one, drawn, held)


def _period(source: Source) -> int:
    """After how many rows a source that draws nothing begins again; 1 for one that draws."""
    if isinstance(source, Rows):
        return len(source.values)
    return max(1, source.classes) if isinstance(source, Label) else 1


def with_columns(one: Input, drawn: np.ndarray, held: Held | None) -> np.ndarray:
    """The rows in the input's own type, with the columns that are held at a number."""
    drawn = np.array(drawn, one.dtype)
    for column, number in ((held and held.columns) or {}).items():
        drawn[:, column] = number
    return drawn


def streams(inputs: Iterable[Input], seed: int) -> dict[str, np.random.Generator]:
    """For each input the random numbers of its own that its samples are drawn from."""
    return {
        one.name: np.random.Generator(
            np.random.Philox(key=key(seed, "sample" if one.name == Z else f"sample/{one.name}"))
        )
        for one in inputs
    }
