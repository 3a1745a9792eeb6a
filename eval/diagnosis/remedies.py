"""A remedy -> the line to type, as far as the run is known."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ganzoo.eval.diagnosis.findings import Remedy

OPTIONS = {"batch_size": "--batch-size", "steps": "--steps"}
"""Fields that have an option of their own; others are given by --set."""


@dataclass(frozen=True)
class Context:
    """What is known of the training: all of it serves the commands only, any may be missing."""

    plugin: str | None = None
    data: str | None = None
    run: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def command(remedy: Remedy, context: Context) -> str:
    """The line to type, or "" where it is not known what to run.

    It repeats the run with other settings; with no run folder, the plugin on the data.
    """
    if remedy.instead and context.run:
        first, *others = remedy.instead
        return shlex.join(["ganzoo", first, context.run, *others])
    if context.run:
        words = ["--config", f"{context.run}/config.yaml"]
    elif context.plugin and context.data:
        words = [context.plugin, "--data", context.data]
    else:
        return ""
    changes = [*_changed(remedy.factors, context.fields), *remedy.options]
    return shlex.join(["ganzoo", "train", *words, *changes]) if changes else ""


def _changed(factors: Mapping[str, float], fields: Mapping[str, Any]) -> Iterator[str]:
    """The fields that a factor changes, as words; none where the run has no such field."""
    for name, factor in factors.items():
        old = fields.get(name)
        if isinstance(old, bool) or not isinstance(old, (int, float)) or not abs(old) < 1e15:
            continue
        new = old * factor if isinstance(old, float) else max(1, int(old * factor))
        if new == old:
            continue
        value = f"{new:g}" if isinstance(new, float) else str(new)
        yield from (OPTIONS[name], value) if name in OPTIONS else ("--set", f"{name}={value}")
