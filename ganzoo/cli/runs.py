"""`ganzoo runs`."""

from __future__ import annotations

import json
from typing import Any

import click

from ganzoo import untrusted
from ganzoo.cli.listing import listed, unreadable
from ganzoo.cli.tables import show
from ganzoo.errors import GanzooError
from ganzoo.files import plain
from ganzoo.run import RunDir

COLUMNS = ("run", "plugin", "data", "step", "steps", "state", "score")


@click.command()
@click.argument("root", default="runs", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def runs(root: str, as_json: bool) -> None:
    """List the runs in ROOT (default: runs), newest first."""
    rows = [_row(run) for run in listed(root)]
    if as_json:
        click.echo(json.dumps(plain(rows)))
    elif rows:
        head = ["of" if name == "steps" else name for name in COLUMNS]
        show(head, [[row.get(name, "") for name in COLUMNS] for row in rows])
    else:
        click.echo(f"no runs in {untrusted.visible(root)}/: `ganzoo train dcgan` makes one.")


def _row(run: RunDir) -> dict[str, Any]:
    try:
        return {"run": str(run), **_facts(run)}
    except Exception as error:  # whatever a stranger's folder holds, the others are listed
        return {"run": str(run), "state": unreadable(error)}


def _facts(run: RunDir) -> dict[str, Any]:
    config, rows = run.config(), run.metrics()
    if "plugin" not in config:
        raise GanzooError(f"{run.path / 'config.yaml'} names no plugin")
    steps = [*run.checkpoints(), *(row["step"] for row in rows)]
    scores = [untrusted.number(row["score"]) for row in rows if "score" in row]
    return {
        "plugin": config["plugin"],
        "data": config.get("data", ""),
        "step": max(steps, default=0),
        "steps": config.get("fields", {}).get("steps", ""),
        "state": _state(run),
        "score": f"{scores[-1]:.4g}" if scores and scores[-1] is not None else "",
    }


def _state(run: RunDir) -> str:
    """What the run says of itself, unless it says `running` and nobody holds its folder."""
    state = run.state()
    if state != "running":
        return state
    return state if run.in_use() else "interrupted"
