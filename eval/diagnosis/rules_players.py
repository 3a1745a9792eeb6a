"""Failures of the game, seen in losses, gradients, accuracies and logits.

What the players do is a failure only where the samples show it: each of these is a warning at most
while the samples are good or get better, and an alarm otherwise, as where nobody looks at them.
"""

from __future__ import annotations

import numpy as np

from ganzoo.eval.diagnosis.findings import Remedy, Rule, Sign
from ganzoo.eval.diagnosis.history import LEAST, History, Series, separation

VANISHED = 1e-2
"""A gradient below this part of its own early norm has lost orders of magnitude."""
NOTHING = 1e-6
"""A gradient norm, or a critic's loss, below it moves no weight of any size in use."""
PERFECT = 0.99
"""An accuracy from which on a discriminator makes no mistakes worth learning from."""
SEPARATED = 4.0
"""Means of the logits this many standard deviations apart overlap in 2 % of the samples."""
NEAR_ZERO, FALLEN = 0.15, 0.2
"""A loss of real and fake terms together below the first, and below the second part of its own
highest level: at cross-entropy, the right answers have a probability of 0.93."""
ZERO = 0.05
"""A loss below it needs no comparison."""
SURE = 0.01
"""A least-squares loss below it is off by a tenth at most, on reals and on fakes."""
STANDING = 1e-3
"""A critic's loss that fell to this part of its own highest level, and moves by no more."""
FROZEN = 1e-5
"""A loss that moves by less than this part of itself comes from a constant output."""
INVERTED = 1.0
"""Deviations by which the logits of fakes lie above those of reals."""
EXPLODED = 1e3
"""Times its own early level: no schedule or architecture asks for that."""
SWING = 5.0
"""Times its own early spread, and wider than its own level: a loss that swings."""
ROWS_OF_A_CYCLE = 256
PERIODIC = 0.6
"""An autocorrelation at the period of a cycle; noise of 64 values stays below 0.4."""


def severity(history: History) -> str:
    """An alarm where the samples are bad and do not get better, or where nobody looks at them."""
    return "warning" if history.good() or history.trend() == "better" else "failure"


def _accuracy(history: History) -> float:
    """D's accuracy on real and fake together, as it is now; nan: unknown."""
    return (history["d_accuracy_real"].level + history["d_accuracy_fake"].level) / 2


def _is_critic(loss: Series) -> bool:
    """Whether the loss has no floor at 0: a critic's, whose separation is what it is for."""
    return loss.least < 0


def vanishing_gradient(history: History) -> Sign | None:
    """G's gradient is orders of magnitude below its own early level while D separates perfectly
    (Arjovsky and Bottou 2017, theorem 2.4)."""
    norm = history["generator_grad_norm"]
    if not history.has("generator_grad_norm"):
        return None
    vanished = norm.level < VANISHED * max(norm.early, norm.peak)
    separated = _accuracy(history) >= PERFECT or separation(history) >= SEPARATED
    if not ((vanished and separated) or norm.level < NOTHING) or history.good():
        return None
    return Sign(
        severity(history),
        f"the generator's gradient norm fell to {norm.level:.2g} from {norm.peak:.2g}: "
        "it learns nothing any more",
        {
            "generator_grad_norm": norm.level,
            "highest_generator_grad_norm": norm.peak,
            "d_accuracy": _accuracy(history),
        },
        norm.name,
    )


def saturated_discriminator(history: History) -> Sign | None:
    """D tells everything right and its loss is near 0, so that it has nothing to teach.

    Without a score it is an alarm; with one it is where the samples got worse or never started.
    """
    loss = history["discriminator_loss"]
    if not history.has("discriminator_loss") or _is_critic(loss):
        return None
    near = loss.level < ZERO or (loss.level < NEAR_ZERO and loss.level < FALLEN * loss.peak)
    accuracy, apart = _accuracy(history), separation(history)
    if np.isnan(accuracy) and np.isnan(apart):  # the losses alone, and nobody says which
        near = near and (loss.level < SURE or _can_be_cross_entropy(history))
    elif not (accuracy >= PERFECT - 0.02 or apart >= SEPARATED):
        return None
    if not near or history.good():
        return None
    trend = history.trend()
    bad = trend == "worse" or (trend == "flat" and history.hopeless())
    late = len(history["score"]) > LEAST and not history.falls()
    bad = trend is None or (bad and late)
    return Sign(
        "failure" if bad else "warning",
        f"the discriminator's loss is {loss.level:.2g}: it tells real from fake without fail"
        + (", and the generator can gain nothing from it" if bad else ""),
        {"discriminator_loss": loss.level, "d_accuracy": accuracy},
        loss.name,
    )


def _can_be_cross_entropy(history: History) -> bool:
    """Whether these losses of G and D can be those of Goodfellow et al. 2014.

    Of fakes that D calls real with probability p, G loses -log p and D at least -log(1 - p). A
    healthy least-squares D has a loss as low as that of a cross-entropy's that has won, but G's is
    below 1.
    """
    g, d = history["generator_loss"].level, history["discriminator_loss"].level
    return g <= 0 or d >= -0.5 * np.log1p(-np.exp(-g))


def dead_discriminator(history: History) -> Sign | None:
    """D's output no longer depends on its input: its logits, or its loss, stand still."""
    loss = history["discriminator_loss"]
    if not history.has("discriminator_loss") or len(loss) < 2 * LEAST:
        return None
    deviation = max(history[f"{side}_logits_std"].level for side in ("real", "fake"))
    still = _stands_still(loss) if np.isnan(deviation) else deviation < NOTHING
    if not still or history.good():
        return None
    return Sign(
        severity(history),
        f"the discriminator's loss stands still at {loss.level:.3g}: its output no longer depends "
        "on its input",
        {
            "discriminator_loss": loss.level,
            "spread_of_the_loss": loss.spread(),
            "highest_loss": loss.peak,
            "logits_std": deviation,
        },
        loss.name,
    )


def _stands_still(loss: Series) -> bool:
    """A critic's loss at 0, any other at a constant above 0, where D would have won."""
    if _is_critic(loss):
        return max(abs(loss.level), loss.spread()) <= max(STANDING * loss.peak, NOTHING)
    return loss.level >= ZERO and loss.spread() <= FROZEN * loss.level


def discriminator_beaten(history: History) -> Sign | None:
    """D is at chance or fooled by every fake, and the samples are no better for it."""
    apart = separation(history)
    accuracy = history["d_accuracy_fake"].level
    if not apart < 0.2 or history.trend() is None or history.good() or inverted(history):
        return None
    if history.trend() == "better" or not (history.hopeless() or history.trend() == "worse"):
        return None
    return Sign(
        "failure",
        "the discriminator cannot tell real from fake, though the samples are no better than "
        "the first ones: it teaches the generator nothing",
        {
            "separation_of_the_logits": apart,
            "d_accuracy_fake": accuracy,
            "score": history["score"].values[-1],
            "first_score": history["score"].values[0],
        },
        history["d_accuracy_fake"].name,
    )


def inverted(history: History) -> bool:
    """Whether D takes reals for fakes and fakes for reals, and is rewarded for it.

    A D that is merely beaten does so too, but its loss is as high as such logits make it: by the
    cross-entropy at least that of their means (Jensen), and by other losses not much less.
    """
    real, fake = (history[f"{side}_logits"].level for side in ("real", "fake"))
    if not separation(history) < -INVERTED or _accuracy(history) > 0.5:
        return False
    right = np.logaddexp(0, -real) + np.logaddexp(0, fake)
    return bool(history["discriminator_loss"].level < 0.5 * right)


def exploding(history: History) -> Sign | None:
    """A loss, gradient norm or logit a thousand times its own early level."""
    for name in history.own():
        if not name.endswith(("_loss", "_grad_norm", "_logits")) or not history.has(name):
            continue
        signal = history[name]
        early = max(abs(signal.early), signal.spread(np.asarray(signal.values[:LEAST])), 1e-3)
        if name.endswith(("_loss", "_logits")):
            early = max(early, 1.0)
        if abs(signal.level) > EXPLODED * early:
            return Sign(
                severity(history),
                f"{name} grew to {signal.level:.3g}, {abs(signal.level) / early:.0f} times its "
                "early level",
                {name: signal.level, f"early_{name}": signal.early},
                name,
            )
    return None


def oscillating_losses(history: History) -> Sign | None:
    """A loss that goes round in a cycle, or a critic's that swings ever wider."""
    for player in history.subject.players if history.subject.pair else ():
        loss = history[f"{player}_loss"]
        if len(loss) >= ROWS_OF_A_CYCLE // 4:
            sign = _swinging(history, loss) or _cycling(history, loss)
            if sign is not None:
                return sign
    return None


def _swinging(history: History, loss: Series) -> Sign | None:
    """Only a critic's: other losses have a floor that bounds them on one side."""
    spread, early = loss.spread(), loss.spread(np.asarray(loss.values[: max(16, len(loss) // 20)]))
    critic = _is_critic(loss) and len(loss.recent()) >= 16
    if not (critic and spread > SWING * early and spread > 0.75 * abs(loss.level)):
        return None
    return Sign(
        severity(history),
        f"{loss.name} swings by {spread:.3g} around {loss.level:.3g}, {spread / early:.1f} times "
        "as wide as at first",
        {"spread": spread, "early_spread": early, "level": loss.level},
        loss.name,
    )


def _cycling(history: History, loss: Series) -> Sign | None:
    if not loss.spread() > 0.3 * abs(loss.level):
        return None
    bad = history.trend() == "worse" or history.hopeless()
    period, strength = cycle(np.asarray(loss.values[-ROWS_OF_A_CYCLE:]))
    if strength < PERIODIC:
        return None
    return Sign(
        "failure" if not history.good() and bad else "warning",
        f"{loss.name} goes round in a cycle of {period} rows",
        {"period_in_rows": period, "autocorrelation": strength, "spread": loss.spread()},
        loss.name,
    )


def cycle(values: np.ndarray) -> tuple[int, float]:
    """The period in places and the autocorrelation there, behind the first dip below zero.

    >>> import numpy as np
    >>> cycle(np.sin(np.arange(200) * 2 * np.pi / 25))[0]
    25
    """
    n = len(values)
    place = np.arange(n)
    x = values - np.polyval(np.polyfit(place, values, 1), place)
    power = np.abs(np.fft.rfft(x, 2 * n)) ** 2
    correlation = np.fft.irfft(power)[: n // 2]
    if correlation[0] <= 0:
        return 0, 0.0
    correlation = correlation / correlation[0] * n / (n - np.arange(n // 2))
    below = np.flatnonzero(correlation < 0)
    if not len(below):
        return 0, 0.0
    period = int(below[0] + np.argmax(correlation[below[0] :]))
    return period, float(correlation[period])


OSCILLATION = Remedy(
    "Lower both rates, and train the players in turn.", {"g_lr": 1 / 2, "d_lr": 1 / 2}
)
LOSSES = ("generator_loss", "discriminator_loss")
RULES = (
    Rule(
        "vanishing_gradient",
        vanishing_gradient,
        ("generator_grad_norm",),
        Remedy(
            "Slow the discriminator, or use a loss whose gradient lasts: the non-saturating or the "
            "Wasserstein loss.",
            options=("--auto-balance",),
        ),
        about="generator",
        looks=5,
        lasts=0.05,
    ),
    Rule(
        "saturated_discriminator",
        saturated_discriminator,
        LOSSES,
        Remedy(
            "Slow the discriminator down: --auto-balance leads its rate.",
            options=("--auto-balance",),
        ),
        about="discriminator",
        looks=10,
    ),
    Rule(
        "dead_discriminator",
        dead_discriminator,
        LOSSES,
        Remedy(
            "Lower the discriminator's rate; with weight clipping, widen the clip.",
            {"d_lr": 1 / 4},
        ),
        about="discriminator",
        looks=5,
        lasts=0.05,
    ),
    Rule(
        "discriminator_beaten",
        discriminator_beaten,
        ("real_logits",),
        Remedy("Strengthen the discriminator: raise its rate or give it more steps.", {"d_lr": 4}),
        about="discriminator",
        looks=10,
        lasts=0.15,
    ),
    Rule(
        "exploding",
        exploding,
        (*LOSSES, "loss"),
        Remedy(
            "Lower both rates; gradient penalties and spectral norm bound them too.",
            {"g_lr": 1 / 4, "d_lr": 1 / 4},
        ),
        about="player",
        lasts=0.0,
    ),
    Rule("oscillation", oscillating_losses, LOSSES, OSCILLATION, about="player", looks=16),
)
