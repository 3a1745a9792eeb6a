"""The built-in extractors by name: `extractor("mnist")` turns images into features.

What each does to the pixels, and how it was checked, is said in docs/features.md.
"""

from __future__ import annotations

import os
from pathlib import Path

from ganzoo.errors import UsageError, unknown
from ganzoo.eval.extractor import Extractor

__all__ = ["Extractor", "default_for", "extractor", "largest_dims", "names"]

NAMES = {
    "mnist": "mnist-cnn: a small network trained on MNIST, 128 dimensions and 10 classes",
    "fashion": "fashion-cnn: the same network trained on Fashion-MNIST",
    "inception": "the FID network of 2015-12-05, 2048 dimensions or --dims 64, 192 or 768",
}


LARGEST_DIGITS = 64
"""Grey images of more pixels a side are no small drawings: Inception looks at them."""


def names() -> dict[str, str]:
    """All built-in extractors, with one line each."""
    return dict(NAMES)


def default_for(shape: tuple[int, int, int], data: str = "") -> str:
    """The extractor that suits images (h, w, c), of a data set of that name where it is known.

    >>> default_for((28, 28, 1)), default_for((28, 28, 1), "fashion_mnist")
    ('mnist', 'fashion')
    >>> default_for((64, 64, 3))
    'inception'
    """
    if shape[-1] != 1 or max(shape[:2]) > LARGEST_DIGITS:
        return "inception"
    return "fashion" if data == "fashion_mnist" else "mnist"


def largest_dims(weights: str | os.PathLike[str] | None = None) -> int | None:
    """The most dimensions of `inception` that can be had here, or None.

    Weights that are here in part only are completed by a download where there is a network.
    """
    from ganzoo.eval.features import inception_weights

    return inception_weights.largest_dims(weights)


def extractor(
    name: str,
    *,
    dims: int | None = None,
    weights: str | os.PathLike[str] | None = None,
    precision: str | None = None,
) -> Extractor:
    """Load a network. `dims`, `weights` and `precision` are for `inception` alone.

    `weights` is a file of them, the folder of TF-GAN's module, or "tfgan", which downloads that
    module; without it they are looked for and, where they are not found, downloaded once.

    `precision` is float32 by default; `bfloat16` is faster where the hardware multiplies it, and
    moves scores a little, so they are of another protocol.

    Raises UsageError for an unknown name, dimension or option, and GanzooError in one sentence for
    weights that are missing, damaged or not the published ones.
    """
    if name not in NAMES:
        raise unknown("feature extractor", name, NAMES)
    if name == "inception":
        from ganzoo.eval.features.inception import Inception
        from ganzoo.eval.features.inception_hub import NAME as MODULE

        if weights is not None and (weights == MODULE or Path(weights).expanduser().is_dir()):
            return _module(weights, dims, precision)
        return Inception(dims or 2048, weights, precision or "float32")
    if dims is not None or weights is not None or precision is not None:
        raise UsageError(
            f"the features of {name} come with their weights, in 128 dimensions and float32: leave "
            "dims, weights and precision out, or choose inception."
        )
    from ganzoo.eval.features.digit_network import DigitNetwork

    return DigitNetwork(name)


def _module(folder: str | os.PathLike[str], dims: int | None, precision: str | None) -> Extractor:
    from ganzoo.eval.features.inception_hub import NAME, HubInception, fetched
    from ganzoo.eval.features.inception_weights import find

    if dims not in (None, 2048) or precision not in (None, "float32"):
        raise UsageError(
            "TF-GAN's module gives 2,048 dimensions in float32: leave dims and precision out, or "
            "choose a file of the weights."
        )
    return HubInception(fetched() if folder == NAME else find(weights=folder))
