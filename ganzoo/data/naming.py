"""Which arrays of a file belong together, and which of them are its values and labels: by name."""

from __future__ import annotations

import numpy as np

from ganzoo.data.beside import plain
from ganzoo.data.values import looks_like_images
from ganzoo.errors import GanzooError

VALUES = ("image", "images", "x", "x_train", "train", "point", "points", "arr_0")
LABELS = ("label", "labels", "y", "y_train")
TEST_VALUES = ("x_test", "test", "test_images", "image_test")
TEST_LABELS = ("y_test", "test_labels", "label_test")
KNOWN = LABELS + TEST_VALUES + TEST_LABELS

Stored = dict[str, np.ndarray]


def by_prefix(stored: Stored) -> dict[str, Stored]:
    """Prefix -> arrays by the rest of their names; those without a slash have the prefix "".

    The only array of a file is its values, whatever it is called.
    """
    if len(stored) == 1:
        return {"": stored}
    groups: dict[str, Stored] = {}
    for key, array in stored.items():
        prefix, slash, rest = key.partition("/")
        groups.setdefault(prefix if slash else "", {})[rest if slash else key] = array
    return groups or {"": {}}


def first(groups: dict[str, Stored], name: str) -> str:
    """The group of the key: `a` if it has values, or else the first that has some."""
    if list(groups) == [""]:
        return ""
    order = sorted(groups, key=lambda prefix: plain(prefix) != "a")
    for prefix in order:
        if values_of(groups[prefix], name) is not None:
            return prefix
    every = [f"{prefix}/{rest}" for prefix in groups for rest in groups[prefix]]
    raise GanzooError(
        f"{name}: expected a group with an array called image, x, x_train or point, as in "
        f"a/image, not {', '.join(every)}."
    )


def values_of(members: Stored, name: str) -> str | None:
    """Which array of a group its values are: by its name, or the only one if it looks like some."""
    found = pick(members, VALUES, "values", name)
    rest = [key for key in members if key.lower() not in KNOWN]
    if found is None and len(rest) == 1:
        only = members[rest[0]]
        points = only.ndim == 2 and only.dtype.kind == "f"
        found = rest[0] if points or looks_like_images(only) else None
    return found


def choose(stored: Stored, name: str) -> tuple[str, str | None]:
    """The names of the values and of the labels beside them."""
    values, labels = (pick(stored, VALUES, "values", name), pick(stored, LABELS, "labels", name))
    if values is None:
        rest = [key for key in stored if key.lower() not in KNOWN]
        if len(rest) != 1:
            raise GanzooError(
                f"{name}: expected an array called image, x, x_train or point, or a "
                f"single one, not {', '.join(stored) or 'an empty file'}."
            )
        values = rest[0]
    return values, labels


def pick(stored: Stored, wanted: tuple[str, ...], what: str, name: str) -> str | None:
    """The only array that has one of the wanted names, or None; two of them are an error."""
    found = [key for key in stored if key.lower() in wanted]
    if len(found) > 1:
        raise GanzooError(
            f"{name} has several arrays that could be the {what}: {', '.join(found)}; "
            "keep one of them."
        )
    return found[0] if found else None
