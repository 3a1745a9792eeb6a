"""The default: MNIST wherever it can be had, otherwise the digits that scikit-learn brings."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from ganzoo.data import digits, standard
from ganzoo.data.dataset import Dataset


def load(name: str, *, size: int | None, split: str, root: Path | None) -> Dataset:
    """MNIST, or the embedded digits with a note that says so; the result has the name it is."""
    try:
        return standard.load("mnist", size=size, split=split, root=root)
    except standard.NotFound as error:
        found = digits.load("digits", size=size, split=split, root=root)
        side = found.spec.shape[0]
        note = (f"MNIST is not on this machine and did not download ({error.reason}): using the "
                f"embedded 8x8 digits of scikit-learn, resized to {side}x{side}")
        return dataclasses.replace(found, note=note)
