"""Tables that fit the terminal, and plain columns where there is none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click


def show(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under a head."""
    if not sys.stdout.isatty():
        cells = [list(head), *[[str(cell) for cell in row] for row in rows]]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for row in cells:
            click.echo("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*head, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*[str(cell) for cell in row])
    Console().print(table, markup=False)
