"""The command line: it parses, calls one function, and prints."""

from __future__ import annotations

import os
import re
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import click
from click.shell_completion import shell_complete

from ganzoo import __version__
from ganzoo.cli import (
    animate,
    compare,
    config,
    datasets,
    diagnose,
    evaluate,
    plugin,
    report,
    runs,
    sample,
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
    warnings.showwarning = _show_warning
    if arguments is None and COMPLETE in os.environ:
        sys.exit(shell_complete(cli, {}, "ganzoo", COMPLETE, os.environ[COMPLETE]))
    try:
        with cli.make_context(
            "ganzoo", list(sys.argv[1:] if arguments is None else arguments)
        ) as ctx:
            meta = ctx.meta
            cli.invoke(ctx)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("ganzoo: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except GanzooError as error:
        _fail(str(error), meta, error.exit_code)
    except Exception as error:
        _fail(_unexpected(error), meta, 1)


def _unexpected(error: Exception) -> str:
    """One sentence: what went wrong, and where; the last place outside of ganzoo and of what is
    installed is a plugin's, and then nothing is to be reported to us.

    TensorFlow tells the places of traced code in the text of its errors.
    """
    kind, text = type(error).__name__, str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    reason = lines[-1].removeprefix(f"{kind}: ") if lines else "no reason was given"
    places = [(f.filename, f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    places += re.findall(r'File "([^"]+)", line (\d+)', text)
    theirs = [place for place in places if _is_a_plugins(place[0])]
    if theirs:
        file, line = theirs[-1]
        whole = " ".join(lines) if len(lines) < 8 else reason
        return f"{kind} at {os.path.basename(file)}:{line}: {whole} (--debug shows all of it)."
    told = [place for place in places if os.path.isabs(place[0])][-1:]
    where = f" at {os.path.basename(told[0][0])}:{told[0][1]}" if told else ""
    return f"unexpected {kind}{where}: {reason} (please report it; --debug shows all of it)."


def _is_a_plugins(file: str) -> bool:
    """Whether a file is neither ganzoo's, nor Python's, nor another installed package's."""
    import sysconfig

    if not os.path.isabs(file) or "__autograph_generated_file" in file:
        return False
    place = Path(file).resolve()
    own = Path(__file__).resolve().parents[1]
    rooms = [own, own.parent / "eval", Path(sysconfig.get_paths()["stdlib"]).resolve()]
    installed = {"site-packages", "dist-packages"} & set(place.parts)
    return not installed and not any(place.is_relative_to(room) for room in rooms)


def _fail(sentence: str, meta: dict[str, Any], code: int) -> None:
    if meta.get("debug"):
        traceback.print_exc()
    click.echo(f"ganzoo: {sentence}", err=True)
    sys.exit(code)


def _show_warning(message: Any, category: type, *_: Any, **__: Any) -> None:
    if issubclass(category, UserWarning):
        click.echo(f"warning: {message}", err=True)


for _command in (
    train.train,
    sample.sample,
    evaluate.evaluate,
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
