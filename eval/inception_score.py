"""Inception score: confident and varied predictions of a classifier (Salimans et al. 2016)."""

from __future__ import annotations

import numpy as np
from scipy import special

from ganzoo.errors import UsageError
from ganzoo.eval import arrays


def inception_score(probabilities: np.ndarray, *, splits: int = 10) -> dict[str, float]:
    """exp(E_x KL(p(y|x) || p(y))) of class probabilities (n, classes): from 1 to the classes.

    Mean and standard deviation (`is`, `is_std`) over consecutive splits, as in the authors' code:
    samples sorted by class must be shuffled first. It never looks at real samples, so a generator
    with one perfect sample a class gets the best score (Salimans et al. 2016, section 4).
    """
    p = arrays.probabilities(probabilities)
    if not 1 <= splits <= len(p) // 2:
        raise UsageError(
            f"expected 1 to {len(p) // 2} splits of {len(p)} samples (2 or more in each), "
            f"found {splits}."
        )
    scores = [
        np.exp(special.rel_entr(part, part.mean(0)).sum(1).mean())
        for part in np.array_split(p, splits)
    ]
    return {"is": float(np.mean(scores)), "is_std": float(np.std(scores))}


def inception_score_of_logits(logits: np.ndarray, *, splits: int = 10) -> dict[str, float]:
    """As `inception_score`, from logits (n, classes)."""
    logits = arrays.vectors(logits, "logit")
    return inception_score(special.softmax(logits, axis=1), splits=splits)
