"""What perfect is, remembered: whatever is judged, real samples in its place score the same.

A file holds the values of one metric, by all that they depend on: both sets of real samples, the
extractor, the counts, how the data set is judged, the seed, and the code of the measures.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganzoo import plain_text, reading
from ganzoo.errors import GanzooError
from ganzoo.eval import sources
from ganzoo.eval.extractor import Extractor
from ganzoo.files import cache_dir, plain, write_atomic

LARGEST_FILE = 100_000


def place(
    metric: str, extractor: Extractor, real: sources.Stored, other: sources.Stored, **terms: Any
) -> Path:
    """Where the scores of some of `other` against `real` are kept; `terms` say of how many."""
    seen_by = [extractor.name, extractor.sha256, extractor.preprocessing, extractor.dim]
    content = [_digest(side) for side in (real, other)]
    parts = [metric, _code(), seen_by, content, vars(real.judging), terms]
    text = json.dumps(plain(parts), sort_keys=True)
    return cache_dir() / "perfect" / f"{hashlib.sha256(text.encode()).hexdigest()}.json"


def recalled(path: Path) -> dict[str, float] | None:
    """Name -> value; None where there is no such file, or it is damaged."""
    try:
        found = plain_text.json_object(reading.content(path, LARGEST_FILE, follow=False))
        return {name: float(value) for name, value in found.items()}
    except (OSError, ValueError, TypeError):
        return None


def remember(path: Path, values: Mapping[str, float]) -> None:
    """Best effort: a full or read-only cache costs time later, and nothing now."""
    try:
        write_atomic(path, json.dumps(plain(values)).encode())
    except GanzooError:
        return


def _digest(side: sources.Stored) -> str:
    """Of the samples and their labels."""
    labels = b"" if side.classes is None else side.classes.tobytes()
    return side.fingerprint + hashlib.sha256(labels).hexdigest()


@functools.cache
def _code() -> str:
    """Of the measures: another version of one finds other values."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
