"""The interface of a view, and the view that shows nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ganzoo.eval.diagnosis.findings import Finding


class View(Protocol):
    """Whoever watches: the terminal, a notebook, a page, a test.

    A training calls `progress` and `finding`, an evaluation `start` and `advance`, both `say`.
    """

    batch: int
    """Samples in a step; set by the loop before the first progress."""

    def say(self, text: str) -> None:
        """One line for the user."""

    def progress(self, step: int, total: int, rate: float, row: Mapping[str, Any]) -> None:
        """`step` of `total` is done at `rate` steps/s; `row` holds the newest scalars."""

    def finding(self, finding: Finding) -> None:
        """The monitor has found something."""

    def start(self, what: str, total: int) -> None:
        """`what` begins: `total` samples will go by, or 0 where they cannot be counted."""

    def advance(self, count: int) -> None:
        """So many more samples have gone by."""


class Silent:
    """The view that shows nothing; every other view derives from it."""

    batch = 1

    def say(self, text: str) -> None:
        pass

    def progress(self, step: int, total: int, rate: float, row: Mapping[str, Any]) -> None:
        pass

    def finding(self, finding: Finding) -> None:
        pass

    def start(self, what: str, total: int) -> None:
        pass

    def advance(self, count: int) -> None:
        pass
