"""Failures of the samples, seen in what the probe says of them at every checkpoint."""

from __future__ import annotations

import numpy as np

from ganzoo.eval.diagnosis.findings import Remedy, Rule, Sign
from ganzoo.eval.diagnosis.history import POOR, History, duration, separation
from ganzoo.eval.diagnosis.rules_players import OSCILLATION

ALIKE = 0.3
"""Samples whose mean distance from each other is below this part of the reals' are alike."""
TWINS = 0.9
"""The share of samples with a nearer neighbour than nearly all reals have."""
FEW = 1 / 3
"""A collapse leaves less than this part of the real classes, counted by entropy."""
MISSING = 0.2
"""A class with less than this part of its real share is missing."""
MANY_MISSING = 0.2
"""Of all classes: with as many missing, the distribution is not the real one."""
HOPPING = 0.4
"""Half the summed change of the classes' shares from look to look; chance gives about 0.05."""
WORSE = 1.4
"""Times the best score."""
FALL = 0.1
"""Of precision or recall, which is ten times their noise on 500 samples."""
HALVED = 0.5
"""Of the samples' diversity."""
GAIN, LEARNED = 1.25, 0.97
"""Of the distance between D's mean logits; and an accuracy that leaves little to learn."""
BY_MODE = 0.5
"""Times the score: what the same generator's samples score in training mode, and reals with it."""
COPIES = 0.3
"""The share of samples that are nearer to one training sample than reals ever are; 0.01 by
chance."""
OVERFITTING = (
    "real_logits_train",
    "real_logits_heldout",
    "fake_logits_sampled",
    "real_logits_train_std",
)
TOLD_APART = 0.5
"""Deviations of D's logits: a distance below it is no denominator."""
OVERFIT, OVERFIT_BADLY = 0.5, 0.75
"""r_v of Karras et al. 2020 (equation 1): 0 is none, 1 is a D for which new reals are fakes."""


STANDS = 0.25
"""Of the phase: a collapse that has not stood so long may be one that passes."""
SAME = 0.02
"""Samples less diverse than this part of the reals are one and the same."""


def _severity(history: History) -> str:
    """No alarm while the samples get better, be it only since the look before this one."""
    return "warning" if history.trend() == "better" or history.falls() else "failure"


def by_mode(history: History) -> bool:
    """Whether these samples are bad because of the mode that they were made in."""
    inside, score = history.now("score_in_training"), history.now("score")
    if inside is None or score is None:
        return False
    floor = history["score_of_reals"].values[-1:] or [0.0]
    return bool(inside + floor[-1] <= BY_MODE * score)


def _rising(values: list[float], by: float = 1.15) -> bool:
    """Whether the last look is well above the look before the last two."""
    return len(values) >= 3 and values[-1] > by * values[-3]


def perplexity(shares: np.ndarray) -> float:
    """exp of the entropy: how many equally frequent classes are as varied as these.

    >>> perplexity(np.array([0.5, 0.5, 0.0]))
    2.0
    """
    p = shares[shares > 0]
    return round(float(np.exp(-(p * np.log(p)).sum())), 9)


def _untrained(history: History) -> bool:
    """Whether the samples are as they were at the first look, unlike anything real.

    Such a generator has not collapsed: it has not learned, for which the players give a reason.
    """
    signals = [history[name].values for name in ("precision", "diversity", "score")]
    if not all(signals) or signals[0][-1] > 0.02:
        return False
    diversity, score = (abs(values[-1] / max(values[0], 1e-9) - 1) for values in signals[1:])
    return score < 0.1 and (diversity < 0.1 or not separation(history) < 3)


def _shares(history: History) -> tuple[np.ndarray, np.ndarray] | None:
    """The samples' classes and the real ones, at this look."""
    if not isinstance(history.row.get("classes"), (list, tuple)):
        return None
    classes = np.asarray(history.row["classes"], float)
    real = np.asarray(history.row.get("real_classes") or np.full(len(classes), 1 / len(classes)))
    return (classes, real) if len(classes) == len(real) > 1 and classes.sum() > 0 else None


def mode_collapse(history: History) -> Sign | None:
    """The samples are alike, or of a few classes only (Goodfellow 2016, section 5.1.1)."""
    row, reasons = history.row, []
    diversity, duplicates = row.get("diversity"), row.get("duplicates")
    early = history.progress() < 0.25 if history.length else len(history["score"]) < 3
    if early and _rising(history["diversity"].values):
        return None
    alike = diversity is not None and diversity < ALIKE
    if alike:
        reasons.append(f"the samples are {diversity:.2f} times as diverse as real ones")
    if duplicates is not None and duplicates > TWINS and (diversity or 0) < 0.8:
        reasons.append(f"{duplicates:.0%} of them nearly repeat another")
    left, there = map(perplexity, _shares(history) or (np.ones(1), np.ones(1)))
    few = left < max(1.5, FEW * there) and there > 1
    if few:
        reasons.append(f"they are as good as {left:.1f} of {there:.0f} classes")
    if not reasons or history.near() or by_mode(history):
        return None
    same = diversity is not None and diversity < SAME  # no generator begins so that uses its z
    if _untrained(history) and not same:
        return None
    if same:
        reasons = [
            "all samples are one and the same, whatever z is: look whether the generator uses it"
        ]
    evidence = {k: row[k] for k in ("diversity", "duplicates", "recall", "classes") if k in row}
    return Sign(
        "failure" if same else _severity(history),
        " and ".join(reasons),
        evidence,
        "diversity",
        passing=alike or few,
    )


def partial_collapse(history: History) -> Sign | None:
    """Some classes are missing from the samples, while others are there."""
    shares = _shares(history)
    if shares is None:
        return None
    classes, real = shares
    missing = np.flatnonzero((classes < MISSING * real) & (real > 0))
    there = (real > 0).sum()
    if not len(missing) or perplexity(classes) < FEW * perplexity(real) or _untrained(history):
        return None
    if history.near() or by_mode(history):
        return None
    bad = len(missing) >= max(2, MANY_MISSING * there)
    named = ", ".join(map(str, missing[:10])) + (" and more" if len(missing) > 10 else "")
    return Sign(
        _severity(history) if bad else "warning",
        f"{len(missing)} of {there} classes are missing from the samples: {named}",
        {"missing": missing.tolist(), "classes": classes.tolist(), "real_classes": real.tolist()},
        "diversity",
    )


def hopping(history: History) -> Sign | None:
    """The samples' classes change from look to look: G runs from mode to mode, D after it."""
    looks = history["classes"].values[-5:]
    if len(looks) < 5 or len({len(look) for look in looks}) != 1:
        return None
    moves = np.abs(np.diff(np.asarray(looks, float), axis=0)).sum(1) / 2
    one = history["diversity"].level < SAME  # a lone sample has one class, at every look another
    if np.median(moves) < HOPPING or one or history.near() or by_mode(history):
        return None
    return Sign(
        _severity(history),
        f"{np.median(moves):.0%} of the samples change their class from look to look: the "
        "generator runs from mode to mode",
        {"changes": moves.round(3).tolist(), "classes": looks[-1], "classes_before": looks[-2]},
        "score",
        passing=True,
    )


def late_degradation(history: History) -> Sign | None:
    """The score was much better once, and stays worse."""
    scores, steps = history.scores(), history["score"].steps
    if len(scores) < 6:
        return None
    before = scores[:-3]
    best = int(before.argmin())
    noise = np.median(np.abs(np.diff(np.log(np.maximum(before, 1e-12)))))
    now = float(np.median(scores[-3:]))
    if history.near():
        return None
    ratio = now / before[best] if before[best] > 0 else np.inf
    if ratio < max(WORSE, np.exp(2.5 * noise)) or before[best] > 0.9 * scores[0]:
        return None
    if not _fell(history, best):
        return None
    hours = history.hours_since(steps[best])
    return Sign(
        "failure",
        f"the score was {history['score'].values[best]:.4g} at step {steps[best]} and is "
        f"{history['score'].values[-1]:.4g} now"
        + (f": {duration(hours)} of training were wasted" if hours else ""),
        {
            "best_score": history["score"].values[best],
            "best_step": steps[best],
            "score": history["score"].values[-1],
            "times_the_best": round(ratio, 3),
            "wasted_hours": round(hours, 4),
        },
        "score",
    )


def _fell(history: History, best: int) -> bool:
    """Whether precision or recall is lower than around the best score, or diversity half of it.

    A score of a few hundred samples has its own ups and downs. True where nobody measured these.
    """
    there = slice(max(0, best - 1), best + 2)

    def change(name: str) -> tuple[float, float]:
        values = history[name].values
        return float(np.median(values[there])), float(np.median(values[-3:]))

    known = ("precision", "recall", "diversity")
    if any(len(history[name]) != len(history["score"]) for name in known):
        return True
    *shares, (before, now) = map(change, known)
    return any(after < share - FALL for share, after in shares) or now < HALVED * before


def stagnation(history: History) -> Sign | None:
    """Half of the looks brought nothing new.

    It is a failure where the samples never got far from the first ones, else worth a note.
    """
    scores = history.scores()
    if len(scores) < 10 or history.progress() < 0.4:
        return None
    half = len(scores) // 2
    ratio = scores[half:].min() / scores[:half].min() if scores[:half].min() > 0 else 1.0
    if ratio < 0.95:
        return None
    precision, recall = history["precision"].level, history["recall"].level
    fair = max(precision, recall) > POOR  # nan: unknown
    failed = history.hopeless() and not fair and not history.near() and not _gaining(history)
    return Sign(
        "failure" if failed else "info",
        "half of the looks at the samples brought no better score"
        + (" and the first ones were hardly worse: it never got going" if failed else ""),
        {"best_score": float(history["score"].least), "first_score": history["score"].values[0]},
        "score",
    )


def _gaining(history: History) -> bool:
    """Whether D tells more apart than it did when half of this time was over, and not yet all.

    Such a game moves, and the samples may follow.
    """
    real, fake = (history[f"{side}_logits"].levels for side in ("real", "fake"))
    if len(real) != len(fake) or len(real) < 2:
        return False
    now, then = (real[i] - fake[i] for i in (-1, len(real) // 2))
    accuracies = [history[f"d_accuracy_{side}"].level for side in ("real", "fake")]
    return now > GAIN * then > 0 and np.mean(accuracies) < LEARNED


def memorization(history: History) -> Sign | None:
    """Samples are copies of training samples: nearer to one of them than other reals ever are."""
    copies = history.row.get("copies")
    if copies is None or copies < COPIES:
        return None
    return Sign(
        "failure",
        f"{copies:.0%} of the samples lie nearer to one training sample than new reals do",
        {"copies": copies, "expected": 0.01},
        "copies",
    )


def discriminator_overfitting(history: History) -> Sign | None:
    """D takes reals that it never saw for fakes: it knows its training set by heart."""
    looks = [history[name].values for name in OVERFITTING]
    if not looks[-1] or len({len(values) for values in looks}) != 1:
        return None
    train, held_out, fake, deviation = (np.asarray(values[-5:]) for values in looks)
    apart = train - fake
    if np.median(apart) < TOLD_APART * np.median(deviation):
        return None  # a D that cannot tell them apart has learned nothing by heart
    gap = float(np.median((train - held_out) / np.maximum(apart, TOLD_APART * deviation)))
    if gap < OVERFIT:
        return None
    return Sign(
        _severity(history) if gap >= OVERFIT_BADLY else "warning",
        f"the discriminator puts reals that it never saw {gap:.0%} of the way from its training "
        "reals to the fakes",
        {
            "r_v": gap,
            "real_logits_train": train[-1],
            "real_logits_heldout": held_out[-1],
            "fake_logits_sampled": fake[-1],
        },
        history["real_logits_heldout"].name,
    )


RULES = (
    Rule(
        "mode_collapse",
        mode_collapse,
        ("diversity", "classes"),
        Remedy(
            "Let the discriminator keep up: lower the generator's rate, give D more steps, or "
            "train with the Wasserstein loss.",
            {"g_lr": 1 / 4},
        ),
        about="samples",
        alarms=STANDS,
    ),
    Rule(
        "partial_collapse",
        partial_collapse,
        ("classes",),
        Remedy(
            "Show the discriminator more samples at once: a larger batch, or the Wasserstein loss.",
            {"batch_size": 2},
        ),
        about="samples",
        lasts=0.15,
        alarms=STANDS,
    ),
    Rule(
        "oscillation", hopping, ("classes",), OSCILLATION, "samples", looks=1, lasts=0.0, alarms=0.2
    ),
    Rule(
        "late_degradation",
        late_degradation,
        ("score",),
        Remedy(
            "Use the best checkpoint; to go on, start again with lower rates.",
            {"g_lr": 1 / 2, "d_lr": 1 / 2},
            instead=("sample", "--checkpoint", "best"),
        ),
        about="samples",
        looks=1,
        lasts=0.0,
    ),
    Rule(
        "stagnation",
        stagnation,
        ("score",),
        Remedy("Change the rates: these do not learn this data.", {"g_lr": 1 / 2, "d_lr": 1 / 2}),
        about="samples",
        looks=2,
        lasts=0.0,
    ),
    Rule(
        "memorization",
        memorization,
        ("copies",),
        Remedy("Use more training data, a smaller generator, or stop earlier.", {"steps": 1 / 2}),
        about="samples",
    ),
    Rule(
        "discriminator_overfitting",
        discriminator_overfitting,
        ("real_logits_heldout",),
        Remedy(
            "Use more training data or a smaller discriminator, or stop earlier.",
            {"steps": 1 / 2},
        ),
        about="discriminator",
    ),
)
