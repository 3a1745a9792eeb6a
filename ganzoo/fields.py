"""A dataclass's fields: their reasons from the source, their types, and values made to fit."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import io
import tokenize
import types
import typing
from dataclasses import dataclass
from typing import Any

from ganzoo.errors import UsageError, unknown


@dataclass(frozen=True)
class Field:
    """One hyperparameter: `ganzoo info` prints it, `--set` sets it."""

    name: str
    type: str
    default: Any
    reason: str = ""


def described(cls: type) -> list[Field]:
    """The hyperparameters of a plugin class; the reason is the comment beside the field."""
    reasons: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        with contextlib.suppress(OSError, TypeError):
            reasons.update(comments(inspect.getsource(base)))
    return [
        Field(f.name, type_name(f.type), f.default, reasons.get(f.name, ""))
        for f in dataclasses.fields(cls)
    ]


def type_name(kind: Any) -> str:
    if isinstance(kind, str):
        return kind
    plain = inspect.isclass(kind) and not typing.get_args(kind)
    return kind.__name__ if plain else str(kind).replace("typing.", "")


def comments(text: str) -> dict[str, str]:
    """Field -> the comment behind it in a class body, or on the lines right above it."""
    found: dict[str, str] = {}
    above = name = ""
    line_start = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comment = token.string.lstrip("# ")
            if name:
                found[name] = comment
            else:
                above = f"{above} {comment}".strip()
        elif token.type == tokenize.NEWLINE:
            name, line_start = "", True
        elif token.type == tokenize.NAME and line_start:
            name, line_start = token.string, False
            if above:
                found.setdefault(name, above)
            above = ""
        elif token.type not in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT):
            line_start = False
    return found


def make(cls: type, values: dict[str, Any]) -> Any:
    """A plugin with these field values, checked by name and by type.

    Raises UsageError for an unknown field (the nearest is offered) and for a value that is not of
    the field's type; a whole number is taken for a float, a truth value never for a number.
    """
    known = [f.name for f in dataclasses.fields(cls)]
    for name in values:
        if name not in known:
            raise unknown("field", str(name), known)
    return cls(**typed(cls, values))


def typed(cls: type, values: dict[str, Any]) -> dict[str, Any]:
    """The values, each of the type that the dataclass states for its name, or a UsageError."""
    hints = typing.get_type_hints(cls)
    return {name: _coerce(name, value, hints[name]) for name, value in values.items()}


def _coerce(name: str, value: Any, kind: Any) -> Any:
    options = typing.get_args(kind) if _is_union(kind) else (kind,)
    for option in options:
        with contextlib.suppress(ValueError, TypeError):
            return _as_type(value, option)
    if typing.get_origin(kind) is typing.Literal:
        raise unknown(name, str(value), map(str, typing.get_args(kind)))
    raise UsageError(f"{name} must be {type_name(kind)}, not {value!r}.")


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _as_type(value: Any, kind: Any) -> Any:
    if kind in (None, type(None)):
        if value is None:
            return None
        raise ValueError
    if typing.get_origin(kind) is typing.Literal:
        if value in typing.get_args(kind):
            return value
        raise ValueError
    if typing.get_origin(kind) is tuple:
        inner = typing.get_args(kind)
        same = len(inner) == 2 and inner[1] is Ellipsis
        kinds = [inner[0]] * len(value) if same else inner
        if not isinstance(value, (list, tuple)) or len(kinds) != len(value):
            raise ValueError
        return tuple(_as_type(v, k) for v, k in zip(value, kinds, strict=True))
    if kind is float and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        return float(value)  # YAML reads 1e-4 as a string
    origin = typing.get_origin(kind) or kind
    if isinstance(value, origin) and not (kind is int and isinstance(value, bool)):
        return value
    raise ValueError
