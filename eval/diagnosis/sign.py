"""What a rule sees in a training's rows before anybody is told: a sign, which may pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ganzoo.eval.diagnosis.history import History


@dataclass(frozen=True)
class Sign:
    """`severity` as in Finding; `message` ends a sentence; `curve` is the signal that shows it.

    A `passing` warning is one for the time being: once it has stood for half of the run, and the
    score falls slowly, it is an alarm.
    """

    severity: str
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    curve: str = ""
    passing: bool = False


@dataclass(frozen=True)
class Rule:
    """A failure by name, and the function that looks for it whenever a row has one of `reads`.

    A sign is told once it was seen at `looks` looks in a row, over `lasts` of the run so far or,
    where its length is known, of the whole run.
    """

    name: str
    check: Callable[[History], Sign | None]
    reads: tuple[str, ...]
    looks: int = 3
    lasts: float = 0.1
