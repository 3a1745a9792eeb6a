"""`ganzoo sample`."""

from __future__ import annotations

import io
from pathlib import Path

import click
import numpy as np

from ganzoo.cli.completion import RUN
from ganzoo.errors import UsageError
from ganzoo.files import write_atomic
from ganzoo.run import RunDir


@click.command()
@click.argument("run", type=RUN)
@click.option("-n", "count", default=64, show_default=True, help="How many samples.")
@click.option("--seed", default=0, show_default=True, help="Sample i depends on it and on i alone.")
@click.option("--label", type=int, help="Class of a conditional run.  [default: all in turn]")
@click.option("--checkpoint", default="last", show_default=True, metavar="best|last|STEP")
@click.option(
    "--out",
    default="samples.png",
    show_default=True,
    type=click.Path(),
    help="A .png grid, an .npz of all samples, or DIR/ for one PNG each.",
)
def sample(run: str, count: int, seed: int, label: int | None, checkpoint: str, out: str) -> None:
    """Draw samples from RUN's averaged generator; the plugin's code is not needed.

    An .npz holds `image` (n, h, w, c) float32 in [-1, 1], or `point` (n, d).
    """
    if count < 1:
        raise UsageError(f"-n must be at least 1, not {count}.")
    if checkpoint not in ("best", "last") and not checkpoint.isdigit():
        raise UsageError(f"--checkpoint must be 'best', 'last' or a step, not {checkpoint!r}.")
    target = Path(out)
    if target.suffix not in (".png", ".npz") and not (out.endswith("/") or not target.suffix):
        raise UsageError(f"--out must end in .png, .npz or be a folder, not {out!r}.")
    folder = RunDir.open(run)

    from ganzoo import data, pictures
    from ganzoo.quiet import quiet_start

    quiet_start()
    from ganzoo.eval.sources import steps
    from ganzoo.sampling import Sampler

    sampler = Sampler(folder, steps(folder, checkpoint)[0])
    samples = np.concatenate(list(sampler.batches(count, seed=seed, label=label)))
    if target.suffix == ".png":
        write_atomic(target, pictures.grid(samples))
    elif target.suffix == ".npz":
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{sampler.signature["key"]: samples})
        write_atomic(target, buffer.getvalue())
    else:
        if samples.ndim != 4:
            raise UsageError("points are not pictures: use --out samples.npz or .png.")
        for index, image in enumerate(data.to_uint8(samples)):
            write_atomic(target / f"{index:05d}.png", pictures.png(image))
    click.echo(f"{count} samples of step {sampler.step} -> {out}")
