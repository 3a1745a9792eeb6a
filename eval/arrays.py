"""Check the arrays that measures take, and make them float64."""

from __future__ import annotations

import numpy as np

from ganzoo.errors import UsageError


def vectors(x: np.ndarray, name: str, *, at_least: int = 2) -> np.ndarray:
    """Feature vectors (n, d) in float64, n being at least so many and all values finite."""
    x = np.asarray(x)
    if x.ndim != 2 or x.shape[1] < 1 or len(x) < at_least:
        raise UsageError(
            f"expected at least {at_least} {name} vectors in an array (n, d), found shape "
            f"{x.shape}: give more samples, one in each row."
        )
    return finite(x, name)


def vector_pair(
    real: np.ndarray, fake: np.ndarray, *, at_least: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Real and fake feature vectors (n, d) and (m, d) of the same dimension, in float64."""
    real = vectors(real, "real", at_least=at_least)
    fake = vectors(fake, "fake", at_least=at_least)
    same_dimension(real.shape[1], fake.shape[1])
    return real, fake


def same_dimension(real: int, fake: int) -> None:
    """Refuse features that came from two different extractors."""
    if real != fake:
        raise UsageError(
            f"expected real and fake features of one dimension, found {real} and {fake}: "
            "take both from the same extractor."
        )


def images(x: np.ndarray, name: str, *, at_least: int = 2) -> np.ndarray:
    """Images (n, height, width, channels), finite, as they came: callers cast batch by batch."""
    x = np.asarray(x)
    if x.ndim != 4 or 0 in x.shape or len(x) < at_least:
        raise UsageError(
            f"expected at least {at_least} {name} images in an array (n, height, width, channels), "
            f"found shape {x.shape}."
        )
    if x.dtype.kind not in "uif" or not np.isfinite(x).all():
        raise UsageError(f"the {name} images hold values that are not finite numbers.")
    return x


def probabilities(x: np.ndarray, name: str = "class probabilities", *, ndim: int = 2) -> np.ndarray:
    """Class probabilities, the last axis being the classes: non-negative, and of sum 1 to 1e-3.

    The tolerance is for softmaxes in half precision; what comes out is divided by its sum.
    """
    x = np.asarray(x)
    if x.ndim != ndim or len(x) < 2 or x.shape[-1] < 2:
        raise UsageError(
            f"expected {name} of at least 2 samples and 2 classes in {ndim} axes, "
            f"found shape {x.shape}."
        )
    p = finite(x, name)
    total = p.sum(-1, keepdims=True)
    if p.min() < 0 or np.abs(total - 1).max() > 1e-3:
        raise UsageError(
            f"expected {name} from 0 to 1 with sum 1, found values from {p.min():.3g} to "
            f"{p.max():.3g} with sums from {total.min():.3g} to {total.max():.3g}: "
            "take the softmax of logits first."
        )
    return p / total


def labels(x: np.ndarray, name: str, *, classes: int | None = None) -> np.ndarray:
    """Class numbers from 0, as whole numbers of any shape that is not empty."""
    x = np.asarray(x)
    if x.size == 0 or x.dtype.kind not in "ui" or x.min() < 0:
        raise UsageError(
            f"expected {name} labels as whole numbers from 0, found {x.dtype} in shape {x.shape}."
        )
    if classes is not None and x.max() >= classes:
        raise UsageError(f"expected {name} labels below {classes}, found {x.max()}.")
    return x.astype(np.int64)


def finite(x: np.ndarray, name: str) -> np.ndarray:
    """The array in float64, or an error that counts what is not finite."""
    if x.dtype.kind not in "uifb":
        raise UsageError(f"expected {name} as real numbers, found {x.dtype}.")
    x = x.astype(np.float64, copy=False)
    bad = x.size - np.count_nonzero(np.isfinite(x))
    if bad:
        raise UsageError(
            f"expected finite {name} values, found {bad} of {x.size} that are not: "
            "the generator or the extractor has diverged."
        )
    return x
