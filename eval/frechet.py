"""Frechet distance between two sets of feature vectors, as Gaussians (Heusel et al. 2017, eq. 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from ganzoo.errors import UsageError


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean (d,), covariance (d, d) with n - 1 in the denominator, and the count n."""

    mean: np.ndarray
    covariance: np.ndarray
    n: int


def gaussian(features: np.ndarray) -> Gaussian:
    """The Gaussian with the features' mean and covariance, in float64."""
    x = _checked(features)
    mean = x.mean(0)
    centred = x - mean
    return Gaussian(mean, centred.T @ centred / (len(x) - 1), len(x))


def frechet_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """|mu_r - mu_f|^2 + tr(S_r + S_f - 2 (S_r S_f)^(1/2)) of features (n, d) and (m, d).

    Where both sets are smaller than the dimension, the last trace is the sum of the singular
    values of A B^T, A and B being the centred samples over sqrt(n - 1): the nonzero eigenvalues
    of S_r S_f are their squares. No jitter is added; the result is clipped at 0.
    """
    real, fake = _checked(real), _checked(fake)
    _same_dimension(real.shape[1], fake.shape[1])
    if min(len(real), len(fake)) >= real.shape[1]:
        return frechet_of_gaussians(gaussian(real), gaussian(fake))
    a = (real - real.mean(0)) / np.sqrt(len(real) - 1)
    b = (fake - fake.mean(0)) / np.sqrt(len(fake) - 1)
    cross = linalg.svdvals(a @ b.T).sum()
    difference = real.mean(0) - fake.mean(0)
    return max(0.0, float(difference @ difference + (a * a).sum() + (b * b).sum() - 2 * cross))


def frechet_of_gaussians(real: Gaussian, fake: Gaussian) -> float:
    """As `frechet_distance`, from statistics.

    tr (S_r S_f)^(1/2) is taken as the sum of the roots of the eigenvalues of R S_f R, R being the
    symmetric root of S_r: a symmetric problem with real, non-negative eigenvalues.
    """
    _same_dimension(len(real.mean), len(fake.mean))
    values, vectors = linalg.eigh(real.covariance)
    root = vectors * np.sqrt(np.clip(values, 0, None))  # R up to a rotation, which the trace ignores
    inner = root.T @ fake.covariance @ root
    cross = np.sqrt(np.clip(linalg.eigvalsh(inner), 0, None)).sum()
    difference = real.mean - fake.mean
    total = np.trace(real.covariance) + np.trace(fake.covariance) - 2 * cross
    return max(0.0, float(difference @ difference + total))


def _checked(features: np.ndarray) -> np.ndarray:
    x = np.asarray(features, np.float64)
    if x.ndim != 2 or len(x) < 2:
        raise UsageError(f"expected at least 2 feature vectors (n, d), found shape {x.shape}.")
    if not np.isfinite(x).all():
        raise UsageError("the features hold values that are not finite.")
    return x


def _same_dimension(real: int, fake: int) -> None:
    if real != fake:
        raise UsageError(f"features of {real} and of {fake} dimensions cannot be compared.")
