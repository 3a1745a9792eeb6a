"""What an interrupted run's folder has not, or has otherwise, than an uninterrupted one's."""

from __future__ import annotations

import json
import re
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml

CLOCK = ("seconds", "interval", "images_per_second", "crc32")
TIMES = re.compile(r"seconds|interval")
"""Arrays of a checkpoint by their names that hold wall times."""


@dataclass
class Difference:
    """Lost rows, changed arrays, and everything else in words."""

    rows: int = 0
    bits: int = 0
    told: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.told)

    def __str__(self) -> str:
        return "; ".join(self.told)[:800]


def difference(reference: Path, other: Path, but: Iterable[str] = ()) -> Difference:
    """All differences of `other` from `reference`, except in the files named in `but`."""
    found, but = Difference(), set(but)
    _rows(reference, other, found)
    for name in ("config.yaml", "status.json"):
        if name not in but:
            _say(found, name, _settings(reference / name), _settings(other / name))
    if not any(name.startswith("tensorboard/") for name in but):
        _events(reference / "tensorboard", other / "tensorboard", found)
    ours, theirs = (set(_files(run)) - but for run in (reference, other))
    for name in sorted(ours ^ theirs):
        found.told.append(f"{name} is {'missing' if name in ours else 'left over'}")
    for name in sorted(ours & theirs):
        _file(reference, other, name, found)
    return found


def _say(found: Difference, what: str, one: object, other: object) -> None:
    if one != other:
        found.told.append(f"{what}: {str(other)[:150]} and not {str(one)[:150]}")


def _files(run: Path) -> Iterator[str]:
    """All files but those that are compared in another way, or are nobody's."""
    apart = {"config.yaml", "status.json", "metrics.jsonl", "findings.jsonl", ".lock"}
    for path in run.rglob("*"):
        name = str(path.relative_to(run))
        if not path.is_dir() and name not in apart and not name.startswith("tensorboard/"):
            yield name


def _file(reference: Path, other: Path, name: str, found: Difference) -> None:
    one, two = reference / name, other / name
    if name.endswith(".npz"):
        wrong = _arrays(one, two)
        found.bits += len(wrong) if name.startswith("checkpoints/") else 0
        if wrong:
            found.told.append(f"{name}: {len(wrong)} arrays, such as {wrong[0]}")
    elif name.endswith(".json"):
        _say(found, name, json.loads(one.read_bytes()), _json(two))
    elif name.endswith(".pb"):
        _say(found, name, _graph(one), _graph(two))
    elif one.read_bytes() != two.read_bytes():
        found.told.append(f"{name} has other bytes")


def _arrays(one: Path, two: Path) -> list[str]:
    """The names of the arrays that are not the same bits."""
    try:
        with np.load(one) as a, np.load(two) as b:
            names = set(a.files) | set(b.files)
            return sorted(n for n in names if not TIMES.search(n) and not _same(a, b, n))
    except Exception as error:
        return [f"unreadable: {error}"]


def _same(a: np.lib.npyio.NpzFile, b: np.lib.npyio.NpzFile, name: str) -> bool:
    if name not in a.files or name not in b.files:
        return False
    one, two = a[name], b[name]
    return (one.dtype, one.shape) == (two.dtype, two.shape) and one.tobytes() == two.tobytes()


def _graph(path: Path) -> bytes:
    """A graph in one order: that of its attributes in the file is none of the program's."""
    from tensorflow.core.framework.graph_pb2 import GraphDef

    try:
        return GraphDef.FromString(path.read_bytes()).SerializeToString(deterministic=True)
    except Exception as error:
        return f"unreadable: {error}".encode()


# -- text -----------------------------------------------------------------------------------------


def _rows(reference: Path, other: Path, found: Difference) -> None:
    for name in ("metrics.jsonl", "findings.jsonl"):
        ours, theirs = (
            [_timeless(row) for row in _lines(run / name)] for run in (reference, other)
        )
        lost = [row for row in ours if row not in theirs]
        if name == "metrics.jsonl":
            found.rows += len(lost)
        if lost:
            found.told.append(f"{name}: lost or other are those of {_steps(lost)}")
        elif ours != theirs:
            extra = Counter(map(str, theirs)) - Counter(map(str, ours))
            found.told.append(f"{name}: {len(theirs)} rows, not {len(ours)}; {list(extra)[:2]}")


def _steps(rows: list[dict]) -> list:
    return [row.get("step") for row in rows][:8]


def _lines(path: Path) -> list[dict]:
    if not path.exists():
        return [{"step": "no file"}]
    return [_timeless(_json_of(line)) for line in path.read_bytes().splitlines()]


def _json_of(text: bytes) -> dict:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"step": f"unreadable: {text[:80]!r}"}


def _timeless(row: dict) -> dict:
    return {name: value for name, value in row.items() if name not in CLOCK}


def _json(path: Path) -> dict:
    return _json_of(path.read_bytes())


def _settings(path: Path) -> dict:
    """Of config.yaml all but the record, of status.json the state."""
    try:
        content = yaml.safe_load(path.read_bytes())
        return (
            {"state": content["state"]}
            if path.suffix == ".json"
            else {name: value for name, value in content.items() if name != "record"}
        )
    except (OSError, yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError, KeyError) as e:
        return {"unreadable": type(e).__name__}


# -- events ---------------------------------------------------------------------------------------


def _events(reference: Path, other: Path, found: Difference) -> None:
    ours, theirs = (Counter(events(folder)) for folder in (reference, other))
    for what, some in (("lost", ours - theirs), ("twice or extra", theirs - ours)):
        if some:
            found.told.append(f"events {what}: {sorted(some.elements())[:4]}")


def events(folder: Path) -> Iterator[tuple[int, str]]:
    """(step, tag) of every value in TensorBoard's files."""
    from tensorboard.compat.proto.event_pb2 import Event

    for path in sorted(folder.glob("*tfevents*")):
        for record in _records(path.read_bytes()):
            event = Event.FromString(record)
            for value in event.summary.value:
                yield event.step, value.tag


def _records(content: bytes) -> Iterator[bytes]:
    """The whole records of a TFRecord file: length, its checksum, data, its checksum."""
    place = 0
    while place + 12 <= len(content):
        (length,) = struct.unpack_from("<Q", content, place)
        if place + 16 + length > len(content):
            return
        yield content[place + 12 : place + 12 + length]
        place += 16 + length
