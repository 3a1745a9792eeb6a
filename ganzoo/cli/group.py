"""A group of commands that knows the nearest name to a wrong one; all of them take --debug."""

from __future__ import annotations

from typing import Any

import click

from ganzoo.errors import unknown


class Group(click.Group):
    """Commands that know the nearest name to a wrong one, and all take --debug."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        if not isinstance(cmd, click.Group):
            cmd.params.append(
                click.Option(
                    ["--debug"],
                    is_flag=True,
                    expose_value=False,
                    is_eager=True,
                    callback=_remember_debug,
                    help="Show the traceback of an error.",
                )
            )
        super().add_command(cmd, name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        known = not args or args[0].startswith("-") or self.get_command(ctx, args[0])
        if not known and not ctx.resilient_parsing:  # as while a word is completed
            raise unknown("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


def _remember_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().meta["debug"] = True
