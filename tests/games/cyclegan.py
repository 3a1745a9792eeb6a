"""CycleGAN: two domains translated into each other, without a single pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.errors import UsageError
from ganzoo.layers.convolution import Conv2D, Conv2DTranspose
from ganzoo.optimizers import Adam
from ganzoo.plugin import DataSpec, Player, Plugin, Turn, judged


class Pool(keras.Model):
    """Past fakes, which a discriminator is shown in place of half the new ones (section 4).

    `shown` reads and `keep` writes: a loss may be computed before it is known that it counts.
    """

    def __init__(self, size: int, shape: tuple[int, ...], name: str):
        super().__init__(name=name)
        self.size = size
        self.images = self.add_weight((size, *shape), "zeros", trainable=False, name="images")
        self.filled = self.add_weight((), "zeros", "int32", trainable=False, name="filled")

    def shown(self, fakes: tf.Tensor, turn: Turn) -> tf.Tensor:
        """Each row itself, or the old image whose slot it takes."""
        return self._drawn(fakes, turn)[0]

    def keep(self, fakes: tf.Tensor, turn: Turn) -> None:
        """The rows take their slots."""
        _, slots, stored = self._drawn(fakes, turn)
        images = tf.tensor_scatter_nd_update(self.images.value, slots[:, None], stored)
        self.images.assign(images)
        self.filled.assign(tf.minimum(self.size, self.filled.value + turn.batch_size))

    def _drawn(self, fakes: tf.Tensor, turn: Turn) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """What is shown, a slot of its own for each row (empty ones first), what it then holds."""
        fakes = tf.stop_gradient(tf.cast(fakes, tf.float32))
        here = tf.range(self.size) < self.filled.value
        draw = turn.uniform(f"{self.name} slots", (self.size,))[0]
        slots = tf.argsort(tf.where(here, draw, -1.0), stable=True)[: turn.batch_size]
        old, full = tf.gather(self.images.value, slots), tf.gather(here, slots)
        new = turn.uniform(f"{self.name} coins") < 0.5
        itself, stays = ~full | new, full & new
        return _choose(itself, fakes, old), slots, _choose(stays, old, fakes)


def _choose(rows: tf.Tensor, one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    return tf.where(tf.reshape(rows, [-1, *[1] * (len(one.shape) - 1)]), one, other)


@dataclass(frozen=True)
class CycleGAN(Plugin):
    """CycleGAN (Zhu et al. 2017): what is translated there and back must be what it was.

    A generator and a discriminator of patches for each direction, least squares, instance norm.
    Differs: one residual block in place of nine, kernels of 5 in place of 7 and narrow networks,
    for small images; a batch of 16, the discriminators on a batch of their own, a rate that stays.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1703.10593"

    width: int = 8  # channels next to the image; the paper's 64 is for 256 pixels
    batch_size: int = 16  # the paper's 1 is for large images
    cycle: float = 10.0  # weight of the way there and back (section 4)
    identity: float = 0.5  # of leaving b as it is, times cycle (section 5.2: in colouring)
    pool: int = 50  # past fakes that a discriminator may be shown (section 4)
    steps: int = 2_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pool < self.batch_size:
            raise UsageError(f"pool must hold a batch of {self.batch_size}, not {self.pool}.")

    def unsupported(self, spec: DataSpec) -> str | None:
        other = spec.others.get("b")
        if spec.key != "a" or other is None or other.shape != spec.shape or not spec.is_image:
            return "cyclegan needs two domains, a and b, of images of one shape."
        if spec.shape[0] % 4 or spec.shape[1] % 4:
            return "cyclegan makes images whose sides are multiples of 4."
        return None

    def translator(self, spec: DataSpec, source: str, target: str) -> keras.Model:
        """Images of one domain -> images of the other."""
        image = keras.Input(spec.of(source).shape, name=source)
        x = _block(Conv2D(self.width, 5, 1, "same", use_bias=False), image)
        x = _block(Conv2D(2 * self.width, 3, 2, "same", use_bias=False), x)
        inner = _block(Conv2D(2 * self.width, 3, 1, "same", use_bias=False), x)
        x = x + _norm()(Conv2D(2 * self.width, 3, 1, "same", use_bias=False)(inner))
        x = _block(Conv2DTranspose(self.width, 4, 2, "same", use_bias=False), x)
        x = Conv2D(spec.of(target).shape[2], 5, 1, "same")(x)
        x = layers.Activation("tanh", dtype="float32")(x)
        return keras.Model(image, x, name=f"to_{target}")

    def judge(self, spec: DataSpec, domain: str) -> keras.Model:
        """Images -> a logit for each patch."""
        image = keras.Input(spec.of(domain).shape, name=domain)
        x = layers.LeakyReLU(negative_slope=0.2)(Conv2D(self.width, 4, 2, "same")(image))
        x = _norm()(Conv2D(2 * self.width, 4, 2, "same", use_bias=False)(x))
        x = layers.LeakyReLU(negative_slope=0.2)(x)
        logits = Conv2D(1, 3, 1, "same", dtype="float32")(x)
        return keras.Model(image, logits, name=f"judge_{domain}")

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        found = {f"g_{s}{t}": self.translator(spec, s, t) for s, t in ("ab", "ba")}
        found |= {f"d_{d}": self.judge(spec, d) for d in "ab"}
        return found | {f"pool_{d}": Pool(self.pool, spec.of(d).shape, f"pool_{d}") for d in "ab"}

    def sampler(self, networks, spec: DataSpec) -> keras.Model:
        a, b = (keras.Input(spec.of(d).shape, name=d) for d in "ab")
        return keras.Model([a, b], {"b": networks["g_ab"](a), "a": networks["g_ba"](b)})

    def outputs(self, spec: DataSpec) -> dict[str, str]:
        return {"b": "b", "a": "a"}

    def accuracy(self, real_logits, fake_logits):
        """Least squares wants 1 of a real patch and 0 of a fake one: the middle is 0.5."""
        return super().accuracy(real_logits - 0.5, fake_logits - 0.5)

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        def translated(turn: Turn, way: str):
            return turn.once(way, lambda: turn.call(networks[f"g_{way}"], turn.batch[way[0]]))

        def cycles(turn: Turn):
            """|back(there(x)) - x|, both ways: the term that the generators share (equation 2)."""

            def both():
                a = turn.call(networks["g_ba"], translated(turn, "ab"))
                b = turn.call(networks["g_ab"], translated(turn, "ba"))
                return _distance(a, turn.batch["a"]) + _distance(b, turn.batch["b"])

            return turn.once("cycles", both)

        def g_loss(turn: Turn, way: str):
            there, network = translated(turn, way), networks[f"g_{way}"]
            passing = tf.square(turn.call(networks[f"d_{way[1]}"], there) - 1.0)
            same = turn.batch[way[1]]
            kept = _distance(turn.call(network, same), same)
            together = cycles(turn) + self.identity * kept
            return tf.reduce_mean(passing) + self.cycle * together

        def logits(turn: Turn, domain: str):
            network, way = networks[f"d_{domain}"], {"b": "ab", "a": "ba"}[domain]

            def both():
                fakes = networks[f"pool_{domain}"].shown(translated(turn, way), turn)
                return turn.call(network, turn.batch[domain]), turn.call(network, fakes)

            return turn.once(f"logits {domain}", both)

        def d_record(turn: Turn, domain: str):
            return judged(*logits(turn, domain), self.accuracy(*logits(turn, domain)))

        def generating(way: str) -> Player:
            return Player(
                f"generator_{way}",
                (f"g_{way}",),
                lambda turn: g_loss(turn, way),
                Adam(self.g_lr, beta_1=0.5),
                role="generator",
                against=(f"discriminator_{way[1]}",),
                group="generators",
            )

        def judging(domain: str, way: str) -> Player:
            return Player(
                f"discriminator_{domain}",
                (f"d_{domain}",),
                lambda turn: losses.least_squares_d(*logits(turn, domain)),
                Adam(self.d_lr, beta_1=0.5),
                record=lambda turn: d_record(turn, domain),
                after=lambda turn: networks[f"pool_{domain}"].keep(translated(turn, way), turn),
                role="discriminator",
                against=(f"generator_{way}",),
                group="discriminators",
            )

        return [generating("ab"), generating("ba"), judging("a", "ba"), judging("b", "ab")]


def _distance(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.abs(tf.cast(one, tf.float32) - tf.cast(other, tf.float32)))


def _block(convolution: layers.Layer, x):
    return layers.ReLU()(_norm()(convolution(x)))


def _norm() -> layers.Layer:
    return layers.GroupNormalization(groups=-1)  # a group a channel: instance norm
