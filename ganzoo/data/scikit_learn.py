"""scikit-learn's data sets, or a sentence that says who needs them."""

from __future__ import annotations

from types import ModuleType

from ganzoo.errors import GanzooError


def datasets(name: str) -> ModuleType:
    """`sklearn.datasets` for the data set `name`; GanzooError where it cannot be imported."""
    try:
        from sklearn import datasets
    except ImportError as error:
        raise GanzooError(
            f"{name} needs scikit-learn, which cannot be imported ({error}): "
            "pip install scikit-learn."
        ) from error
    return datasets
