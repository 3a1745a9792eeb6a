"""The one reader of YAML and JSON: plain data, of a bounded depth, whoever wrote it.

What it cannot read is a ValueError whose text says what is wrong, and nothing else is raised.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

DEPTH = 50
"""Lists and mappings within each other; a run's own have 5."""
LINE = 1_000_000
"""Bytes of one line of a record."""


# -- YAML -----------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """Plain data only: no tags, dates or sets, no aliases, of which YAML bombs are made."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise _refused(f"the alias *{event.anchor} is not allowed", event.start_mark)
        self.depth += 1
        if self.depth > DEPTH:
            raise _refused(f"it is nested more than {DEPTH} deep", self.peek_event().start_mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and (key.tag, key.value) in seen:
                raise _refused(f"the key {key.value!r} stands there twice", key.start_mark)
            seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)


def _refused(what: str, mark: Any) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, what, mark)


def _no_such_tag(loader: yaml.SafeLoader, node: Any) -> Any:
    raise _refused(f"the tag {node.tag!r} is not allowed", node.start_mark)


PLAIN = ("null", "bool", "int", "float", "str", "seq", "map")
_Loader.yaml_constructors = {
    f"tag:yaml.org,2002:{kind}": yaml.SafeLoader.yaml_constructors[f"tag:yaml.org,2002:{kind}"]
    for kind in PLAIN
} | {None: _no_such_tag}
_Loader.yaml_implicit_resolvers = {  # 2026-01-01 is text: a date is no setting
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def from_yaml(text: str) -> Any:
    """What a YAML text says, made of None, bool, int, float, str, list and dict."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    except (RecursionError, ValueError, TypeError, OverflowError, KeyError, IndexError) as error:
        raise ValueError(f"{type(error).__name__} while reading it") from error


# -- JSON -----------------------------------------------------------------------------------------


def from_json(content: bytes) -> Any:
    """What a JSON text says; NaN and infinities by their JavaScript names are let through."""
    try:
        found = json.loads(content.decode("utf-8"), object_pairs_hook=_no_key_twice)
    except RecursionError as error:
        raise ValueError(f"it is nested more than {DEPTH} deep") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is no UTF-8") from error
    _check_depth(found)
    return found


def json_object(content: bytes) -> dict[str, Any]:
    """The JSON object in these bytes."""
    found = from_json(content)
    if not isinstance(found, dict):
        raise ValueError(f"expected names and values, not {type(found).__name__}")
    return found


def json_lines(content: Iterable[bytes]) -> Iterator[tuple[int, dict[str, Any] | ValueError]]:
    """(number of the line, its JSON object) line by line; a damaged one gives the error instead.

    Empty lines are passed over, and so is a last one that a crash cut off before its end.
    """
    for number, line in enumerate(content, 1):
        if not line.strip():
            continue
        try:
            if len(line) > LINE:
                raise ValueError(f"it is longer than {LINE:,} bytes")
            yield number, json_object(line)
        except ValueError as error:
            if line.endswith(b"\n"):
                yield number, error


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _check_depth(value: Any, depth: int = 0) -> None:
    if depth > DEPTH:
        raise ValueError(f"it is nested more than {DEPTH} deep")
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return
    for inner in value:
        _check_depth(inner, depth + 1)
