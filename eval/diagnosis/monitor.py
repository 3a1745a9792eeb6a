"""Rows of a training -> findings: named failures, each with its evidence and a remedy."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ganzoo.eval.diagnosis import remedies, rules_code, rules_players, rules_samples
from ganzoo.eval.diagnosis.findings import SEVERITIES, Finding, Remedy, Rule, Sign
from ganzoo.eval.diagnosis.history import (
    ALIASES,
    POOR,
    History,
    Record,
    Subject,
    cast,
    due,
    duration,
)
from ganzoo.player import ROLES

__all__ = ["Finding", "Monitor", "diagnose", "duration"]

RULES = rules_code.RULES + rules_players.RULES + rules_samples.RULES
NON_FINITE = Remedy(
    "Go back to the last good checkpoint's settings with lower rates, or train in float32.",
    {"g_lr": 1 / 4, "d_lr": 1 / 4},
)
"""`non_finite` is no rule: it needs no history, and nothing else is asked beside it."""
WARM_UP = 0.05
"""No rule is asked in this first part of a phase, which is unlike all that follows."""
LONG = 1 / 2
"""A part of a phase in which nothing passes any more."""
SLOW = 0.75
"""A pace of the score by which no collapse is left behind."""
ENOUGH = 8
"""Looks at the samples, below which most rules of theirs cannot have spoken."""

Pairs = Sequence[tuple[str, str]]
"""(generator, discriminator) of every two players that play against each other, by name."""


class Monitor:
    """Reads a training's rows one by one and never looks ahead.

    A row maps names to values, as in a run's `metrics.jsonl`; whatever is missing, the rules that
    read it stay silent. `total_steps` sets how long a sign must last; without it that is measured
    in the steps so far. `phases` are (first step, pairs), as `enter` takes them, and `milestones`
    the steps at which phases will end, as far as they are known; without phases the players go by
    the names of a usual GAN. The `plugin`'s name, its `fields`, the `data` set and the `run`'s
    folder only serve the remedies' commands. Every one may be left out.
    """

    def __init__(
        self,
        total_steps: int | None = None,
        plugin: str | None = None,
        fields: Mapping[str, Any] | None = None,
        data: str | None = None,
        run: str | None = None,
        phases: Iterable[tuple[int, Pairs]] | None = None,
        milestones: Iterable[int] = (),
        rules: Sequence[Rule] = RULES,
    ):
        self.context = remedies.Context(plugin, data, run, fields or {})
        self.total_steps, self.milestones, self.rules = total_steps, tuple(milestones), rules
        self.findings: list[Finding] = []
        self._coming: list[tuple[int, Pairs]] = []
        """The phases whose first row was not seen yet."""
        self.pairs: Pairs | None = None
        self.record = Record()
        self._begin(0, None)
        self._coming = sorted((step, _named(pairs)) for step, pairs in phases or ())
        self._advance(0)

    # -- phases ---------------------------------------------------------------------------------

    def enter(self, step: int, pairs: Pairs) -> None:
        """From behind `step` on these pairs play: a new phase, of which nothing is known yet.

        The row of `step` itself still tells of the steps before it. What was found stays; entering
        the phase that is on, or one before it, changes nothing.
        """
        if self.pairs is None or step > self.record.start:
            self._coming = [phase for phase in self._coming if phase[0] < step]
            self._coming.append((step, _named(pairs)))
            self._advance(self.record.step)

    def _advance(self, step: int) -> None:
        """Begin the phases that the row of `step` lies behind."""
        while self._coming and (self._coming[0][0] < step or self._coming[0][0] <= 0):
            self._begin(*self._coming.pop(0))

    def _begin(self, start: int, pairs: Pairs | None) -> None:
        edges = [*self.milestones, *(step for step, _ in self._coming), self.total_steps or 0]
        end = min((step for step in edges if step > start), default=None)
        self.pairs, before = pairs, self.record
        self.record = Record(start, end, ALIASES if pairs is None else {}, before)
        self._seen: dict[tuple[Rule, Subject], tuple[int, int]] = {}
        """Of each sign that stands: the step of its first look, and how many looks since."""
        self._said: list[tuple[str, tuple[str, ...], str]] = []
        """Name, players and severity of what was told in this phase."""
        self._meet()

    def _meet(self) -> None:
        """See who is who among the players of this phase."""
        self._met = self.record.players
        self._cast = cast(self.pairs, self._met)
        self.history = History(self.record, self._cast.samples)

    # -- rows -----------------------------------------------------------------------------------

    def see(self, row: Mapping[str, Any]) -> list[Finding]:
        """Take in the next row; returns what it gives rise to, mostly nothing."""
        self._advance(int(row["step"]))
        self.record.add(row)
        if self.record.players != self._met:
            self._meet()
        new = self._non_finite(row)
        if not new and (due(self.record.rows) or "score" in self.record.row):
            for rule in self.rules:
                for subject in self._subjects(rule):
                    new += self._ask(rule, History(self.record, subject))
        self.findings += new
        return new

    def _subjects(self, rule: Rule) -> tuple[Subject, ...]:
        if rule.about == "samples":
            return (self._cast.samples,)
        return self._cast.players if rule.about == "player" else self._cast.pairs

    def _ask(self, rule: Rule, history: History) -> list[Finding]:
        """Ask one rule; its finding is told when its sign has stood long enough, and once."""
        if not history.reads(*rule.reads):
            return []
        key = rule, history.subject
        sign = rule.check(history) if history.progress() > WARM_UP else None
        if sign is None:
            self._seen.pop(key, None)
            return []
        since, looks = self._seen.get(key, (history.step, 0))
        self._seen[key] = since, looks + 1
        stood = (history.step - since) / (history.length or history.age or 1)
        slow = (history.pace() or 0.0) > SLOW
        if sign.passing and slow and stood >= LONG and looks >= ENOUGH - 2:
            sign = dataclasses.replace(sign, severity="failure")
        if sign.severity == "failure" and stood < rule.alarms:
            sign = dataclasses.replace(sign, severity="warning")
        if looks + 1 < rule.looks or stood < rule.lasts:
            return []
        return self._tell(rule.name, rule.remedy, sign, since, history, rule.about)

    def _tell(
        self, name: str, remedy: Remedy, sign: Sign, since: int, history: History, about: str
    ) -> list[Finding]:
        """The finding, or none where it was told of the same players before."""
        whose = _whose(about, history.subject)
        rank = SEVERITIES.index(sign.severity)
        for told, players, severity in self._said:
            again = (told, players) == (name, whose) and SEVERITIES.index(severity) <= rank
            if again or (sign.severity == "info" and severity == "failure"):
                return []  # a note comes after no alarm
        self._said.append((name, whose, sign.severity))
        return [self._finding(name, remedy, sign, since, history, about)]

    def _finding(
        self, name: str, remedy: Remedy, sign: Sign, since: int, history: History, about: str
    ) -> Finding:
        who = {} if about == "samples" else self._who(history.subject)
        evidence = {k: v for k, v in (sign.evidence | who).items() if not _unknown(v)}
        if sign.curve and len(history[sign.curve]):
            evidence["curve"] = history[sign.curve].curve()
        acts = sign.severity != "info"
        return Finding(
            name,
            sign.severity,
            history.step,
            int(evidence.get("best_step", since)),
            _sentence(sign.message, " against ".join(who.values())),
            evidence,
            remedy.text if acts else "",
            remedies.command(remedy, self.context) if acts else "",
        )

    def _who(self, subject: Subject) -> dict[str, str]:
        """The players of a subject by role, where the game has more than this one pair."""
        if subject.players == subject.pair:
            return dict(zip(ROLES, subject.pair, strict=True)) if len(self._cast.pairs) > 1 else {}
        return dict.fromkeys(["player"], *subject.players) if subject.players else {}

    def _non_finite(self, row: Mapping[str, Any]) -> list[Finding]:
        bad = [name for name, value in row.items() if _not_finite(value)]
        if not bad:
            return []
        message = f"{bad[0]} is {row[bad[0]]}"
        if len(bad) > 1:
            message += f", and so are {len(bad) - 1} more values"
        evidence = {name: str(row[name]) for name in bad}
        sign = Sign("failure", message, evidence, self.record.aliases.get(bad[0], bad[0]))
        return self._tell("non_finite", NON_FINITE, sign, self.record.step, self.history, "samples")

    # -- at the end -----------------------------------------------------------------------------

    def verdict(self) -> Finding | None:
        """`healthy` with what speaks for it, or None where a failure was found.

        It is `doubtful`, a warning, where a warning still stands or the samples are poor, and
        `not_judged` where no two players play against each other, whatever the samples are.
        """
        if any(finding.severity == "failure" for finding in self.findings):
            return None
        score, step = self.history["score"], self.record.step
        evidence = self._evidence()
        if len(score):
            evidence |= {"best_score": score.least, "curve": score.curve()}
        message = "No failure was found"
        if not self._judged():
            message += " in the samples" if len(score) else ""
            return Finding("not_judged", "info", step, 0, f"{message}{self._unseen()}.", evidence)
        doubts = self._doubts()
        if doubts:
            message += f", but {' and '.join(doubts)}{self._unseen()}: look at the samples"
            return Finding("doubtful", "warning", step, 0, f"{message}.", evidence)
        warned = sorted({f.name for f in self.findings if f.severity == "warning"})
        if warned:
            message += f"; warnings that were given have passed ({', '.join(warned)})"
        return Finding("healthy", "info", step, 0, f"{message}{self._unseen()}.", evidence)

    def _doubts(self) -> list[str]:
        """What speaks against a run in which no failure was found, as it ends."""
        told = {name for name, _, severity in self._said if severity == "warning"}
        stand = sorted({rule.name for rule, _ in self._seen if rule.name in told})
        stand = [] if self.history.good() else stand
        doubts = [f"{', '.join(stand)} still stand{'' if len(stand) > 1 else 's'}"] if stand else []
        looks = [(name, self.history[name].values[-3:]) for name in ("precision", "recall")]
        poor = [f"{name} is {np.median(v):.2f}" for name, v in looks if v and np.median(v) < POOR]
        return doubts + poor

    def _judged(self) -> bool:
        """Whether two players that were seen play against each other."""
        rivals = {name for pair in self.pairs or () for name in pair}
        return self.pairs is None or not rivals.isdisjoint(self.record.players)

    def _unseen(self) -> str:
        """What was not judged in this phase, and why, as the end of a sentence."""
        looks, judged = len(self.history["score"]), self._judged()
        since = f" since step {self.record.start}" if self.record.start else ""
        said = ""
        if not looks:
            said = f"; nobody looked at the samples{since}"
            said += ", so the game alone was judged" if judged else ""
        elif looks < ENOUGH:
            few = "1 look" if looks == 1 else f"{looks} looks"
            said = f"; {few} at the samples{since} cannot rule one out"
        if not judged:
            names = ", ".join(self.record.players)
            said += f"; no two players{f' of {names}' if names else ''} say that they play against "
            said += f"each other, so the game itself was not judged{since}"
        return said

    def _evidence(self) -> dict[str, Any]:
        """The last values of the players and of the samples."""
        views = [History(self.record, subject) for subject in self._cast.pairs] or [self.history]
        signals = [history[name] for name in EVIDENCE for history in views]
        return {signal.name: signal.values[-1] for signal in signals if len(signal)}

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


def _named(pairs: Pairs) -> Pairs:
    return tuple((generator, discriminator) for generator, discriminator in pairs)


def _whose(about: str, subject: Subject) -> tuple[str, ...]:
    """The players of whom a finding is told once."""
    if about == "samples":
        return ()
    if about in ROLES and subject.pair:
        return (subject.pair[ROLES.index(about)],)
    return subject.players


def _sentence(message: str, who: str) -> str:
    """A message with a full stop, behind the players that it speaks of if it does not name them."""
    if not who:
        return message[0].upper() + message[1:] + "."
    return f"{message}." if message.startswith(who) else f"{who}: {message}."


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
