"""Rows of a training -> findings: named failures, each with its evidence and a remedy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ganzoo.eval.finding import Finding

__all__ = ["Finding", "Monitor", "diagnose"]


class Monitor:
    """Reads a training's rows one by one and never looks ahead.

    `total_steps`, the `plugin`'s name, its `fields`, the `data` set and the `run`'s folder only
    serve remedies and their commands; every one may be left out.
    """

    def __init__(
        self,
        total_steps: int | None = None,
        plugin: str | None = None,
        fields: Mapping[str, Any] | None = None,
        data: str | None = None,
        run: str | None = None,
    ):
        self.total_steps, self.plugin, self.fields = total_steps, plugin, dict(fields or {})
        self.data, self.run = data, run
        self.findings: list[Finding] = []
        self._step = 0

    def see(self, row: Mapping[str, Any]) -> list[Finding]:
        """Take in the next row; returns what it gives rise to, mostly nothing."""
        self._step = int(row["step"])
        bad = [k for k, v in row.items() if isinstance(v, float) and not math.isfinite(v)]
        new = []
        if bad and not any(finding.name == "non_finite" for finding in self.findings):
            new = [
                Finding(
                    "non_finite",
                    "failure",
                    self._step,
                    self._step,
                    f"{bad[0]} is {row[bad[0]]}.",
                    {bad[0]: row[bad[0]]},
                )
            ]
        self.findings += new
        return new

    def verdict(self) -> Finding | None:
        """`healthy`, or None where a failure was found."""
        if any(finding.severity == "failure" for finding in self.findings):
            return None
        return Finding("healthy", "info", self._step, 0, "No failure was found.")


def diagnose(rows: Iterable[Mapping[str, Any]], **context: Any) -> list[Finding]:
    """What a Monitor finds in the rows, read in turn, and its verdict."""
    monitor = Monitor(**context)
    for row in rows:
        monitor.see(row)
    verdict = monitor.verdict()
    return monitor.findings + ([verdict] if verdict else [])
