"""MNIST, Fashion-MNIST and CIFAR-10: local files first, checksums verified, then a download.

Local files lie under the folder that the variable GANZOO_DATA names (`mnist/` and `fashion_mnist/`
with the four `.gz` files each, `cifar10/` with `cifar-10-batches-py`), or in the cache of Keras.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ganzoo.data import arrays, cifar, download, idx
from ganzoo.data.cifar import Pair
from ganzoo.data.dataset import Dataset, Judging
from ganzoo.data.download import Remote
from ganzoo.data.resize import check_size, resize
from ganzoo.errors import GanzooError
from ganzoo.spec import DataSpec

Reader = Callable[[Path, str], "Pair | None"]
"""(path, split) -> images and labels, or None where they are not there, or GanzooError."""

MIRROR = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}

MNIST_MD5 = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
FASHION_MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
MNIST_NPZ = Remote(
    MIRROR + "mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
)
CIFAR_TAR = Remote(
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)


@dataclass(frozen=True)
class Standard:
    """One published data set: what it is, where it may lie, and how it is read."""

    title: str
    summary: str
    licence: str
    classes: tuple[str, ...]
    train_count: int
    local: tuple[tuple[str, Reader], ...]
    """Paths under GANZOO_DATA, in order."""
    cached: tuple[tuple[str, Reader], ...]
    """Paths under the `datasets` folder of Keras; the first is where the download goes."""
    remotes: tuple[Remote, ...]
    partial: tuple[tuple[str, Reader], ...] = ()
    """Paths under GANZOO_DATA that hold a part, for when the whole cannot be had."""
    judging: Judging = field(default_factory=Judging)


def idx_reader(checksums: dict[str, str]) -> Reader:
    """Read the image and label file of a split, whose MD5 are `checksums`, from a folder."""

    def read(folder: Path, split: str) -> Pair | None:
        paths = [folder / file for file in FILES[split]]
        if not all(path.is_file() for path in paths):
            return None
        images, labels = (idx.read(path, checksums[path.name]) for path in paths)
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise GanzooError(
                f"{paths[0]} and {paths[1].name} do not belong together: shapes "
                f"{images.shape} and {labels.shape}."
            )
        return images[..., None], labels

    return read


def read_keras_npz(path: Path, split: str) -> Pair | None:
    """Read `x_train`, `y_train` and so on, as Keras stores MNIST."""
    if not path.is_file():
        return None
    arrays.check_sha256(path, MNIST_NPZ.checksum)
    stored = arrays.read(path)
    return stored[f"x_{split}"][..., None], stored[f"y_{split}"]


SETS = {
    "mnist": Standard(
        "MNIST",
        "70,000 handwritten digits, 28x28 grey",
        "CC BY-SA 3.0 (Y. LeCun and C. Cortes, derived from NIST databases)",
        tuple("0123456789"),
        60_000,
        local=(("mnist", idx_reader(MNIST_MD5)),),
        cached=(("mnist.npz", read_keras_npz),),
        remotes=(MNIST_NPZ,),
        judging=Judging(extractor="mnist", classifier=True),
    ),
    "fashion_mnist": Standard(
        "Fashion-MNIST",
        "70,000 pieces of clothing, 28x28 grey",
        "MIT (Zalando SE)",
        (
            "T-shirt/top",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        60_000,
        local=(("fashion_mnist", idx_reader(FASHION_MD5)),),
        cached=(("fashion-mnist", idx_reader(FASHION_MD5)),),
        remotes=tuple(Remote(MIRROR + file, md5) for file, md5 in FASHION_MD5.items()),
        judging=Judging(extractor="fashion", classifier=True),
    ),
    "cifar10": Standard(
        "CIFAR-10",
        "60,000 photographs of 10 classes, 32x32 colour",
        "no formal licence; cite A. Krizhevsky, Learning Multiple Layers of Features, 2009",
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        50_000,
        local=(
            (f"cifar10/{cifar.FOLDER}", cifar.read_batches),
            (f"cifar10/{CIFAR_TAR.file}", cifar.read_batches),
        ),
        cached=(
            (CIFAR_TAR.file, cifar.read_batches),
            (cifar.FOLDER, cifar.read_batches),
            (f"{cifar.FOLDER}-target/{cifar.FOLDER}", cifar.read_batches),
        ),
        remotes=(CIFAR_TAR,),
        partial=(("cifar10/cifar10_lossless_subset.npz", cifar.read_part),),
    ),
}
NAMES = {name: one.summary for name, one in SETS.items()}


def load(
    name: str, size: int | None = None, split: str = "train", damaged: list[str] | None = None
) -> Dataset:
    """The published data set `name` with its own train and test split, whole where it can be had.

    A local file that differs from its checksum is an error that names it; with a list in `damaged`
    it is told there instead, and the next place is tried. Raises GanzooError with all the places
    that were looked in when the set is nowhere.
    """
    check_size(size)
    one = SETS[name]
    looked: list[str] = []
    found = (
        _local(one, split, looked, damaged) or _downloaded(one, split, looked) or _part(one, split)
    )
    if found is None:
        raise GanzooError(
            f"{one.title} was not found: {'; '.join(looked)}. Set GANZOO_DATA to a "
            f"folder that holds {one.local[0][0]}, or choose --data digits, which "
            "needs no network."
        )
    (images, labels), source, note = found
    if size:
        images = resize(images, size)
    spec = DataSpec(images.shape[1:], classes=len(one.classes))
    return Dataset(
        name,
        spec,
        {"image": images, "label": labels.astype(np.int32)},
        one.licence,
        source,
        note,
        one.classes,
        one.judging,
    )


Found = tuple[Pair, str, "str | None"]


def _under_ganzoo_data(places: tuple[tuple[str, Reader], ...]) -> list[tuple[Path, Reader]]:
    root = os.environ.get("GANZOO_DATA")
    return [(Path(root).expanduser() / place, reader) for place, reader in places] if root else []


def _local(one: Standard, split: str, looked: list[str], damaged: list[str] | None) -> Found | None:
    cache = download.keras_home() / "datasets"
    places = _under_ganzoo_data(one.local) + [(cache / at, reader) for at, reader in one.cached]
    if not os.environ.get("GANZOO_DATA"):
        looked.append("GANZOO_DATA is not set")
    for path, reader in places:
        try:
            if (pair := reader(path, split)) is not None:
                return pair, str(path), None
            looked.append(f"it is not at {path}")
        except GanzooError as error:
            if damaged is None:
                raise
            damaged.append(str(error))
    return None


def _downloaded(one: Standard, split: str, looked: list[str]) -> Found | None:
    place, reader = one.cached[0]
    try:
        folder = download.fetch(
            one.remotes, "datasets" if Path(place).suffix else f"datasets/{place}"
        )
        path = folder / place if Path(place).suffix else folder
        pair = reader(path, split)
    except GanzooError as error:
        looked.append(str(error).rstrip("."))
        return None
    return (pair, f"{path}, downloaded from {one.remotes[0].host}", None) if pair else None


def _part(one: Standard, split: str) -> Found | None:
    for path, reader in _under_ganzoo_data(one.partial):
        if (pair := reader(path, split)) is not None:
            whole = one.train_count if split == "train" else 10_000
            return (
                pair,
                str(path),
                (
                    f"a subset: {len(pair[0]):,} of {whole:,} {split} images of "
                    f"{one.title}; the whole set was not found and could not be "
                    "downloaded."
                ),
            )
    return None
