"""What to try against a failure, and the line to type, as far as the run is known."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TEXTS = {
    "mode_collapse": "Let the discriminator keep up: lower the generator's rate, give D more "
    "steps, or train with the Wasserstein loss.",
    "partial_collapse": "Show the discriminator more samples at once: a larger batch, or the "
    "Wasserstein loss.",
    "vanishing_gradient": "Slow the discriminator, or use a loss whose gradient lasts: the "
    "non-saturating or the Wasserstein loss.",
    "saturated_discriminator": "Slow the discriminator down: --auto-balance leads its rate.",
    "dead_discriminator": "Lower the discriminator's rate; with weight clipping, widen the clip.",
    "discriminator_beaten": "Strengthen the discriminator: raise its rate or give it more steps.",
    "exploding": "Lower both rates; gradient penalties and spectral norm bound them too.",
    "non_finite": "Go back to the last good checkpoint's settings with lower rates, or train in "
    "float32.",
    "oscillation": "Lower both rates, and train the players in turn.",
    "late_degradation": "Use the best checkpoint; to go on, start again with lower rates.",
    "stagnation": "Change the rates: these do not learn this data.",
    "memorization": "Use more training data, a smaller generator, or stop earlier.",
    "discriminator_overfitting": "Use more training data or a smaller discriminator, or stop "
    "earlier.",
}

RATES = {
    "mode_collapse": {"g_lr": 1 / 4},
    "dead_discriminator": {"d_lr": 1 / 4},
    "discriminator_beaten": {"d_lr": 4},
    "exploding": {"g_lr": 1 / 4, "d_lr": 1 / 4},
    "non_finite": {"g_lr": 1 / 4, "d_lr": 1 / 4},
    "oscillation": {"g_lr": 1 / 2, "d_lr": 1 / 2},
    "late_degradation": {"g_lr": 1 / 2, "d_lr": 1 / 2},
    "stagnation": {"g_lr": 1 / 2, "d_lr": 1 / 2},
}
"""The factors of the rates, by the fields' usual names."""


@dataclass(frozen=True)
class Context:
    """What is known of the training: all of it serves the commands only, any may be missing."""

    plugin: str | None = None
    data: str | None = None
    run: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def command(name: str, context: Context) -> str:
    """The line to type against the finding `name`, or "" where it is not known what to run.

    It repeats the run with other settings; with no run folder, the plugin on the data.
    """
    if name == "late_degradation" and context.run:
        return shlex.join(["ganzoo", "sample", context.run, "--checkpoint", "best"])
    if context.run:
        words = ["--config", f"{context.run}/config.yaml"]
    elif context.plugin and context.data:
        words = [context.plugin, "--data", context.data]
    else:
        return ""
    changes = _changes(name, context.fields)
    return shlex.join(["ganzoo", "train", *words, *changes]) if changes else ""


def _changes(name: str, fields: Mapping[str, Any]) -> list[str]:
    """The options that differ from those of the run; none where it has no such field."""
    rates = {
        field: fields[field] * factor
        for field, factor in RATES.get(name, {}).items()
        if isinstance(fields.get(field), float)
    }
    words = [word for key, rate in rates.items() for word in ("--set", f"{key}={rate:g}")]
    if name in ("saturated_discriminator", "vanishing_gradient"):
        words.append("--auto-balance")
    if name == "partial_collapse" and isinstance(fields.get("batch_size"), int):
        words += ["--batch-size", str(2 * fields["batch_size"])]
    if name in ("memorization", "discriminator_overfitting") and isinstance(
        fields.get("steps"), int
    ):
        words += ["--steps", str(max(1, fields["steps"] // 2))]
    return words
