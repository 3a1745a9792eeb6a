"""Rows of a training -> findings: named failures, each with its evidence and a remedy."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any

from ganzoo.eval.diagnosis import remedies, rules_players, rules_samples
from ganzoo.eval.diagnosis.findings import SEVERITIES, Finding
from ganzoo.eval.diagnosis.history import ALIASES, History, due, duration
from ganzoo.eval.diagnosis.sign import Rule, Sign

__all__ = ["Finding", "Monitor", "diagnose", "duration"]

RULES = rules_players.RULES + rules_samples.RULES
WARM_UP = 0.05
"""No rule is asked in this first part of a run, which is unlike all that follows."""
LONG = 1 / 2
"""A part of a run that is no phase any more."""
SLOW = 0.75
"""A pace of the score by which no collapse is left behind."""
ENOUGH = 8
"""Looks at the samples, below which most rules of theirs cannot have spoken."""


class Monitor:
    """Reads a training's rows one by one and never looks ahead.

    A row maps names to values, as in a run's `metrics.jsonl`; whatever is missing, the rules that
    read it stay silent. `total_steps` sets how long a sign must last; without it that is measured
    in the steps so far. Of the `fields`, `ema` says how long the scored average remembers; else the
    `plugin`'s name, its `fields`, the `data` set and the `run`'s folder only serve the remedies'
    commands. Every one may be left out.
    """

    def __init__(
        self,
        total_steps: int | None = None,
        plugin: str | None = None,
        fields: Mapping[str, Any] | None = None,
        data: str | None = None,
        run: str | None = None,
    ):
        average = float((fields or {}).get("ema") or 0.0)
        self.history = History(total_steps, memory=1 / (1 - average) if average < 1 else math.inf)
        self.context = remedies.Context(plugin, data, run, fields or {})
        self.findings: list[Finding] = []
        self._seen: dict[Rule, tuple[int, int]] = {}
        """Of each sign that stands: the step of its first look, and how many looks since."""

    def see(self, row: Mapping[str, Any]) -> list[Finding]:
        """Take in the next row; returns what it gives rise to, mostly nothing."""
        self.history.add(row)
        new = self._non_finite(row)
        if not new and (due(self.history.rows) or "score" in self.history.row):
            for rule in RULES:
                if any(name in self.history.row for name in rule.reads):
                    new += self._judge(rule)
        self.findings += new
        return new

    def _judge(self, rule: Rule) -> list[Finding]:
        """Ask one rule; its finding is told when its sign has stood long enough, and once."""
        history = self.history
        sign = rule.check(history) if history.progress() > WARM_UP else None
        if sign is None:
            self._seen.pop(rule, None)
            return []
        since, looks = self._seen.get(rule, (history.step, 0))
        self._seen[rule] = since, looks + 1
        stood = (history.step - since) / (history.total_steps or history.step or 1)
        slow = (history.pace() or 0.0) > SLOW
        if sign.passing and slow and stood >= LONG and looks >= ENOUGH - 2:
            sign = dataclasses.replace(sign, severity="failure")
        lasted = stood >= rule.lasts
        if looks + 1 < rule.looks or not lasted or self._told(rule.name, sign.severity):
            return []
        return [self._finding(rule.name, sign, since)]

    def _told(self, name: str, severity: str) -> bool:
        """Whether this was said before, as severe or worse; a note comes after no alarm."""
        rank = SEVERITIES.index(severity)
        return any(
            (f.name == name and SEVERITIES.index(f.severity) <= rank)
            or (severity == "info" and f.severity == "failure")
            for f in self.findings
        )

    def _finding(self, name: str, sign: Sign, since: int) -> Finding:
        evidence = {k: v for k, v in sign.evidence.items() if not _unknown(v)}
        if sign.curve and len(self.history[sign.curve]):
            evidence["curve"] = self.history[sign.curve].curve()
        acts = sign.severity != "info"
        return Finding(
            name,
            sign.severity,
            self.history.step,
            int(evidence.get("best_step", since)),
            sign.message[0].upper() + sign.message[1:] + ".",
            evidence,
            remedies.TEXTS[name] if acts else "",
            remedies.command(name, self.context) if acts else "",
        )

    def _non_finite(self, row: Mapping[str, Any]) -> list[Finding]:
        bad = [name for name, value in row.items() if _not_finite(value)]
        if not bad or self._told("non_finite", "failure"):
            return []
        message = f"{bad[0]} is {row[bad[0]]}"
        if len(bad) > 1:
            message += f", and so are {len(bad) - 1} more values"
        evidence = {name: str(row[name]) for name in bad}
        sign = Sign("failure", message, evidence, ALIASES.get(bad[0], bad[0]))
        return [self._finding("non_finite", sign, self.history.step)]

    def verdict(self) -> Finding | None:
        """`healthy` with what speaks for it, or None where a failure was found."""
        if any(finding.severity == "failure" for finding in self.findings):
            return None
        warned = sorted({f.name for f in self.findings if f.severity == "warning"})
        evidence = {
            name: self.history[name].values[-1]
            for name in EVIDENCE
            if len(self.history[name].values)
        }
        if len(self.history["score"]):
            evidence["best_score"] = self.history["score"].least
            evidence["curve"] = self.history["score"].curve()
        message = "No failure was found"
        if warned:
            message += f", but warnings were given ({', '.join(warned)})"
        looks = len(self.history["score"])
        if not looks:
            message += "; nobody looked at the samples, so the game alone was judged"
        elif looks < ENOUGH:
            message += f"; {looks} looks at the samples are too few to rule one out"
        return Finding("healthy", "info", self.history.step, 0, message + ".", evidence)

    def hours_after_alarm(self) -> float:
        """Hours of training between the first alarm and now; 0 where there was none."""
        alarms = [f.step for f in self.findings if f.severity == "failure"]
        return self.history.hours_since(min(alarms)) if alarms else 0.0


EVIDENCE = (
    "generator_loss",
    "discriminator_loss",
    "generator_grad_norm",
    "discriminator_grad_norm",
    "d_accuracy_real",
    "d_accuracy_fake",
    "score",
    "score_of_reals",
    "diversity",
    "duplicates",
    "precision",
    "recall",
    "copies",
    "classes",
)


def _not_finite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _unknown(value: Any) -> bool:
    """A signal that the rows do not have is nan in the rules."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def diagnose(rows: Iterable[Mapping[str, Any]], **context: Any) -> list[Finding]:
    """What a Monitor finds in the rows, read in turn, and its verdict."""
    monitor = Monitor(**context)
    for row in rows:
        monitor.see(row)
    verdict = monitor.verdict()
    return monitor.findings + ([verdict] if verdict else [])
