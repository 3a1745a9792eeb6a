"""`ganzoo config schema` and `ganzoo config show`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.completion import PLUGIN
from ganzoo.cli.group import Group
from ganzoo.cli.options import Asked, asked
from ganzoo.cli.train import train

if TYPE_CHECKING:
    from ganzoo.settings import Settings

ELSEWHERE = ("epochs", "outdir", "resume", "dry_run", "quiet", "debug")
"""Options of `ganzoo train` that are no settings, or need the data to become one."""


@click.group(cls=Group)
def config() -> None:
    """Show the settings of a training, or the schema of a file of them."""


@config.command()
@click.argument("plugin", type=PLUGIN)
def schema(plugin: str) -> None:
    """Print the JSON schema of the files that `ganzoo train PLUGIN --config` takes.

    \b
    ganzoo config schema dcgan > dcgan.schema.json
    and as the first line of the file, for editors:
    # yaml-language-server: $schema=dcgan.schema.json
    """
    from ganzoo.schema import schema as schema_of

    click.echo(json.dumps(schema_of(plugin), indent=2))


@config.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def show(as_json: bool, **options: Any) -> None:
    """Print every setting that `ganzoo train` with these options would have, and its origin.

    What it prints is a file for --config. Where it says auto, the training decides
    (`ganzoo train --dry-run` shows what).
    """
    wish = asked(options)

    from ganzoo.quiet import quiet_start

    quiet_start()
    from ganzoo import settings

    chosen, plugin = settings.resolve(wish.values)
    rows = list(_rows(chosen, type(plugin), wish))
    if as_json:
        keys = ("name", "value", "from")
        click.echo(json.dumps([dict(zip(keys, row, strict=True)) for row in rows]))
        return
    lines = [(_line(name, value), origin) for name, value, origin in rows]
    head = next(i for i, row in enumerate(rows) if row[0].startswith("fields."))
    lines.insert(head, ("fields:", ""))
    width = max(len(line) for line, _ in lines)
    for line, origin in lines:
        click.echo(f"{line:{width}}  # {origin}" if origin else line)


show.params[:0] = [option for option in train.params if option.name not in ELSEWHERE]


def _rows(chosen: Settings, cls: type, wish: Asked) -> Iterator[tuple[str, Any, str]]:
    """(name, value, where it comes from), the fields last."""
    from ganzoo.plugin import Plugin

    for name, value in vars(chosen).items():
        if name != "fields":
            yield name, value, wish.origins.get(name, "default")
    shared = {name: f.default for name, f in Plugin.__dataclass_fields__.items()}
    for name, value in chosen.fields.items():
        own = cls.__dataclass_fields__[name].default
        usual = name in shared and own == shared[name]
        default = "default" if usual else f"default of {chosen.plugin}"
        yield f"fields.{name}", value, wish.origins.get(f"fields.{name}", default)


def _line(name: str, value: Any) -> str:
    """One line of YAML; a field is indented."""
    import yaml

    text = yaml.safe_dump([value], default_flow_style=True, width=10**6).strip()[1:-1]
    above, _, plain = name.rpartition(".")
    return f"{'  ' if above else ''}{plain}: {text}"
