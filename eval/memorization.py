"""Are the samples copies of the training set, and how many different ones are there?"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats
from sklearn.cluster import KMeans

from ganzoo.errors import UsageError
from ganzoo.eval import arrays
from ganzoo.eval.distances import squared_distances


def memorization(
    train: np.ndarray, held_out: np.ndarray, samples: np.ndarray, *, pairs: int = 10
) -> dict:
    """Compare the samples' distances to their nearest training vector with held-out reals'.

    `ratio`: the samples' median distance over the held-out ones': about 1 for a generator that
    knows the distribution, towards 0 for one that copies. `z`, `p_value`: `mann_whitney_z` of the
    samples' distances over the held-out ones', and its one-sided probability (`copying_z`, which
    asks the same cell by cell, is a function of its own). `closer`: the share of samples nearer
    than the nearest 1 % of held-out. `pairs`: the closest ones as (sample index, training index,
    distance), nearest first.
    Features (n, d) each; reals that stand in the training set too are no baseline.
    """
    train, held_out = arrays.vector_pair(train, held_out)
    _, samples = arrays.vector_pair(train, samples)
    if pairs < 0:
        raise UsageError(f"expected 0 pairs or more, found {pairs}.")
    baseline, _ = nearest(held_out, train)
    distances, index = nearest(samples, train)
    if np.median(baseline) == 0:
        raise UsageError(
            "expected held-out vectors that differ from the training ones, found that half of "
            "them or more are copies: take another split."
        )
    z = mann_whitney_z(distances, baseline)
    closest = np.argsort(distances, kind="stable")[:pairs]
    return {
        "ratio": float(np.median(distances) / np.median(baseline)),
        "z": z,
        "p_value": float(stats.norm.cdf(z)),
        "closer": float((distances < np.quantile(baseline, 0.01)).mean()),
        "pairs": [(int(i), int(index[i]), float(distances[i])) for i in closest],
    }


def nearest(queries: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The Euclidean distance (n,) of each query to its nearest reference, and that one's index."""
    queries, references = arrays.vector_pair(queries, references, at_least=1)
    distances, index = np.empty(len(queries)), np.empty(len(queries), np.int64)
    for rows, d2 in squared_distances(queries, references):
        index[rows] = d2.argmin(1)
        distances[rows] = np.sqrt(np.take_along_axis(d2, index[rows, None], 1)[:, 0])
    return distances, index


def mann_whitney_z(a: np.ndarray, b: np.ndarray) -> float:
    """How many deviations the U statistic of a over b lies above its mean, ties at half.

    Meehan et al. 2020, section 3 (Z_U); far below 0 where a is the smaller.
    """
    n, m = len(a), len(b)
    ranks = stats.rankdata(np.concatenate([a, b]))
    u = ranks[:n].sum() - n * (n + 1) / 2
    _, ties = np.unique(ranks, return_counts=True)
    total = n + m
    spread = n * m / 12 * (total + 1 - (ties**3.0 - ties).sum() / (total * (total - 1)))
    return float((u - n * m / 2) / math.sqrt(spread)) if spread > 0 else 0.0


def copying_z(
    train: np.ndarray,
    held_out: np.ndarray,
    samples: np.ndarray,
    *,
    rng: np.random.Generator,
    cells: int = 10,
    at_least: int = 10,
) -> float:
    """C_T of Meehan et al. 2020, equation 3: below -3 or so the generator copies somewhere.

    The space is cut into k-means cells of the training set; Z_U within each is averaged by the
    cells' shares of the held-out set. Above 0 the samples lie further from the training set than
    reals do. Cells with fewer than `at_least` samples or held-out vectors have no vote.
    """
    train, held_out = arrays.vector_pair(train, held_out)
    _, samples = arrays.vector_pair(train, samples)
    if not 1 <= cells <= len(train):
        raise UsageError(f"expected 1 to {len(train)} cells, found {cells}.")
    seed = int(rng.integers(2**31))
    means = KMeans(cells, n_init=1, random_state=seed).fit(train).cluster_centers_
    parts = [(x, nearest(x, means)[1]) for x in (train, held_out, samples)]
    scores, shares = [], []
    for cell in range(cells):
        t, p, q = (x[where == cell] for x, where in parts)
        if len(t) and min(len(p), len(q)) >= at_least:
            scores.append(mann_whitney_z(nearest(q, t)[0], nearest(p, t)[0]))
            shares.append(len(p))
    if not scores:
        raise UsageError(
            f"expected a cell with {at_least} samples and {at_least} held-out vectors, found none "
            f"in {cells}: take fewer cells or more samples."
        )
    return float(np.average(scores, weights=shares))


def closest_pairs(samples: np.ndarray, *, pairs: int = 20) -> list[tuple[int, int, float]]:
    """The pairs of different samples that lie nearest, as (index, index, distance).

    The ones to look at: Arora and Zhang 2017 had people judge 20 of them. The distance of the
    closest pair of as many real samples is a threshold for `birthday_paradox` that calls no two
    reals duplicates.
    """
    x = arrays.vectors(samples, "sample")
    if pairs < 1:
        raise UsageError(f"expected 1 pair or more, found {pairs}.")
    found: list[tuple[float, int, int]] = []
    for rows, d2 in _upper(x):
        flat = np.argpartition(d2, min(pairs, d2.size) - 1, axis=None)[:pairs]
        i, j = np.unravel_index(flat, d2.shape)
        new = zip(d2[i, j].tolist(), (i + rows.start).tolist(), j.tolist(), strict=True)
        found = sorted([*found, *new])[:pairs]
    return [(i, j, math.sqrt(d2)) for d2, i, j in found if d2 < math.inf]


def birthday_paradox(samples: np.ndarray, *, threshold: float) -> dict[str, float | int | None]:
    """How many different samples there can be, from the pairs no further apart than a threshold.

    Of `duplicates` among n (n - 1) / 2 pairs, two samples coincide with p = their share, and at
    most 1 / p equally likely ones behave so: `support`. `batch`: the number of samples that hold a
    duplicate half of the time; Arora and Zhang 2017 call its square the support, which is this
    one times 2 log 2. Without a duplicate `support` and `batch` are None, and `at_least` is the
    support that one duplicate would have meant.
    """
    x = arrays.vectors(samples, "sample")
    if not threshold >= 0:
        raise UsageError(f"expected a threshold of 0 or more, found {threshold}.")
    duplicates = sum(int((d2 <= threshold**2).sum()) for _, d2 in _upper(x))
    total = len(x) * (len(x) - 1) // 2
    support = total / duplicates if duplicates else None
    return {
        "duplicates": duplicates,
        "support": support,
        "batch": math.sqrt(2 * math.log(2) * support) if support else None,
        "at_least": float(total) if support is None else None,
    }


def _upper(x: np.ndarray):
    """Blocks of squared distances in which only pairs i < j are finite."""
    for rows, d2 in squared_distances(x, x):
        d2[np.arange(len(x)) <= np.arange(rows.start, rows.stop)[:, None]] = math.inf
        yield rows, d2
