"""Turn the options of `ganzoo train` into settings, over those of a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Asked:
    """Settings that were asked for, as they were written, and who asked for each."""

    values: dict[str, Any] = field(default_factory=dict)
    """Keys of `Settings`; no defaults are filled in, and nothing is checked."""
    origins: dict[str, str] = field(default_factory=dict)
    """`data` or `fields.z_dim` -> `--data`, `--set`, or the file's path."""

    def take(self, values: Mapping[str, Any], origin: str) -> None:
        """Settings of the same name give way; of `fields`, those of the same name.

        What is no mapping of fields stays as it is, to be refused when it is resolved.
        """
        for name, value in values.items():
            old = self.values.get(name) or {}
            if name == "fields" and isinstance(value, Mapping) and isinstance(old, Mapping):
                self.values[name] = {**old, **value}
                self.origins |= {f"fields.{inner}": origin for inner in value}
            elif name != "fields" or not old:
                self.values[name] = value
                self.origins[name] = origin


def asked(options: Mapping[str, Any]) -> Asked:
    """The settings among the options of `ganzoo train`; those that are None were not given."""
    from ganzoo import settings

    found = Asked()
    if options["config"]:
        told = settings.read_config(options["config"])
        if options["plugin"] not in (None, told.get("plugin", options["plugin"])):
            told.pop("fields", None)  # another plugin's
        found.take(told, str(options["config"]))
    for name in settings.Settings.__dataclass_fields__:
        if options.get(name) is not None:
            found.take({name: options[name]}, "argument" if name == "plugin" else _flag(name))
    given = dict(map(settings.parse_assignment, options["assignments"]))
    if given:
        found.take({"fields": given}, "--set")
    for name in ("steps", "batch_size"):
        if options[name] is not None and not (name == "steps" and options.get("resume")):
            found.take({"fields": {name: options[name]}}, _flag(name))
    return found


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
