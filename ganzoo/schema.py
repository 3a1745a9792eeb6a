"""The JSON schema of the YAML that `ganzoo train --config` takes, for editors and validators.

It is made from what the code says anyway: the settings' and the plugin's fields, their types,
defaults and the comments beside them. Built-in plugins are read without being imported.
"""

from __future__ import annotations

import ast
from typing import Any

from ganzoo import registry
from ganzoo.fields import Field, described
from ganzoo.priors import PRIORS
from ganzoo.settings import Settings

DRAFT = "http://json-schema.org/draft-07/schema#"
"""What YAML language servers read."""
CHOICES = {**Settings.CHOICES, "z_prior": PRIORS}
NAMES = {"int": "integer", "float": "number", "str": "string", "bool": "boolean", "None": "null"}


def schema(plugin: str) -> dict[str, Any]:
    """The schema for one plugin, by its name, DIST:NAME or the path of its `.py` file.

    `plugin` may be left out of such a file, which then needs the name on the command line; `record`
    is what a run adds to its own `config.yaml`.
    """
    properties = {f.name: _property(f) for f in described(Settings)}
    properties["plugin"] |= {"const": plugin}
    properties["fields"] |= _mapping({f.name: _property(f) for f in hyperparameters(plugin)})
    properties["record"] = {"type": "object", "description": "What a run met; not read."}
    return {
        "$schema": DRAFT,
        "title": f"Settings of ganzoo train {plugin}",
        "description": registry.find(plugin).summary,
        **_mapping(properties),
    }


def hyperparameters(plugin: str) -> list[Field]:
    """The plugin's fields, read from its source where that is enough, else by importing it."""
    fields = registry.static_fields(registry.find(plugin))
    if fields is not None:
        return fields
    from ganzoo.quiet import quiet_start

    quiet_start()
    return described(registry.load(plugin))


def _mapping(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _property(field: Field) -> dict[str, Any]:
    """One key: its type, its choices, its reason, and its default where that is plain data."""
    found = {**json_type(field.type)}
    if field.name in CHOICES:
        found = {"enum": list(CHOICES[field.name])}
    if field.reason:
        found["description"] = field.reason
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    if isinstance(default, (int, float, str, list, type(None))):
        found["default"] = default
    return found


def json_type(kind: str) -> dict[str, Any]:
    """What JSON Schema says for a Python type as it stands in the source; {} is anything.

    >>> json_type("int | None"), json_type("tuple[float, ...]")
    ({'type': ['integer', 'null']}, {'type': 'array', 'items': {'type': 'number'}})
    """
    return _of(ast.parse(kind, mode="eval").body)


def _of(node: ast.expr) -> dict[str, Any]:
    if isinstance(node, ast.BinOp):
        return _either(_of(node.left), _of(node.right))
    if isinstance(node, ast.Subscript):
        return _generic(ast.unparse(node.value).rpartition(".")[2], node.slice)
    name = NAMES.get(ast.unparse(node))
    return {"type": name} if name else {}


def _either(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    if set(one) == set(other) == {"type"}:
        return {"type": [*_listed(one["type"]), *_listed(other["type"])]}
    return {"anyOf": [one, other]} if one and other else {}


def _listed(kind: str | list[str]) -> list[str]:
    return [kind] if isinstance(kind, str) else kind


def _generic(name: str, inside: ast.expr) -> dict[str, Any]:
    parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
    if name == "Literal":
        return {"enum": [ast.literal_eval(part) for part in parts]}
    if name == "Optional":
        return _either(_of(inside), {"type": "null"})
    if name not in ("tuple", "list"):
        return {}
    if name == "list" or ast.unparse(parts[-1]) == "...":
        return {"type": "array", "items": _of(parts[0])}
    count = len(parts)
    return {
        "type": "array",
        "items": [_of(part) for part in parts],
        "minItems": count,
        "maxItems": count,
    }
