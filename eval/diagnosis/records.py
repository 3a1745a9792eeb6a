"""Records of trainings -> rows for the monitor: a run folder's, or a CSV file of any program."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ganzoo import reading, untrusted
from ganzoo.errors import GanzooError, UsageError
from ganzoo.run import MOST_STEPS, RunDir

HISTOGRAMS = ("classes", "real_classes")
"""Of a run's rows; all other values are numbers."""
EXACT = 2**53
"""Whole numbers beyond it become floats."""
PHASES, PAIRS = 1000, 64
"""Of a game's file; what is more is not read."""
COLUMNS = ("step", "seconds", "g_loss", "d_loss", "fid", "inception_score")
"""Of a CSV file; all but step may be missing, and any cell of theirs empty."""


def of_run(run: RunDir) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A run's rows, and what `Monitor` wants to know beside them."""
    known = context(run, run.config())
    found = rows(run)
    if not found:
        raise GanzooError(f"{run} has no rows in metrics.jsonl: it has not trained yet.")
    return found, known


def rows(run: RunDir) -> list[dict[str, Any]]:
    """A run's rows in order of step: numbers, finite or not, and shares of classes; no more."""
    return sorted(map(_numbers, run.metrics()), key=lambda row: row["step"])


def _numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    values = {
        name: untrusted.shares(value) if name in HISTOGRAMS else _finite_size(value)
        for name, value in row.items()
    }
    return {name: value for name, value in values.items() if value is not None and value != []}


def _finite_size(value: Any) -> int | float | None:
    number = untrusted.number(value)
    exact = isinstance(value, int) and number is not None and abs(number) <= EXACT
    return value if exact else number


def context(run: RunDir, config: Mapping[str, Any]) -> dict[str, Any]:
    """What `Monitor` wants to know of a run beside its rows, from its settings and its game.

    Both may be a stranger's: what is not of the expected type counts as not said.
    """
    fields = config.get("fields")
    fields = fields if isinstance(fields, Mapping) else {}
    plugin, data, game = config.get("plugin"), config.get("data"), run.game()
    edges = game.get("milestones")
    return {
        "total_steps": _step(fields.get("steps")) or None,
        "plugin": plugin if isinstance(plugin, str) else None,
        "fields": fields,
        "data": data if isinstance(data, str) else None,
        "run": str(run),
        "phases": _phases(game.get("phases")),
        "milestones": [step for edge in _some(edges) if (step := _step(edge)) is not None],
    }


def _phases(found: Any) -> list[tuple[int, list[tuple[str, str]]]] | None:
    """(first step, pairs) in order of step; None where no phase can be read."""
    phases: dict[int, list[tuple[str, str]]] = {}
    for phase in _some(found):
        pairs = phase.get("pairs") if isinstance(phase, Mapping) else None
        step = _step(phase.get("step")) if isinstance(pairs, list) else None
        if step is not None:
            told = [tuple(pair) for pair in _some(pairs, PAIRS) if _is_pair(pair)]
            phases[step] = list(dict.fromkeys(told))
    return sorted(phases.items()) or None


def _is_pair(value: Any) -> bool:
    """Two names, of a length and of letters that can be shown."""
    named = isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value)
    return named and len(value) == 2 and all(0 < len(n) <= 80 and n.isprintable() for n in value)


def _some(value: Any, most: int = PHASES) -> list[Any]:
    return value[:most] if isinstance(value, list) else []


def _step(value: Any) -> int | None:
    """A whole number of steps, or None."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value < MOST_STEPS else None


def of_csv(path: str | Path) -> Iterator[dict[str, Any]]:
    """The rows of a file with a header of COLUMNS, one after the other, as a monitor meets them.

    A lower score is better for the monitor, so that an inception score, where there is no FID,
    becomes the score 1 / inception_score. Raises GanzooError with the line's number where the file
    is no such record.
    """
    path = Path(path)
    try:
        with (
            reading.opened(path, follow=True) as content,
            io.TextIOWrapper(content, encoding="utf-8-sig", newline="") as file,
        ):
            yield from _rows(csv.DictReader(file), path.name)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GanzooError(f"{path} cannot be read as a CSV file: {error}.") from error


def _rows(reader: csv.DictReader[str], name: str) -> Iterator[dict[str, Any]]:
    header = [column.strip() for column in reader.fieldnames or ()]
    reader.fieldnames = header
    if "step" not in header or not {"g_loss", "d_loss", "fid", "inception_score"} & set(header):
        raise UsageError(
            f"{name}: expected a header with step and at least one of g_loss, d_loss, fid and "
            f"inception_score, found {','.join(header)[:80] or 'nothing'!r}."
        )
    before = -math.inf
    for line in reader:
        row = {
            column: _number(line[column], column, f"{name}, line {reader.line_num}")
            for column in header
            if column in COLUMNS and (line.get(column) or "").strip()
        }
        if not before < row.get("step", math.nan) < MOST_STEPS:
            raise GanzooError(
                f"{name}, line {reader.line_num}: expected a step above {before:g}, "
                f"found {line.get('step')!r:.40}."
            )
        before = row["step"]
        if "fid" not in header and row.get("inception_score", 0.0) > 0:
            row["score"] = 1 / row["inception_score"]
        yield row | {"step": int(row["step"])}
    if before == -math.inf:
        raise GanzooError(f"{name} has a header and no rows.")


def _number(text: str, column: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise GanzooError(
            f"{where}: expected a number for {column}, found {text[:40]!r}."
        ) from None
