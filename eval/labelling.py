"""Which class a sample is of: by the extractor's classifier, or by its labelled neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special
from sklearn.neighbors import KNeighborsClassifier

from ganzoo import memory
from ganzoo.eval.summary import Summary

TRUSTED = 0.9
"""A classifier that names so many of the real images right is believed of the samples too."""
NEIGHBOURS = 5


@dataclass(frozen=True)
class Classes:
    """`probabilities` (n, classes) of the samples at `rows`; `accuracy` on the real ones, if known.

    `by` says whose they are, and is empty for the extractor's own.
    """

    probabilities: np.ndarray
    rows: np.ndarray
    accuracy: float
    by: str = ""


def by_classifier(real: Summary, fake: Summary) -> Classes:
    """The extractor's own classes, of all samples; both sides have logits, the real one labels."""
    accuracy = float((real.logits.argmax(1) == real.labels).mean())
    probabilities = special.softmax(fake.logits.astype(np.float64), axis=-1)
    return Classes(probabilities, np.arange(fake.n), accuracy)


def by_neighbours(train: Summary, real: Summary, fake: Summary) -> Classes:
    """The vote of the nearest training samples in feature space, of the samples that are kept.

    The training samples and the real ones have labels.
    """
    votes = KNeighborsClassifier(NEIGHBOURS).fit(train.features, train.labels[train.kept])
    accuracy = float((votes.predict(real.features) == real.labels[real.kept]).mean())
    classes = int(train.labels.max()) + 1
    memory.require(
        2 * 8 * len(fake.features) * classes,
        f"to vote on {classes:,} classes of {fake.name}",
        "leave out what needs classes",
    )
    wide = np.zeros((len(fake.features), classes))
    wide[:, votes.classes_] = votes.predict_proba(fake.features)
    return Classes(wide, fake.kept, accuracy, f" by {NEIGHBOURS} neighbours")
