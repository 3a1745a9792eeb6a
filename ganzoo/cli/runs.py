"""`ganzoo runs`."""

from __future__ import annotations

import json

import click

from ganzoo.cli.tables import show
from ganzoo.errors import GanzooError
from ganzoo.run import RunDir, find_runs


@click.command()
@click.argument("root", default="runs", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def runs(root: str, as_json: bool) -> None:
    """List the runs in ROOT (default: runs), newest first."""
    rows = [_row(run) for run in find_runs(root)]
    if as_json:
        click.echo(json.dumps(rows))
    elif rows:
        show(
            ["run", "plugin", "data", "step", "of", "state", "score"],
            [
                [
                    row.get(name, "")
                    for name in ("run", "plugin", "data", "step", "steps", "state", "score")
                ]
                for row in rows
            ],
        )
    else:
        click.echo(f"no runs in {root}/: `ganzoo train dcgan` makes one.")


def _row(run: RunDir) -> dict:
    try:
        config, metrics = run.config(), run.metrics()
        step = max([*run.checkpoints(), metrics[-1]["step"] if metrics else 0])
        scores = [row["score"] for row in metrics if "score" in row]
        return {
            "run": str(run.path),
            "plugin": config["plugin"],
            "data": config["data"],
            "step": step,
            "steps": config["fields"]["steps"],
            "state": _state(run),
            "score": f"{scores[-1]:.4g}" if scores else "",
        }
    except (GanzooError, KeyError, TypeError) as error:
        return {"run": str(run.path), "state": f"unreadable ({error})"}


def _state(run: RunDir) -> str:
    """What the run says of itself, unless it says `running` and nobody holds its folder."""
    state = run.state()
    if state != "running":
        return state
    return state if run.in_use() else "interrupted"
