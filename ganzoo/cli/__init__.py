"""The command line: it parses, calls one function, and prints."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
import warnings
from typing import Any

import click
from click.shell_completion import shell_complete

from ganzoo import __version__, untrusted
from ganzoo.cli import (
    animate,
    blame,
    compare,
    config,
    datasets,
    diagnose,
    evaluate,
    plugin,
    repeat,
    report,
    runs,
    sample,
    streams,
    train,
    zoo,
)
from ganzoo.cli.group import Group
from ganzoo.errors import GanzooError

COMPLETE = "_GANZOO_COMPLETE"
"""The variable by which a shell asks for completions, or for the code that makes it ask."""


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ganzoo")
def cli() -> None:
    """Train, sample and judge generative adversarial networks."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exit 0, 1 for a failure, 2 for a request that cannot be carried out."""
    meta: dict[str, Any] = {}
    streams.prepare()
    warnings.showwarning = _show_warning
    try:
        _run(arguments, meta)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", {}, 130)
    except GanzooError as error:
        _fail(str(error), meta, error.exit_code)
    except BaseException as error:  # a plugin may raise anything, SystemExit too
        if not streams.failed(error):
            _fail(blame.sentence(error), meta, 1)
        if not isinstance(error, BrokenPipeError):  # as of `| head`, which has seen enough
            _fail(f"cannot write the output: {error.strerror or error}.", meta, 1)
        sys.exit(1)
    finally:
        streams.let_go()


def _run(arguments: list[str] | None, meta: dict[str, Any]) -> None:
    if arguments is None and COMPLETE in os.environ:
        raise click.exceptions.Exit(
            shell_complete(cli, {}, "ganzoo", COMPLETE, os.environ[COMPLETE])
        )
    given = list(sys.argv[1:] if arguments is None else arguments)
    with cli.make_context("ganzoo", given) as ctx:
        try:
            cli.invoke(ctx)
        finally:
            meta.update(ctx.meta)


def _fail(sentence: str, meta: dict[str, Any], code: int) -> None:
    if meta.get("debug"):
        streams.say(traceback.format_exc().rstrip())
    streams.say(f"ganzoo: {untrusted.lines(sentence)}")
    sys.exit(code)


def _show_warning(message: Any, category: type, *_: Any, **__: Any) -> None:
    if issubclass(category, UserWarning):
        click.echo(f"warning: {untrusted.lines(str(message))}", err=True)


for _command in (
    train.train,
    sample.sample,
    evaluate.evaluate,
    repeat.repeat,
    compare.compare,
    runs.runs,
    zoo.list_plugins,
    zoo.info,
    datasets.data,
    plugin.plugin,
    config.config,
    report.report,
    animate.animate,
    diagnose.diagnose,
):
    cli.add_command(_command)
