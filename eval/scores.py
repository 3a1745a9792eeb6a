"""A score: a number that carries its protocol, in a file and in a label."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganzoo.errors import GanzooError
from ganzoo.files import plain, write_atomic
from ganzoo.run import RunDir

LARGEST_FILE = 2_000_000
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
                    "better",
                    "step",
                    "source",
                    "details",
                    "protocol",
                )
            }
        )

    def save(self, run: RunDir) -> Path:
        """Write `RUN/eval/METRIC-STEP-HASH.json`, and its pictures beside it."""
        stem = f"{self.metric}-{self.step:08d}-{_digest(dict(self.protocol))}"
        folder = run.scores
        for name, png in self.pictures.items():
            write_atomic(folder / f"{stem}-{name}.png", png)
        path = folder / f"{stem}.json"
        write_atomic(path, (json.dumps(self.as_json(), indent=1) + "\n").encode())
        return path


def read(run: RunDir) -> list[Score]:
    """All scores of a run, by step; a file that is none is an error that names it."""
    folder = run.scores
    paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
    return sorted((_read(path) for path in paths), key=lambda score: score.step or 0)


def _read(path: Path) -> Score:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError("it is too large")
        found = json.loads(path.read_text())
        return Score(
            metric=str(found["metric"]),
            label=str(found["label"]),
            value=float(found["value"]),
            protocol=dict(found["protocol"]),
            std=None if found.get("std") is None else float(found["std"]),
            better=str(found.get("better", "")),
            details=dict(found.get("details") or {}),
            step=None if found.get("step") is None else int(found["step"]),
            source=str(found.get("source", "")),
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise GanzooError(
            f"{path} is no score file ({type(error).__name__}: {error}): delete it, and evaluate "
            "again."
        ) from error


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(plain(content), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
