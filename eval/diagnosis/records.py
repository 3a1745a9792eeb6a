"""Records of trainings -> rows for the monitor: a run folder's, or a CSV file of any program."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ganzoo.errors import GanzooError, UsageError
from ganzoo.run import RunDir

COLUMNS = ("step", "seconds", "g_loss", "d_loss", "fid", "inception_score")
"""Of a CSV file; all but step may be missing, and any cell of theirs empty."""


def of_run(run: RunDir) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A run's rows, and what `Monitor` wants to know beside them."""
    config = run.config()
    fields = config.get("fields")
    fields = fields if isinstance(fields, Mapping) else {}
    steps = fields.get("steps")
    context = {
        "total_steps": steps if isinstance(steps, int) and steps > 0 else None,
        "plugin": config.get("plugin"),
        "fields": fields,
        "data": config.get("data"),
        "run": str(run),
    }
    rows = run.metrics()
    if not rows:
        raise GanzooError(f"{run} has no rows in metrics.jsonl: it has not trained yet.")
    return rows, context


def of_csv(path: str | Path) -> Iterator[dict[str, Any]]:
    """The rows of a file with a header of COLUMNS, one after the other, as a monitor meets them.

    A lower score is better for the monitor, so that an inception score, where there is no FID,
    becomes the score 1 / inception_score. Raises GanzooError with the line's number where the file
    is no such record.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
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
        if not math.isfinite(row.get("step", math.nan)) or row["step"] <= before:
            raise GanzooError(
                f"{name}, line {reader.line_num}: expected a step above {before:g}, "
                f"found {line.get('step')!r}."
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
