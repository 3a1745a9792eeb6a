"""What a run's sampler takes and makes, as `sampler.json` holds it: written, read, and checked.

The file may be anybody's, or damaged. `read` lets through what a sampler can be asked for, every
name, number and type of it, and says of anything else what it is.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganzoo import expected, sealing
from ganzoo import inputs as named
from ganzoo.errors import GanzooError
from ganzoo.inputs import Input
from ganzoo.priors import PRIORS, Data, Label, Source, Z

FORMAT = 3
"""2 had no digests; the one of version 0.1, which had no number, knew z and a label only."""
DTYPES = (
    *("float16", "bfloat16", "float32", "float64", "bool"),
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
)
TENSOR = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]{0,200}:\d{1,4}")
"""A tensor of a graph by its name."""
MOST = 100
"""Inputs, and outputs."""
NUMBERS = 2**24
"""Numbers in one row of an input, and in one sample: five times those of 1024x1024 pixels."""


@dataclass(frozen=True)
class Output:
    """One output of a sampler: what it is called, and which array of the data it imitates."""

    name: str
    imitates: str
    shape: tuple[int, ...]
    range: tuple[float, float] | None
    needs: tuple[str, ...] = ()
    """The inputs that it depends on."""

    @property
    def is_image(self) -> bool:
        """Whether a sample has height, width and channels."""
        return len(self.shape) == 3


@dataclass(frozen=True)
class Signature:
    """Inputs and outputs, and where they are in the graph: feeds are the inputs, then the weights,
    of which the numbers in the checkpoint (`sampler/NUMBER`) are given."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    fetches: tuple[str, ...]
    feeds: tuple[str, ...]
    weights: tuple[int, ...]
    classes: int


def as_json(signature: Signature) -> dict[str, Any]:
    """The content of `sampler.json`, but for the digests."""
    return {
        "format": FORMAT,
        "inputs": [_of_input(one) for one in signature.inputs],
        "outputs": [
            {
                "name": one.name,
                "imitates": one.imitates,
                "shape": list(one.shape),
                "range": list(one.range) if one.range else None,
                "needs": list(one.needs),
                "fetch": fetch,
            }
            for one, fetch in zip(signature.outputs, signature.fetches, strict=True)
        ],
        "feeds": list(signature.feeds),
        "weights": list(signature.weights),
        "classes": signature.classes,
    }


def _of_input(one: Input) -> dict[str, Any]:
    content = {"name": one.name, "shape": list(one.shape), "dtype": one.dtype}
    columns = {"columns": list(one.columns)} if one.columns else {}
    return {**content, "source": named.as_json(one.source), **columns}


def sealed(content: Mapping[str, Any], graph: bytes) -> dict[str, Any]:
    """The content with the digests of the graph and of itself, in place of those that it has."""
    return sealing.sealed({**_bare(content), "graph": _digest(graph)})


def _bare(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in ("graph", sealing.SEAL)}


def _digest(graph: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(graph).hexdigest(), "bytes": len(graph)}


# -- reading --------------------------------------------------------------------------------------


def read(content: Mapping[str, Any], graph: bytes) -> Signature:
    """The signature that `content` is, of this graph; a ValueError says what is wrong with it."""
    values = sealing.unsealed(content)
    number = values.get("format", 1)
    if number == FORMAT:
        if sealing.SEAL not in content:
            raise ValueError("it was damaged or edited: it has no SHA-256 of its own")
        if values.get("graph") != _digest(graph):
            raise ValueError("sampler.pb is damaged, or another one: it does not fit its SHA-256")
    elif number == 1:
        values = _upgraded(values)
    elif number != 2:
        raise ValueError(
            f"its format is {expected.short(number)}, and this version reads up to {FORMAT}"
        )
    found = _content(_bare(values) | {"format": FORMAT}, "sampler.json")
    return _together(found)


def is_old(content: Mapping[str, Any]) -> bool:
    """Whether an earlier version wrote it, which gave it no digests."""
    return content.get("format") != FORMAT


def _together(found: Mapping[str, Any]) -> Signature:
    """What fits each by itself, checked against each other."""
    inputs = tuple(Input(**{"columns": (), **one}) for one in found["inputs"])
    fetches = tuple(one.pop("fetch") for one in found["outputs"])
    outputs = tuple(Output(**one) for one in found["outputs"])
    names = [one.name for one in inputs]
    for what, listed in (("inputs", names), ("outputs", [one.name for one in outputs]),
                         ("feeds", found["feeds"])):  # fmt: skip
        if len(set(listed)) < len(listed):
            raise ValueError(f"two of its {what} have one name")
    if len(found["feeds"]) != len(inputs) + len(found["weights"]):
        raise ValueError("it has not one feed for each input and each weight")
    for one in outputs:
        if not one.needs or not set(one.needs) <= set(names):
            raise ValueError(
                f"its output {one.name!r} needs {expected.short(one.needs)}, of {names}"
            )
    for one in inputs:
        _check_feeding(one)
    told = {name: found[name] for name in ("feeds", "weights", "classes")}
    return Signature(inputs, outputs, fetches, **told)


def _check_feeding(one: Input) -> None:
    """That the source of an input can make a row of it."""
    if isinstance(one.source, Data):
        size = one.source.size
        if size and (len(one.shape) != 3 or min(one.shape[:2]) != size):
            raise ValueError(f"its input {one.name!r} of {one.shape} is no image of side {size}")
        return
    if isinstance(one.source, Label) and not 0 < one.source.classes <= (*one.shape, np.inf)[0]:
        raise ValueError(f"its input {one.name!r} of {one.shape} is one of {one.source.classes}")
    try:
        with np.errstate(invalid="raise", over="raise"):
            row = named.rows(one, 1, np.random.default_rng(0))
    except (GanzooError, ValueError, TypeError, ArithmeticError) as error:
        raise ValueError(f"nothing can feed its input {one.name!r} ({error})") from error
    if row.shape != (1, *one.shape) or not np.isfinite(row).all():
        raise ValueError(f"its input {one.name!r} of {one.shape} is fed {row.shape[1:]}")


def _upgraded(old: Mapping[str, Any]) -> dict[str, Any]:
    """The signature that version 0.1 wrote: z and a label in, one kind of samples out."""
    found = _first(old, "sampler.json")
    names, label = found["inputs"], named.as_json(Label(found["classes"]))
    own = Z in names and len(names) > 1
    inputs = [
        {"name": name, "shape": [], "dtype": "int32", "source": label}
        if name == "label"
        else {
            "name": name if own else Z,
            "shape": [found["z_dim"]],
            "dtype": "float32",
            "source": named.as_json(PRIORS[found["z_prior"]]),
        }
        for name in names
    ]
    output = {
        "name": found["key"],
        "imitates": found["key"],
        **{name: old[name] for name in ("shape", "range", "fetch")},
        "needs": [one["name"] for one in inputs],
    }
    kept = {name: old[name] for name in ("feeds", "weights", "classes")}
    return {"inputs": inputs, "outputs": [output], **kept}


# -- one value ------------------------------------------------------------------------------------


def _tensor(value: Any, where: str) -> str:
    if not isinstance(value, str) or not TENSOR.fullmatch(value):
        raise expected.wrong(value, where, "the name of a tensor")
    return value


def _shape(value: Any, where: str) -> tuple[int, ...]:
    sides: tuple[int, ...] = expected.listed(expected.whole(NUMBERS), 6)(value, where)
    if not 0 < math.prod(sides) <= NUMBERS:
        raise expected.wrong(value, where, f"the shape of 1 to {NUMBERS:,} numbers")
    return sides


def _range(value: Any, where: str) -> tuple[float, float] | None:
    if value is None:
        return None
    numbers = isinstance(value, (list, tuple)) and all(type(one) in (int, float) for one in value)
    if not numbers or len(value) != 2 or not -1e30 < value[0] < value[1] < 1e30:
        raise expected.wrong(value, where, "nothing, or two numbers that rise")
    return float(value[0]), float(value[1])


def _source(value: Any, where: str) -> Source:
    if not isinstance(value, dict):
        raise expected.wrong(value, where, "a source")
    try:
        return named.from_json(value)
    except GanzooError as error:
        raise ValueError(f"{where}: {str(error).rstrip('.')}") from error


_INPUT = expected.record(
    {"name": expected.name, "shape": _shape, "dtype": expected.one_of(DTYPES), "source": _source},
    {"columns": expected.listed(expected.name, 10_000)},
)
_OUTPUT = expected.record(
    {
        "name": expected.name,
        "imitates": expected.name,
        "shape": _shape,
        "range": _range,
        "needs": expected.listed(expected.name, MOST),
        "fetch": _tensor,
    }
)
_PLACES = {
    "feeds": expected.listed(_tensor, 100_000),
    "weights": expected.listed(expected.whole(1_000_000), 100_000),
    "classes": expected.whole(2**31),
}
_content = expected.record(
    {
        "format": expected.whole(FORMAT),
        "inputs": expected.listed(_INPUT, MOST, least=1),
        "outputs": expected.listed(_OUTPUT, MOST, least=1),
        **_PLACES,
    }
)
_first = expected.record(
    {
        "inputs": expected.listed(expected.name, 2, least=1),
        "z_dim": expected.whole(NUMBERS),
        "z_prior": expected.one_of(tuple(PRIORS)),
        "key": expected.name,
        "shape": _shape,
        "range": _range,
        "fetch": _tensor,
        **_PLACES,
    }
)
