"""The parts of the suite, by name, and how many cases of each are in its short form."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from faults import (
    configs,
    flips,
    full_disk,
    hostile_data,
    hostile_folders,
    hostile_graphs,
    hostile_plugins,
    hostile_values,
    kills,
    lines,
    pairs,
)
from faults.ledger import Case
from faults.made import Made

PARTS: dict[str, Callable[[Made], Iterable[Case]]] = {
    "kills": kills.cases,
    "full disk": full_disk.cases,
    "flips": flips.cases,
    "configs": configs.cases,
    "lines": lines.cases,
    "folders": hostile_folders.cases,
    "values": hostile_values.cases,
    "graphs": hostile_graphs.cases,
    "data": hostile_data.cases,
    "plugins": hostile_plugins.cases,
    "pairs": pairs.cases,
}
SHORT = {
    "kills": 4,
    "full disk": 1,
    "flips": 60,
    "configs": 40,
    "lines": 30,
    "folders": 8,
    "values": 15,
    "graphs": 12,
    "data": 5,
    "plugins": 3,
    "pairs": 2,
}
