"""Data sets of other distributions, by the entry-point group `ganzoo.datasets`.

An entry point is a callable `(size, split) -> Dataset`. It is imported when it is asked for by its
name, and not before.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata

from ganzoo.data.dataset import Dataset
from ganzoo.errors import GanzooError

GROUP = "ganzoo.datasets"


def points() -> list[importlib.metadata.EntryPoint]:
    """All entry points of the group; one that is met twice on the path counts once."""
    unique = {
        (point.name, origin(point), point.value): point
        for point in importlib.metadata.entry_points(group=GROUP)
    }
    return list(unique.values())


def origin(point: importlib.metadata.EntryPoint) -> str:
    """The distribution that brings it, with its version."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"


def names() -> dict[str, str]:
    """Name -> which distribution it comes from."""
    found: dict[str, list[str]] = {}
    for point in points():
        found.setdefault(point.name, []).append(origin(point))
    return {name: f"from {' and from '.join(origins)}" for name, origins in sorted(found.items())}


def find(name: str) -> list[importlib.metadata.EntryPoint]:
    """Every claim on `name`."""
    return [point for point in points() if point.name == name]


def refuse_clash(
    name: str, claims: list[importlib.metadata.EntryPoint], built_in: bool = False
) -> None:
    """An error that names all who claim `name`, when they are more than one."""
    origins = ["ganzoo"] * built_in + [origin(point) for point in claims]
    if len(origins) > 1:
        raise GanzooError(
            f"the data set {name!r} is claimed by {' and by '.join(origins)}: "
            "uninstall all but one."
        )


def load(point: importlib.metadata.EntryPoint, size: int | None, split: str) -> Dataset:
    """Import and call one; what fails in foreign code is one sentence that names its origin."""
    try:
        found = point.load()(size, split)
    except GanzooError:
        raise
    except (Exception, SystemExit) as error:
        raise GanzooError(
            f"the data set {point.name!r} of {origin(point)} is broken: "
            f"{type(error).__name__}: {error}."
        ) from error
    if not isinstance(found, Dataset):
        raise GanzooError(
            f"the data set {point.name!r} of {origin(point)} is broken: expected a "
            f"ganzoo.data.Dataset, not a {type(found).__name__}."
        )
    return dataclasses.replace(found, name=point.name)  # by which a run finds it again
