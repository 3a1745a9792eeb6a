"""Who moves in a game, by which loss, against whom; and the networks that nobody trains."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganzoo.errors import UsageError, unknown
from ganzoo.turn import Turn

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

ROLES = ("generator", "discriminator")
"""What a player may be in the game; "" for a player that is neither."""
ROLE_OF = {"generator": "generator", "discriminator": "discriminator", "critic": "discriminator"}
"""The role of a player that states none, by the name that it has or begins with."""


@dataclass(frozen=True)
class Player:
    """Who moves in the game: the networks it trains, the loss that it lowers, and how often.

    `loss(turn)` returns a scalar; `penalty(turn)` another that is added to it, or None:
    `NAME_loss` is recorded as their sum, `NAME_penalty` as it is. `record(turn)` returns named
    scalars for the log, computed with the networks as the loss saw them; where two players record
    the same name, each is kept behind its player's. `after()` or `after(turn)` runs behind every
    update: weight clipping, an image pool, the statistic of an adaptive augmentation.
    """

    name: str
    networks: tuple[str, ...]
    loss: Callable[[Turn], tf.Tensor]
    optimizer: keras.optimizers.Optimizer
    turns: int = 1
    record: Callable[[Turn], Mapping[str, tf.Tensor]] | None = None
    after: Callable[[], None] | Callable[[Turn], None] | None = None
    role: str | None = None
    """`generator`, `discriminator`, or "" for neither; None: by the name, if it begins so."""
    against: tuple[str, ...] | None = None
    """The players that it plays against, whom the diagnosis holds against it; None: all of the
    other role."""
    group: str | None = None
    """Players of one group take their last turn of a step together: every gradient at the same
    weights, from the same batch and fakes. None: alone, or with all if `simultaneous`."""
    penalty: Callable[[Turn], tf.Tensor | None] | None = None
    carry: bool = False
    """Whether, where the players change, the optimiser goes on from the slots that the player of
    this name had, weight by weight; else it begins anew."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", _names(self.networks))
        if self.against is not None:
            object.__setattr__(self, "against", _names(self.against))
        if self.turns < 1:
            raise UsageError(f"player {self.name!r} takes {self.turns} turns: expected at least 1.")
        if self.role not in (None, "", *ROLES):
            raise unknown("role", str(self.role), ROLES)

    @property
    def part(self) -> str:
        """Its role, stated or told by its name; "" for neither."""
        if self.role is not None:
            return self.role
        return next((role for name, role in ROLE_OF.items() if self.name.startswith(name)), "")

    def updated(self, turn: Turn) -> None:
        """Run `after`, with the turn where it takes one."""
        if self.after is not None:
            wants = inspect.signature(self.after).parameters.values()
            takes = [p for p in wants if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
            needed = [p for p in takes if p.default is p.empty]
            self.after(turn) if needed else self.after()  # type: ignore[call-arg]


@dataclass(frozen=True)
class Frozen:
    """A network that nobody trains, with its weights from a file: named, hashed, in no checkpoint.

    `build()` makes the network and an `.npz` holds its weights in Keras's order, under any names;
    without `build`, the file is a `.keras` model. `sha256` is the file's; None takes the file as it
    is. A run's record holds path and hash, and a resume refuses another file.
    """

    file: str
    sha256: str | None = None
    build: Callable[[], keras.Model] | None = None


def pairs(players: Sequence[Player]) -> list[tuple[str, str]]:
    """(generator, discriminator) of every two players that play against each other, by name.

    Raises UsageError where a player is against one that does not exist.
    """
    names = [player.name for player in players]
    for player in players:
        for other in player.against or ():
            if other not in names:
                raise unknown(f"player that {player.name!r} plays against", other, names)

    def meets(one: Player, other: Player) -> bool:
        return one.against is None or other.name in one.against

    return [
        (g.name, d.name)
        for g in players
        for d in players
        if (g.part, d.part) == ROLES and meets(g, d) and meets(d, g)
    ]


def _names(given: Any) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def judged(
    real_logits: tf.Tensor,
    fake_logits: tf.Tensor,
    accuracy: tuple[Any, Any] | Callable[[tf.Tensor, tf.Tensor], tuple[Any, Any]],
) -> dict[str, tf.Tensor]:
    """What a discriminator's `record` returns for the diagnosis: accuracies, and the logits'
    means and deviations. `accuracy` is the share of real and of fake that it tells right, or what
    computes these of the logits: `self.accuracy`."""
    import tensorflow as tf

    if callable(accuracy):
        accuracy = accuracy(real_logits, fake_logits)
    return {
        "d_accuracy_real": accuracy[0],
        "d_accuracy_fake": accuracy[1],
        "real_logits": tf.reduce_mean(real_logits),
        "fake_logits": tf.reduce_mean(fake_logits),
        "real_logits_std": tf.math.reduce_std(real_logits),
        "fake_logits_std": tf.math.reduce_std(fake_logits),
    }
