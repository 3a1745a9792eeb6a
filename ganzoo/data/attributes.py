"""Attributes of the images of a folder: `attributes.csv`, or the list that CelebA comes with.

`attributes.csv` lies in the folder, or in each of `train` and `test`: a head, then in each line the
name of an image and numbers. CelebA's `list_attr_celeba.txt` lies in the folder or beside it, and
its -1 and 1 become 0 and 1; `list_eval_partition.txt` says which images are held out.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from ganzoo import reading
from ganzoo.errors import GanzooError

CSV, CELEBA, PARTITION = "attributes.csv", "list_attr_celeba.txt", "list_eval_partition.txt"
LARGEST = 200 * 2**20
"""Bytes; CelebA's list has 27 million."""
LARGEST_NUMBER = float(np.finfo(np.float32).max)
SPLIT_OF = {"0": "train", "1": "train", "2": "test"}
"""CelebA's validation images are trained on, since no choice is made by them here."""

Value = TypeVar("Value")


class Attributes(NamedTuple):
    """What is known of the images; without names where nothing is."""

    names: tuple[str, ...] = ()
    rows: Mapping[str, np.ndarray] = {}
    """Image -> float32, one number for each name."""
    note: str | None = None


def find(root: Path, files: Sequence[str], splits: Sequence[str] = ()) -> Attributes:
    """The attributes of these image files, whose names are relative to `root`.

    A row names an image relative to the folder of its table, or by its last name where no other
    image has that. Raises GanzooError where some images have a row and others have none.
    """
    places = _tables(root, splits)
    names: tuple[str, ...] = ()
    rows: dict[str, np.ndarray] = {}
    spare = 0
    for path in places:
        own_names, told = (_celeba if path.name == CELEBA else _csv)(path)
        if names and own_names != names:
            raise GanzooError(
                f"{path} has the columns {', '.join(own_names)}, expected {', '.join(names)} as in "
                f"{places[0]}."
            )
        names = own_names
        base = f"{path.parent.name}/" if path.parent.parent == root else ""
        matched, extra = _matched(told, files, base, path)
        rows |= matched
        spare += extra
    if not rows:
        here = places and places[0].is_relative_to(root)
        return Attributes(note=f"no image has a row in {places[0].name}" if here else None)
    _check_complete(rows, files, places[0])
    what = "1 row" if spare == 1 else f"{spare} rows"
    return Attributes(names, rows, f"{what} of {places[0].name} without image" if spare else None)


def partition(root: Path, files: Sequence[str]) -> dict[str, str] | None:
    """Image -> split, by CelebA's own list; None where that is not there or of other images."""
    path = _beside(root, PARTITION)
    if path is None:
        return None
    told: dict[str, str] = {}
    for number, line in enumerate(_text(path).splitlines(), 1):
        name, *split = line.split() or [""]
        if name and (len(split) != 1 or split[0] not in SPLIT_OF):
            raise GanzooError(
                f"{path}, line {number}: expected an image and 0, 1 or 2, not {line[:80]!r}."
            )
        if name:
            _add(told, name, SPLIT_OF[split[0]], path, number)
    found, _ = _matched(told, files, "", path)
    if found:
        _check_complete(found, files, path)
    return found or None


def unused(root: Path) -> str | None:
    """A note that a table lies in a folder where nothing reads it."""
    there = [name for name in (CSV, CELEBA) if (root / name).exists()]
    return f"{there[0]} is not used: two domains have no attributes" if there else None


def _tables(root: Path, splits: Sequence[str]) -> list[Path]:
    own = [root / CSV] if (root / CSV).exists() else []
    own = own or [root / part / CSV for part in splits if (root / part / CSV).exists()]
    celeba = _beside(root, CELEBA)
    return own or ([celeba] if celeba else [])


def _beside(root: Path, name: str) -> Path | None:
    """The file in the folder or in the one above: CelebA has a folder for its images."""
    return next((p for p in (root / name, root.parent / name) if p.exists()), None)


def _text(path: Path) -> str:
    try:
        return reading.content(path, LARGEST, follow=True).decode("utf-8-sig")
    except OSError as error:
        raise GanzooError(f"cannot read {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise GanzooError(
            f"{path} is not UTF-8 (byte {error.start} is {error.object[error.start]:#x}): save it "
            "as CSV in UTF-8."
        ) from error


Table = tuple[tuple[str, ...], dict[str, np.ndarray]]


def _csv(path: Path) -> Table:
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        lines = [(reader.line_num, line) for line in reader if any(map(str.strip, line))]
    except csv.Error as error:
        raise GanzooError(f"{path}, line {reader.line_num}: no CSV ({error}).") from error
    names = _names([name.strip() for name in lines[0][1]][1:] if lines else [], path)
    rows: dict[str, np.ndarray] = {}
    for number, (name, *cells) in lines[1:]:
        _add(rows, _relative(name), _numbers(cells, names, path, number), path, number)
    return names, _some(rows, path)


def _celeba(path: Path) -> Table:
    lines = _text(path).splitlines()
    names = _names(lines[1].split() if len(lines) > 1 else [], path)
    rows: dict[str, np.ndarray] = {}
    for number, line in enumerate(lines[2:], 3):
        if line.strip():
            name, *cells = line.split()
            values = _numbers(cells, names, path, number)
            if not {"-1", "1"}.issuperset(cells):
                raise GanzooError(f"{path}, line {number}: expected -1 and 1, not {line[:80]!r}.")
            _add(rows, name, np.maximum(values, 0), path, number)
    if lines[0].strip() != str(len(rows)):
        raise GanzooError(
            f"{path} says in its first line that it has {lines[0].strip()[:20]!r} rows, and has "
            f"{len(rows)}: it is cut, so fetch it again."
        )
    return names, _some(rows, path)


def _names(names: list[str], path: Path) -> tuple[str, ...]:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if not names or twice or "" in names:
        came = f"two columns called {twice[0]!r}" if twice else "a column without a name"
        raise GanzooError(
            f"{path}: expected a head that names the image and then each attribute once, as in "
            f"image,smiling,age, with commas; it has {came if names else 'no attributes'}."
        )
    return tuple(names)


def _relative(name: str) -> str:
    return name.strip().replace("\\", "/").removeprefix("./")


def _numbers(cells: list[str], names: tuple[str, ...], path: Path, number: int) -> np.ndarray:
    if len(cells) != len(names):
        raise GanzooError(
            f"{path}, line {number}: expected {len(names)} values after the name of the image, not "
            f"{len(cells)}."
        )
    wrong = next((place for place, cell in enumerate(cells) if not _is_number(cell)), None)
    if wrong is not None:
        raise GanzooError(
            f"{path}, line {number}, column {names[wrong]!r}: expected a number, not "
            f"{cells[wrong][:40]!r}."
        )
    return np.array(list(map(float, cells)), np.float32)


def _is_number(cell: str) -> bool:
    try:
        return abs(float(cell)) <= LARGEST_NUMBER  # NaN is not
    except ValueError:
        return False


def _add(rows: dict[str, Value], name: str, value: Value, path: Path, number: int) -> None:
    if name in rows:
        raise GanzooError(f"{path}, line {number}: {name!r} is there twice: keep one row of it.")
    rows[name] = value


def _some(rows: dict[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    if not rows:
        raise GanzooError(f"{path} has a head and no rows: expected one for each image.")
    return rows


def _matched(
    told: Mapping[str, Value], files: Sequence[str], base: str, path: Path
) -> tuple[dict[str, Value], int]:
    """Image -> its row, and how many rows have no image."""
    own = {file.removeprefix(base): file for file in files if file.startswith(base)}
    last = Counter(name.rpartition("/")[2] for name in own)
    found, used = {}, set()
    for name, file in own.items():
        short = name.rpartition("/")[2]
        row = name if name in told else short
        if row not in told or (row != name and row in own):  # the row of the image called just so
            continue
        if row != name and last[short] > 1:
            raise GanzooError(
                f"{path}: {last[short]} images are called {short}: name them by their folder too, "
                f"as in {name}."
            )
        found[file] = told[row]
        used.add(row)
    return found, len(told) - len(used)


def _check_complete(found: Mapping[str, Value], files: Sequence[str], path: Path) -> None:
    missing = [file for file in files if file not in found]
    if missing:
        raise GanzooError(
            f"{path} has no row for {len(missing)} of {len(files)} images, the first is "
            f"{missing[0]}: add them, or take these images out."
        )
