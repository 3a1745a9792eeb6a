"""The default data: MNIST where it can be had, and otherwise digits that are always there."""

from __future__ import annotations

from dataclasses import replace

from ganzoo.data import digits, standard
from ganzoo.data.dataset import Dataset
from ganzoo.errors import GanzooError

NAMES = {"auto": "MNIST where it is found or can be downloaded, otherwise the embedded digits"}


def load(name: str = "auto", size: int | None = None, split: str = "train") -> Dataset:
    """MNIST, or scikit-learn's digits with a note that says why; damaged files are in the note."""
    damaged: list[str] = []
    try:
        found = standard.load("mnist", size, split, damaged)
        note = (
            " ".join(damaged) + f" MNIST is taken from {found.source} instead." if damaged else None
        )
    except GanzooError as error:
        if error.exit_code == 2:
            raise
        found = digits.load("digits", size, split)
        why = " ".join(damaged) or str(error).partition(" Set GANZOO_DATA")[0]
        note = (
            f"the embedded 8x8 digits of scikit-learn, resized to {found.spec.shape[0]}x"
            f"{found.spec.shape[1]}, stand in for MNIST: {why}"
        )
    return replace(found, note=note)
