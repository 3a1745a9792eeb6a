"""`ganzoo report`."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo.cli.completion import RUN
from ganzoo.cli.places import in_run
from ganzoo.run import RunDir, newest
from ganzoo.untrusted import visible


@click.command()
@click.argument("runs", nargs=-1, type=RUN, metavar="[RUN]...")
@click.option(
    "--out",
    type=click.Path(),
    metavar="FILE.html",
    help="Where to write it.  [default: RUN/report.html; of several runs, report.html]",
)
def report(runs: tuple[str, ...], out: str | None) -> None:
    """Write a report about RUNs, side by side, into one HTML file.

    Without a RUN: the newest one in runs/. The file needs no network and no other file; nothing of
    a run folder is executed, so a stranger's run may be looked at.
    """
    if not runs:
        runs = (str(newest()),)
        click.echo(f"the newest run: {visible(runs[0])}")

    from ganzoo.eval.report.page import report as write

    path = Path(out) if out else Path("report.html")
    if not out and len(runs) == 1:
        run = RunDir.open(runs[0])
        path = in_run(run, run.report)
    size = write(runs, path)
    click.echo(f"{visible(str(path))}  ({size / 1e6:.2f} MB)")
