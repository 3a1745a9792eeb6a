"""`ganzoo train`."""

from __future__ import annotations

from typing import Any

import click

from ganzoo.cli.completion import DATA, PLUGIN, RUN
from ganzoo.cli.options import asked
from ganzoo.errors import UsageError
from ganzoo.run import new_path


@click.command()
@click.argument("plugin", required=False, type=PLUGIN)
@click.option(
    "--data",
    type=DATA,
    metavar="NAME|DIR|FILE",
    help="Data set: a name of `ganzoo data list`, a "
    "folder of images, or an .npz/.npy file.  [default: auto]",
)
@click.option("--size", type=int, help="Side in pixels to which images are resized.")
@click.option("--steps", type=int, help="Steps to train.  [default: the plugin's]")
@click.option("--epochs", type=float, help="Instead of steps: times the data set over batch size.")
@click.option("--batch-size", type=int, help="Samples in a batch.  [default: the plugin's]")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Set a field of the plugin (`ganzoo info PLUGIN` lists them).",
)
@click.option("--config", type=click.Path(), help="YAML file of settings, such as RUN/config.yaml.")
@click.option("--seed", type=int, help="Decides every random number.  [default: 0]")
@click.option(
    "--outdir", type=click.Path(), help="The run folder.  [default: runs/PLUGIN-DATA-TIME]"
)
@click.option("--resume", type=RUN, metavar="RUN", help="Go on in this run folder.")
@click.option("--device", type=click.Choice(["auto", "gpu", "cpu"]), help="[default: auto]")
@click.option(
    "--precision", type=click.Choice(["auto", "float32", "bfloat16"]), help="[default: auto]"
)
@click.option("--log-every", type=int, metavar="STEPS", help="[default: 50]")
@click.option("--picture-every", type=int, metavar="STEPS", help="[default: 500]")
@click.option("--checkpoint-every", type=int, metavar="STEPS", help="[default: 500]")
@click.option(
    "--auto-balance",
    is_flag=True,
    default=None,
    help="Slow a discriminator that wins too easily: each turn in which it tells 95 % of a batch "
    "right lowers its learning rate by 1 %, each other turn raises it again, between 1/32 of the "
    "plugin's and the plugin's.",
)
@click.option(
    "--on-failure",
    type=click.Choice(["warn", "stop", "rollback"]),
    help="When the monitor sees a failure: say so and go on; or save, stop and exit with 1; or "
    "go back to the checkpoint with the best score and end there.  [default: warn]",
)
@click.option("--dry-run", is_flag=True, help="Show what would be trained, and write nothing.")
@click.option("--quiet", is_flag=True, help="Print the run folder only.")
def train(**options: Any) -> None:
    """Train PLUGIN (a name, DIST:NAME or a .py file) with the shared loop.

    \b
    ganzoo train dcgan
    ganzoo train wgan --data fashion_mnist --steps 2000 --set clip=0.02
    ganzoo train ./mygan.py --data photos/ --size 32
    ganzoo train --resume runs/dcgan-mnist-20260101-120000
    """
    values = asked(options).values
    if options["steps"] is not None and options["epochs"] is not None:
        raise UsageError("say --steps or --epochs, not both.")
    if options["resume"]:
        for name in ("outdir", "config", "epochs"):
            if options[name] is not None:
                raise UsageError(f"--resume takes no --{name}: the run folder decides.")
    check_counts(options)

    from ganzoo.quiet import quiet_start
    from ganzoo.views import terminal

    quiet_start()
    from ganzoo import training

    watcher = terminal.for_terminal(options["quiet"])
    with watcher:
        if options["resume"]:
            run = training.resume(options["resume"], values, options["steps"], view=watcher)
        else:
            request = training.prepare(values, options["epochs"])
            if options["dry_run"]:
                click.echo(terminal.describe(request))
                return
            outdir = options["outdir"] or new_path(request.settings.plugin, request.settings.data)
            watcher.say(terminal.headline(request, outdir))
            run = training.start(request, outdir, watcher)
    newest = run.newest_picture()
    if options["quiet"]:
        click.echo(run.path)
    elif newest:
        click.echo(f"samples: {newest}  (beside {run.picture('real')})")


def check_counts(options: dict[str, Any]) -> None:
    """Refuse numbers of steps or samples below 1, by the option's own name."""
    for name in ("steps", "batch_size"):
        if options[name] is not None and options[name] < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be at least 1, not {options[name]}.")
