"""Mistakes in a plugin's code, by what they leave in the rows: no setting mends them.

Those that some games survive are alarms only where the samples do not get better.
"""

from __future__ import annotations

import numpy as np

from ganzoo.eval.diagnosis.findings import Remedy, Rule, Sign
from ganzoo.eval.diagnosis.history import LEAST, POOR, History, Series, separation
from ganzoo.eval.diagnosis.rules_players import inverted, severity
from ganzoo.eval.diagnosis.rules_samples import by_mode

BOUNDED = 0.9
"""A cross-entropy of real and fake together cannot be as low if all logits are between 0 and 1:
-log sigmoid(1) - log sigmoid(0) is 1.006."""
TOLD = 0.7
"""A probability to which such a D brings the reals, from the 0.5 that it begins with."""
CHANCE = 3.0
"""Standard errors above one in so many classes."""
COMPARED = 500
"""Samples whose classes are looked at."""
DIVERSE = 0.5
"""Of the reals' diversity: samples that are collapsed have no label's class either."""
MANY = 0.05
"""Of all values: as many lie outside the range by no accident."""
UNREACHED = 0.25
"""Of the reals' values, in a half of the range that no sample enters."""


def swapped_labels(history: History) -> Sign | None:
    """D calls reals fake and fakes real, and its loss is low for it."""
    if not history.has("discriminator_loss") or not inverted(history) or history.good():
        return None
    apart = separation(history)
    loss = history["discriminator_loss"]
    return Sign(
        severity(history),
        f"the discriminator's logits of fakes lie {-apart:.1f} deviations above those of reals, "
        f"and its loss is only {loss.level:.2g}: it is taught the wrong way round",
        {"separation_of_the_logits": apart, "discriminator_loss": loss.level},
        history["real_logits"].name,
    )


def double_sigmoid(history: History) -> Sign | None:
    """All logits are between 0 and 1, and the loss is one that wants them on both sides of 0."""
    sides = [history[f"{side}_logits"] for side in ("real", "fake")]
    loss = history["discriminator_loss"]
    if min(map(len, sides)) < 2 * LEAST or loss.least < BOUNDED:
        return None
    deviations = [history[f"{side}_logits_std"] for side in ("real", "fake")]
    if not all(map(_bounded, sides, deviations)) or history["d_accuracy_fake"].level > 0:
        return None
    if history.good() or max(sides[0].values) < TOLD:
        return None
    return Sign(
        severity(history),
        f"all logits of the discriminator lie between 0 and 1 ({sides[0].level:.2f} of reals, "
        f"{sides[1].level:.2f} of fakes): it seems to end in a sigmoid, and the loss has its own",
        {side.name: side.level for side in sides} | {loss.name: loss.level},
        sides[1].name,
    )


def _bounded(means: Series, deviations: Series) -> bool:
    """Whether these may be means and deviations of numbers from 0 to 1: a variance there is at
    most m (1 - m) (Bhatia and Davis 2000)."""
    m, s = (np.asarray(series.values) for series in (means, deviations))
    if len(m) != len(s) or not ((m > 0) & (m < 1)).all():
        return False
    return bool((s * s <= m * (1 - m) + 1e-3).all())


def wrong_range(history: History) -> Sign | None:
    """The samples' values leave the data's range, or never come to a part of it."""
    outside, unreached = (history[name].values[-3:] for name in ("outside", "unreached"))
    if len(outside) < 3 or history.near():
        return None
    beyond, missed = min(outside), min(unreached)
    if beyond <= MANY and missed <= UNREACHED:
        return None
    if beyond > MANY:
        said = f"{beyond:.0%} of the samples' values lie outside the range of the data"
    else:
        said = f"{missed:.0%} of the real values lie in a half of the range where no sample has any"
    return Sign(
        "failure" if beyond > MANY else severity(history),
        f"{said}: the generator's last layer does not fit the data",
        {"outside": outside[-1], "unreached": unreached[-1]},
        "outside" if beyond > MANY else "unreached",
    )


def ignored_labels(history: History) -> Sign | None:
    """Samples that look real are of the class that was asked for no more often than by chance."""
    agreement, real = history["label_agreement"], history.row.get("real_classes")
    if len(agreement) < 3 or not isinstance(real, (list, tuple)) or len(real) < 2:
        return None
    chance = 1 / len(real)
    most = chance + CHANCE * (chance * (1 - chance) / COMPARED) ** 0.5
    level = float(np.median(agreement.values[-3:]))
    varied = history["precision"].level > POOR and history["diversity"].level > DIVERSE
    if level > most or not varied:
        return None
    return Sign(
        "failure",
        f"{level:.0%} of the samples are nearest to a real one of the class that was asked for, "
        f"and {chance:.0%} are by chance: the label has no effect",
        {"label_agreement": level, "by_chance": chance},
        agreement.name,
    )


def inference_mismatch(history: History) -> Sign | None:
    """The same generator, with the same z, makes much better samples in training mode."""
    if not by_mode(history):
        return None
    inside, score = history.now("score_in_training"), history.now("score")
    return Sign(
        "failure",
        f"the samples score {score:.3g}, and those that the same generator makes of the same z in "
        f"training mode {inside:.3g}: a layer does something else in inference",
        {"score": score, "score_in_training": inside},
        "score",
    )


RULES = (
    Rule(
        "swapped_labels",
        swapped_labels,
        ("real_logits", "discriminator_loss"),
        Remedy(
            "Look at the order of real and fake in the discriminator's loss, and at the sign of "
            "both losses."
        ),
        about="discriminator",
        looks=10,
        lasts=0.15,
    ),
    Rule(
        "double_sigmoid",
        double_sigmoid,
        ("real_logits", "discriminator_loss"),
        Remedy("Let the discriminator end without an activation: the losses take logits."),
        about="discriminator",
        looks=10,
        lasts=0.15,
    ),
    Rule(
        "wrong_range",
        wrong_range,
        ("outside",),
        Remedy("Look at the generator's last activation: the data's range is in its DataSpec."),
        about="samples",
        lasts=0.15,
    ),
    Rule(
        "ignored_labels",
        ignored_labels,
        ("label_agreement",),
        Remedy(
            "Look whether the generator uses its label, and whether the discriminator sees it: "
            "what nobody judges is not learnt."
        ),
        about="samples",
        lasts=0.15,
        alarms=0.45,  # a projection learns what is real before it learns which class
    ),
    Rule(
        "inference_mismatch",
        inference_mismatch,
        ("score",),
        Remedy(
            "Look at layers that behave differently in inference: batch norm whose moving "
            "statistics are not updated, or lag behind; dropout."
        ),
        about="samples",
        lasts=0.15,
    ),
)
