"""`ganzoo animate`."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo.cli.completion import RUN
from ganzoo.cli.places import in_run
from ganzoo.run import RunDir
from ganzoo.untrusted import visible


@click.command()
@click.argument("run", type=RUN)
@click.option(
    "--out",
    type=click.Path(),
    metavar="FILE.gif|FILE.mp4",
    help="Where to write it; an MP4 needs imageio-ffmpeg.  [default: RUN/samples.gif]",
)
@click.option("--seconds", default=6.0, show_default=True, help="How long one round takes.")
def animate(run: str, out: str | None, seconds: float) -> None:
    """Write the grid of RUN's samples over training as an animation."""
    from ganzoo.eval.report.animation import animate as write

    folder = RunDir.open(run)
    path = Path(out) if out else in_run(folder, folder.animation)
    count = write(run, path, seconds=seconds)
    size = path.stat().st_size
    told = visible(str(path))
    click.echo(f"{told}  ({count} pictures, {seconds:g} s, {size / 1e6:.2f} MB)")
