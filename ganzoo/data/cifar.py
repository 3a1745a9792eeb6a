"""The published "python version" of CIFAR-10: six pickled batches, in a folder or its tar.gz.

A pickle can run code, so a batch is read only when its MD5 is the published one, and then by an
unpickler that knows nothing but NumPy arrays.
"""

from __future__ import annotations

import io
import pickle
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ganzoo.data import idx
from ganzoo.errors import GanzooError

FOLDER = "cifar-10-batches-py"
MD5 = {  # as torchvision.datasets.CIFAR10 lists them
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}


def read(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 32, 32, 3) and labels of a split, from the folder or the tar.gz at `path`.

    Raises FileNotFoundError where it is not there, GanzooError where a batch is damaged.
    """
    names = [name for name in MD5 if (name == "test_batch") == (split == "test")]
    batches = _from_folder(path, names) if path.is_dir() else _from_archive(path, names)
    images = np.concatenate([images for images, _ in batches])
    return images, np.concatenate([labels for _, labels in batches])


def _from_folder(path: Path, names: list[str]) -> list[tuple[np.ndarray, np.ndarray]]:
    return [_batch(path / name, (path / name).read_bytes) for name in names]


def _from_archive(path: Path, names: list[str]) -> list[tuple[np.ndarray, np.ndarray]]:
    try:
        with tarfile.open(path) as archive:
            members = [archive.extractfile(f"{FOLDER}/{name}") for name in names]
            return [_batch(path / name, member.read)
                    for name, member in zip(names, members, strict=True)]
    except (tarfile.TarError, EOFError, KeyError, AttributeError, zlib.error) as error:
        raise GanzooError(f"{path} is truncated or damaged: {error}: replace it.") from error


def _batch(name: Path, content: Callable[[], bytes]) -> tuple[np.ndarray, np.ndarray]:
    raw = content()
    idx.check(name, raw, "md5", MD5[name.name])
    batch = _ArraysOnly(io.BytesIO(raw), encoding="bytes").load()
    images = batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), np.asarray(batch[b"labels"], np.int32)


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        if module.endswith(".multiarray") and name == "_reconstruct":
            return np.ndarray.__reduce__(np.empty(0))[0]  # its module moved in NumPy 2
        raise GanzooError(f"a CIFAR-10 batch asks for {module}.{name}: expected arrays only.")
