"""Samples that were asked for by class: whether they are of it, and how far from the real ones.

Both are of one sample set with the classes that were asked for, and say how many each class had:
a class that few samples were asked of is known less well than the mean over classes looks.
"""

from __future__ import annotations

import numpy as np

from ganzoo.errors import UsageError
from ganzoo.eval import arrays
from ganzoo.eval.frechet import frechet_per_class


def label_accuracy(asked: np.ndarray, probabilities: np.ndarray) -> dict:
    """Share of samples that a classifier says are of the class that was asked for.

    `asked` (n,) classes and the classifier's `probabilities` (n, classes) of the same samples
    (Odena et al. 2017, section 4.1: discriminability). Returned: `label_accuracy`, that of each
    class that was asked for (`per_class`), their `counts`, and `confusion`, which holds for each
    of them the shares of all classes. It looks at no real sample: one perfect sample a class, over
    and over, gets a 1.

    >>> label_accuracy(np.array([0, 0, 1]), np.array([[1.0, 0], [0, 1], [0, 1]]))["per_class"]
    {0: 0.5, 1: 1.0}
    """
    p = arrays.probabilities(probabilities)
    asked = _of_samples(asked, len(p), "asked", classes=p.shape[1])
    said = p.argmax(1)
    shares = {
        int(c): np.bincount(said[asked == c], minlength=p.shape[1]) / (asked == c).sum()
        for c in np.unique(asked)
    }
    return {
        "label_accuracy": float((said == asked).mean()),
        "per_class": {c: float(share[c]) for c, share in shares.items()},
        "counts": {c: int((asked == c).sum()) for c in shares},
        "confusion": {c: share.tolist() for c, share in shares.items()},
        "confidence": float(p.max(1).mean()),
    }


def fid_by_class(
    real: np.ndarray, real_labels: np.ndarray, fake: np.ndarray, asked: np.ndarray
) -> dict:
    """The mean over the real classes of the Frechet distance within each: the intra FID.

    Features (n, d) and labels (n,) of either side, the samples' being the classes that they were
    asked to be (Miyato & Koyama 2018, section 4). Returned: `fid_by_class`, the distance of each
    class (`per_class`), and how many samples of each there were on either side (`counts`,
    `real_counts`). Confused classes raise it where the one distance of all samples does not. A
    distance of few samples is biased upwards, and each class has few.
    """
    real_labels = _of_samples(real_labels, len(real), "real")
    asked = _of_samples(asked, len(fake), "asked")
    counts, real_counts = (
        {int(c): int((labels == c).sum()) for c in np.unique(real_labels)}
        for labels in (asked, real_labels)
    )
    few = [c for c in counts if min(counts[c], real_counts[c]) < 2]
    if few:
        raise UsageError(
            f"expected 2 samples or more of each class on either side, found {counts[few[0]]} that "
            f"were asked to be of class {few[0]}, and {real_counts[few[0]]} real ones."
        )
    found = frechet_per_class(real, real_labels, fake, asked)
    return {
        "fid_by_class": float(np.mean(list(found.values()))),
        "per_class": found,
        "counts": counts,
        "real_counts": real_counts,
    }


def _of_samples(labels: np.ndarray, n: int, name: str, classes: int | None = None) -> np.ndarray:
    """Labels, one for each of n samples."""
    labels = arrays.labels(labels, name, classes=classes)
    if labels.shape != (n,):
        raise UsageError(f"expected one {name} label for each of {n}, found shape {labels.shape}.")
    return labels
