"""What a check of the contract says: an outcome in one line, and where to look."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganzoo.plugin import Plugin


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


def where(plugin: Plugin, *names: str) -> str:
    """`file.py:12 (generator)`: the first of these methods that is not ganzoo's own default."""
    for name in names:
        function = getattr(type(plugin), name, None)
        if inspect.isfunction(function) and function.__module__ != "ganzoo.plugin":
            code = function.__code__
            return f"{Path(code.co_filename).name}:{code.co_firstlineno} ({name})"
    cls = type(plugin)
    return f"{Path(inspect.getfile(cls)).name} ({cls.__name__})"


def raised(check: str, cls: type, error: BaseException) -> Result:
    """A check that an exception ended: all of its words, and the line of the plugin's file.

    Keras and TensorFlow tell a line of traced code in their words only, and the first error may
    be the cause of the one that came.
    """
    source = inspect.getfile(cls)
    lines = [line for one in _chain(error) for line in _lines(one, source)]
    place = f"{Path(source).name}:{lines[-1]}" if lines else f"{Path(source).name} ({cls.__name__})"
    frames = traceback.extract_tb(error.__traceback__)
    if not lines and frames:
        place += f"; raised at {Path(frames[-1].filename).name}:{frames[-1].lineno}"
    words = " ".join(str(error).split())
    return Result(check, "", "failed", f"{type(error).__name__}: {words} See {place}.")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, then what it came from; the outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _lines(error: BaseException, source: str) -> list[int]:
    """The lines of the file `source` in an error's traceback, or in its words."""
    frames = traceback.extract_tb(error.__traceback__)
    told = re.findall(rf'File "{re.escape(source)}", line (\d+)', str(error))
    return [int(line) for line in told] + [f.lineno for f in frames if f.filename == source]


def some(names: Sequence[str]) -> str:
    """Up to three of them, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
