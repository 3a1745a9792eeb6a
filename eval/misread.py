"""Modes that a classifier's errors make: what it explains alone of the combinations it reads.

A mode of stacked digits is counted once one sample of it is read, so a classifier that misreads
one digit in 200 finds, in 26,000 samples of three digits, hundreds of modes that nobody drew.
How often it takes which class for which is measured on real images; the rest is arithmetic.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from ganzoo.errors import UsageError
from ganzoo.eval import arrays

DOUBT = 1e-3  # of 1,000 modes that nobody drew, one at most is believed in by chance
ROUNDS = 20


def error_rates(confusion: np.ndarray) -> np.ndarray:
    """Row a: the probabilities that class a is read as each, from counts (classes, classes).

    One image a class is added, spread over all classes (Perks's prior): a mistake that did not
    occur among some thousands of images is rare, and still not impossible among 26,000.

    >>> error_rates(np.array([[9, 0], [1, 8]]))
    array([[0.95, 0.05],
           [0.15, 0.85]])
    """
    counts = arrays.labels(confusion, "confusion").astype(np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.sum(1).all():
        raise UsageError(
            "expected counts (classes, classes) with real images of each class, found shape "
            f"{counts.shape} with rows of {counts.sum(-1)}."
        )
    counts += 1 / len(counts)
    return counts / counts.sum(1, keepdims=True)


def misread_modes(counts: np.ndarray, rates: np.ndarray) -> dict[str, float | int]:
    """Of `counts` samples read as each combination, which those of others explain when misread.

    Counts (classes,) * channels, each channel being read alone by `rates` (classes, classes), as
    of `error_rates`: combination s is read as t with probability M[s, t], the product over the
    channels. Returned:

    `beyond`: the combinations t with more samples than are misread from elsewhere, a Poisson
    number of mean sum_s n_s M[s, t] that would be so large with probability 1e-3 at most. What is
    left of their counts is the estimate p of what was drawn, from which the means come again,
    until the modes stay the same ones.

    `expected`: sum over all other t of 1 - (1 - sum_s p_s M[s, t])^n, the expected number of
    modes that n samples of p alone would be misread into.
    """
    counts = arrays.labels(counts, "counts")
    rates = arrays.probabilities(rates, "error rates")
    if set(counts.shape) != set(rates.shape) or not counts.any():
        raise UsageError(
            f"expected counts of samples for each combination of {len(rates)} classes, found "
            f"{int(counts.sum())} in shape {counts.shape}."
        )
    n = int(counts.sum())
    right = np.ones(())
    for _ in range(counts.ndim):
        right = np.multiply.outer(right, rates.diagonal())
    drawn, beyond = counts / n, np.zeros(counts.shape, bool)
    for _ in range(ROUNDS):
        misread = n * (_read(drawn, rates) - drawn * right)
        before, beyond = beyond, stats.poisson.sf(counts - 1, misread) < DOUBT
        left = np.where(beyond, np.clip(counts - misread, 0, None), 0)
        drawn = left / left.sum()
        if (beyond == before).all():
            break
    elsewhere = _read(drawn, rates)[~beyond]
    return {
        "beyond": int(beyond.sum()),
        "expected": float((-np.expm1(n * np.log1p(-elsewhere))).sum()),
    }


def _read(drawn: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """The shares of combinations as they are read: each axis through the rates."""
    for _ in range(drawn.ndim):
        drawn = np.tensordot(drawn, rates, axes=(0, 0))  # the new axis comes last
    return drawn
