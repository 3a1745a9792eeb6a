"""The rows of a phase as they come in: each signal's course, and what can be asked of it.

A phase is a part of a training in which the players stay the same. The rules' names for signals
become columns of the rows here, for each pair of players another one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganzoo.player import ROLES

RECENT = 0.1
"""'Now' is the last tenth of what has been seen of a signal, ..."""
LEAST = 5
"""... but no fewer values than these. As many of the first ones are 'early'."""
SPARSE = 500
"""From so many values on, medians are taken anew only whenever a 500th part has been added."""
POOR = 0.1
"""A precision or a recall below it is that of bad samples, whatever the score."""
GOOD, NEAR = 0.5, 3.0
"""A precision and a recall that are both above the first are those of good samples, and so is a
score below so many times that of reals."""
GAINED = 0.1
"""Of precision and recall together: a gain that is no noise of 500 samples."""
CURVE = 48
"""Points of a curve in a finding's evidence."""
ALIASES = {
    "g_loss": "generator_loss",
    "d_loss": "discriminator_loss",
    "critic_loss": "discriminator_loss",
    "critic_grad_norm": "discriminator_grad_norm",
    "fid": "score",
}
"""Names of other records for signals of ours; where it is known who plays, names are as given."""
JUDGED = {
    "d_accuracy_real",
    "d_accuracy_fake",
    "real_logits",
    "fake_logits",
    "real_logits_std",
    "fake_logits_std",
    "real_logits_train",
    "real_logits_heldout",
    "real_logits_train_std",
    "fake_logits_sampled",
}
"""What a discriminator's record and the probe say of it: no other one's values stand for them."""
NORM = "_grad_norm"
"""Behind the name of a player, in every row of the training's."""
MOST = 64
"""Players that are told apart."""


def due(count: int) -> bool:
    """Whether it is time to look again after `count` values: at each, and later at some."""
    return count % (1 + count // SPARSE) == 0


def duration(hours: float) -> str:
    """As people say it.

    >>> duration(2.51), duration(0.25), duration(0.002)
    ('2.5 hours', '15.0 minutes', '7.2 seconds')
    """
    if hours >= 1:
        return f"{hours:.1f} hours"
    return f"{60 * hours:.1f} minutes" if hours >= 1 / 60 else f"{3600 * hours:.1f} seconds"


class Series:
    """One signal: its values so far, with running medians that are never taken back."""

    def __init__(self, name: str):
        self.name = name
        self.steps: list[int] = []
        self.values: list[Any] = []
        self.levels: list[float] = []
        """At each value the median of the last tenth up to it."""
        self.peak = 0.0
        """The largest magnitude of a level."""
        self.least = math.inf

    def __len__(self) -> int:
        return len(self.values)

    def add(self, step: int, value: Any) -> None:
        self.steps.append(step)
        self.values.append(value)
        if isinstance(value, float):
            anew = due(len(self)) or not self.levels
            self.levels.append(float(np.median(self.recent())) if anew else self.levels[-1])
            self.least = min(self.least, value)
            if len(self) >= LEAST:
                self.peak = max(self.peak, abs(self.levels[-1]))

    def recent(self) -> np.ndarray:
        """The last tenth of the values."""
        return np.asarray(self.values[-max(LEAST, int(RECENT * len(self))) :])

    @property
    def level(self) -> float:
        """The median of the last tenth; nan before the first value."""
        return self.levels[-1] if self.levels else math.nan

    @property
    def early(self) -> float:
        """The median of the first values; nan until there are enough."""
        return float(np.median(self.values[:LEAST])) if len(self) >= LEAST else math.nan

    def spread(self, values: np.ndarray | None = None) -> float:
        """The median distance from the median, of the last tenth if not of `values`."""
        values = self.recent() if values is None else values
        return float(np.median(np.abs(values - np.median(values))))

    def curve(self) -> dict[str, Any]:
        """Some dozens of points of it, the last one included, as plain data."""
        chosen = np.unique(np.linspace(0, len(self) - 1, min(CURVE, len(self))).astype(int))
        return {
            "name": self.name,
            "steps": [self.steps[i] for i in chosen],
            "values": [self.values[i] for i in chosen],
        }


class Record:
    """The columns of one phase, from the step `start` to `end`, or None where nobody knows it.

    `aliases` rename columns. The clock goes on from the phase `before`, all else begins anew.
    """

    def __init__(
        self,
        start: int = 0,
        end: int | None = None,
        aliases: Mapping[str, str] | None = None,
        before: Record | None = None,
    ):
        self.start, self.end, self.aliases = start, end, aliases or {}
        self.step, self.rows = before.step if before else start, 0
        self.row: dict[str, Any] = {}
        self.players: tuple[str, ...] = ()
        """All that were seen to have a gradient, in the order of the columns."""
        self._series = {"seconds": before["seconds"]} if before else {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in a row; the values that a rule cannot use (text, None, nan) are left out."""
        self.step = int(row["step"])
        self.rows += 1
        self.row = {self.aliases.get(name, name): value for name, value in row.items()}
        for name, value in self.row.items():
            self._meet(name)
            if name == "step" or isinstance(value, (str, bool)) or value is None:
                continue
            if isinstance(value, (int, float, np.number)):
                value = float(value)
                if not math.isfinite(value):
                    continue
            self[name].add(self.step, value)

    def _meet(self, column: str) -> None:
        player = column.removesuffix(NORM)
        if player not in (column, *self.players) and len(self.players) < MOST:
            self.players += (player,)

    def __getitem__(self, column: str) -> Series:
        """The course of a column; an empty one where no row has it."""
        return self._series.setdefault(column, Series(column))

    def __contains__(self, column: str) -> bool:
        return column in self.row or bool(len(self._series.get(column, ())))


@dataclass(frozen=True)
class Subject:
    """Whom a rule is asked about, and which columns hold the signals that it reads.

    Its own columns begin with the name of one of `players`, out of `everyone`; if it is `shared`,
    those that begin with nobody's name are too. The rules' `generator` and `discriminator` are the
    `pair`. If the game has a `lone` discriminator, what is recorded of one needs no name.
    """

    pair: tuple[str, str] | None
    players: tuple[str, ...]
    everyone: tuple[str, ...]
    shared: bool = False
    lone: bool = False

    def owner(self, column: str) -> str:
        """The player whose name the column begins with; "" for none."""
        named = (player for player in self.everyone if column.startswith(f"{player}_"))
        return max(named, key=len, default="")

    def owns(self, column: str) -> bool:
        """Whether the column is one of these players', and of no other."""
        owner = self.owner(column)
        return owner in self.players if owner else self.shared

    def column(self, name: str, known: Record) -> str:
        """The column of signal `name`, which may be a column's own name, of those known so far."""
        mine = (*(self.pair or ()), *self.players)
        if name in JUDGED:
            named = f"{self.pair[1] if self.pair else ''}_{name}"
            return name if self.lone and named not in known else named
        if self.owner(name) in mine:
            return name
        for role, player in zip(ROLES, self.pair or (), strict=False):
            if name.startswith(f"{role}_"):
                return player + name.removeprefix(role)
        candidates = (name, *(f"{player}_{name}" for player in mine or self.everyone))
        return next((column for column in candidates if column in known), name)


NAMELESS = Subject(ROLES, ROLES, ROLES, shared=True, lone=True)
"""Of a record that does not say who plays: two players of these names, who have all columns."""


@dataclass(frozen=True)
class Cast:
    """All whom the rules are asked about in one phase."""

    pairs: tuple[Subject, ...]
    players: tuple[Subject, ...]
    """The only pair, or each player on its own; then those who play against nobody."""
    samples: Subject


def cast(pairs: Sequence[tuple[str, str]] | None, players: Sequence[str]) -> Cast:
    """Who is who among the players seen, if those `pairs` play against each other.

    With None for the pairs, nobody said so, and they go by their usual names.
    """
    if pairs is None:
        return Cast((NAMELESS,), (NAMELESS,), NAMELESS)
    everyone = tuple(dict.fromkeys([*(name for pair in pairs for name in pair), *players]))
    lone = len({discriminator for _, discriminator in pairs}) == 1
    one = len(pairs) == 1
    rivals = tuple(Subject(tuple(p), tuple(p), everyone, one, lone) for p in pairs)
    first = {name: pair for pair in reversed(pairs) for name in pair}
    some = [] if one else [Subject(first[p], (p,), everyone, False, lone) for p in first]
    loose = [Subject(None, (name,), everyone) for name in everyone if name not in first]
    nobody = Subject(rivals[0].pair if rivals else None, (), everyone, shared=True, lone=True)
    samples = rivals[0] if rivals else Subject(None, (), everyone)
    rest = [] if one else [nobody]
    return Cast(rivals, (*(rivals if one else some), *loose, *rest), samples)


class History:
    """A phase as one subject's rules see it, and how the samples' score is doing."""

    def __init__(self, record: Record, subject: Subject):
        self.record, self.subject = record, subject

    @property
    def step(self) -> int:
        """That of the last row."""
        return self.record.step

    @property
    def row(self) -> Mapping[str, Any]:
        """The last row, with all of its columns."""
        return self.record.row

    def column(self, name: str) -> str:
        """The column that holds a signal."""
        return self.subject.column(name, self.record)

    def __getitem__(self, name: str) -> Series:
        """The signal; an empty one where no row has it."""
        return self.record[self.column(name)]

    def now(self, name: str) -> Any:
        """Its value in the last row, or None."""
        return self.record.row.get(self.column(name))

    def reads(self, *names: str) -> bool:
        """Whether the last row has one of these signals."""
        return any(self.column(name) in self.record.row for name in names)

    def own(self) -> Iterator[str]:
        """The columns of the last row that are the subject's."""
        return filter(self.subject.owns, self.record.row)

    def has(self, *names: str) -> bool:
        """Whether there are enough values of each of these signals to speak of now and early."""
        return all(len(self[name]) >= LEAST for name in names)

    @property
    def length(self) -> int | None:
        """The steps of the phase; None where nobody said."""
        return None if self.record.end is None else self.record.end - self.record.start

    @property
    def age(self) -> int:
        """The steps of the phase that are over."""
        return self.step - self.record.start

    def progress(self) -> float:
        """The share of the phase that is over; 1 where nobody said how long it is."""
        return self.age / self.length if self.length else 1.0

    def hours_since(self, step: int) -> float:
        """Hours of training behind `step`; 0 where no time was recorded."""
        clock = self.record["seconds"]
        if not clock.values:
            return 0.0
        then = int(np.searchsorted(clock.steps, step, side="right")) - 1
        return (clock.values[-1] - clock.values[max(0, then)]) / 3600

    # -- the samples' score ---------------------------------------------------------------------

    def scores(self) -> np.ndarray:
        """The scores so far, lower is better, plus what reals score against each other.

        The latter is a score's floor and its noise: two scores below it do not differ.
        """
        floor = self["score_of_reals"].values
        return np.asarray(self["score"].values) + (floor[-1] if floor else 0.0)

    def pace(self, since: int = 0) -> float | None:
        """The last three scores over the three in the middle of the time since `since`, by medians.

        None where there is no score, and 0 while there are too few looks to say.
        """
        scores, steps = self.scores(), np.asarray(self["score"].steps)
        if not len(scores):
            return None
        first = max(0, int(np.searchsorted(steps, since)) - 1)
        if len(scores) - first < 4:
            return 0.0
        middle = (first + len(scores)) // 2
        then = np.median(scores[max(first, middle - 3) : middle])
        return float(np.median(scores[-3:]) / then) if then > 0 else 1.0

    def trend(self, since: int = 0) -> str | None:
        """What the score did lately: 'better' or 'worse' by a tenth of its `pace`, or 'flat'.

        'better' also if precision and recall together rose, and while there are too few looks to
        say; None where there is no score.
        """
        pace = self.pace(since)
        if pace is None:
            return None
        if self.gain() > GAINED:
            return "better"
        return "better" if pace < 0.9 else "worse" if pace > 1.1 else "flat"

    def good(self) -> bool:
        """Whether most samples look real, and most reals look like samples: nothing about the
        players is wrong then, whatever their losses look like."""
        precision, recall = (self[name].values[-3:] for name in ("precision", "recall"))
        if precision and recall and min(np.median(precision), np.median(recall)) >= GOOD:
            return True
        return self.near()

    def near(self) -> bool:
        """Whether the samples score nearly as reals do."""
        score, floor = self["score"].values[-3:], self["score_of_reals"].level
        return bool(score) and bool(np.median(score) <= NEAR * floor)  # nan where it is unknown

    def gain(self) -> float:
        """By how much precision and recall together rose since the middle of the phase so far."""
        both = [self["precision"].values, self["recall"].values]
        if not both[0] or len(both[0]) != len(both[1]) or len(both[0]) < 4:
            return 0.0
        sums = np.add(*both)
        middle = len(sums) // 2
        return float(np.median(sums[-3:]) - np.median(sums[max(0, middle - 3) : middle]))

    def falls(self) -> bool:
        """Whether the last look was better by a tenth than the one before it."""
        scores = self.scores()
        return len(scores) > 1 and bool(scores[-1] < 0.9 * scores[-2])

    def hopeless(self) -> bool:
        """Whether the samples never got far from the first ones.

        The best score is still above 0.6 of the first, and not near that of reals. Nobody can say
        so of a record that begins in the middle of a training, and of a later phase only where the
        samples are bad as they stand: its first ones may have been good.
        """
        scores, floor = self.scores(), self["score_of_reals"].values
        if len(scores) <= LEAST or self._begins_late():
            return False
        if self.record.start and not min(self["precision"].level, self["recall"].level) < POOR:
            return False
        near = 10 * floor[-1] if floor else 0.0
        return bool(scores.min() > max(0.6 * scores[0], near))

    def _begins_late(self) -> bool:
        first, second = self["score"].steps[:2]
        return first - self.record.start > 5 * (second - first)


def separation(history: History) -> float:
    """How far D's mean logits of real and fake lie apart now, in standard deviations.

    It needs no threshold, so that it says the same of a critic. nan where the rows have no logits
    or D's output is constant.
    """
    real, fake = (history[f"{side}_logits"].level for side in ("real", "fake"))
    deviations = [history[f"{side}_logits_std"].level for side in ("real", "fake")]
    spread = math.hypot(*deviations) / math.sqrt(2)
    return (real - fake) / spread if spread > 1e-9 else math.nan
