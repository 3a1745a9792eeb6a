"""`ganzoo sample`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from ganzoo.cli.completion import RUN
from ganzoo.errors import UsageError
from ganzoo.files import write_atomic
from ganzoo.run import RunDir

if TYPE_CHECKING:
    from ganzoo.sampling import Sampler


@click.command()
@click.argument("run", type=RUN)
@click.option(
    "-n",
    "count",
    type=int,
    help="How many samples.  [default: 64; of rows that feed it, all up to 64; of --input, all]",
)
@click.option("--seed", default=0, show_default=True, help="Sample i depends on it and on i alone.")
@click.option("--label", type=int, help="Class of a conditional run.  [default: all in turn]")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="INPUT=VALUE",
    help="Hold an input at a value (psi=0.5, code=3), one number of it (code.0=1.5), or cut a "
    "normal prior (z.threshold=0.5).",
)
@click.option(
    "--input",
    "rows",
    multiple=True,
    metavar="NAME=FILE|DIR|test|train",
    help="Rows for an input that data feeds.  [default: test]",
)
@click.option("--output", metavar="NAME", help="One of several outputs.  [default: the first]")
@click.option("--checkpoint", default="last", show_default=True, metavar="best|last|STEP")
@click.option(
    "--out",
    default="samples.png",
    show_default=True,
    type=click.Path(),
    help="A .png grid, an .npz of all samples, or DIR/ for one PNG each.",
)
def sample(
    run: str,
    count: int | None,
    seed: int,
    label: int | None,
    assignments: tuple[str, ...],
    rows: tuple[str, ...],
    output: str | None,
    checkpoint: str,
    out: str,
) -> None:
    """Draw samples from RUN's averaged generator; the plugin's code is not needed.

    An .npz holds `image` (n, h, w, c) float32 in [-1, 1], or `point` (n, d).

    \b
    ganzoo sample RUN --set psi=0.5
    ganzoo sample RUN --input a=photos/ --output b --out translated/
    """
    if count is not None and count < 1:
        raise UsageError(f"-n must be at least 1, not {count}.")
    if checkpoint not in ("best", "last") and not (checkpoint.isascii() and checkpoint.isdigit()):
        raise UsageError(f"--checkpoint must be 'best', 'last' or a step, not {checkpoint[:40]!r}.")
    target = Path(out)
    if target.suffix not in (".png", ".npz") and not (out.endswith("/") or not target.suffix):
        raise UsageError(f"--out must end in .png, .npz or be a folder, not {out!r}.")
    folder = RunDir.open(run)

    from ganzoo import data, pictures, settings
    from ganzoo.quiet import quiet_start

    held = dict(settings.parse_assignment(text) for text in assignments)
    named = dict(_named(text) for text in rows)
    quiet_start()
    from ganzoo import feeding
    from ganzoo.eval.sources import steps
    from ganzoo.sampling import Sampler

    sampler = Sampler(folder, steps(folder, checkpoint)[0])
    given = feeding.given(folder, sampler, named)
    count = count or max(map(len, given.values()), default=_usual(sampler, output))
    feeding.check_fits(sampler, count, output)
    drawn = sampler.batches(
        count, seed=seed, label=label, settings=held, given=given, output=output
    )
    samples = np.concatenate(list(drawn))
    if target.suffix == ".png":
        write_atomic(target, pictures.grid(samples))
    elif target.suffix == ".npz":
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{sampler.output(output).imitates: samples})
        write_atomic(target, buffer.getvalue())
    else:
        if samples.ndim != 4:
            raise UsageError("points are not pictures: use --out samples.npz or .png.")
        for index, image in enumerate(data.to_uint8(samples)):
            write_atomic(target / f"{index:05d}.png", pictures.png(image))
    click.echo(f"{count} samples of step {sampler.step} -> {out}")


def _named(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name or not value:
        raise UsageError(
            f"--input takes NAME=FILE, NAME=DIR, NAME=test or NAME=train, not {text!r}."
        )
    return name, value


def _usual(sampler: Sampler, output: str | None) -> int:
    """64 samples, or as many as there are rows where data feeds it and has fewer."""
    fed = sampler.fed_by_data(output)
    return min([64, *(len(sampler.rows(one.source)) for one in fed)])
