"""Name -> arrays and their description: the built-in sets, folders, files, other packages' sets.

Images stay uint8 until they reach the device; `to_float` says what the loop makes of them there.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganzoo.errors import GanzooError, UsageError, unknown
from ganzoo.spec import DataSpec

GROUP = "ganzoo.datasets"
SPLITS = ("train", "test")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Named arrays with the same first axis, and what one sample of them looks like.

    The array `spec.key` holds uint8 images (n, h, w, c) or float32 points (n, d); `label` holds
    int32 classes.
    """

    name: str
    spec: DataSpec
    arrays: dict[str, np.ndarray]
    licence: str = "unknown"
    source: str = ""
    """Where it was found, or how it was made."""
    note: str | None = None
    """One line that the user must see: what was replaced or left out."""
    class_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.arrays[self.spec.key])

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 over names, types, shapes and bytes of the arrays."""
        digest = hashlib.sha256()
        for name in sorted(self.arrays):
            array = np.ascontiguousarray(self.arrays[name])
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(array.data)
        return digest.hexdigest()


def to_float(pixels: np.ndarray) -> np.ndarray:
    """uint8 0..255 -> float32 [-1, 1]."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_uint8(values: np.ndarray) -> np.ndarray:
    """[-1, 1] -> uint8 0..255, rounded; what lies outside is clipped."""
    return np.clip(np.rint((np.asarray(values, np.float32) + 1) * 127.5), 0, 255).astype(np.uint8)


Loader = Callable[[int | None, str], Dataset]


def _builtin() -> dict[str, tuple[str, Loader]]:
    from ganzoo.data import digits, points, standard

    return {
        "auto": ("MNIST where it can be had, else digits", standard.auto),
        "mnist": ("60,000 handwritten digits, 28x28", standard.mnist),
        "fashion_mnist": ("60,000 pieces of clothing, 28x28", standard.fashion_mnist),
        "cifar10": ("50,000 colour photographs, 32x32", standard.cifar10),
        "digits": ("1,797 embedded digits of 8x8, enlarged to 16x16", digits.digits),
        "gaussian1d": ("100,000 numbers from a normal distribution", points.gaussian1d),
        "ring": ("100,000 points on 8 Gaussians in a ring", points.ring),
        "grid": ("100,000 points on 25 Gaussians in a grid", points.grid),
    }


def _installed() -> dict[str, list[importlib.metadata.EntryPoint]]:
    found: dict[str, list[importlib.metadata.EntryPoint]] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        found.setdefault(point.name, []).append(point)
    return found


def names() -> dict[str, str]:
    """Every data set's name, with one line about it."""
    known = {name: line for name, (line, _) in _builtin().items()}
    for name, points in _installed().items():
        known[name] = "from " + " and ".join(_origin(p) for p in points)
    return known


def load(name: str, *, size: int | None = None, split: str = "train") -> Dataset:
    """The data set called `name`, or at the path `name` of a folder, an .npz or an .npy file.

    `size` resizes images to size x size with an antialiasing filter. `split` is "train" or
    "test"; held-out samples are never among the training ones.
    """
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    if size is not None and not 1 <= size <= 4096:
        raise UsageError(f"size must lie in 1..4096 pixels, not {size}.")
    builtin, installed = _builtin(), _installed()
    if name in builtin and name in installed:
        raise UsageError(f"the data set {name!r} is claimed by ganzoo and by "
                         f"{_origin(installed[name][0])}: uninstall one.")
    if name in builtin:
        return builtin[name][1](size, split)
    if name in installed:
        return _third_party(name, installed[name], size, split)
    path = Path(name)
    if path.is_dir():
        from ganzoo.data.folder import folder

        return folder(path, size, split)
    if path.suffix in (".npz", ".npy"):
        from ganzoo.data.files import array_file

        return array_file(path, size, split)
    if path.exists() or "/" in name:
        raise UsageError(f"data {name!r} is neither a folder of images nor an .npz or .npy file"
                         + ("." if path.exists() else ": it does not exist."))
    raise unknown("data set", name, {*builtin, *installed})


def _third_party(name: str, points: list[importlib.metadata.EntryPoint], size: int | None,
                 split: str) -> Dataset:
    if len(points) > 1:
        raise UsageError(f"the data set {name!r} is claimed by "
                         f"{' and by '.join(map(_origin, points))}: uninstall one.")
    try:
        found = points[0].load()(size, split)
    except GanzooError:
        raise
    except Exception as error:  # a stranger's code may raise anything
        raise GanzooError(f"data set {name!r} ({_origin(points[0])}) fails: "
                          f"{type(error).__name__}: {error}.") from error
    if not isinstance(found, Dataset):
        raise GanzooError(f"data set {name!r} ({_origin(points[0])}) gave "
                          f"{type(found).__name__}, expected ganzoo.data.Dataset.")
    return found


def _origin(point: importlib.metadata.EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value
