"""The rows of a training as they come in: each signal's course, and what can be asked of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

RECENT = 0.1
"""'Now' is the last tenth of what has been seen of a signal, ..."""
LEAST = 5
"""... but no fewer values than these. As many of the first ones are 'early'."""
SPARSE = 500
"""From so many values on, medians are taken anew only whenever a 500th part has been added."""
SETTLED = 0.5
"""Of the steps that an average remembers: from here on more than a third of it is news."""
LATE = 0.6
"""Of a run that is too short for that."""
CURVE = 48
"""Points of a curve in a finding's evidence."""
ALIASES = {
    "g_loss": "generator_loss",
    "d_loss": "discriminator_loss",
    "critic_loss": "discriminator_loss",
    "critic_grad_norm": "discriminator_grad_norm",
    "fid": "score",
}
"""Names of other records for signals of ours."""


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


class History:
    """All signals of a training, under ganzoo's names, and how its samples' score is doing.

    `memory`: over how many steps the generator that is scored is averaged.
    """

    def __init__(self, total_steps: int | None = None, memory: float = 0.0):
        self.total_steps, self.memory = total_steps, memory
        self.step = self.rows = 0
        self.row: dict[str, Any] = {}
        self._series: dict[str, Series] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in a row; the values that a rule cannot use (text, None, nan) are left out."""
        self.step = int(row["step"])
        self.rows += 1
        self.row = {ALIASES.get(name, name): value for name, value in row.items()}
        for name, value in self.row.items():
            if name == "step" or isinstance(value, (str, bool)) or value is None:
                continue
            if isinstance(value, (int, float, np.number)):
                value = float(value)
                if not math.isfinite(value):
                    continue
            self[name].add(self.step, value)

    def __getitem__(self, name: str) -> Series:
        """The signal; an empty one where no row has it."""
        return self._series.setdefault(name, Series(name))

    def has(self, *names: str) -> bool:
        """Whether there are enough values of each of these signals to speak of now and early."""
        return all(len(self[name]) >= LEAST for name in names)

    def progress(self) -> float:
        """The share of the run that is over; 1 where nobody said how long it is."""
        return self.step / self.total_steps if self.total_steps else 1.0

    def hours_since(self, step: int) -> float:
        """Hours of training behind `step`; 0 where no time was recorded."""
        clock = self["seconds"]
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

        None where there is no score; 'better' also while there are too few looks to say.
        """
        pace = self.pace(since)
        if pace is None:
            return None
        return "better" if pace < 0.9 else "worse" if pace > 1.1 else "flat"

    def settled(self) -> bool:
        """Whether the scored average has left its first weights, or most of the run is over."""
        late = bool(self.total_steps) and self.progress() >= LATE
        return late or self.step >= SETTLED * self.memory

    def falls(self) -> bool:
        """Whether the last look was better by a tenth than the one before it."""
        scores = self.scores()
        return len(scores) > 1 and bool(scores[-1] < 0.9 * scores[-2])

    def hopeless(self) -> bool:
        """Whether the samples never got far from the first ones.

        The best score is still above 0.6 of the first, and not near that of reals. Nobody can say
        so of a record that begins in the middle of a training.
        """
        scores, floor = self.scores(), self["score_of_reals"].values
        if len(scores) <= LEAST or self._begins_late():
            return False
        near = 10 * floor[-1] if floor else 0.0
        return bool(scores.min() > max(0.6 * scores[0], near))

    def _begins_late(self) -> bool:
        first, second = self["score"].steps[:2]
        return first > 5 * (second - first)


def separation(history: History) -> float:
    """How far D's mean logits of real and fake lie apart now, in standard deviations.

    It needs no threshold, so that it says the same of a critic. nan where the rows have no logits
    or D's output is constant.
    """
    real, fake = (history[f"{side}_logits"].level for side in ("real", "fake"))
    deviations = [history[f"{side}_logits_std"].level for side in ("real", "fake")]
    spread = math.hypot(*deviations) / math.sqrt(2)
    return (real - fake) / spread if spread > 1e-9 else math.nan
