"""`ganzoo plugin new` and `ganzoo plugin check`."""

from __future__ import annotations

import json
import logging
from typing import Any

import click

from ganzoo import scaffold
from ganzoo.cli.completion import DATA, PLUGIN
from ganzoo.cli.group import Group
from ganzoo.errors import GanzooError, UsageError, unknown
from ganzoo.fields import make


@click.group(cls=Group)
def plugin() -> None:
    """Start a plugin of your own, or check one against the contract."""


@plugin.command()
@click.argument("name")
@click.option(
    "--template",
    default="gan",
    show_default=True,
    help="What it starts from: " + ", ".join(f"{k} ({v})" for k, v in scaffold.TEMPLATES.items()),
)
@click.option("--dir", "parent", type=click.Path(), default=".", help="Where its folder goes.")
def new(name: str, template: str, parent: str) -> None:
    """Write the package NAME: a plugin that works, its tests, a README, a CI workflow."""
    folder = scaffold.create(name, template, parent)
    click.echo(f"{folder} is a package with a plugin that works: {folder}/src/{name}.py\n")
    for command, what in (
        (f"pip install -e {folder}", "from then on, `ganzoo list` shows it"),
        (f"ganzoo train {name} --data digits --steps 20", ""),
        (f"ganzoo plugin check {name}", "the contract, check by check"),
        (f"pytest {folder}", ""),
    ):
        click.echo(f"  {command:50}{'# ' + what if what else ''}".rstrip())
    click.echo("\nwithout a network: pip install --no-build-isolation -e ...")


@plugin.command()
@click.argument("name", metavar="NAME|PATH", type=PLUGIN)
@click.option("--only", multiple=True, metavar="CHECK", help="Make this check only; repeatable.")
@click.option(
    "--data", type=DATA, metavar="NAME|DIR|FILE", help="Check on data shaped like this data set."
)
@click.option("--size", type=int, help="Side in pixels to which its images are resized.")
@click.option(
    "--set", "assignments", multiple=True, metavar="FIELD=VALUE", help="Check with this field."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON list of results.")
def check(
    name: str,
    only: tuple[str, ...],
    data: str | None,
    size: int | None,
    assignments: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check a plugin (a name, DIST:NAME or a .py file) against the contract, one line a check.

    Exit code 1 where a check fails. Without --data it is tried on made-up images of several sides
    and channels and on points, as far as it supports them.
    """
    if size is not None and data is None:
        raise UsageError("--size needs --data: it resizes that data set's images.")
    from ganzoo import registry, testing
    from ganzoo.quiet import quiet_start

    quiet_start()
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of many small graphs
    for word in only:
        if word not in testing.CHECKS:
            raise unknown("check", word, testing.CHECKS)
    made = _made(registry.load(name), assignments)
    specs = [_spec(data, size)] if data else None
    found = []
    for result in testing.results(made, specs=specs, only=only or None):
        found.append(result)
        if not as_json:
            click.echo(str(result))
    if as_json:
        click.echo(json.dumps([vars(result) for result in found]))
    failed = sum(result.status == "failed" for result in found)
    if failed:
        raise GanzooError(f"{name} breaks the contract: {failed} of {len(found)} checks failed.")
    if not as_json:
        click.echo(f"{name} keeps the contract.")


def _made(cls: type, assignments: tuple[str, ...]) -> Any:
    """An instance with the fields of --set; the class itself where there are none."""
    from ganzoo import settings

    if not assignments:
        return cls
    return make(cls, dict(map(settings.parse_assignment, assignments)))


def _spec(name: str, size: int | None) -> Any:
    from ganzoo import data

    return data.load(name, size=size).spec
