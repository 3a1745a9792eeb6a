"""What a check of the contract says: an outcome in one line, and where to look."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Result:
    """The outcome of a check in one case: `ok`, `failed`, `skipped` or `note`."""

    check: str
    case: str
    status: str
    message: str = ""

    def __str__(self) -> str:
        text = f"{self.status:8}{self.check}"
        text += f" ({self.case})" if self.case else ""
        return f"{text}: {self.message}" if self.message else text


def judged(check: str, case: str, holds: bool, message: str) -> Result:
    """Ok where it holds; else failed, with what was expected, what came and where to look."""
    return Result(check, case, "ok") if holds else Result(check, case, "failed", f"{message}.")


def where(plugin: Any, *names: str) -> str:
    """`file.py:12 (generator)`: the first of these methods that is not ganzoo's own default."""
    for name in names:
        function = getattr(type(plugin), name, None)
        if inspect.isfunction(function) and function.__module__ != "ganzoo.plugin":
            code = function.__code__
            return f"{Path(code.co_filename).name}:{code.co_firstlineno} ({name})"
    cls = type(plugin)
    return f"{Path(inspect.getfile(cls)).name} ({cls.__name__})"


def raised(check: str, cls: type, error: BaseException) -> Result:
    """A check that an exception ended: its first words, and the line of the plugin's file."""
    source = inspect.getfile(cls)
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == source]
    place = f"{Path(source).name}:{lines[-1]}" if lines else f"{Path(source).name} ({cls.__name__})"
    words = " ".join(str(error).split())
    words = words if len(words) <= 300 else f"{words[:300]}..."
    return Result(check, "", "failed", f"{type(error).__name__}: {words} See {place}.")


def some(names: Sequence[str]) -> str:
    """Up to three of them, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
