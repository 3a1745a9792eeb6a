"""`ganzoo data list` and `ganzoo data info`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np

from ganzoo import data as sources
from ganzoo.cli.completion import DATA
from ganzoo.cli.tables import show

NAMED = 5
"""So many attributes are shown by name."""


@click.group()
def data() -> None:
    """Look at the data sets."""


@data.command("list")
def list_data() -> None:
    """List the data sets by name."""
    show(["data set", "what it is"], list(sources.names().items()))
    click.echo("\na folder of images, an .npz or an .npy file is a data set too")


@data.command("info")
@click.argument("name", type=DATA)
@click.option("--size", type=int, help="Side in pixels to which images are resized.")
@click.option("--split", type=click.Choice(["train", "test"]), default="train", show_default=True)
@click.option("--picture", type=click.Path(), help="Write a PNG of some samples here.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def info(name: str, size: int | None, split: str, picture: str | None, as_json: bool) -> None:
    """Show the arrays, counts, ranges and licence of the data set NAME."""
    found = sources.load(name, size=size, split=split)
    values = found.arrays[found.spec.key]
    facts = {
        "name": found.name,
        "samples": len(found),
        "shape": list(found.spec.shape),
        "stored": _span(values),
        "trained on": "float32 in [-1, 1]" if found.spec.range else "float32 as stored",
        "classes": found.spec.classes,
        "licence": found.licence,
        "source": found.source,
        "note": found.note,
        "fingerprint": found.fingerprint,
    }
    if "label" in found.arrays:
        counts = np.bincount(found.arrays["label"], minlength=found.spec.classes)
        names = found.class_names or tuple(map(str, range(len(counts))))
        facts["class counts"] = dict(zip(names, map(int, counts), strict=False))
    if as_json:
        click.echo(json.dumps(facts | {"arrays": _arrays(found)}))
    else:
        for key, value in facts.items():
            if value not in (None, ""):
                click.echo(f"{key + ':':14}{value}")
        _show_arrays(found)
    if picture:
        from ganzoo import pictures
        from ganzoo.files import write_atomic

        drawn = np.random.Generator(np.random.Philox(0)).permutation(len(found))
        n = 64 if values.ndim == 4 else 2000
        write_atomic(Path(picture), pictures.grid(values[drawn[:n]]))
        click.echo(f"picture:      {picture}", err=as_json)


def _arrays(found: sources.Dataset) -> dict[str, dict[str, Any]]:
    """Array -> what the spec and the stored values say of it."""
    return {
        name: {
            "rows": len(found.arrays[name]),
            "shape": list(array.shape),
            "stored": _span(found.arrays[name]),
            "range": array.range,
            "classes": array.classes,
            "group": array.group,
            "names": array.names,
        }
        for name, array in found.spec.arrays.items()
    }


def _span(values: np.ndarray) -> str:
    return f"{values.dtype} in [{values.min():g}, {values.max():g}]"


def _show_arrays(found: sources.Dataset) -> None:
    """A table of the arrays; the group is told where there are several."""
    arrays = _arrays(found)
    grouped = len(found.groups()) > 1
    named = any(array["names"] for array in arrays.values())
    rows = []
    for name, array in arrays.items():
        shape = "x".join(map(str, array["shape"])) or "one number"
        names = ", ".join(array["names"][:NAMED]) + (", ..." if array["names"][NAMED:] else "")
        further = [array["group"] or "-"] * grouped + [names] * named
        rows.append([name, array["rows"], shape, array["stored"], *further])
    click.echo()
    head = ["array", "rows", "shape", "stored", *["group"] * grouped, *["names"] * named]
    show(head, rows)
