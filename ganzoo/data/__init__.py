"""Name -> arrays and their description. One file for each kind of source.

A data set is a built-in name, an entry point of the group `ganzoo.datasets` in any installed
distribution, or the path of a folder of images or of an `.npz` or `.npy` file.
"""

from __future__ import annotations

import os
from pathlib import Path

from ganzoo import handles, reading
from ganzoo.data import (
    arrays,
    auto,
    curves,
    digits,
    faces,
    folder,
    installed,
    looks,
    points,
    positive,
    stacked,
    standard,
)
from ganzoo.data.dataset import Dataset, Judging, Modes, to_float, to_uint8
from ganzoo.data.points import modes
from ganzoo.errors import UsageError, unknown

__all__ = ["Dataset", "Judging", "Modes", "load", "modes", "names", "to_float", "to_uint8"]

BUILT_IN = {
    name: source
    for source in (auto, standard, stacked, digits, faces, looks, points, curves, positive)
    for name in source.NAMES
}


def names() -> dict[str, str]:
    """All data sets that have a name, with one line each; nothing is imported or opened for it."""
    built_in = {name: source.NAMES[name] for name, source in BUILT_IN.items()}
    return built_in | {
        name: text for name, text in installed.names().items() if name not in built_in
    }


def load(name: str, *, size: int | None = None, split: str = "train") -> Dataset:
    """Load a data set by name or path, its images resized to `size` x `size` where that is given.

    `split` is "train" or "test"; no sample is in both. MNIST and its kin bring their own test
    split, and the other sources say in their docstring how they hold one out. Raises UsageError for
    an unknown name, size or split, and GanzooError for data that is missing or damaged.

    >>> load("ring").spec.shape
    (2,)
    """
    if split not in ("train", "test"):
        raise unknown("split", str(split), ["train", "test"])
    name = os.fspath(name)
    if handles.is_name(name):
        return handles.find(name).load(size, split)
    with reading.told(name):
        return _named(name, size, split)


def _named(name: str, size: int | None, split: str) -> Dataset:
    claims = installed.find(name)
    if name in BUILT_IN:
        installed.refuse_clash(name, claims, built_in=True)
        return BUILT_IN[name].load(name, size, split)
    if claims:
        installed.refuse_clash(name, claims)
        return installed.load(claims[0], size, split)
    return _from_path(name, size, split)


def _from_path(name: str, size: int | None, split: str) -> Dataset:
    path = Path(os.path.expanduser(name))
    if not name or len(name) > 4096 or len(path.name) > 255:  # no path: the system would raise
        raise unknown("data set", name[:80], names())
    if path.is_dir():  # made absolute: a run records it, and may be resumed from another folder
        return folder.load(str(path.resolve()), size, split)
    is_array = path.suffix.lower() in (".npz", ".npy")
    if path.exists() and is_array:
        return arrays.load(str(path.resolve()), size, split)
    if path.exists():
        raise UsageError(
            f"{name} is no data set: expected a folder of images or an .npz or .npy file."
        )
    if is_array or "/" in name or os.sep in name:
        raise UsageError(f"no data at {name}: expected a folder of images or an .npz or .npy file.")
    raise unknown("data set", name, names())
