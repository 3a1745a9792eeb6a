"""What the diagnosis says of a training, and what a rule is: a failure, its sign, its remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ganzoo.errors import unknown
from ganzoo.eval.diagnosis.history import History
from ganzoo.files import plain

VERDICTS = ("healthy", "doubtful", "not_judged")
"""Names of what is said of a whole training in which no failure was found."""
SEVERITIES = ("failure", "warning", "info")
"""Worst first; only `failure` is an alarm."""
ABOUT = ("pair", "generator", "discriminator", "player", "samples")
"""Whom a rule may be about."""


@dataclass(frozen=True)
class Finding:
    """One thing found in a run's rows, with its evidence.

    `step` is the row at which it was raised, `since` the step where it began. `evidence` maps
    names to numbers, and `curve` to {"name", "steps", "values"}: the signal, a few dozen points.
    In a game of several pairs it also names the players. `command` is the line to type next, or
    empty.
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


@dataclass(frozen=True)
class Sign:
    """What a rule sees before anybody is told; it may pass.

    `severity` as in Finding; `message` ends a sentence; `curve` is the signal that shows it. A
    `passing` warning is one for the time being: once it has stood for half of the phase, and the
    score falls slowly, it is an alarm.
    """

    severity: str
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    curve: str = ""
    passing: bool = False


@dataclass(frozen=True)
class Remedy:
    """What to try against a failure: in words, and as changes of the run's settings.

    `factors` of fields by name: those of them that the plugin has are proposed, whole numbers as
    whole ones. `options` are more words for the same line. `instead`: another command, which is
    given the run's folder in place of a new training where there is one.
    """

    text: str
    factors: Mapping[str, float] = field(default_factory=dict, hash=False)
    options: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A failure by name, the function that looks for it, and what to try against it.

    It is asked whenever a row has one of the signals that it `reads`. Rules are written for one
    pair, whose signals are `generator_...`, `discriminator_...` and what a discriminator records.
    `about` says whom they are asked about: every `pair`; the `generator` or the `discriminator` of
    every pair, who is told of once, against however many it plays; every `player`; or the
    `samples`, once. A sign is told once it was seen at `looks` looks in a row, over `lasts` of the
    phase so far or, where its length is known, of the whole phase; it is no alarm, but a warning,
    until it has stood for `alarms` of that.
    """

    name: str
    check: Callable[[History], Sign | None]
    reads: tuple[str, ...]
    remedy: Remedy
    about: str = "pair"
    looks: int = 3
    lasts: float = 0.1
    alarms: float = 0.0

    def __post_init__(self) -> None:
        if self.about not in ABOUT:
            raise unknown("part of a training for a rule to be about", self.about, ABOUT)
