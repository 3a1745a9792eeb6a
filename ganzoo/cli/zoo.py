"""`ganzoo list` and `ganzoo info`."""

from __future__ import annotations

import json
from typing import Any

import click

from ganzoo import registry
from ganzoo.cli.completion import DATA, PLUGIN
from ganzoo.cli.tables import show
from ganzoo.fields import described


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def list_plugins(as_json: bool) -> None:
    """List the plugins: name, idea, paper, and the package that each comes from."""
    found = registry.entries()
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "name": e.name,
                        "summary": e.summary,
                        "paper": e.paper,
                        "origin": e.origin,
                        "error": e.error,
                    }
                    for e in found
                ]
            )
        )
        return
    working = [e for e in found if not e.error]
    show(
        ["plugin", "idea", "paper", "from"],
        [[e.name, e.summary, e.paper, e.origin] for e in working],
    )
    for entry in found:
        if entry.error:
            click.echo(f"broken: {entry.name} ({entry.origin}): {entry.error}")


@click.command()
@click.argument("plugin", type=PLUGIN)
@click.option(
    "--data", type=DATA, metavar="NAME|DIR", help="Count parameters and FLOPs for this data set."
)
@click.option("--size", type=int, help="Side in pixels to which images are resized.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def info(plugin: str, data: str | None, size: int | None, as_json: bool) -> None:
    """Show PLUGIN's fields; with --data, its networks' parameters and FLOPs for that data.

    FLOPs are those of a forward pass on one image, a multiply-add counted as two.
    """
    entry = registry.find(plugin)
    fields = registry.static_fields(entry)
    if fields is None or data:
        from ganzoo.quiet import quiet_start

        quiet_start()
        fields = described(registry.load(plugin))
    networks = _networks(plugin, data, size) if data else {}
    if as_json:
        click.echo(
            json.dumps(
                {
                    "name": entry.name,
                    "summary": entry.summary,
                    "paper": entry.paper,
                    "origin": entry.origin,
                    "networks": networks,
                    "fields": [
                        {
                            "name": f.name,
                            "type": f.type,
                            "default": _plain(f.default),
                            "reason": f.reason,
                        }
                        for f in fields
                    ],
                }
            )
        )
        return
    click.echo(f"{entry.name}: {entry.summary}")
    click.echo(f"paper {entry.paper or 'none given'}; from {entry.origin}\n")
    show(
        ["field", "type", "default", "reason"],
        [[f.name, f.type, repr(f.default), f.reason] for f in fields],
    )
    click.echo()
    if networks:
        show(
            ["network", "parameters", "FLOPs an image"],
            [
                [name, f"{row['parameters']:,}", f"{row['flops']:,}"]
                for name, row in networks.items()
            ],
        )
    else:
        click.echo(f"ganzoo info {plugin} --data mnist   counts parameters and FLOPs for MNIST")


def _networks(plugin: str, name: str, size: int | None) -> dict[str, dict[str, int]]:
    from ganzoo import data
    from ganzoo.counting import count

    return count(registry.load(plugin)(), data.load(name, size=size).spec)


def _plain(value: Any) -> Any:
    return value if isinstance(value, (int, float, str, bool, type(None), tuple)) else repr(value)
