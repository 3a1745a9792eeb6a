"""Adaptive discriminator augmentation: the discriminator never sees a plain image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.layers import BatchNormalization
from ganzoo.plugin import DataSpec, Player, Plugin, judged


@dataclass(frozen=True)
class ADA(Plugin):
    """ADA (Karras et al. 2020): reals and fakes are augmented alike, as often as D overfits.

    With probability p each, an image is flipped, moved and made brighter or darker; p rises while
    the mean sign of D's logits on real images, r_t, is above `target`, and falls below it. Differs:
    a small DCGAN for StyleGAN2, three augmentations for eighteen, and p moves at every step.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/2006.06676"

    target: float = 0.6  # section 3.1: of r_t
    ramp: int = 5_000  # images in which p goes from 0 to 1; 500,000 in the paper's long runs
    shift: float = 0.125  # of the side, at most
    brightness: float = 0.2  # deviation
    width: int = 16
    z_dim: int = 32
    batch_size: int = 32
    steps: int = 2_000

    def unsupported(self, spec: DataSpec) -> str | None:
        if not spec.is_image or spec.shape[0] % 4 or spec.shape[1] % 4:
            return "ada makes images whose sides are multiples of 4."
        return None

    def generator(self, spec: DataSpec) -> keras.Model:
        z = keras.Input((self.z_dim,), name="z")
        height, width = spec.shape[0] // 4, spec.shape[1] // 4
        x = layers.Dense(height * width * 2 * self.width, use_bias=False)(z)
        x = layers.Reshape((height, width, 2 * self.width))(x)
        x = layers.ReLU()(BatchNormalization(momentum=0.9)(x))
        x = layers.Conv2DTranspose(self.width, 4, 2, "same", use_bias=False)(x)
        x = layers.ReLU()(BatchNormalization(momentum=0.9)(x))
        x = layers.Conv2DTranspose(spec.shape[2], 4, 2, "same")(x)
        return keras.Model(z, layers.Activation("tanh", dtype="float32")(x), name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        image = x = keras.Input(spec.shape, name=spec.key)
        for factor in (1, 2):
            x = layers.Conv2D(factor * self.width, 4, 2, "same")(x)
            x = layers.LeakyReLU(negative_slope=0.2)(x)
        logits = layers.Dense(1, dtype="float32")(layers.Flatten()(x))
        return keras.Model(image, logits, name="discriminator")

    def chance(self, spec: DataSpec) -> keras.Model:
        """Images and random numbers -> images; its one weight is p."""
        image = keras.Input(spec.shape, name=spec.key)
        draws = [keras.Input((n,), name=name) for name, n in (("chance", 3), ("move", 2))]
        light = keras.Input((1,), name="light")
        layer = Augment(self.shift, self.brightness, dtype="float32")
        return keras.Model([image, *draws, light], layer([image, *draws, light]), name="augment")

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        return {**super().networks(spec), "augment": self.chance(spec)}

    def players(self, networks, spec: DataSpec, step: int = 0):
        generator, discriminator = networks["generator"], networks["discriminator"]
        augment, p = networks["augment"], networks["augment"].non_trainable_variables[0]
        optimizers = self.optimizers()

        def judge(samples, turn, who):
            seen = turn.call(
                augment,
                samples,
                chance=turn.uniform(f"chance {who}", (3,)),
                move=turn.uniform(f"move {who}", (2,), -1.0, 1.0),
                light=turn.normal(f"light {who}", (1,)),
            )
            return tf.cast(turn.call(discriminator, seen), tf.float32)

        def real_logits(turn):
            return turn.once("real_logits", lambda: judge(turn.batch[spec.key], turn, "real"))

        def fake_logits(turn):
            return turn.once("fake_logits", lambda: judge(turn.call(generator), turn, "fake"))

        def overfitting(turn):  # r_t, equation 1
            signs = tf.sign(tf.stop_gradient(real_logits(turn)))
            return tf.reduce_mean(turn.mean(signs))

        def adapt(turn):
            change = tf.sign(overfitting(turn) - self.target) * (self.batch_size / self.ramp)
            p.assign(tf.clip_by_value(p + change, 0.0, 1.0))

        def d_record(turn):
            real, fake = real_logits(turn), fake_logits(turn)
            own = {"augment_p": tf.identity(p.value), "r_t": overfitting(turn)}
            return judged(real, fake, self.accuracy(real, fake)) | own

        return [
            Player(
                "discriminator",
                ("discriminator",),
                lambda turn: losses.minimax_d(real_logits(turn), fake_logits(turn)),
                optimizers["discriminator"],
                record=d_record,
                after=adapt,
            ),
            Player(
                "generator",
                ("generator",),
                lambda turn: losses.nonsaturating_g(fake_logits(turn)),
                optimizers["generator"],
            ),
        ]


class Augment(layers.Layer):
    """Flip, move and lighten each image with probability p, by numbers that are drawn outside.

    Every operation is linear in the image, so that the generator's gradient passes.
    """

    def __init__(self, shift: float, brightness: float, **options):
        super().__init__(**options)
        self.shift, self.brightness = shift, brightness
        self.p = self.add_weight(shape=(), initializer="zeros", trainable=False, name="p")

    def call(self, inputs):
        image, chance, move, light = inputs
        does = tf.cast(chance < self.p, image.dtype)  # (n, 3)
        flip = does[:, :1, None, None]
        image = image + flip * (tf.reverse(image, [2]) - image)
        for axis, name in ((1, "nij,njwc->niwc"), (2, "nij,nhjc->nhic")):
            side = image.shape[axis]
            by = tf.round(does[:, 1] * move[:, axis - 1] * self.shift * side)
            places = tf.range(side)[None] - tf.cast(by, tf.int32)[:, None]
            image = tf.einsum(name, tf.one_hot(places, side, dtype=image.dtype), image)
        return image + (does[:, 2:] * light * self.brightness)[:, :, None, None]
