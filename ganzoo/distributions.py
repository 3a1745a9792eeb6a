"""Find what installed packages register under an entry-point group, without importing any."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import EntryPoint

from ganzoo.errors import GanzooError


def points(group: str) -> list[EntryPoint]:
    """All entry points of the group; one that is met twice on the path counts once."""
    unique = {
        (point.name, origin(point), point.value): point
        for point in importlib.metadata.entry_points(group=group)
    }
    return list(unique.values())


def origin(point: EntryPoint) -> str:
    """The distribution that brings it, with its version."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"


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
