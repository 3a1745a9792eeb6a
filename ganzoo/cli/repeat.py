"""`ganzoo repeat`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.evaluate import MetricFlags, chosen
from ganzoo.cli.options import asked
from ganzoo.cli.tables import show
from ganzoo.cli.train import check_counts, train
from ganzoo.errors import UsageError
from ganzoo.files import plain
from ganzoo.run import RunDir

if TYPE_CHECKING:
    from ganzoo.eval.scores import Score

OF_TRAIN = {
    *("plugin", "data", "size", "steps", "batch_size", "assignments", "config"),
    *("device", "precision", "auto_balance"),
}


@click.command(cls=MetricFlags, params=[p for p in train.params if p.name in OF_TRAIN])
@click.option("--seeds", default=3, show_default=True, help="So many trainings, from --seed on.")
@click.option("--seed", default=0, show_default=True, help="Of the first training.")
@click.option(
    "--outdir",
    type=click.Path(),
    help="A folder for the runs `seed-0`, `seed-1`, ...  [default: runs/PLUGIN-DATA-seeds]",
)
@click.option("--samples", type=int, help="How many are judged.  [default: as the data set says]")
@click.option("--checkpoint", default="last", show_default=True, metavar="best|last|STEP")
@click.option("--json", "as_json", is_flag=True, help="One JSON list instead of the table.")
def repeat(
    seeds: int, seed: int, samples: int | None, checkpoint: str, as_json: bool, **options: Any
) -> None:
    """Train PLUGIN with several seeds, judge every run, and print the mean of each score with
    its standard error. If no metric is said, `ganzoo eval` says which suit the data.

    The same command goes on with runs that were interrupted, and only judges those that are
    complete: ask for more --seeds and the old ones count.

    \b
    ganzoo repeat pacgan --data ring --seeds 10 --modes
    """
    if seeds < 1:
        raise UsageError(f"--seeds must be at least 1, not {seeds}.")
    check_counts(options)
    metrics = chosen(options)
    values = asked(options | {"resume": None}).values

    from ganzoo.quiet import quiet_start

    quiet_start()
    from ganzoo.eval.evaluation import evaluate

    found: list[Score] = []
    for number in range(seed, seed + seeds):
        run = _trained(values | {"seed": number}, options["outdir"], quiet=as_json)
        found += evaluate(run.path, metrics, checkpoint=checkpoint, samples=samples)
    rows = over_runs(found)
    if as_json:
        click.echo(json.dumps(plain(rows)))
        return
    show(
        ["score", "mean", "standard error", "perfect", "runs"],
        [
            [r["label"], f"{r['mean']:.4g}", _error(r["error"]), _perfect(r), len(r["values"])]
            for r in rows
        ],
    )


def over_runs(found: Sequence[Score]) -> list[dict[str, Any]]:
    """One row for each protocol: mean and standard error over the runs, and each run's value."""
    from ganzoo.eval.scores import mean_and_spread

    columns: dict[str, list[Score]] = {}
    for score in found:
        columns.setdefault(score.column, []).append(score)
    rows = []
    for scores in columns.values():
        mean, spread = mean_and_spread([score.value for score in scores])
        error = None if spread is None else spread / len(scores) ** 0.5
        values = {score.source: score.value for score in scores}
        rows.append({"metric": scores[0].metric, "label": scores[0].label, "mean": mean})
        rows[-1] |= {"error": error, "perfect": scores[0].perfect, "values": values}
    return rows


def _trained(values: Mapping[str, Any], outdir: str | None, quiet: bool) -> RunDir:
    """The complete run of one seed: a new one, or the one that is there, gone on with."""
    from ganzoo import training
    from ganzoo.views import terminal

    request = training.prepare(dict(values))
    names = [Path(n).stem for n in (request.settings.plugin, request.settings.data)]
    folder = Path(outdir) if outdir else Path("runs") / "-".join([*names, "seeds"])
    path = folder / f"seed-{request.settings.seed}"
    with terminal.for_terminal(quiet) as watcher:
        if RunDir(path).exists:
            return training.resume(path, dict(values), request.plugin.steps, view=watcher)
        watcher.say(terminal.headline(request, path))
        return training.start(request, path, watcher)


def _perfect(row: Mapping[str, Any]) -> str:
    return "" if row["perfect"] is None else f"{row['perfect']:.4g}"


def _error(error: float | None) -> str:
    return "" if error is None else f"{error:.2g}"
