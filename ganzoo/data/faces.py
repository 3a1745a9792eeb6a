"""Faces: Olivetti's in grey and Labeled Faces in the Wild in colour, by scikit-learn, and CelebA.

Looked for under the folder that the variable GANZOO_DATA names (`olivetti_faces/`, `celeba/`, and
`lfw_home/` as scikit-learn keeps it), then in scikit-learn's own folder, where it puts what it
downloads of the first two. CelebA has to be fetched by hand: its terms do not let a program do it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ganzoo.data import arrays, download, folder, scikit_learn
from ganzoo.data.dataset import Dataset
from ganzoo.data.resize import check_size, resize
from ganzoo.errors import GanzooError
from ganzoo.spec import DataSpec

NAMES = {
    "olivetti": "400 grey faces of 40 people, 64x64 (AT&T Laboratories Cambridge)",
    "lfw": "13,233 faces of 5,749 people in colour, 64x64 of their middle (LFW, funneled)",
    "celeba": "202,599 faces of celebrities in colour, with 40 attributes: a folder to be fetched",
}
LFW = "lfw_home"
SIZE = 64
PEOPLE, EACH = 40, 10
HELD_OUT = 10
"""Of Olivetti's, one picture of each person in 5 is for tests; of LFW, one person in so many."""
MIDDLE = slice(61, 189)
"""Rows and columns of LFW's 250x250 that hold the face: 128 of them."""
HOST = "https://ndownloader.figshare.com/files/5976027"
"""Where scikit-learn downloads from; only asked whether it answers."""


def load(name: str, size: int | None = None, split: str = "train") -> Dataset:
    """Faces by name, uint8, 64x64 unless `size` says otherwise.

    Test split: of Olivetti's, the last 2 of each person's 10 pictures; of LFW every tenth person,
    so that no face of it was trained on; of CelebA what its own list says. Raises GanzooError with
    the places that were looked in where a set is nowhere.
    """
    check_size(size)
    return {"olivetti": _olivetti, "lfw": _lfw, "celeba": _celeba}[name](size, split)


def _olivetti(size: int | None, split: str) -> Dataset:
    own = _under_ganzoo_data("olivetti_faces/olivetti_faces_400_64x64.npz")
    if own and own.is_file():
        faces, place = arrays.read(own)["images"].astype(np.float32), str(own)
        faces = (faces - faces.min()) / (faces.max() - faces.min())  # as scikit-learn does
    else:
        found, place = _fetched("olivetti", "fetch_olivetti_faces")
        faces = found.images
    if faces.shape != (PEOPLE * EACH, SIZE, SIZE):
        raise GanzooError(
            f"{place} is not Olivetti's faces: expected {(PEOPLE * EACH, SIZE, SIZE)}, "
            f"not {faces.shape}."
        )
    person, picture = np.divmod(np.arange(PEOPLE * EACH), EACH)
    chosen = (picture >= EACH - 2) == (split == "test")
    return Dataset(
        "olivetti",
        DataSpec((size or SIZE, size or SIZE, 1), classes=PEOPLE),
        {"image": _pixels(faces[chosen, ..., None], size), "label": person[chosen].astype("int32")},
        licence="free for research, credit to AT&T Laboratories Cambridge (Samaria, Harter 1994)",
        source=place,
        class_names=tuple(f"person {i}" for i in range(PEOPLE)),
    )


def _lfw(size: int | None, split: str) -> Dataset:
    # half of the resolution is read where that is enough: floats of all of it are 2.6 GB
    ratio = 0.5 if (size or SIZE) <= SIZE else 1.0
    found, place = _fetched(
        "lfw", "fetch_lfw_people", color=True, slice_=(MIDDLE, MIDDLE), resize=ratio
    )
    chosen = (found.target % HELD_OUT == HELD_OUT - 1) == (split == "test")
    if not chosen.any():
        raise GanzooError(f"{place} has no faces for the {split} split.")
    return Dataset(
        "lfw",
        DataSpec((size or SIZE, size or SIZE, 3)),
        {"image": _pixels(found.images[chosen], size)},
        licence="not said; Huang et al. 2007, University of Massachusetts, Technical Report 07-49",
        source=place,
    )


def _celeba(size: int | None, split: str) -> Dataset:
    places = [place for place in (_under_ganzoo_data("celeba"), Path("celeba")) if place]
    for place in places:
        if place.is_dir():
            found = folder.load(str(place.absolute()), size, split)
            licence = "non-commercial research only (Liu et al. 2015)"
            return dataclasses.replace(found, name="celeba", licence=licence)
    raise _missing(
        "celeba",
        [f"it is not at {place}" for place in places],
        "fetch it from its authors' page and unpack it there, with its lists",
    )


def _pixels(faces: np.ndarray, size: int | None) -> np.ndarray:
    images = np.rint(np.clip(faces, 0, 1) * 255).astype(np.uint8)
    return images if images.shape[1] == (size or SIZE) else resize(images, size or SIZE)


# -- places ---------------------------------------------------------------------------------------


def _under_ganzoo_data(name: str) -> Path | None:
    root = os.environ.get("GANZOO_DATA")
    return Path(root).expanduser() / name if root else None


def _fetched(name: str, function: str, **how: Any) -> tuple[Any, str]:
    """What scikit-learn has on the disk, else what it downloads; and where that lies."""
    datasets = scikit_learn.datasets(name)
    fetch: Callable[..., Any] = getattr(datasets, function)
    own, home = _under_ganzoo_data(LFW), Path(datasets.get_data_home())
    looked = []
    # asked for LFW's, scikit-learn makes an empty folder, which belongs in no folder but its own
    for place in [own.parent] * bool(name == "lfw" and own and own.is_dir()) + [home]:
        try:
            return fetch(data_home=place, download_if_missing=False, **how), str(place)
        except OSError:
            looked.append(f"it is not at {place}")
    if why := download.failure(HOST):
        looked.append(f"the download failed ({why})")
        raise _missing(name, looked, "fetch it where there is a network")
    try:
        return fetch(**how), f"{datasets.get_data_home()}, downloaded by scikit-learn"
    except (OSError, ValueError) as error:
        looked.append(f"the download failed ({error})")
        raise _missing(name, looked, "try again") from error


def _missing(name: str, looked: list[str], todo: str) -> GanzooError:
    return GanzooError(
        f"{name} was not found: {'; '.join(looked)}. {todo[0].upper()}{todo[1:]}, or set "
        "GANZOO_DATA to a folder that holds it."
    )
