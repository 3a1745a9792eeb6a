"""The parts of the suite, by name, and how many cases of each are in its short form."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from faults import flips, full_disk, kills
from faults.ledger import Case
from faults.made import Made

PARTS: dict[str, Callable[[Made], Iterable[Case]]] = {
    "kills": kills.cases,
    "full disk": full_disk.cases,
    "flips": flips.cases,
}
SHORT = {
    "kills": 8,
    "full disk": 4,
    "flips": 150,
}
