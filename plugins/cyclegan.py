"""CycleGAN: two domains translated into each other, without a single pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.layers import Conv2D, Conv2DTranspose, Pool, instance_norm
from ganzoo.optimizers import Adam, LinearDecay
from ganzoo.plugin import DataSpec, Player, Plugin, Turn, judged


@dataclass(frozen=True)
class CycleGAN(Plugin):
    """CycleGAN (Zhu et al. 2017): what is translated there and back must be what it was.

    The residual generators and the discriminators of patches of appendix 7.2, with the authors'
    settings (junyanz/pytorch-CycleGAN-and-pix2pix), for `--data mnist_coloured` or a folder with
    `trainA` and `trainB`. Differs: narrow networks, 3 residual blocks for 9, patches of 16 pixels
    for 70 and batches of 8 for 1, since images are small; zeros at the borders for reflections.
    Paper and code disagree: in the paper only colours and photographs have the identity loss, by
    default all have it in the code. With it, digits that are to be inverted lost their class.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1703.10593"

    width: int = 16  # channels next to the image; the paper's 64 is for 256 pixels
    blocks: int = 3  # appendix 7.2: 6 for 128 pixels, 9 for 256
    halvings: int = 1  # of a discriminator: patches of 16x16; 34x34 by 2, the paper's 70x70 by 3
    batch_size: int = 8  # section 7.1: 1
    cycle: float = 10.0  # weight of the way there and back (section 4)
    identity: float = 0.0  # of leaving what is of the domain already, times `cycle`; the code's 0.5
    pool: int = 50  # past fakes that a discriminator may be shown (section 4)
    decay: tuple[int, int] = (2_000, 4_000)  # steps between which the rates fall to 0: the 2nd half
    steps: int = 4_000
    simultaneous: bool = True  # the code judges the fakes that the generators have learnt from

    def unsupported(self, spec: DataSpec) -> str | None:
        other = spec.others.get("b")
        if spec.key != "a" or other is None or other.shape != spec.shape or not spec.is_image:
            return (
                "cyclegan needs two domains, a and b, of images of one shape, as --data "
                "mnist_coloured or a folder with trainA and trainB has them."
            )
        if spec.shape[0] % 4 or spec.shape[1] % 4:
            return "cyclegan makes images whose sides are multiples of 4."
        return None

    def translator(self, spec: DataSpec, source: str, target: str) -> keras.Model:
        """Images of one domain -> images of the other."""
        image = keras.Input(spec.shape, name=source)
        x = _block(_conv(self.width, 7), image)
        for channels in (2 * self.width, 4 * self.width):
            x = _block(_conv(channels, 3, 2), x)
        for _ in range(self.blocks):
            x = x + instance_norm()(_conv(channels, 3)(_block(_conv(channels, 3), x)))
        for channels in (2 * self.width, self.width):
            x = _block(_conv(channels, 3, 2, Conv2DTranspose), x)
        x = layers.Activation("tanh", dtype="float32")(_conv(spec.shape[2], 7)(x))
        return keras.Model(image, x, name=f"to_{target}")

    def judge(self, spec: DataSpec, domain: str) -> keras.Model:
        """Images -> a logit for each patch."""
        image = keras.Input(spec.shape, name=domain)
        x = layers.LeakyReLU(negative_slope=0.2)(_conv(self.width, 4, 2)(image))
        for stage in range(1, self.halvings + 1):
            channels, stride = self.width << min(stage, 3), 1 if stage == self.halvings else 2
            x = layers.LeakyReLU(negative_slope=0.2)(instance_norm()(_conv(channels, 4, stride)(x)))
        logits = layers.Activation("linear", dtype="float32")(_conv(1, 4)(x))
        return keras.Model(image, logits, name=f"judge_{domain}")

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        found = {f"g_{s}{t}": self.translator(spec, s, t) for s, t in ("ab", "ba")}
        found |= {f"d_{d}": self.judge(spec, d) for d in "ab"}
        return found | {f"pool_{d}": Pool(self.pool, spec.shape, f"pool_{d}") for d in "ab"}

    def sampler(self, networks, spec: DataSpec) -> keras.Model:
        a, b = (keras.Input(spec.shape, name=d) for d in "ab")
        return keras.Model([a, b], {"b": networks["g_ab"](a), "a": networks["g_ba"](b)})

    def outputs(self, spec: DataSpec) -> dict[str, str]:
        return {"b": "b", "a": "a"}

    def accuracy(self, real_logits, fake_logits):
        """Least squares wants 1 of a real patch and 0 of a fake one: the middle is 0.5."""
        return super().accuracy(real_logits - 0.5, fake_logits - 0.5)

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        ways = {"b": "ab", "a": "ba"}  # by where they lead

        def made(turn: Turn, domain: str):
            way = ways[domain]
            return turn.once(way, lambda: turn.call(networks[f"g_{way}"], turn.batch[way[0]]))

        def g_loss(turn: Turn):
            return sum(
                2 * losses.least_squares_g(turn.call(networks[f"d_{d}"], made(turn, d)))
                for d in ways
            )

        def kept(turn: Turn):
            """|back(there(x)) - x| (equation 2), and |there(y) - y| of what is there already."""
            total = 0.0
            for domain, way in ways.items():
                image, back = turn.batch[domain], networks[f"g_{way}"]
                cycle = tf.abs(turn.call(back, made(turn, way[0])) - image)
                total += tf.reduce_mean(cycle)
                if self.identity:
                    same = tf.abs(turn.call(back, image) - image)
                    total += self.identity * tf.reduce_mean(same)
            return self.cycle * total

        def logits(turn: Turn, domain: str):
            network, pool = networks[f"d_{domain}"], networks[f"pool_{domain}"]

            def both():
                fakes = pool.shown(made(turn, domain), turn)
                return turn.call(network, turn.batch[domain]), turn.call(network, fakes)

            return turn.once(f"logits {domain}", both)

        def rate(value: float) -> Adam:
            return Adam(LinearDecay(value, *self.decay), beta_1=0.5)

        def judging(domain: str) -> Player:
            return Player(
                f"discriminator_{domain}",
                (f"d_{domain}",),
                lambda turn: losses.least_squares_d(*logits(turn, domain)),
                rate(self.d_lr),
                record=lambda turn: judged(*logits(turn, domain), self.accuracy),
                after=lambda turn: networks[f"pool_{domain}"].keep(made(turn, domain), turn),
            )

        generator = Player("generator", ("g_ab", "g_ba"), g_loss, rate(self.g_lr), penalty=kept)
        return [generator, *map(judging, "ab")]


def _block(convolution: layers.Layer, x):
    return layers.ReLU()(instance_norm()(convolution(x)))


def _conv(channels: int, side: int, stride: int = 1, kind=Conv2D) -> layers.Layer:
    start = keras.initializers.RandomNormal(0.0, 0.02)  # section 7.1
    return kind(channels, side, stride, "same", kernel_initializer=start)
