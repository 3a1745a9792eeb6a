"""The files of CIFAR-10: pickled batches in a folder or an archive, or a lossless part as arrays.

The batches are pickles, and a pickle can run code: each is checked against its published MD5, and
read by an unpickler that can build NumPy arrays and plain Python values and nothing else.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ganzoo import reading
from ganzoo.data import arrays
from ganzoo.errors import GanzooError

Pair = tuple[np.ndarray, np.ndarray]

LARGEST = 2**30
"""Bytes of a file, and of what it unpacks to; the archive unpacks to 186 million."""
FOLDER = "cifar-10-batches-py"
BATCHES = {
    "train": {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    },
    "test": {"test_batch": "40351d587109b95175f43aff81a1287e"},
}


def read_batches(path: Path, split: str) -> Pair | None:
    """Images `(n, 32, 32, 3)` and labels of a folder or `.tar.gz` of batches; None without it."""
    if not path.exists():
        return None
    wanted = BATCHES[split]
    found = dict(_members(path, wanted))
    if missing := [name for name in wanted if name not in found]:
        raise GanzooError(f"{path} is incomplete: it lacks {', '.join(missing)}; fetch it again.")
    parts = [_read_batch(found[name], md5, f"{name} of {path}") for name, md5 in wanted.items()]
    images, labels = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def read_part(path: Path, split: str) -> Pair | None:
    """Images and labels of a lossless part of CIFAR-10 stored as `x_train`, `y_train` and so on."""
    if not path.is_file():
        return None
    stored = arrays.read(path)
    try:
        return stored[f"x_{split}"], stored[f"y_{split}"].reshape(-1)
    except KeyError as error:
        raise GanzooError(f"{path} has no array {error}; it has {', '.join(stored)}.") from None


def _members(path: Path, wanted: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            for name in wanted:
                if (path / name).exists():
                    yield name, reading.content(path / name, LARGEST, follow=True)
            return
        with (
            reading.opened(path, LARGEST, follow=True) as file,
            tarfile.open(fileobj=file, mode="r|*") as archive,
        ):
            for member in archive:
                if member.offset_data + member.size > LARGEST:
                    raise OSError(f"it unpacks to more than {LARGEST:,} bytes")
                name = member.name.rpartition("/")[2]
                if name in wanted and member.isfile():
                    yield name, archive.extractfile(member).read()
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise GanzooError(
            f"{path} is damaged or cannot be read ({error}); fetch it again."
        ) from error


def _read_batch(content: bytes, md5: str, name: str) -> Pair:
    if (came := hashlib.md5(content, usedforsecurity=False).hexdigest()) != md5:
        raise GanzooError(f"{name} is damaged: expected MD5 {md5}, not {came}; fetch it again.")
    batch = unpickle(content, name)
    try:
        images = np.asarray(batch[b"data"]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return np.ascontiguousarray(images), np.asarray(batch[b"labels"])
    except (KeyError, TypeError, ValueError) as error:
        raise GanzooError(f"{name} is not a batch of CIFAR-10 ({error!r}).") from error


def unpickle(content: bytes, name: str) -> Any:
    """The value in a pickle of arrays and plain values; anything else in it is refused, not run."""
    try:
        return _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can fail in any way
        raise GanzooError(f"{name} is not a pickle of plain arrays ({error}).") from error


class _ArraysOnly(pickle.Unpickler):
    ALLOWED: ClassVar = {
        "_reconstruct": np.empty(0).__reduce__()[0],
        "ndarray": np.ndarray,
        "dtype": np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray"):
            with_name = self.ALLOWED.get(name)
            if with_name is not None:
                return with_name
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")
