"""Two domains without a download: digits, and other digits that look otherwise; nothing pairs them.

Liu & Tuzel 2016 (https://arxiv.org/abs/1606.07536), section 4.1: one half of a set as it is, the
other half by its edges or inverted. The labels of both are known, so that it can be seen whether
a digit's class survives its translation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from ganzoo.data import digits, standard
from ganzoo.data.dataset import Dataset
from ganzoo.spec import ArraySpec, DataSpec


def edges(images: np.ndarray) -> np.ndarray:
    """What a dilation by 3x3 adds to uint8 images (n, h, w, 1), as the authors' code has it.

    >>> edges(np.uint8([[0, 0, 9, 9]])[None, ..., None])[0, 0, :, 0].tolist()
    [0, 9, 0, 0]
    """
    h, w = images.shape[1:3]
    wide = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    places = [wide[:, i : i + h, j : j + w] for i in range(3) for j in range(3)]
    return np.max(places, axis=0) - images


def inverse(images: np.ndarray) -> np.ndarray:
    """Dark where it was bright."""
    return 255 - images


def coloured(images: np.ndarray) -> np.ndarray:
    """Ink of one dark colour for each image, on white: (n, h, w, 3)."""
    raw = np.random.Philox(key=0).random_raw(len(images))  # the same bits everywhere
    hue = (raw >> np.uint64(11))[:, None] / 2**53 + np.arange(3) / 3
    taken = 0.75 + 0.25 * np.cos(2 * np.pi * hue)  # of each channel's white: 0.5 to 1
    return np.rint(255 - images * taken[:, None, None]).astype(np.uint8)


LOOKS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "edges": (edges, "the edges of others"),
    "inverse": (inverse, "others inverted"),
    "coloured": (coloured, "others in coloured ink on white"),
}
BASES = {"mnist": standard, "digits": digits}
NAMES = {
    f"{base}_{look}": f"two domains that nothing pairs: half of {base}, and {text}"
    for base in BASES
    for look, (_, text) in LOOKS.items()
}


def load(name: str, size: int | None = None, split: str = "train") -> Dataset:
    """`a`, every second image of a set, and `b`, another look of those between; with `label` and
    `b_label`. Where one domain has colours the other has three equal channels. Both are judged as
    the set is, what is dark on bright by its negative."""
    base, _, look = name.rpartition("_")
    found = BASES[base].load(base, size, split)
    images, labels = found.arrays["image"], found.arrays["label"]
    a, b = images[::2], LOOKS[look][0](images[1::2])
    a = np.repeat(a, b.shape[-1], -1)
    told = {
        "b": ArraySpec(b.shape[1:], (-1.0, 1.0), group="b"),
        "b_label": ArraySpec((), classes=found.spec.classes, group="b"),
    }
    return Dataset(
        name,
        DataSpec(a.shape[1:], classes=found.spec.classes, key="a", others=told, group="a"),
        {"a": a, "label": labels[::2], "b": b, "b_label": labels[1::2]},
        found.licence,
        f"{NAMES[name]}; {found.source}",
        found.note,
        found.class_names,
        found.judging,
        judging_others={"b": dataclasses.replace(found.judging, negative=look != "edges")},
    )
