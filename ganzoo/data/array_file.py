"""What an `.npz` or `.npy` file holds: arrays of numbers, counted before they are read.

A file may be anybody's: a few bytes can claim, or be unpacked to, more than there is memory for,
and a pickle in it could run code.
"""

from __future__ import annotations

import math
import os
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from ganzoo import memory, reading
from ganzoo.errors import GanzooError

HEADS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
"""Format 3 is for names of fields in other scripts, and arrays with fields hold no numbers."""
PICKLED = (
    "holds pickled Python objects, which can run code and are not loaded: save plain arrays with "
    "np.savez."
)
FEWER = "save fewer samples, or smaller ones"


class PickledError(ValueError):
    """An array of Python objects."""


def read(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an `.npz` or `.npy` file by name, that of an `.npy` being `arr_0`.

    Raises GanzooError, naming the file, for what cannot be read or is damaged, for a pickle, and
    for a member that is no array; UsageError for what does not fit into memory.
    """
    try:
        with reading.told(path), reading.opened(path, follow=True) as file:
            return stored(file, str(path))
    except PickledError as error:
        raise GanzooError(f"{path} {PICKLED}") from error
    except ValueError as error:
        raise GanzooError(
            f"{path} is truncated, damaged or no array file ({error}): save it again "
            "with np.savez or np.save."
        ) from error


def stored(file: BinaryIO, name: str = "the file") -> dict[str, np.ndarray]:
    """As `read`, of an open file: a ValueError says what is wrong with its content."""
    try:
        return _stored(file, name)
    except (GanzooError, PickledError):
        raise
    except Exception as error:  # zipfile, zlib, tokenize and NumPy each have their own for damage
        raise ValueError(str(error) or type(error).__name__) from error


def _stored(file: BinaryIO, name: str) -> dict[str, np.ndarray]:
    begin = file.read(1)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if begin == b"P":
        return _archive(file, name)
    if begin == b"\x93":
        memory.require(size, name, FEWER)
        return {"arr_0": _array(file, size, "it")}
    raise PickledError if begin == b"\x80" else ValueError("it does not begin as one")


def _archive(file: BinaryIO, name: str) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        memory.require(sum(member.file_size for member in members), name, FEWER)
        found = {}
        for member in members:
            with archive.open(member) as inner:
                array = _array(inner, member.file_size, f"its member {member.filename!r}")
            found[member.filename.removesuffix(".npy")] = array
        return found


def _array(file: BinaryIO, size: int, what: str) -> np.ndarray:
    """The array that begins here; it ends before `size`, whatever its head claims."""
    if file.read(len(npy.MAGIC_PREFIX)) != npy.MAGIC_PREFIX:
        raise ValueError(f"{what} is no array")
    file.seek(0)
    head = HEADS.get(npy.read_magic(file))
    if head is None:
        raise ValueError(f"{what} is of a format that holds no numbers")
    shape, _, dtype = head(file)
    if dtype.hasobject:
        raise PickledError
    claimed = math.prod(shape) * dtype.itemsize
    if claimed > size:
        raise ValueError(
            f"{what} claims {'x'.join(map(str, shape))} values of {dtype}, which are "
            f"{memory.size(claimed)}, and has {memory.size(size)}"
        )
    file.seek(0)
    return npy.read_array(file, allow_pickle=False)
