"""Rows for a sampler's inputs: an array, a file, a folder, or a split of the run's data set."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ganzoo import memory, reading
from ganzoo.data import arrays, folder, images, naming, to_float, values
from ganzoo.data.resize import in_threads
from ganzoo.errors import GanzooError, UsageError, unknown
from ganzoo.inputs import Input
from ganzoo.priors import Data
from ganzoo.run import RunDir
from ganzoo.sampling import Sampler, StoredRows

SPLITS = ("test", "train")


def check_fits(sampler: Sampler, n: int, output: str | None = None, held: int = 2) -> None:
    """Refuse more samples than there is memory for: their inputs, and themselves `held` times."""
    chosen = sampler.output(output)
    numbers = sum(math.prod(one.shape) for one in sampler.inputs if one.name in chosen.needs)
    needed = 4 * n * (numbers + held * math.prod(chosen.shape))
    memory.require(needed, f"to make {n:,} samples", "ask for fewer at a time")


def given(run: RunDir, sampler: Sampler, wanted: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The rows that `wanted` names for inputs of `sampler`.

    A value is an array (n, ...), a path of an image, of an `.npz` or `.npy` file or of a folder of
    images, or `test` or `train`: that split of the run's data set, for an input that data feeds.
    Images are cropped and resized to the input's side. Raises UsageError for anything else.
    """
    inputs = {one.name: one for one in sampler.inputs}
    for name in wanted:
        if name not in inputs:
            raise unknown("input", name, inputs)
    found = {name: _rows(run, inputs[name], value) for name, value in wanted.items()}
    return {name: np.atleast_1d(rows) for name, rows in found.items()}  # one number is one row


def _rows(run: RunDir, one: Input, value: Any) -> np.ndarray:
    if not isinstance(value, (str, os.PathLike)):
        return np.asarray(value)
    if value in SPLITS:
        if not isinstance(one.source, Data):
            raise UsageError(
                f"the input {one.name!r} is not fed by data ({one.source.kind}): give it rows of "
                "a file."
            )
        return StoredRows(run, str(value))(one.source)
    with reading.told(value):
        return _stored(Path(value).expanduser(), value, one)


def _stored(path: Path, value: Any, one: Input) -> np.ndarray:
    if not path.exists():
        raise UsageError(
            f"no rows for the input {one.name!r} at {value}: expected an image, an .npz or .npy "
            "file, a folder of images, test or train."
        )
    if path.suffix.lower() in (".npz", ".npy") and path.is_file():
        return _of_file(path, one)
    if len(one.shape) != 3:
        raise UsageError(
            f"the input {one.name!r} takes rows of {one.shape}, which are no images: give it an "
            ".npz or .npy file."
        )
    if isinstance(one.source, Data) and one.source.size:
        return _reduced(path, one, one.source)
    found = _pictures(path, one.shape[0])
    return _channels(found, one)


def _reduced(path: Path, one: Input, source: Data) -> np.ndarray:
    """Pictures of any size as the input takes them, in [-1, 1]: cut to a square, then reduced as
    the data was; smaller ones are enlarged, as everywhere."""
    side = min(one.shape[:2])

    def row(file: Path) -> np.ndarray | str:
        pixels = images.decode(file, None)
        if isinstance(pixels, np.ndarray) and min(pixels.shape[:2]) < side:
            pixels = images.decode(file, side)
        if isinstance(pixels, str):
            return pixels
        pixels = _squared(pixels) if one.shape[0] == one.shape[1] else pixels
        return source.of(to_float(_channels(pixels[None], one)), one.shape)[0]

    files = [path / name for name in sorted(images.find(path))] if path.is_dir() else [path]
    found = in_threads(row, files)
    good = [pixels for pixels in found if isinstance(pixels, np.ndarray)]
    if not good:
        why = f": {found[0]}" if found else ""
        raise GanzooError(f"{path} holds no image that can be read{why}.")
    return np.stack(good)


def _squared(pixels: np.ndarray) -> np.ndarray:
    """The middle of an image, as wide as it is high."""
    side = min(pixels.shape[:2])
    top, left = ((here - side) // 2 for here in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def _of_file(path: Path, one: Input) -> np.ndarray:
    stored = arrays.read(path)
    array = one.source.array if isinstance(one.source, Data) else one.name
    of_group = [name for name in stored if name.partition("/")[0] == array and "/" in name]
    main = [name for name in of_group if name.partition("/")[2].lower() in naming.VALUES]
    if one.name in stored or array in stored:
        rows = stored[one.name if one.name in stored else array]
    elif len(main) == 1:
        rows = stored[main[0]]
    elif len(stored) == 1:
        (rows,) = stored.values()
    else:
        raise UsageError(
            f"{path} holds {', '.join(stored)}: expected an array called {one.name!r}, or one."
        )
    if len(one.shape) == 3:
        return _channels(values.checked(rows, None, str(path)), one)
    return rows


def _pictures(path: Path, side: int) -> np.ndarray:
    if path.is_dir():
        found, _ = folder.samples(str(path), side)
        return found
    pixels = images.decode(path, side)
    if isinstance(pixels, str):
        raise GanzooError(f"{path} is no image that can be read: {pixels}.")
    return pixels[None]


def _channels(pixels: np.ndarray, one: Input) -> np.ndarray:
    """Grey pictures as colour where the input wants it; the other way round by their mean."""
    wanted, here = one.shape[-1], pixels.shape[-1]
    if (here, wanted) == (1, 3):
        return np.repeat(pixels, 3, -1)
    if (here, wanted) == (3, 1):
        grey = pixels.astype(np.float32) @ np.float32([0.299, 0.587, 0.114])
        return np.rint(grey)[..., None].astype(np.uint8)
    return pixels
