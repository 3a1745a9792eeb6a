"""`ganzoo compare`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.completion import RUN
from ganzoo.cli.listing import listed, unreadable
from ganzoo.cli.tables import show
from ganzoo.errors import GanzooError
from ganzoo.files import plain
from ganzoo.run import RunDir
from ganzoo.untrusted import text, visible

if TYPE_CHECKING:
    from ganzoo.eval.scores import Score


@dataclass(frozen=True)
class Compared:
    """What is known of one run: nothing but a reason, where it cannot be read."""

    run: str
    scores: list[Score]
    findings: str


@click.command()
@click.argument("runs", nargs=-1, type=RUN, metavar="[RUN]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON list of rows.")
def compare(runs: tuple[str, ...], as_json: bool) -> None:
    """Print the scores of RUNs side by side, with mean and spread over seeds.

    Without a RUN: all in runs/. Scores stand in one column only if all of their protocol is the
    same but the seed; a second protocol of a metric gets a column of its own. A file that is no
    score is named and left out.
    """
    found = [_read(run) for run in [RunDir.open(run) for run in runs] or listed("runs")]
    if not any(one.scores for one in found):
        name = shlex.quote(found[0].run) if found else "RUN"
        raise GanzooError(f"no scores to compare yet: make some with `ganzoo eval {name} --all`.")
    columns = _columns(score for one in found for score in one.scores)
    rows = [row for one in found for row in _rows(one, columns)]
    if as_json:
        click.echo(json.dumps(plain(rows)))
        return
    names = list(columns.values())
    show(
        ["run", "step", *names, "findings"],
        [
            [row["run"], row["step"] if row["step"] is not None else ""]
            + [_cell(row["scores"].get(name)) for name in names]
            + [row["findings"]]
            for row in rows
        ],
    )
    by_column: dict[str, list[Score]] = {}
    for score in (score for one in found for score in one.scores):
        by_column.setdefault(score.column, []).append(score)
    click.echo()
    for column, name in columns.items():
        score = by_column[column][-1]
        arrow = {"lower": "lower is better", "higher": "higher is better"}.get(score.better)
        perfect = _perfect(by_column[column])
        click.echo(
            "; ".join(filter(None, [f"{visible(name)}: {text(score.label)}", arrow, perfect]))
        )


def _perfect(found: list[Score]) -> str:
    """What real samples score by this protocol, the mean over the scores that know it."""
    from ganzoo.eval.scores import mean_and_spread

    known = [score.perfect for score in found if score.perfect is not None]
    return f"perfect is {mean_and_spread(known)[0]:.4g}" if known else ""


def _read(run: RunDir) -> Compared:
    from ganzoo.eval import scores

    try:
        return Compared(str(run), scores.read(run), _findings(run))
    except Exception as error:  # whatever a stranger's folder holds, the others are compared
        return Compared(str(run), [], unreadable(error))


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


def _rows(one: Compared, columns: dict[str, str]) -> list[dict[str, Any]]:
    """One row for each step of a run that has scores."""
    rows = []
    steps = {score.step for score in one.scores} or {None}
    for step in sorted(steps, key=lambda step: -1 if step is None else step):
        here: dict[str, list[float]] = {}
        for score in one.scores:
            if score.step == step:
                here.setdefault(columns[score.column], []).append(score.value)
        scores = {name: _over_seeds(values) for name, values in here.items()}
        rows.append({"run": one.run, "step": step, "scores": scores, "findings": one.findings})
    return rows


def _over_seeds(values: list[float]) -> dict[str, Any]:
    from ganzoo.eval.scores import mean_and_spread

    mean, spread = mean_and_spread(values)
    return {"mean": mean, "spread": spread, "seeds": len(values)}


def _cell(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return ""
    spread = f" +- {cell['spread']:.2g}" if cell["spread"] is not None else ""
    return f"{cell['mean']:.4g}{spread}"


def _findings(run: RunDir) -> str:
    """The names of what went wrong, else the verdict's: `healthy` and others."""
    from ganzoo.eval.diagnosis import records
    from ganzoo.eval.diagnosis.monitor import diagnose

    context, rows = records.context(run, run.config()), records.rows(run)
    if not rows:
        return "no rows"
    found = diagnose(rows, **context)
    bad = [finding.name for finding in found if finding.severity == "failure"]
    return ", ".join(dict.fromkeys(bad)) or found[-1].name
