"""Tables that fit the terminal, and plain columns where there is none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from ganzoo import untrusted

MOST = 2000
"""Characters of a cell."""


def show(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under a head; what would move the terminal's cursor is made visible."""
    head, *rows = [[_cell(cell) for cell in row] for row in (head, *rows)]
    if not sys.stdout.isatty():
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        for row in (head, *rows):
            click.echo("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in head:
        table.add_column(Text(name))
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def _cell(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value) if abs(value) < 1e15 else untrusted.text(value)
    return untrusted.text(str(value), MOST)
