"""What a case is, how it may end, and the file that every outcome is added to as it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from faults.warm import Done

GOOD = ("refused", "survived", "told")
KINDS = (*GOOD, "other", "touched", "traceback", "hang", "broken")
"""One sentence and a failure; the same as without the fault; another result with a warning that
names it; another result in silence; a file outside; an unexpected traceback or a crash; no end;
and, last, a case of this suite that does not work itself."""


@dataclass(frozen=True)
class Outcome:
    """How a case ended."""

    kind: str
    detail: str = ""
    rows: int = 0
    """Rows of the record that are lost for good, or differ."""
    bits: int = 0
    """Arrays of checkpoints that are not the same bits."""


@dataclass(frozen=True)
class Case:
    """One fault, told in full by its name: played twice, it is the same fault."""

    name: str
    play: Callable[[Path], Outcome]
    """Takes an empty folder of its own."""
    slow: bool = False
    """Whether the short form leaves it out."""


def plainly(done: Done, touched: str = "") -> Outcome:
    """What counts whatever the fault was: a sentence or success, no traceback, nothing touched."""
    if touched:
        return Outcome("touched", touched)
    if done.fault or done.refused:
        return Outcome(done.fault or "refused", done.last)
    return Outcome("other" if done.code else "survived", f"exit {done.code} without a word")


class Ledger:
    """The outcomes of one part: a line of JSON for each, and cases done are not done again."""

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def rows(self) -> list[dict]:
        """All outcomes so far; a line that a kill cut off is none."""
        found = {}
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            found[row["case"]] = row
        return list(found.values())

    def add(self, case: str, outcome: Outcome, seconds: float, cpu: float) -> None:
        """Write down how a case ended, how long it took, and how long the processor did."""
        row = {"case": case, **asdict(outcome), "seconds": round(seconds, 2), "cpu": round(cpu, 2)}
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")


COLUMNS = (
    "part", "cases", "refused", "survived", "told", "silently other", "lost rows", "changed bits",
    "outside touched", "unexpected tracebacks", "hangs", "minutes",
)  # fmt: skip


def table(parts: Iterable[tuple[str, list[dict], float]]) -> str:
    """The counts as Markdown, from (part, its outcomes, minutes that it took)."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" + "|---:" * (len(COLUMNS) - 1) + "|"]
    counted = [(name, _counts(rows), minutes) for name, rows, minutes in parts]
    for name, counts, minutes in [*counted, ("all", *_sum(counted))]:
        cells = [name, *(f"{count:,}" for count in counts), f"{minutes:.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _counts(rows: list[dict]) -> list[int]:
    def of(kind: str) -> int:
        return sum(row["kind"] == kind for row in rows)

    return [
        len(rows),
        *(of(kind) for kind in ("refused", "survived", "told", "other")),
        sum(row["rows"] for row in rows),
        sum(row["bits"] for row in rows),
        *(of(kind) for kind in ("touched", "traceback", "hang")),
    ]


def _sum(counted: list[tuple[str, list[int], float]]) -> tuple[list[int], float]:
    counts = [sum(column) for column in zip(*(counts for _, counts, _ in counted), strict=True)]
    return counts, sum(minutes for *_, minutes in counted)
