"""Tensors that PyTorch saved by `torch.save(module.state_dict())`, read without PyTorch.

Both of its formats are pickles beside raw numbers: a zip since version 1.6, and before that one
stream. The pickle may name nothing but tensors and dictionaries, so that no file can run code.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ganzoo import reading
from ganzoo.errors import GanzooError

DTYPES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "BoolStorage": np.dtype("?"),
}
LARGEST = 2**30
"""Bytes of a file, and of what it unpacks to; the published one has 96 million."""
AXES = 8
STREAM_MAGIC = 0x1950A86A20F9469CFC6C


class Storage(NamedTuple):
    """Numbers that lie elsewhere in the file."""

    key: str
    dtype: np.dtype


class Strided(NamedTuple):
    """A tensor: a part of a storage, in row-major order."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]


def read(path: Path) -> dict[str, np.ndarray]:
    """Name -> array, in the order of the file.

    Raises GanzooError for a file that is truncated, holds anything but tensors by name, or is of
    another kind.
    """
    try:
        with reading.opened(path, LARGEST, follow=True) as file:
            views, numbers = _zip(file) if zipfile.is_zipfile(file) else _stream(file)
        if not isinstance(views, dict) or not all(isinstance(v, Strided) for v in views.values()):
            raise ValueError("it holds something else than tensors by name")
        return {str(name): _array(view, numbers(view.storage)) for name, view in views.items()}
    except Exception as error:  # a damaged pickle can raise nearly anything
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise GanzooError(f"{path} is truncated or no state_dict of PyTorch ({said}).") from error


def _zip(file: BinaryIO) -> tuple[Any, Callable[[Storage], np.ndarray]]:
    archive = zipfile.ZipFile(file)
    [pickled] = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if sum(member.file_size for member in archive.infolist()) > LARGEST:
        raise ValueError(f"it unpacks to more than {LARGEST:,} bytes")
    root = pickled.removesuffix("data.pkl")
    unpickler = _Tensors(io.BytesIO(archive.read(pickled)))
    views = unpickler.load()
    found = {  # each is read once, however many tensors lie in it
        storage: np.frombuffer(archive.read(f"{root}data/{storage.key}"), storage.dtype)
        for storage in unpickler.storages
    }
    return views, found.__getitem__


def _stream(file: BinaryIO) -> tuple[Any, Callable[[Storage], np.ndarray]]:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if _Tensors(file).load() != STREAM_MAGIC:
        raise ValueError("it begins otherwise")
    for _ in ("protocol", "system"):
        _Tensors(file).load()
    unpickler = _Tensors(file)
    views = unpickler.load()
    dtypes = {storage.key: storage.dtype for storage in unpickler.storages}
    found = {}
    for key in _Tensors(file).load():
        count = int.from_bytes(file.read(8), "little")
        if count * dtypes[key].itemsize > size:
            raise ValueError(f"a storage claims {count:,} numbers")
        found[key] = np.frombuffer(file.read(count * dtypes[key].itemsize), dtypes[key], count)
    return views, lambda storage: found[storage.key]


class _Tensors(pickle._Unpickler):
    """An unpickler that knows four names; the one in Python, since C's makes room for as many
    values as a pickle says that it will name."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.storages: list[Storage] = []

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _view
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise ValueError(f"it asks for {module}.{name}: only plain tensors are read")

    def persistent_load(self, pid: Any) -> Storage:
        kind, dtype, key, *_ = pid
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise ValueError("its storages are of another kind")
        self.storages.append(Storage(str(key), dtype))
        return self.storages[-1]


def _view(storage: Storage, offset: int, shape: Any, strides: Any, *_: Any) -> Strided:
    if len(shape) > AXES:
        raise ValueError(f"a tensor has {len(shape)} axes")
    shape = tuple(map(int, shape))
    expected = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    if any(n > 1 and s != e for n, s, e in zip(shape, strides, expected, strict=True)):
        raise ValueError("the axes of a tensor are permuted: save contiguous ones")
    return Strided(storage, int(offset), shape)


def _array(view: Strided, numbers: np.ndarray) -> np.ndarray:
    count = math.prod(view.shape)
    part = numbers[view.offset : view.offset + count]
    if len(part) != count:
        raise ValueError(f"{count} numbers are expected and {len(part)} are there")
    return part.reshape(view.shape)
