"""What the shell offers for a word that is being typed: plugins, data sets, runs, metrics.

click asks here when `ganzoo` runs with _GANZOO_COMPLETE set. Nothing is imported but names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import click
from click.shell_completion import CompletionItem


class Named(click.ParamType):
    """A word that is taken as it is; while it is typed, names are offered, or else files.

    `names` gives name -> what it is for what has been typed; `paths` is `file` or `dir` where a
    path may stand instead, and empty where none may.
    """

    name = "text"

    def __init__(self, names: Callable[[str], Mapping[str, str]], paths: str = ""):
        self.names, self.paths = names, paths

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin so, or a request for paths, which the shell knows best."""
        known = self.names(incomplete)
        found = [
            CompletionItem(name, help=what or None)
            for name, what in known.items()
            if name.startswith(incomplete)
        ]
        return found if found or not self.paths else [CompletionItem(incomplete, type=self.paths)]


def _plugins(_: str) -> Mapping[str, str]:
    from ganzoo import registry

    return registry.names()


def _datasets(_: str) -> Mapping[str, str]:
    from ganzoo import data

    return data.names()


def _metrics(_: str) -> Mapping[str, str]:
    from ganzoo import distributions

    return distributions.names("ganzoo.metrics")


def _runs(incomplete: str) -> Mapping[str, str]:
    """Runs beside the one that is being typed, by default those in runs/; the newest first.

    A name that a terminal cannot show is not offered: it could hold commands to it.
    """
    from ganzoo.errors import GanzooError
    from ganzoo.run import find_runs

    try:
        found = [str(run) for run in find_runs(os.path.dirname(incomplete) or "runs")]
    except GanzooError:  # a folder that cannot be read offers nothing
        return {}
    return {name: "" for name in found if name.isprintable()}


PLUGIN = Named(_plugins, "file")
DATA = Named(_datasets, "file")
METRIC = Named(_metrics)
RUN = Named(_runs, "dir")
RUN_OR_FILE = Named(_runs, "file")
