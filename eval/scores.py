"""A score: a number that carries its protocol, in a file and in a label."""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganzoo import plain_text, reading, sealing, untrusted
from ganzoo.errors import GanzooError
from ganzoo.files import plain
from ganzoo.run import MOST_STEPS, RunDir

LARGEST_FILE = 2_000_000
FILE, PICTURE = re.compile(r".+\.json"), re.compile(r".+\.png")
FREE = ("seed", "ganzoo", "reference")
"""What may differ within a column: the draw, who measured, the place of the data."""


@dataclass(frozen=True)
class Score:
    """One number of one set of samples, and everything that it depends on."""

    metric: str
    """`fid`, `recall`, ...: short and without spaces."""
    label: str
    """`FID (mnist-cnn 1a2b3c4d, 10k vs test 10k)`."""
    value: float
    protocol: Mapping[str, Any]
    std: float | None = None
    """Its spread over the parts that the metric takes, where it takes parts."""
    better: str = ""
    """`lower`, `higher`, or empty where neither is."""
    details: Mapping[str, Any] = field(default_factory=dict)
    step: int | None = None
    source: str = ""
    """What was judged: a run's folder, a file."""
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Name -> PNG; they are stored beside the file."""
    perfect: float | None = None
    """The same score of as many real samples in the samples' place, where it is known: no
    generator can be expected to do better."""

    @property
    def column(self) -> str:
        """The same for scores that may be compared, and for no others."""
        fixed = {name: value for name, value in self.protocol.items() if name not in FREE}
        return f"{self.metric} {_digest(fixed)}"

    def as_json(self) -> dict[str, Any]:
        """Plain values only; a number that is not finite becomes its name."""
        return plain(
            {
                name: getattr(self, name)
                for name in (
                    "metric",
                    "label",
                    "value",
                    "std",
                    "perfect",
                    "better",
                    "step",
                    "source",
                    "details",
                    "protocol",
                )
            }
        )

    def save(self, run: RunDir) -> Path:
        """Write `RUN/eval/METRIC-STEP-HASH.json`, with a digest, behind its pictures."""
        stem = f"{self.metric}-{self.step:08d}-{_digest(dict(self.protocol))}"
        folder = run.scores.name
        for name, png in self.pictures.items():
            run.write(folder, f"{stem}-{name}.png", content=png)
        text = json.dumps(sealing.sealed(self.as_json()), indent=1) + "\n"
        return run.write(folder, f"{stem}.json", content=text.encode())


# -- files ----------------------------------------------------------------------------------------


def read(run: RunDir) -> list[Score]:
    """All scores of a run, by step; a file that is none is named in a warning and left out."""
    found = []
    for _, score in stored(run):
        if isinstance(score, Score):
            found.append(score)
        else:
            warnings.warn(str(score), stacklevel=2)
    return sorted(found, key=lambda score: score.step or 0)


def stored(run: RunDir) -> Iterator[tuple[str, Score | GanzooError]]:
    """(name of the file, its score), or what is wrong with it, of every file in `RUN/eval`."""
    folder = run.scores
    try:
        if run.has(folder.name) and not reading.real_folder(folder):
            raise GanzooError(f"{folder} is no folder of this run's: no score of it is read.")
        paths = run.listing(folder.name, FILE)
    except GanzooError as error:
        yield folder.name, error
        return
    seen: dict[bytes, str] = {}
    for path in paths:
        try:
            content = reading.content(path, LARGEST_FILE, follow=False)
            first = seen.setdefault(hashlib.sha256(content).digest(), path.name)
            if first != path.name:
                raise ValueError(f"it is a copy of {first}")
            yield path.name, _score(sealing.unsealed(plain_text.json_object(content)))
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            yield path.name, GanzooError(f"{path} is no score file, and is left out: {why}.")


def pictures(run: RunDir) -> list[Path]:
    """What the metrics drew, beside the scores; their names begin with those of the scores."""
    return run.listing(run.scores.name, PICTURE)


def _score(found: Mapping[str, Any]) -> Score:
    """A ValueError where something is missing, or not of its type."""
    step = _of_type(found, "step", int, None)
    if step is not None and not 0 <= step < MOST_STEPS:
        raise ValueError(f"its step is {untrusted.text(step)}")
    better = _of_type(found, "better", str, "")
    return Score(
        metric=_of_type(found, "metric", str),
        label=_of_type(found, "label", str),
        value=_number(found, "value"),
        protocol=_of_type(found, "protocol", dict),
        std=_number_or_none(found, "std"),
        perfect=_number_or_none(found, "perfect"),
        better=better if better in ("lower", "higher") else "",
        details=_of_type(found, "details", dict, {}),
        step=step,
        source=_of_type(found, "source", str, ""),
    )


_NEEDED = object()


def _of_type(found: Mapping[str, Any], name: str, kind: type, otherwise: Any = _NEEDED) -> Any:
    value = found.get(name, otherwise)
    if value is _NEEDED:
        raise ValueError(f"it has no {name}")
    if value is not otherwise and (not isinstance(value, kind) or isinstance(value, bool)):
        raise ValueError(f"its {name} is {untrusted.text(value, 40)!r}, not {kind.__name__}")
    return value


def _number_or_none(found: Mapping[str, Any], name: str) -> float | None:
    return None if found.get(name) is None else _number(found, name)


def _number(found: Mapping[str, Any], name: str) -> float:
    number = untrusted.number(found.get(name))
    if number is None:
        raise ValueError(f"its {name} is {untrusted.text(found.get(name), 40)!r}, not a number")
    return number


# -- over seeds -----------------------------------------------------------------------------------


def mean_and_spread(values: Sequence[float]) -> tuple[float, float | None]:
    """The mean, and the standard deviation of what `values` were drawn from; None of one value.

    >>> mean_and_spread([1.0, 3.0]), mean_and_spread([2.0])
    ((2.0, 1.4142135623730951), (2.0, None))
    """
    mean = sum(values) / len(values)
    if len(values) == 1:
        return mean, None
    squares = sum((value - mean) * (value - mean) for value in values)  # of 1e308 inf, no error
    return mean, (squares / (len(values) - 1)) ** 0.5


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(plain(content), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
