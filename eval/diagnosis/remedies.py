"""A remedy -> the line to type, as far as the run is known."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ganzoo import handles
from ganzoo.eval.diagnosis.findings import Remedy

OPTIONS = {"batch_size": "--batch-size", "steps": "--steps"}
"""Fields that have an option of their own; others are given by --set."""
LEAST_RATE, USUAL_RATE = 1e-6, 2e-4
"""A learning rate that moves no weight of a usual size, and the one of Radford et al. 2015."""


@dataclass(frozen=True)
class Context:
    """What is known of the training: all of it serves the commands only, any may be missing."""

    plugin: str | None = None
    data: str | None = None
    run: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def command(remedy: Remedy, context: Context) -> str:
    """The line to type, or "" where it is not known what to run, or nothing that can be typed.

    It repeats the run with other settings; with no run folder, the plugin on the data.
    """
    if remedy.instead and context.run:
        first, *others = remedy.instead
        return shlex.join(["ganzoo", first, context.run, *others])
    if handles.is_name(context.plugin) or handles.is_name(context.data):
        return ""  # objects of a Python that no command line reaches
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
        if name.endswith("_lr") and old < LEAST_RATE:
            new = USUAL_RATE  # whatever is wrong: by this one nothing is learnt
        else:
            new = old * factor if isinstance(old, float) else max(1, int(old * factor))
        value, present = (f"{n:g}" if isinstance(old, float) else str(n) for n in (new, old))
        if value == present:
            continue
        yield from (OPTIONS[name], value) if name in OPTIONS else ("--set", f"{name}={value}")
