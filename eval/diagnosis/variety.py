"""What a few hundred samples tell within milliseconds: how varied they are, of which classes.

The numbers that the monitor reads at every checkpoint. They are made for one run's course over
time, in float32 and on few samples, and are no scores: those are in `prdc`, `modes` and
`memorization`.
"""

from __future__ import annotations

import numpy as np

K = 5
"""Neighbours of the balls of precision and recall, as in `prdc`."""
CLOSE = 0.01
"""Reals whose nearest real is this near are the closest 1 %: nearer samples are duplicates."""
COPY_RATIO = 1 / 3
"""Of the distances to the nearest and to the second nearest training sample: below it a sample is
a copy (Yoon et al. 2023, section 3)."""
ENOUGH = 100
"""Held-out samples that may set that ratio instead."""


class Variety:
    """Real features, and all that can be computed of them before the first sample.

    `train` (r, d): training features. The first `n` of them stand for the real distribution;
    all of them are looked through for neighbours. `labels` (r,): their classes, out of `classes`.
    `held_out` (m, d): features of reals that are not in the training set.
    """

    def __init__(
        self,
        train: np.ndarray,
        n: int,
        *,
        labels: np.ndarray | None = None,
        classes: int = 0,
        held_out: np.ndarray | None = None,
    ):
        self.n = min(n, len(train))
        self.train = np.ascontiguousarray(train, np.float32)
        self.labels, self.classes = labels, classes
        self.origin = self.train.mean(0)
        self.doubled = -2 * (self.train - self.origin).T
        self.squares = _squares(self.train - self.origin)
        own = _squared(self.train[: self.n], self.train[: self.n])
        self.spread, nearest, self.radii = _within(own)
        self.close = float(np.quantile(nearest, CLOSE))
        self.copy_ratio = COPY_RATIO
        if held_out is not None and len(held_out) >= ENOUGH:
            self.copy_ratio = float(np.quantile(self._nearest(held_out)[1], CLOSE))

    def variety(self, fake: np.ndarray) -> dict[str, float]:
        """How varied the features (m, d) are, against as many reals.

        `diversity`: their mean distance from each other over that of the reals. `duplicates`: the
        share whose nearest other one is nearer than the closest 1 % of reals are to each other.
        `precision`, `recall`: Kynkaanniemi et al. 2019, equation 2, with balls to the 5th
        neighbour. Nothing of so few reals that there is no such neighbour.
        """
        if self.n <= K:
            return {}
        fake = np.ascontiguousarray(fake, np.float32)
        spread, nearest, radii = _within(_squared(fake, fake))
        across = _squared(fake, self.train[: self.n])
        return {
            "diversity": spread / self.spread if self.spread else 1.0,
            "duplicates": float((nearest < self.close).mean()),
            "precision": float((across <= self.radii).any(1).mean()),
            "recall": float((across <= radii[:, None]).any(0).mean()),
        }

    def neighbours(
        self, fake: np.ndarray, asked: np.ndarray | None = None
    ) -> dict[str, list[float] | float]:
        """What the nearest training samples of the features (m, d) say.

        `copies`: the share of samples whose nearest training sample is much nearer than the
        second nearest: by more than it is for all but 1 % of the held-out reals, or by three
        times where there are none. Unlike a distance, this ratio is the same in dense and in
        sparse regions, so that a collapse into a dense one is not taken for copying.

        `classes`: the share of samples whose nearest is of class 0, 1, ...; `real_classes`: the
        training set's own shares. `label_agreement`: of samples that were `asked` (m,) for by
        class, the share whose nearest is of that class.
        """
        first, ratio = self._nearest(fake)
        values: dict[str, list[float] | float] = {"copies": float((ratio < self.copy_ratio).mean())}
        if self.labels is not None and self.classes:
            values["classes"] = _shares(self.labels[first], self.classes)
            values["real_classes"] = _shares(self.labels, self.classes)
            if asked is not None:
                values["label_agreement"] = float((self.labels[first] == asked).mean())
        return values

    def _nearest(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest training sample's index, and its distance over the second nearest's."""
        x = np.ascontiguousarray(x, np.float32)
        d2 = (x - self.origin) @ self.doubled + self.squares  # less x's own square: order is all
        first = d2.argmin(1)
        d2[np.arange(len(d2)), first] = np.inf
        nearest, second = (self._exactly(x, index) for index in (first, d2.argmin(1)))
        with np.errstate(invalid="ignore"):  # equal to two or more: a copy of one of them
            return first, np.nan_to_num(nearest / second)

    def _exactly(self, x: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Distances without the rounding of `_squared`: 0 for a copy."""
        return np.linalg.norm(x - self.train[index], axis=1)


def _squared(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Squared distances of all pairs (len(x), len(y)), float32, at least 0."""
    origin = y.mean(0)
    x, y = x - origin, y - origin
    d2 = x @ (-2 * y.T)
    d2 += _squares(x)[:, None]
    d2 += _squares(y)
    return np.maximum(d2, 0, out=d2)


def _squares(x: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", x, x)


def _within(d2: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Of a set's own squared distances: mean distance, nearest other, squared K-th radius."""
    n = len(d2)
    np.fill_diagonal(d2, 0)
    spread = float(np.sqrt(d2).sum() / max(1, n * (n - 1)))
    k = min(K, n - 1)
    nearest = np.sort(np.partition(d2, k, axis=1)[:, : k + 1], axis=1)  # place 0 is itself
    return spread, np.sqrt(nearest[:, min(1, k)]), nearest[:, k]


def _shares(labels: np.ndarray, classes: int) -> list[float]:
    counts = np.bincount(labels, minlength=classes)
    return [round(float(share), 6) for share in counts / len(labels)]
