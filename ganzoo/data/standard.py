"""MNIST, Fashion-MNIST and CIFAR-10: local files first, verified, then one download through Keras."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganzoo.data import cifar, download, idx, pixels
from ganzoo.data.dataset import Dataset
from ganzoo.errors import GanzooError
from ganzoo.quiet import quiet_start
from ganzoo.spec import DataSpec

Pair = tuple[np.ndarray, np.ndarray]

IDX_MD5 = {
    "mnist": {
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    },
    "fashion_mnist": {  # as in the README of zalandoresearch/fashion-mnist
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    },
}
KERAS_MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
CIFAR_PART = "cifar10_lossless_subset.npz"


class NotFound(GanzooError):
    """A published data set is in no place that was looked in, and did not download."""

    def __init__(self, name: str, places: list[str], reason: str) -> None:
        self.reason = reason
        super().__init__(f"{name} is in none of the places looked in ({'; '.join(places)}) and the "
                         f"download failed ({reason}): put its files there, or choose --data auto.")


@dataclass(frozen=True)
class Place:
    """Where a data set may lie, and how it is read from there: (path, split) -> images, labels."""

    path: Path
    read: Callable[[Path, str], Pair]
    cache: bool = False
    """Of Keras, which replaces a damaged file by itself; a user's damaged file is an error."""


@dataclass(frozen=True)
class Published:
    """The facts of a published data set."""

    shape: tuple[int, int, int]
    counts: dict[str, int]
    licence: str
    class_names: tuple[str, ...]
    places: Callable[[Path | None, Path], list[Place]]


def load(name: str, *, size: int | None, split: str, root: Path | None) -> Dataset:
    """The data set from the first place that has it.

    Raises NotFound, which lists the places, and GanzooError for a damaged file of the user's.
    """
    pixels.check_size(size)
    root = data_root(root)
    pair, source, missing = _search(name, split, root)
    note = reason = None
    if pair is None:
        reason = download.fetch(name)
        if reason is None:
            pair, source, missing = _search(name, split, root)
            reason = "Keras did not leave it in its cache"
    if pair is None and name == "cifar10":
        pair, source, note = _cifar_part(split, root)
    if pair is None:
        raise NotFound(name, missing, reason)
    images, labels = pair
    facts = PUBLISHED[name]
    images = pixels.resize(images.reshape(len(images), *facts.shape), size)
    spec = DataSpec(images.shape[1:], classes=10)
    arrays = {"image": images, "label": labels.astype(np.int32)}
    return Dataset(name, spec, arrays, facts.licence, str(source), note, facts.class_names)


def data_root(root: Path | str | None) -> Path | None:
    """The folder that holds a folder for each data set: what the caller says, or GANZOO_DATA."""
    root = root or os.environ.get("GANZOO_DATA")
    return Path(root).expanduser() if root else None


def _search(name: str, split: str, root: Path | None) -> tuple[Pair | None, Path | None, list[str]]:
    missing = [] if root else [f"$GANZOO_DATA/{name}, which is not set"]
    for place in PUBLISHED[name].places(root, download.keras_cache()):
        try:
            return place.read(place.path, split), place.path, missing
        except (FileNotFoundError, NotADirectoryError):
            missing.append(str(place.path))
        except GanzooError as error:
            if not place.cache:
                raise
            missing.append(f"{place.path}, which is damaged: {str(error).rstrip('.')}")
    return None, None, missing


def _idx_reader(name: str) -> Callable[[Path, str], Pair]:
    def read(folder: Path, split: str) -> Pair:
        start = "train" if split == "train" else "t10k"
        files = [folder / f"{start}-{part}-ubyte.gz" for part in ("images-idx3", "labels-idx1")]
        for file in files:
            if not file.exists():
                raise FileNotFoundError(file)
        images, labels = (idx.read(file, md5=IDX_MD5[name][file.name]) for file in files)
        return images, labels
    return read


def _keras_mnist(path: Path, split: str) -> Pair:
    raw = path.read_bytes()
    idx.check(path, raw, "sha256", KERAS_MNIST_SHA256)
    with np.load(io.BytesIO(raw), allow_pickle=False) as file:
        return file[f"x_{split}"], file[f"y_{split}"]


def _cifar_part(split: str, root: Path | None) -> tuple[Pair | None, Path | None, str | None]:
    """The first images only, where somebody left them: better than nothing, and said so."""
    path = root / "cifar10" / CIFAR_PART if root else None
    if path is None or not path.exists():
        return None, None, None
    from ganzoo.data.arrays import read_npz

    file = read_npz(path)
    images, labels = (file.get(f"{part}_{split}") for part in "xy")
    if images is None or labels is None or images.shape[1:] != (32, 32, 3):
        raise GanzooError(f"{path}: expected x_{split} of shape (n, 32, 32, 3) and y_{split}.")
    whole = PUBLISHED["cifar10"].counts[split]
    return (images, labels), path, (
        f"cifar10: the full set is neither here nor could it be downloaded, this is a part of it: "
        f"{len(images):,} of {whole:,} {'training' if split == 'train' else split} images")


def _mnist_places(root: Path | None, keras: Path) -> list[Place]:
    return [*([Place(root / "mnist", _idx_reader("mnist"))] if root else []),
            Place(keras / "mnist.npz", _keras_mnist, cache=True)]


def _fashion_places(root: Path | None, keras: Path) -> list[Place]:
    read = _idx_reader("fashion_mnist")
    return [*([Place(root / "fashion_mnist", read)] if root else []),
            Place(keras / "fashion-mnist", read, cache=True)]


def _cifar_places(root: Path | None, keras: Path) -> list[Place]:
    ours = [cifar.FOLDER, "cifar-10-python.tar.gz"] if root else []
    theirs = [f"{cifar.FOLDER}-target/{cifar.FOLDER}", cifar.FOLDER]
    return [*(Place(root / "cifar10" / path, cifar.read) for path in ours),
            *(Place(keras / path, cifar.read, cache=True) for path in theirs)]


PUBLISHED = {
    "mnist": Published(
        (28, 28, 1), {"train": 60_000, "test": 10_000}, "CC BY-SA 3.0 (Y. LeCun and C. Cortes)",
        tuple("0123456789"), _mnist_places),
    "fashion_mnist": Published(
        (28, 28, 1), {"train": 60_000, "test": 10_000}, "MIT (Zalando SE)",
        ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
         "ankle boot"), _fashion_places),
    "cifar10": Published(
        (32, 32, 3), {"train": 50_000, "test": 10_000},
        "none stated; cite A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, "
        "2009", ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
                 "truck"), _cifar_places),
}
