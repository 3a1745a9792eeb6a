"""The contract between an architecture and the loop: Plugin, Player, Turn, DataSpec.

A plugin is a frozen dataclass in a file of its own. Its fields are the hyperparameters, its
methods the networks and losses; all but those two kinds have defaults that may be replaced.
A GAN is a game: the loop knows a list of players and nothing else.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

from ganzoo.errors import UsageError, unknown
from ganzoo.player import Frozen, Player, judged
from ganzoo.priors import (
    PRIORS,
    Categorical,
    Constant,
    Data,
    Label,
    Normal,
    Rows,
    Source,
    TruncatedNormal,
    Uniform,
)
from ganzoo.spec import ArraySpec, DataSpec
from ganzoo.turn import Turn, feed

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from ganzoo.augment import Augmentation

__all__ = [
    "CONTRACT",
    "ArraySpec",
    "Categorical",
    "Constant",
    "Data",
    "DataSpec",
    "Frozen",
    "Label",
    "Normal",
    "Player",
    "Plugin",
    "Rows",
    "Source",
    "TruncatedNormal",
    "Turn",
    "Uniform",
    "feed",
    "judged",
]

CONTRACT = 2
"""Version of what this file promises; a plugin states the one it was written for."""

Networks = Mapping[str, "keras.Model"]


@dataclass(frozen=True)
class Plugin:
    """An architecture. Give `generator`, `discriminator`, `d_loss` and `g_loss`, or the players.

    The fields below are every plugin's; a plugin changes their defaults and adds its own. A
    comment beside a field is its reason, and `ganzoo info` prints it.
    """

    paper: ClassVar[str] = ""
    contract: ClassVar[int] = CONTRACT

    z_dim: int = 100
    z_prior: str = "normal"  # or "uniform" in [-1, 1], "unit_uniform", "truncated_normal" (2)
    batch_size: int = 128
    steps: int = 10_000  # each one turn of the player that moves least; may grow on --resume
    g_lr: float = 2e-4
    d_lr: float = 2e-4
    d_steps: int = 1  # discriminator (critic) turns for each generator turn
    simultaneous: bool = False  # both gradients at the same weights, from the same fakes
    ema: float = 0.999  # decay of the generator average that is sampled; 0 samples the raw weights
    low_precision: bool = True  # whether --precision auto may choose bfloat16
    jit_compile: bool = False  # XLA: pays for small dense networks, not for convolutions on a CPU

    def __post_init__(self) -> None:
        for name in ("z_dim", "batch_size", "steps", "d_steps"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if not 0 <= self.ema < 1:
            raise UsageError(f"ema must lie in [0, 1), not {self.ema}.")
        if self.z_prior not in PRIORS:
            raise unknown("z_prior", self.z_prior, PRIORS)
        rising(self)

    # -- what an architecture says --------------------------------------------------------------

    def unsupported(self, spec: DataSpec) -> str | None:
        """None, or one sentence: which data this architecture cannot make, and which it can."""
        return None

    def generator(self, spec: DataSpec) -> keras.Model:
        """`z` (n, z_dim) [, `label` (n,)] -> samples (n, *spec.shape) in spec.range."""
        raise NotImplementedError(f"{type(self).__name__} has no generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        """Samples [, `label`] -> logits (n, 1), without a sigmoid."""
        raise NotImplementedError(f"{type(self).__name__} has no discriminator")

    def d_loss(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """The scalar that the discriminator lowers."""
        raise NotImplementedError(f"{type(self).__name__} has no d_loss")

    def g_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """The scalar that the generator lowers. One that also names `real_logits` gets them:
        `g_loss(self, fake_logits, real_logits)`, as relativistic losses want."""
        raise NotImplementedError(f"{type(self).__name__} has no g_loss")

    # -- what has a default ---------------------------------------------------------------------

    def fake(self, networks: Networks, turn: Turn) -> tf.Tensor:
        """The samples of a turn that the discriminator judges; by default the generator's."""
        return turn.call(networks["generator"])

    def penalty(
        self,
        discriminator: Callable[[tf.Tensor], tf.Tensor],
        real: tf.Tensor,
        fake: tf.Tensor,
        turn: Turn,
    ) -> tf.Tensor | None:
        """Added to the discriminator's loss: a scalar, such as a gradient penalty, or None.

        With an `augmentation` the discriminator that it is given sees what it asks of augmented,
        as real images are.
        """
        return None

    def g_penalty(self, networks: Networks, fake: tf.Tensor, turn: Turn) -> tf.Tensor | None:
        """Added to the generator's loss: a scalar, such as a path length, or None."""
        return None

    def after_step(self, networks: Networks) -> None:
        """Runs behind every discriminator update: weight clipping goes here."""
        return  # AutoGraph cannot transform a function without a statement

    def optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """One for each player. Adam with beta_1 0.5 (Radford et al. 2015, section 4)."""
        return self.adam(beta_1=0.5)

    def adam(self, **settings: Any) -> dict[str, keras.optimizers.Optimizer]:
        """Adam with these settings for generator and discriminator, by `g_lr` and `d_lr`."""
        from ganzoo.optimizers import Adam

        rates = {"generator": self.g_lr, "discriminator": self.d_lr}
        return {name: Adam(rate, **settings) for name, rate in rates.items()}

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        """All networks of the game by name, built; those that come into play later too.

        A layer may stand in two of them. A network may hold nothing but state that no player
        trains (a pool, a statistic, a fade): it is saved and resumed like the others.
        """
        found = {"generator": self.generator(spec), "discriminator": self.discriminator(spec)}
        augmentation = self.augmentation
        if augmentation is not None and augmentation.adaptive:
            found["augmentation"] = augmentation.network()
        return found

    @property
    def augmentation(self) -> Augmentation | None:
        """What the discriminator is shown in place of images (`ganzoo.augment`), or None."""
        return None

    def frozen(self, spec: DataSpec) -> Mapping[str, Frozen]:
        """Networks that nobody trains, by name; they stand beside the others in `networks`."""
        return {}

    def sampler(self, networks: Networks, spec: DataSpec) -> keras.Model:
        """What is averaged, exported and sampled; by default the generator.

        Several outputs are a dict by name, or a list in the order of `outputs`.
        """
        return networks["generator"]

    def inputs(self, spec: DataSpec) -> Mapping[str, Source]:
        """Where the sampler's inputs come from, by name: a prior, a label, the data, a constant.

        What is left out is found by its name: `z` is drawn from the plugin's prior, `label` is a
        class, an array of the data is that array.
        """
        return {}

    def outputs(self, spec: DataSpec) -> Mapping[str, str]:
        """The sampler's outputs by name, each with the array of the data that it imitates.

        The first is scored by default, and its array is what `real.png` shows.
        """
        return {spec.key: spec.key}

    def groups(self, spec: DataSpec) -> Mapping[str, str]:
        """Arrays that are paired otherwise than the data says: name -> group.

        An array in a group of its own has an order of its own; "" is the key's group.
        """
        return {}

    def examples(self) -> Sequence[DataSpec]:
        """Data that `ganzoo plugin check` tries it on; none: the usual images and points, and two
        domains, as far as it supports them."""
        return ()

    def imitated(self, spec: DataSpec) -> DataSpec:
        """The data as its first output's array has it: shape, range, classes, samples."""
        return spec.of(next(iter(self.outputs(spec).values())))

    def epoch_steps(self, spec: DataSpec) -> int:
        """Steps in which a batch a step shows the imitated array once; 1 where nobody counted."""
        return max(1, round(self.imitated(spec).samples / self.batch_size))

    def averaging(self, step: tf.Tensor) -> tf.Tensor:
        """How much of itself the average of the sampler keeps in this step, in [0, 1).

        By default `ema`, and less at first so that the start is forgotten.
        """
        import tensorflow as tf

        age = tf.cast(step, tf.float32)
        return tf.minimum(self.ema, (1.0 + age) / (10.0 + age))

    @property
    def milestones(self) -> tuple[int, ...]:
        """Steps at which the players change, in rising order; `players` is asked again at each."""
        return ()

    def accuracy(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tuple[Any, Any]:
        """Shares of real and of fake samples that the discriminator tells right, both in [0, 1]."""
        import tensorflow as tf

        return (
            tf.reduce_mean(tf.cast(real_logits > 0, tf.float32)),
            tf.reduce_mean(tf.cast(fake_logits < 0, tf.float32)),
        )

    def players(self, networks: Networks, spec: DataSpec, step: int = 0) -> list[Player]:
        """The game from `step` on. By default a discriminator and a generator, in this order."""
        return self.duel(networks, lambda turn: turn.batch[spec.key])

    def duel(self, networks: Networks, real: Callable[[Turn], tf.Tensor]) -> list[Player]:
        """`discriminator` against `generator`, by this plugin's losses, penalties and optimisers.

        `real(turn)` gives the samples that count as real. What both see in a turn is there by
        `turn.once`: `fake`, `real_logits`, `fake_logits`. `dataclasses.replace` changes a player.
        """
        import tensorflow as tf

        from ganzoo.augment import overfitting

        discriminator = networks["discriminator"]
        optimizers, augmentation = self.optimizers(), self.augmentation
        adaptive = augmentation is not None and augmentation.adaptive
        p = networks["augmentation"].variables[0] if adaptive else None

        def shown(samples: tf.Tensor, turn: Turn, who: str) -> tf.Tensor:
            if augmentation is None:
                return samples
            return augmentation(samples, turn, who, 1.0 if p is None else tf.identity(p.value))

        def judge(samples: tf.Tensor, turn: Turn) -> tf.Tensor:
            return tf.cast(turn.call(discriminator, samples), tf.float32)

        def reals(turn: Turn) -> tf.Tensor:
            return turn.once("real samples", lambda: real(turn))

        def fake(turn: Turn) -> tf.Tensor:
            return turn.once("fake", lambda: self.fake(networks, turn))

        def judged_as_real(samples: tf.Tensor, turn: Turn) -> tf.Tensor:
            return judge(shown(samples, turn, "real"), turn)

        def real_logits(turn: Turn) -> tf.Tensor:
            return turn.once("real_logits", lambda: judged_as_real(reals(turn), turn))

        def fake_logits(turn: Turn) -> tf.Tensor:
            return turn.once("fake_logits", lambda: judge(shown(fake(turn), turn, "fake"), turn))

        def d_loss(turn: Turn) -> tf.Tensor:
            return self.d_loss(real_logits(turn), fake_logits(turn))

        def d_penalty(turn: Turn) -> tf.Tensor | None:
            return self.penalty(lambda x: judged_as_real(x, turn), reals(turn), fake(turn), turn)

        def g_loss(turn: Turn) -> tf.Tensor:
            if "real_logits" in inspect.signature(self.g_loss).parameters:
                return self.g_loss(fake_logits(turn), real_logits=real_logits(turn))
            return self.g_loss(fake_logits(turn))

        def d_record(turn: Turn) -> dict[str, tf.Tensor]:
            found = judged(real_logits(turn), fake_logits(turn), self.accuracy)
            if p is None:
                return found
            over = overfitting(real_logits(turn), turn)
            return found | {"augment_p": tf.identity(p.value), "r_t": over}

        def d_after(turn: Turn) -> None:
            self.after_step(networks)
            if p is not None:
                over = overfitting(real_logits(turn), turn)
                p.assign(augmentation.adapted(p.value, over, self.batch_size))

        return [
            Player(
                "discriminator",
                ("discriminator",),
                d_loss,
                optimizers["discriminator"],
                turns=self.d_steps,
                record=d_record,
                after=d_after,
                role="discriminator",
                penalty=d_penalty,
            ),
            Player(
                "generator",
                ("generator",),
                g_loss,
                optimizers["generator"],
                role="generator",
                penalty=lambda turn: self.g_penalty(networks, fake(turn), turn),
            ),
        ]


def rising(plugin: Plugin) -> tuple[int, ...]:
    """The plugin's milestones; UsageError where they are no steps, or do not rise."""
    found = tuple(plugin.milestones)
    whole = all(isinstance(m, Integral) and m > 0 for m in found)
    if not whole or any(a >= b for a, b in pairwise(found)):
        raise UsageError(
            f"{type(plugin).__name__}.milestones are {found}: expected whole numbers above 0, "
            "rising."
        )
    return tuple(map(int, found))
