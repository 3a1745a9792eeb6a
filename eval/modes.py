"""Which modes the samples cover: classes, stacked digits, blobs in space.

The Kullback-Leibler divergences are in nats, over the histogram of modes: `kl_fake_real` is
KL(samples || real), the one in the literature's tables (its "reverse KL"), and finite however few
modes have samples; `kl_real_fake` is infinite as soon as a real mode has none. No set of n samples
has a divergence of 0: `expected_kl` is what a perfect generator gets.
"""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from ganzoo.errors import UsageError
from ganzoo.eval import arrays
from ganzoo.eval.memorization import nearest

STACKED_SAMPLES = 26_000  # Srivastava et al. 2017 and Lin et al. 2018
ROUNDING = 1e-9  # of a share: 0.1 x 0.1 is above 0.01 in binary


def class_modes(
    real_labels: np.ndarray, probabilities: np.ndarray, *, min_share: float = 0.1
) -> dict:
    """Classes that the samples cover, from a classifier's probabilities (n, classes) for them.

    A class is covered where its share of the samples is at least `min_share` of its share of the
    reals: one lucky sample is no coverage, and neither is a classifier's error rate. Returned:
    `covered`, `classes` (those among the reals), `missing`, `histogram` and `real_histogram`
    (shares), `entropy` of the histogram in nats, both divergences, and the classifier's mean
    `confidence` in what it says.
    """
    p = arrays.probabilities(probabilities)
    if not 0 <= min_share <= 1:
        raise UsageError(f"expected a least share from 0 to 1, found {min_share}.")
    classes = p.shape[1]
    real = _shares(arrays.labels(real_labels, "real", classes=classes).ravel(), classes)
    fake = _shares(p.argmax(1), classes)
    wanted = real > 0
    covered = wanted & (fake > 0) & (fake >= min_share * real * (1 - ROUNDING))
    return {
        "covered": int(covered.sum()),
        "classes": int(wanted.sum()),
        "missing": np.flatnonzero(wanted & ~covered).tolist(),
        "histogram": fake.tolist(),
        "real_histogram": real.tolist(),
        "entropy": float(special.entr(fake).sum()),
        **_divergences(real, fake),
        "confidence": float(p.max(1).mean()),
    }


def stacked_modes(probabilities: np.ndarray, *, real_digits: np.ndarray | None = None) -> dict:
    """Stacked MNIST: of 1,000 triples of digits, those with a sample, and the divergence.

    Probabilities (n, 3, 10) of the three channels' digits. A mode is found with 1 sample, and the
    papers take 26,000 (Srivastava et al. 2017, section 4.1; Lin et al. 2018, section 4.2): with
    fewer, fewer are found. The real histogram is uniform, or that of real digits (m, 3).
    """
    p = arrays.probabilities(probabilities, "digit probabilities", ndim=3)
    channels, classes = p.shape[1:]
    count = classes**channels
    real = np.full(count, 1 / count)
    if real_digits is not None:
        digits = arrays.labels(real_digits, "real", classes=classes)
        if digits.ndim != 2 or digits.shape[1] != channels:
            raise UsageError(f"expected real digits (m, {channels}), found shape {digits.shape}.")
        real = _shares(_triple(digits, classes), count)
    fake = _shares(_triple(p.argmax(2), classes), count)
    return {
        "modes": int((fake > 0).sum()),
        "of": count,
        **_divergences(real, fake),
        "confidence": float(p.max(2).mean()),
        "n": len(p),
    }


def point_modes(
    points: np.ndarray, *, centres: np.ndarray, sigma: float, within: float = 3.0
) -> dict:
    """Rings and grids of Gaussians: modes found, share of good samples, divergence, histogram.

    A sample is good within 3 sigma of its nearest centre, and a mode is found if it has a good
    sample (Srivastava et al. 2017, section 4.1; Lin et al. 2018, section 4.1, on 2,500 samples).
    The histogram is that of all samples, good or not, by nearest centre; the real one is uniform.
    `kl_good` is the divergence of the good samples' histogram, which is the one that PacGAN's code
    reports (Lin et al. 2018), and infinite where no sample is good.
    """
    points = arrays.vectors(points, "sample")
    centres = arrays.vectors(centres, "centre", at_least=1)
    if not sigma > 0:
        raise UsageError(f"expected sigma above 0, found {sigma}.")
    distances, mode = nearest(points, centres)
    good = distances <= within * sigma
    fake, uniform = _shares(mode, len(centres)), np.full(len(centres), 1 / len(centres))
    of_good = _shares(mode[good], len(centres)) if good.any() else None
    return {
        "modes": len(np.unique(mode[good])),
        "of": len(centres),
        "high_quality": float(good.mean()),
        "histogram": fake.tolist(),
        **_divergences(uniform, fake),
        "kl_good": np.inf if of_good is None else _divergences(uniform, of_good)["kl_fake_real"],
    }


def triples(probabilities: np.ndarray) -> np.ndarray:
    """How many samples are read as each combination: counts (classes,) * channels.

    >>> triples(np.eye(2)[[[0, 1], [0, 1], [1, 1]]])
    array([[0, 2],
           [0, 1]])
    """
    p = arrays.probabilities(probabilities, "digit probabilities", ndim=3)
    channels, classes = p.shape[1:]
    counts = np.bincount(_triple(p.argmax(2), classes), minlength=classes**channels)
    return counts.reshape((classes,) * channels)


def expected_kl(shares: np.ndarray, n: int, *, real: np.ndarray | None = None) -> float:
    """E KL(h || real) of the histogram h of n draws from `shares`, in nats; exact to 1e-12.

    The sum over modes of E[h log h] - E[h] log real, each count being binomial; `real` is the
    shares themselves if not given, and then this is about (modes - 1) / 2n.

    >>> round(expected_kl(np.full(1000, 1 / 1000), 26_000), 4)
    0.0193
    """
    shares = np.asarray(shares, np.float64).ravel()
    real = shares if real is None else np.asarray(real, np.float64).ravel()
    if shares.shape != real.shape or shares.min() < 0 or abs(shares.sum() - 1) > 1e-6 or n < 1:
        raise UsageError(
            f"expected as many shares as real ones, of sum 1, and a sample or more, found "
            f"{shares.size} and {real.size} shares of sum {shares.sum():.3g}, and {n} samples."
        )
    different, which = np.unique(shares, return_inverse=True)
    entropies = np.array([_expected_log(share, n) for share in different])[which]
    return float((entropies - special.xlogy(shares, real)).sum())


def _expected_log(share: float, n: int) -> float:
    """E[h log h] of h = X / n, X being binomial; beyond 12 deviations nothing is left."""
    reach = 40 + 12 * np.sqrt(n * share * (1 - share))
    x = np.arange(max(0, int(n * share - reach)), min(n, int(n * share + reach)) + 1)
    return float(stats.binom.pmf(x, n, share) @ special.xlogy(x / n, x / n))


def _shares(modes: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(modes, minlength=count) / len(modes)


def _triple(digits: np.ndarray, classes: int) -> np.ndarray:
    """The digits of each row read as one number."""
    return digits @ classes ** np.arange(digits.shape[1])[::-1]


def _divergences(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    return {
        "kl_fake_real": float(special.rel_entr(fake, real).sum()),
        "kl_real_fake": float(special.rel_entr(real, fake).sum()),
    }
