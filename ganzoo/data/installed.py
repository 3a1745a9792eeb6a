"""Data sets of other distributions, by the entry-point group `ganzoo.datasets`.

An entry point is a callable `(size, split) -> Dataset`. It is imported when it is asked for by its
name, and not before.
"""

from __future__ import annotations

import dataclasses
from importlib.metadata import EntryPoint

from ganzoo import distributions, import_check
from ganzoo.data.dataset import Dataset
from ganzoo.distributions import origin
from ganzoo.errors import GanzooError

GROUP = "ganzoo.datasets"


def names() -> dict[str, str]:
    """Name -> which distribution it comes from."""
    return distributions.names(GROUP)


def find(name: str) -> list[EntryPoint]:
    """Every claim on `name`."""
    return distributions.find(GROUP, name)


def refuse_clash(name: str, claims: list[EntryPoint], built_in: bool = False) -> None:
    """An error that names all who claim `name`, when they are more than one."""
    distributions.refuse_clash("data set", name, claims, built_in)


def load(point: EntryPoint, size: int | None, split: str) -> Dataset:
    """Import and call one; what fails in foreign code is one sentence that names its origin."""
    outcome = import_check.of_point(point)
    if outcome.fatal:
        raise GanzooError(
            f"the data set {point.name!r} of {origin(point)} is broken: {outcome.error}"
        )
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
