"""`ganzoo compare`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click

from ganzoo.cli.completion import RUN
from ganzoo.cli.tables import show
from ganzoo.errors import GanzooError
from ganzoo.run import RunDir, find_runs


@click.command()
@click.argument("runs", nargs=-1, type=RUN, metavar="[RUN]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON list of rows.")
def compare(runs: tuple[str, ...], as_json: bool) -> None:
    """Print the scores of RUNs side by side, with mean and spread over seeds.

    Without a RUN: all in runs/. Scores stand in one column only if all of their protocol is the
    same but the seed; a second protocol of a metric gets a column of its own.
    """
    from ganzoo.eval import scores

    folders = [RunDir.open(run) for run in runs] or find_runs("runs")
    read = {str(run): scores.read(run) for run in folders}
    if not any(read.values()):
        names = " ".join(read) or "RUN"
        raise GanzooError(f"no scores to compare yet: make some with `ganzoo eval {names} --all`.")
    columns = _columns(score for found in read.values() for score in found)
    rows = [row for run in folders for row in _rows(run, read[str(run)], columns)]
    if as_json:
        click.echo(json.dumps(rows))
        return
    names = list(columns.values())
    show(
        ["run", "step", *names, "findings"],
        [
            [row["run"], row["step"], *(_cell(row["scores"].get(name)) for name in names)]
            + [row["findings"]]
            for row in rows
        ],
    )
    labels = {score.column: score for found in read.values() for score in found}
    click.echo()
    for column, name in columns.items():
        score = labels[column]
        arrow = {"lower": "lower is better", "higher": "higher is better"}.get(score.better)
        click.echo(f"{name}: {score.label}{f'; {arrow}' if arrow else ''}")


def _columns(found: Iterable[Any]) -> dict[str, str]:
    """Protocol -> a short name, numbered where a metric was taken by several protocols."""
    by_metric: dict[str, list[str]] = {}
    for score in found:
        columns = by_metric.setdefault(score.metric, [])
        if score.column not in columns:
            columns.append(score.column)
    return {
        column: metric if len(columns) == 1 else f"{metric} [{number}]"
        for metric, columns in by_metric.items()
        for number, column in enumerate(columns, 1)
    }


def _rows(run: RunDir, found: list[Any], columns: dict[str, str]) -> list[dict[str, Any]]:
    """One row for each step of a run that has scores."""
    rows = []
    for step in sorted({score.step for score in found}) or [None]:
        here: dict[str, list[Any]] = {}
        for score in found:
            if score.step == step:
                here.setdefault(columns[score.column], []).append(score)
        rows.append(
            {
                "run": str(run),
                "step": step,
                "scores": {name: _over_seeds(group) for name, group in here.items()},
                "findings": _findings(run),
            }
        )
    return rows


def _over_seeds(group: list[Any]) -> dict[str, Any]:
    values = [score.value for score in group]
    mean = sum(values) / len(values)
    spread = (sum((v - mean) ** 2 for v in values) / max(1, len(values) - 1)) ** 0.5
    return {"mean": mean, "spread": spread if len(values) > 1 else None, "seeds": len(values)}


def _cell(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return ""
    spread = f" +- {cell['spread']:.2g}" if cell["spread"] is not None else ""
    return f"{cell['mean']:.4g}{spread}"


def _findings(run: RunDir) -> str:
    """The names of what went wrong, else the verdict's: `healthy`, or `not_judged`."""
    from ganzoo.eval.diagnosis import records
    from ganzoo.eval.diagnosis.monitor import diagnose

    try:
        rows, context = records.of_run(run)
    except GanzooError:
        return "no rows"
    found = diagnose(rows, **context)
    bad = [finding.name for finding in found if finding.severity == "failure"]
    return ", ".join(dict.fromkeys(bad)) or found[-1].name
