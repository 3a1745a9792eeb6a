"""The contract between an architecture and the loop: Plugin, Player, Turn, DataSpec.

A plugin is a frozen dataclass in a file of its own. Its fields are the hyperparameters, its
methods the networks and losses; all but those two kinds have defaults that may be replaced.
A GAN is a game: the loop knows a list of players and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ganzoo.errors import UsageError, unknown
from ganzoo.spec import DataSpec

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

__all__ = ["CONTRACT", "DataSpec", "Player", "Plugin", "Turn", "feed"]

CONTRACT = 1
"""Version of what this file promises; a plugin states the one it was written for."""

PRIORS = ("normal", "uniform")
"""What z may be drawn from: N(0, 1), or U(-1, 1)."""

Networks = Mapping[str, "keras.Model"]


def key(seed: int, purpose: str) -> int:
    """A 63-bit number for each (seed, purpose): the streams of two purposes are unrelated."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


class Turn:
    """What a player sees when it moves: a batch, z, the step, and randomness for this turn alone.

    Players that move in the same turn share one Turn, and with it whatever `once` computed.
    """

    batch: Mapping[str, tf.Tensor]
    """Named arrays: images in [-1, 1], `label` as int32."""
    step: tf.Tensor
    """int64 scalar, 0 at the first step."""

    def __init__(
        self,
        seed: int,
        batch: Mapping[str, tf.Tensor],
        step: tf.Tensor,
        counter: tf.Tensor,
        draw_z: Callable[[Turn], tf.Tensor],
    ):
        self._seed, self._counter, self._draw_z = seed, counter, draw_z
        self._memory: dict[str, Any] = {}
        self.batch, self.step = batch, step

    @property
    def z(self) -> tf.Tensor:
        """(batch_size, z_dim), drawn from the plugin's prior, fresh for every turn."""
        return self.once("z", lambda: self._draw_z(self))

    def seed(self, purpose: str) -> tf.Tensor:
        """A seed of shape (2,) for TensorFlow's stateless draws: (seed, purpose, step, turn)."""
        import tensorflow as tf

        return tf.stack([tf.constant(key(self._seed, purpose), tf.int64), self._counter])

    def once(self, name: str, compute: Callable[[], Any]) -> Any:
        """`compute()`, run by the first player that asks in this turn and shared by the others."""
        if name not in self._memory:
            self._memory[name] = compute()
        return self._memory[name]


@dataclass(frozen=True)
class Player:
    """Who moves in the game: the networks it trains, the loss that it lowers, and how often.

    `loss(turn)` returns a scalar. `record(turn)` returns named scalars for the log, computed with
    the networks as the loss saw them. `after()` runs behind every update (weight clipping).
    """

    name: str
    networks: tuple[str, ...]
    loss: Callable[[Turn], tf.Tensor]
    optimizer: keras.optimizers.Optimizer
    turns: int = 1
    record: Callable[[Turn], Mapping[str, tf.Tensor]] | None = None
    after: Callable[[], None] | None = None


def feed(model: keras.Model, main: tf.Tensor, arrays: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Call a network in training mode: `main` is its first input, the rest go in by their names."""
    names = [tensor.name for tensor in model.inputs[1:]]
    missing = [name for name in names if name not in arrays]
    if missing:
        raise UsageError(
            f"network {model.name!r} has an input {missing[0]!r} that the data does "
            f"not bring; it brings {', '.join(sorted(arrays))}."
        )
    return model([main, *(arrays[name] for name in names)] if names else main, training=True)


@dataclass(frozen=True)
class Plugin:
    """An architecture. Give `generator`, `discriminator`, `d_loss` and `g_loss`, or the players.

    The fields below are every plugin's; a plugin changes their defaults and adds its own. A
    comment beside a field is its reason, and `ganzoo info` prints it.
    """

    paper: ClassVar[str] = ""
    contract: ClassVar[int] = CONTRACT

    z_dim: int = 100
    z_prior: str = "normal"  # or "uniform" on [-1, 1]
    batch_size: int = 128
    steps: int = 10_000  # one step is one turn of the player that moves least
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
        """The scalar that the generator lowers."""
        raise NotImplementedError(f"{type(self).__name__} has no g_loss")

    # -- what has a default ---------------------------------------------------------------------

    def penalty(
        self,
        discriminator: Callable[[tf.Tensor], tf.Tensor],
        real: tf.Tensor,
        fake: tf.Tensor,
        turn: Turn,
    ) -> tf.Tensor | None:
        """Added to the discriminator's loss: a scalar, such as a gradient penalty, or None."""
        return None

    def after_step(self, networks: Networks) -> None:
        """Runs behind every discriminator update: weight clipping goes here."""

    def optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """One for each player. Adam with beta_1 0.5 (Radford et al. 2015, section 4)."""
        from ganzoo.optimizers import Adam

        return {
            "generator": Adam(self.g_lr, beta_1=0.5),
            "discriminator": Adam(self.d_lr, beta_1=0.5),
        }

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        """All networks of the game by name, built; those that come into play later too."""
        return {"generator": self.generator(spec), "discriminator": self.discriminator(spec)}

    def sampler(self, networks: Networks, spec: DataSpec) -> keras.Model:
        """What is averaged, exported and sampled: from `z` [, `label`] to samples."""
        return networks["generator"]

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
        import tensorflow as tf

        generator, discriminator = networks["generator"], networks["discriminator"]
        optimizers = self.optimizers()

        def judge(samples: tf.Tensor, turn: Turn) -> tf.Tensor:
            return tf.cast(feed(discriminator, samples, turn.batch), tf.float32)

        def fake(turn: Turn) -> tf.Tensor:
            return turn.once("fake", lambda: feed(generator, turn.z, turn.batch))

        def real_logits(turn: Turn) -> tf.Tensor:
            return turn.once("real_logits", lambda: judge(turn.batch[spec.key], turn))

        def fake_logits(turn: Turn) -> tf.Tensor:
            return turn.once("fake_logits", lambda: judge(fake(turn), turn))

        def d_loss(turn: Turn) -> tf.Tensor:
            loss = self.d_loss(real_logits(turn), fake_logits(turn))
            extra = self.penalty(lambda x: judge(x, turn), turn.batch[spec.key], fake(turn), turn)
            return loss if extra is None else loss + extra

        def d_record(turn: Turn) -> dict[str, tf.Tensor]:
            real, fake = real_logits(turn), fake_logits(turn)
            on_real, on_fake = self.accuracy(real, fake)
            return {
                "d_accuracy_real": on_real,
                "d_accuracy_fake": on_fake,
                "real_logits": tf.reduce_mean(real),
                "fake_logits": tf.reduce_mean(fake),
                "real_logits_std": tf.math.reduce_std(real),
                "fake_logits_std": tf.math.reduce_std(fake),
            }

        return [
            Player(
                "discriminator",
                ("discriminator",),
                d_loss,
                optimizers["discriminator"],
                turns=self.d_steps,
                record=d_record,
                after=lambda: self.after_step(networks),
            ),
            Player(
                "generator",
                ("generator",),
                lambda turn: self.g_loss(fake_logits(turn)),
                optimizers["generator"],
            ),
        ]
