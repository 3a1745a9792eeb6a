"""Find what installed packages register under an entry-point group, without importing any.

One whose metadata cannot be read hides no other: `broken` tells of it.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.metadata
import importlib.util
from collections.abc import Iterator
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

from ganzoo import reading
from ganzoo.errors import GanzooError

GROUPS = "ganzoo."
"""What the names of all our groups begin with."""
LARGEST = 10 * 2**20


def points(group: str) -> list[EntryPoint]:
    """All entry points of the group; one that is met twice on the path counts once."""
    unique = {
        (point.name, origin(point), point.value): point
        for distribution in _distributions()
        for point in _points(distribution)
        if point.group == group
    }
    return list(unique.values())


def broken() -> dict[str, str]:
    """Distribution -> why its entry points cannot be read, of those that name one of our groups."""
    found = {}
    for distribution in _distributions():
        try:
            list(distribution.entry_points)
        except Exception as error:  # of the file, its encoding, or a line of it
            if GROUPS.encode() in _raw(distribution):
                found[_origin(distribution)] = f"{type(error).__name__}: {error}"
    return found


def _distributions() -> Iterator[Distribution]:
    """All that are installed; of two with one name the first on the path, as Python has it."""
    seen = set()
    for distribution in importlib.metadata.distributions():
        name = _name(distribution)
        if name not in seen:
            seen.add(name)
            yield distribution


def _points(distribution: Distribution) -> list[EntryPoint]:
    try:
        return list(distribution.entry_points)
    except Exception:  # told by `broken`, where it is of any concern
        return []


def _raw(distribution: Distribution) -> bytes:
    with contextlib.suppress(OSError):
        return reading.content(_folder(distribution) / "entry_points.txt", LARGEST, follow=True)
    return b""


def _folder(distribution: Distribution) -> Path:
    """Of its metadata; the standard library has no public name for it."""
    return Path(str(getattr(distribution, "_path", "")))


def _name(distribution: Distribution) -> str:
    """By its folder, as the standard library tells them apart too: reading all metadata is slow."""
    return _folder(distribution).stem.partition("-")[0].lower().replace(".", "_") or str(
        id(distribution)
    )


def origin(point: EntryPoint) -> str:
    """The distribution that brings it, with its version."""
    return _origin(point.dist) if point.dist else "an unknown distribution"


def _origin(distribution: Distribution) -> str:
    try:
        told = f"{distribution.name} {distribution.version}"
    except Exception:  # as for the entry points; a missing file may be no error, and no name
        told = "None None"
    return told if "None" not in told.split() else _folder(distribution).stem.replace("-", " ")


def names(group: str) -> dict[str, str]:
    """Name -> which distribution it comes from."""
    found: dict[str, list[str]] = {}
    for point in points(group):
        found.setdefault(point.name, []).append(origin(point))
    return {name: f"from {' and from '.join(origins)}" for name, origins in sorted(found.items())}


def find(group: str, name: str) -> list[EntryPoint]:
    """Every claim on `name`."""
    return [point for point in points(group) if point.name == name]


def refuse_clash(kind: str, name: str, claims: list[EntryPoint], built_in: bool = False) -> None:
    """An error that names all who claim the `kind` called `name`, when they are more than one."""
    origins = ["ganzoo"] * built_in + [origin(point) for point in claims]
    if len(origins) > 1:
        raise GanzooError(
            f"the {kind} {name!r} is claimed by {' and by '.join(origins)}: uninstall all but one."
        )


# -- their files ----------------------------------------------------------------------------------


def source(target: str) -> Path | None:
    """The file of `module` or `module:name`, found without importing it or its parents."""
    where: list[str] | None = None
    spec = None
    parts = target.split(":")[0].strip().split(".")
    for depth in range(len(parts)):
        spec = None
        with contextlib.suppress(ImportError, ValueError):
            name = ".".join(parts[: depth + 1])
            spec = (
                importlib.machinery.PathFinder.find_spec(name, where)
                if depth
                else importlib.util.find_spec(name)  # asks the hooks of editable installs too
            )
        if spec is None:
            return None
        where = list(spec.submodule_search_locations or ())
    return Path(spec.origin) if spec and spec.origin and spec.has_location else None


def package(file: Path) -> Path:
    """The outermost package that a source file is in; the file itself where it is in none."""
    found = file
    while (found.parent / "__init__.py").is_file():
        found = found.parent
    return found


def brings(file: Path) -> bool:
    """Whether a file is of a distribution that registers anything with ganzoo."""
    for distribution in _distributions():
        targets = [p.value for p in _points(distribution) if p.group.startswith(GROUPS)]
        for home in filter(None, map(source, targets)):
            if file.is_relative_to(package(home.resolve())):
                return True
        if targets and any(
            file == Path(str(distribution.locate_file(one))).resolve()
            for one in distribution.files or ()
        ):
            return True
    return False
