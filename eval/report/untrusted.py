"""Make what a stranger may have written safe to show on a page."""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_TEXT = 400
MAX_ITEMS = 500
MAX_BYTES = 256_000_000
COMMAND = re.compile(r"ganzoo [^;&|<>$`\\\n\r]*")


def text(value: Any, limit: int = MAX_TEXT) -> str:
    """A value as one line of at most `limit` characters, without control characters.

    >>> text(0.0002), text([28, 28, 1]), text(None), text(True)
    ('0.0002', '28 x 28 x 1', 'none', 'yes')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**15 else text(number(value))
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)) and value and all(type(v) is int for v in value[:9]):
        return " x ".join(map(text, value[:9]))[:limit]
    line = "".join(c if c.isprintable() else " " for c in str(value)[: limit + 1])
    return line if len(line) <= limit else line[: limit - 1] + "…"


def number(value: Any) -> float | None:
    """A number, or the name of one that is not finite; None for everything else.

    >>> number(3), number("nan"), number("3"), number(True), number(10**400)
    (3.0, nan, None, None, inf)
    """
    if isinstance(value, bool):
        return None
    if value in ("nan", "inf", "-inf"):
        return float(value)
    if not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def step(value: Any, otherwise: int | None = None) -> int | None:
    """A whole, finite number of steps, or `otherwise`."""
    found = number(value)
    return int(found) if found is not None and 0 <= found < 1e15 else otherwise


def command(value: Any) -> str:
    """A command of ganzoo's that runs nothing else, or an empty string.

    >>> command("ganzoo train dcgan"), command("ganzoo train; curl example.org | sh")
    ('ganzoo train dcgan', '')
    """
    line = text(value or "")
    return line if COMMAND.fullmatch(line) else ""


def shares(value: Any) -> list[float]:
    """A histogram: numbers from 0 to 1, or an empty list."""
    found = [number(v) for v in value[:MAX_ITEMS]] if isinstance(value, list) else []
    return found if all(v is not None and 0 <= v <= 1 for v in found) else []


def flat(value: Any, prefix: str = "", skip: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Nested mappings as (`outer inner`, text), without what is None, empty or in `skip`."""
    for name, inner in list(value.items())[:MAX_ITEMS] if isinstance(value, dict) else ():
        if name in skip or inner is None or inner in ({}, []):
            continue
        if isinstance(inner, dict):
            yield from flat(inner, f"{prefix}{text(name)} ", skip)
        else:
            yield f"{prefix}{text(name)}", text(inner)


def objects(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a .jsonl file; a line that is none is passed over."""
    with contextlib.suppress(OSError):
        if path.is_file() and path.stat().st_size <= MAX_BYTES:
            for line in path.read_bytes().splitlines():
                with contextlib.suppress(ValueError, RecursionError):
                    item = json.loads(line)
                    if isinstance(item, dict):
                        yield item


def files(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder itself, sorted: a link may lead anywhere and is passed over."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(p for p in folder.glob(pattern) if p.is_file() and not p.is_symlink())[:MAX_ITEMS]


def numbered(folder: Path, ending: str) -> list[tuple[int, Path]]:
    """(step, file) of a folder's `step-00000500.ENDING`, in order of step."""
    found = [(p.stem.removeprefix("step-"), p) for p in files(folder, f"step-*.{ending}")]
    return sorted(
        (int(n), path) for n, path in found if n.isascii() and n.isdigit() and n[16:] == ""
    )
