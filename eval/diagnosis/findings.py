"""What the diagnosis says of a training: a name, how bad it is, since when, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ganzoo.files import plain

SEVERITIES = ("failure", "warning", "info")
"""Worst first; only `failure` is an alarm."""


@dataclass(frozen=True)
class Finding:
    """One thing found in a run's rows, with its evidence.

    `step` is the row at which it was raised, `since` the step where it began. `evidence` maps
    names to numbers, and `curve` to {"name", "steps", "values"}: the signal, a few dozen points.
    `command` is the line to type next, or empty.
    """

    name: str
    severity: str
    step: int
    since: int
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    remedy: str = ""
    command: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data for JSON; a number that is not finite is its name, as in a run's rows."""
        return {
            "name": self.name,
            "severity": self.severity,
            "step": self.step,
            "since": self.since,
            "message": self.message,
            "evidence": plain(self.evidence),
            "remedy": self.remedy,
            "command": self.command,
        }
