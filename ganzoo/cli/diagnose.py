"""`ganzoo diagnose`."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.completion import RUN_OR_FILE
from ganzoo.errors import UsageError
from ganzoo.files import plain
from ganzoo.run import RunDir, newest
from ganzoo.untrusted import visible

if TYPE_CHECKING:
    from ganzoo.eval.diagnosis.findings import Finding

COLORS = {"failure": "red", "warning": "yellow", "info": "green"}


@click.command()
@click.argument("target", required=False, type=RUN_OR_FILE, metavar="[RUN|FILE.csv]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with all evidence.")
def diagnose(target: str | None, as_json: bool) -> None:
    """Say what went wrong in a training, since when, and what to try.

    Reads the rows of a RUN (of the newest one, where none is named), or of any program's record
    with a header of step,seconds,g_loss,d_loss[,fid][,inception_score]: one after the other,
    never looking ahead, as the monitor of a running training does.
    """
    if target is None:
        target = str(newest())
        click.echo(f"the newest run: {visible(target)}", err=as_json)

    from ganzoo.eval.diagnosis.history import duration
    from ganzoo.eval.diagnosis.monitor import Monitor

    rows, context = _record(target)
    monitor = Monitor(**context)
    for row in rows:
        monitor.see(row)
    findings = monitor.findings + [found for found in [monitor.verdict()] if found]
    hours = monitor.hours_after_alarm()
    if as_json:
        told = [found.as_json() for found in findings]
        whole = {"source": target, "findings": told, "hours_after_alarm": hours}
        click.echo(json.dumps(plain(whole)))
        return
    click.echo(visible(target))
    for found in findings:
        _tell(found)
    if hours:
        click.echo(f"\nIt trained on for {duration(hours)} after the first alarm.")


def _record(target: str) -> tuple[Any, dict[str, Any]]:
    from ganzoo.eval.diagnosis import records

    if os.path.isdir(target):
        return records.of_run(RunDir.open(target))
    if not os.path.isfile(target):
        raise UsageError(f"{target} is neither a run's folder nor a CSV file.")
    return records.of_csv(target), {}


def _tell(found: Finding) -> None:
    """What, since when, why; the numbers that show it; what to try."""
    head = click.style(f"{found.severity}: {found.name}", fg=COLORS[found.severity], bold=True)
    since = f", since step {found.since}" if found.since not in (0, found.step) else ""
    click.echo(f"\n{head} at step {found.step}{since}\n  {visible(found.message)}")
    numbers = [
        f"{visible(name)} {value if isinstance(value, int) else format(value, '.4g')}"
        for name, value in found.evidence.items()
        if isinstance(value, (int, float))
    ]
    for start in range(0, len(numbers), 4):
        click.echo("  " + "   ".join(numbers[start : start + 4]))
    if found.remedy:
        click.echo(f"  Try: {found.remedy}")
    if found.command:
        click.echo(f"       {visible(found.command)}")
