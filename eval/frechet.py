"""Frechet distance between two sets of feature vectors, as Gaussians (Heusel et al. 2017, eq. 6).

The matrix root of the product of two covariances is never taken: only its trace is needed, and
that is a sum of roots of eigenvalues of a symmetric matrix, or of singular values. No jitter is
added anywhere, so that a set of samples smaller than its dimension gets its own distance and not
that of a neighbour. What is not finite is refused and never clipped to 0, the perfect score.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from ganzoo.errors import UsageError
from ganzoo.eval import arrays

FEW = 10_000
ASYMMETRY = 1e-6  # of the largest entry: statistics that were stored in float32 pass


class FewSamples(UserWarning):
    """Warns that a score of so few samples depends on their number as much as their quality."""


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean (d,), covariance (d, d) with n - 1 in the denominator, and the count n.

    Checked when it is made, as statistics also come from files: in float64 and finite from then on.
    """

    mean: np.ndarray
    covariance: np.ndarray
    n: int

    def __post_init__(self):
        mean = arrays.finite(np.asarray(self.mean), "mean")
        s = arrays.finite(np.asarray(self.covariance), "covariance")
        if mean.ndim != 1 or not mean.size or s.shape != 2 * mean.shape or not self.n >= 2:
            raise UsageError(
                "expected a mean (d,), a covariance (d, d) and a count of 2 or more, found shapes "
                f"{mean.shape} and {s.shape} of {self.n} samples: make the statistics again."
            )
        if s.diagonal().min() < 0 or np.abs(s - s.T).max() > ASYMMETRY * np.abs(s).max():
            raise UsageError(
                "expected a symmetric covariance with no variance below 0, found another matrix: "
                "make the statistics again."
            )
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", s)


class Moments:
    """The Gaussian of features that come in batches, in float64 and without keeping them.

    Each batch is centred on its own mean before it is squared, and joined by Chan, Golub and
    LeVeque (1979), equation 2.1: no difference of large sums is ever taken, and two accumulators
    of two halves merge into the one of the whole.

    >>> moments = Moments(2)
    >>> for batch in np.arange(12.0).reshape(3, 2, 2):
    ...     moments.add(batch)
    >>> moments.gaussian().mean
    array([5., 6.])
    """

    def __init__(self, dimension: int):
        self.n = 0
        self.mean = np.zeros(dimension)
        self.scatter = np.zeros((dimension, dimension))

    @np.errstate(over="ignore", invalid="ignore")  # `Gaussian` refuses what comes of it
    def add(self, batch: np.ndarray) -> None:
        """Take in features (n, d), n being 1 or more."""
        x = arrays.vectors(batch, "feature", at_least=1)
        arrays.same_dimension(len(self.mean), x.shape[1])
        mean = x.mean(0)
        x = np.vstack([x - mean, self._move(len(x), mean)])
        self.scatter += x.T @ x

    def merge(self, other: Moments) -> None:
        """Take in what another accumulator has seen."""
        arrays.same_dimension(len(self.mean), len(other.mean))
        if other.n:
            between = self._move(other.n, other.mean)
            self.scatter += other.scatter
            self.scatter += np.outer(between, between)

    def gaussian(self) -> Gaussian:
        """The statistics of everything that came."""
        if self.n < 2:
            raise UsageError(f"expected at least 2 feature vectors, found {self.n}.")
        return Gaussian(self.mean.copy(), self.scatter / (self.n - 1), self.n)

    def _move(self, n: int, mean: np.ndarray) -> np.ndarray:
        """Count n more; the vector whose square is what the two means add to the scatter."""
        total = self.n + n
        delta = mean - self.mean
        between = delta * np.sqrt(self.n * n / total)
        self.mean += delta * (n / total)
        self.n = total
        return between


@np.errstate(over="ignore", invalid="ignore")
def gaussian(features: np.ndarray) -> Gaussian:
    """The Gaussian with the features' mean and covariance, in float64."""
    x = arrays.vectors(features, "feature")
    mean = x.mean(0)
    x = x - mean
    return Gaussian(mean, x.T @ x / (len(x) - 1), len(x))


def fid(real: np.ndarray | Gaussian, fake: np.ndarray | Gaussian) -> float:
    """The Frechet distance as a score to report, from features or statistics of either side.

    Warns (`FewSamples`) of each of its `cautions`. The distances below do not: they also serve
    where few samples are the point, as for one class, or for one run's own checkpoints.
    """
    if isinstance(real, Gaussian) or isinstance(fake, Gaussian):
        r, f = (x if isinstance(x, Gaussian) else gaussian(x) for x in (real, fake))
        distance, n_real, n_fake, dimension = frechet_of_gaussians(r, f), r.n, f.n, len(r.mean)
    else:
        distance, n_real, n_fake = frechet_distance(real, fake), len(real), len(fake)
        dimension = np.shape(real)[1]
    for caution in cautions(n_real, n_fake, dimension):
        warnings.warn(caution, FewSamples, stacklevel=2)
    return distance


@np.errstate(over="ignore", invalid="ignore")
def frechet_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """|mu_r - mu_f|^2 + tr(S_r + S_f - 2 (S_r S_f)^(1/2)) of features (n, d) and (m, d).

    Where both sets are smaller than the dimension, the last trace is the sum of the singular
    values of A B^T, A and B being the centred samples over sqrt(n - 1): the nonzero eigenvalues
    of S_r S_f = A^T A B^T B are their squares. The result is clipped at 0.
    """
    real, fake = arrays.vector_pair(real, fake)
    if max(len(real), len(fake)) >= real.shape[1]:
        return frechet_of_gaussians(gaussian(real), gaussian(fake))
    mu_r, mu_f = real.mean(0), fake.mean(0)
    a = (real - mu_r) / np.sqrt(len(real) - 1)
    b = (fake - mu_f) / np.sqrt(len(fake) - 1)
    cross = linalg.svdvals(_finite(a @ b.T)).sum()
    return _clipped(_squared(mu_r - mu_f) + _squared(a) + _squared(b) - 2 * cross)


@np.errstate(over="ignore", invalid="ignore")
def frechet_of_gaussians(real: Gaussian, fake: Gaussian) -> float:
    """As `frechet_distance`, from statistics.

    With S_r = R R^T, the eigenvalues of S_r S_f are those of R^T S_f R: a symmetric problem.
    n samples span n - 1 dimensions, so R has that many columns at most: more would bring
    eigenvalues that are zeros with rounding errors, whose roots add up.
    """
    arrays.same_dimension(len(real.mean), len(fake.mean))
    if real.n > fake.n:  # the smaller set has the thinner root
        real, fake = fake, real
    root = _root(real)
    values = linalg.eigvalsh(_finite(root.T @ fake.covariance @ root))
    cross = np.sqrt(np.clip(values, 0, None)).sum()
    traces = np.trace(real.covariance) + np.trace(fake.covariance)
    return _clipped(_squared(real.mean - fake.mean) + traces - 2 * cross)


def frechet_per_class(
    real: np.ndarray, real_labels: np.ndarray, fake: np.ndarray, fake_labels: np.ndarray
) -> dict[int, float | None]:
    """The Frechet distance within each class of the real labels.

    None where either side holds fewer than 2 of it: there is no distance to what is missing.
    """
    real, fake = arrays.vector_pair(real, fake)
    real_labels = arrays.labels(real_labels, "real")
    fake_labels = arrays.labels(fake_labels, "fake")
    for name, x, y in (("real", real, real_labels), ("fake", fake, fake_labels)):
        if y.shape != x.shape[:1]:
            raise UsageError(
                f"expected one label for each of {len(x)} {name} vectors, found shape {y.shape}."
            )
    return {
        int(c): frechet_distance(real[real_labels == c], fake[fake_labels == c])
        if min((real_labels == c).sum(), (fake_labels == c).sum()) > 1
        else None
        for c in np.unique(real_labels)
    }


def cautions(n_real: int, n_fake: int, dimension: int) -> list[str]:
    """What to say beside a distance of so few samples: its bias is upwards and falls as 1 / n.

    >>> cautions(10_000, 1_000, 2048)[0]
    '1000 samples are fewer than 2 x 2048 dimensions: the covariance is hardly known.'
    """
    n = min(n_real, n_fake)
    said = []
    if n < 2 * dimension:
        said.append(
            f"{n} samples are fewer than 2 x {dimension} dimensions: "
            "the covariance is hardly known."
        )
    if n < FEW:
        said.append(
            f"{n} samples are fewer than {FEW}: the distance is biased upwards; "
            "compare only at equal counts."
        )
    return said


def _root(g: Gaussian) -> np.ndarray:
    """R of shape (d, rank) with R R^T the covariance: Cholesky's where it has full rank."""
    d = len(g.mean)
    if g.n > d:
        try:
            return linalg.cholesky(g.covariance, lower=True)
        except linalg.LinAlgError:
            pass  # a constant or repeated feature
    rank = min(g.n - 1, d)
    values, vectors = linalg.eigh(g.covariance, subset_by_index=[d - rank, d - 1])
    return vectors * np.sqrt(np.clip(values, 0, None))


def _squared(x: np.ndarray) -> np.float64:
    return np.vdot(x, x)


def _clipped(distance: np.float64) -> float:
    return max(0.0, float(_finite(distance)))


def _finite(x: np.ndarray) -> np.ndarray:
    """`max(0.0, nan)` is 0.0."""
    if not np.isfinite(x).all():
        raise UsageError(
            "expected features whose squares are finite, found larger ones: "
            "the generator or the extractor has diverged."
        )
    return x
