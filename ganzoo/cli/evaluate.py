"""`ganzoo eval`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.completion import DATA, METRIC, RUN_OR_FILE
from ganzoo.cli.tables import show
from ganzoo.run import newest
from ganzoo.untrusted import visible
from ganzoo.views.terminal import Bar

if TYPE_CHECKING:
    from ganzoo.eval.scores import Score


class MetricFlags(click.Command):
    """A command with a flag for each built-in metric, behind its arguments.

    They are made from the metrics' table when the command is used: `ganzoo --help` needs no NumPy.
    """

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        params = super().get_params(ctx)
        arguments = [param for param in params if isinstance(param, click.Argument)]
        options = [param for param in params if param not in arguments]
        return [*arguments, *_flags(), *options]


def _flags() -> list[click.Parameter]:
    from ganzoo.eval.metrics import METRICS

    return [
        click.Option([f"--{name}", _variable(name)], is_flag=True, help=metric.help)
        for name, metric in METRICS.items()
    ]


def chosen(options: dict[str, Any]) -> list[str]:
    """The metrics whose flags are set, taken out of the options."""
    from ganzoo.eval.metrics import METRICS

    return [name for name in METRICS if options.pop(_variable(name))]


def _variable(metric: str) -> str:
    """What the flag's value is called; `is` alone would be Python's."""
    return f"by_{metric.replace('-', '_')}"


@click.command("eval", cls=MetricFlags)
@click.argument("target", required=False, type=RUN_OR_FILE, metavar="[RUN|SAMPLES.npz|IMAGE-DIR]")
@click.argument("against", required=False, type=DATA, metavar="[DATA|FILE|DIR]")
@click.option(
    "--metric", "others", multiple=True, type=METRIC, help="One that another distribution brings."
)
@click.option("--all", "everything", is_flag=True, help="All of these that have a meaning here.")
@click.option(
    "--samples",
    type=int,
    help="How many.  [default: as the data set says, or 10,000; of a file, all]",
)
@click.option("--split", type=click.Choice(["test", "train"]), default="test", show_default=True)
@click.option("--features", help="mnist, fashion, inception, or another distribution's.")
@click.option("--dims", type=int, help="Of inception: 64, 192, 768 or 2048.")
@click.option(
    "--weights",
    metavar="FILE|FOLDER|tfgan",
    help="Of inception: a file, or the folder of TF-GAN's module, or that downloaded.",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16"]),
    help="Of inception: bfloat16 is faster, and a protocol of its own.  [default: float32]",
)
@click.option("--checkpoint", default="best", show_default=True, metavar="best|last|STEP|every")
@click.option("--seed", default=0, show_default=True, help="Same seed, same score.")
@click.option("--seeds", default=1, show_default=True, help="So many seeds, from --seed on.")
@click.option(
    "--pixels",
    type=click.Choice(["auto", "0..255", "0..1", "-1..1"]),
    default="auto",
    show_default=True,
    help="The range that a file's values are in.",
)
@click.option("--size", type=int, help="Resize stored images to SIZE x SIZE.")
@click.option(
    "--perfect/--no-perfect",
    default=True,
    show_default=True,
    help="Score real samples in the samples' place too: what perfect is.",
)
@click.option("--output", metavar="NAME", help="Of a run with several outputs: this one.")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="INPUT=VALUE",
    help="Of a run: hold an input of its sampler at a value, as in `ganzoo sample`.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the table.")
def evaluate(
    target: str | None,
    against: str | None,
    others: tuple[str, ...],
    everything: bool,
    as_json: bool,
    assignments: tuple[str, ...],
    **options: Any,
) -> None:
    """Judge a run's generator, or samples in a file or folder, against real ones. If no metric
    is said, images are judged by --fid, and points, whose FID sees no modes, by --modes or, where
    modes are not known, --swd.

    Without a RUN: the newest one in runs/. A run is compared with the data set that it was trained
    on, anything else with what stands behind it: `ganzoo eval samples.npz mnist`. A run's scores
    are written to RUN/eval/, each with its whole protocol; `ganzoo compare` reads them.
    """
    from ganzoo import settings
    from ganzoo.eval.metrics import METRICS

    options["settings"] = dict(map(settings.parse_assignment, assignments))
    metrics = chosen(options)
    if target is None:
        target = str(newest())
        click.echo(f"the newest run: {visible(target)}", err=as_json)

    from ganzoo.quiet import quiet_start

    quiet_start()
    from ganzoo.eval import installed
    from ganzoo.eval.evaluation import evaluate as judge

    if everything:
        metrics = [*METRICS, *installed.metric_names()]
    metrics += [name for name in others if name not in metrics]
    with Bar() as view:
        scores = judge(
            target,
            metrics,
            against=against,
            skip_unsuited=everything,
            view=view,
            **options,
        )
    if as_json:
        click.echo(json.dumps({"scores": [score.as_json() for score in scores]}))
        return
    sources = list(dict.fromkeys(score.source for score in scores))
    for source in sources:
        click.echo(visible(source))
        found = [score for score in scores if score.source == source]
        rows = [[s.label, _number(s), _perfect(s), _seed(s, options["seeds"])] for s in found]
        show(["score", "value", "perfect", ""], rows)
        for score in found:
            if "histogram" in score.details and len(score.details["histogram"]) <= 25:
                _histogram(score.details)
                break


def _number(score: Score) -> str:
    spread = f" +- {score.std:.3g}" if score.std is not None else ""
    return f"{score.value:.5g}{spread}"


def _perfect(score: Score) -> str:
    """What real samples score."""
    return "" if score.perfect is None else f"{score.perfect:.5g}"


def _seed(score: Score, seeds: int) -> str:
    return f"seed {score.protocol['seed']}" if seeds > 1 else ""


def _histogram(details: Any) -> None:
    """The shares of the modes as bars."""
    shares = details["histogram"]
    for mode, share in enumerate(shares):
        missing = "  missing" if mode in details.get("missing", ()) else ""
        click.echo(f"  {mode:>3}  {share:6.1%}  {'#' * round(share * 10 * len(shares))}{missing}")
