"""Super-resolution GAN: a small image goes in, the large one comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.layers import BatchNormalization
from ganzoo.optimizers import Adam
from ganzoo.plugin import ArraySpec, Data, DataSpec, Frozen, Player, Plugin, judged


@dataclass(frozen=True)
class SRGAN(Plugin):
    """SRGAN (Ledig et al. 2017): pixels alone at first, then pixels, features and a discriminator.

    The data brings both sizes, row by row: `image` and `small`. Differs: a few residual blocks
    where the paper has 16, any frozen network for VGG, and none unless `features` names its file;
    the pixel loss stays in the second phase, as in TensorLayer's SRGAN; Adam throughout.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1609.04802"

    pretrain: int = 20  # steps of the generator alone; the paper's 1e6 are for photographs
    blocks: int = 2
    width: int = 16
    features: str = ""  # an .npz with the weights of `feature_network`
    features_sha256: str = ""  # of that file, where only one will do
    feature_weight: float = 0.006  # section 3.2: features are of another size than pixels
    adversarial_weight: float = 1e-3  # equation 3
    g_lr: float = 1e-4
    d_lr: float = 1e-4
    batch_size: int = 16
    steps: int = 2_000

    @property
    def milestones(self) -> tuple[int, ...]:
        return (self.pretrain,) if self.pretrain else ()

    def examples(self):
        return (DataSpec((16, 16, 1), others={"small": ArraySpec((8, 8, 1), (-1.0, 1.0))}),)

    def unsupported(self, spec: DataSpec) -> str | None:
        small = spec.others.get("small")
        if not spec.is_image or small is None or len(small) != 3 or small.group != spec.group:
            return "srgan needs images and, row by row, the same ones as an array `small`."
        factor = spec.shape[0] // small[0]
        if factor < 2 or factor & (factor - 1) or spec.shape != (*_times(small, factor), small[2]):
            return "srgan makes images 2, 4, 8, ... times as large as those called `small`."
        return None

    def inputs(self, spec: DataSpec):
        return {"small": Data("small")}

    def generator(self, spec: DataSpec) -> keras.Model:
        small = keras.Input(tuple(spec.others["small"]), name="small")
        first = x = layers.PReLU(shared_axes=[1, 2])(self._conv(9)(small))
        for _ in range(self.blocks):
            inner = BatchNormalization(momentum=0.9)(self._conv()(x))
            inner = self._conv()(layers.PReLU(shared_axes=[1, 2])(inner))
            x = x + BatchNormalization(momentum=0.9)(inner)
        x = first + BatchNormalization(momentum=0.9)(self._conv()(x))
        while x.shape[1] < spec.shape[0]:  # sub-pixel convolution (Shi et al. 2016)
            x = layers.Conv2D(4 * self.width, 3, padding="same")(x)
            x = layers.PReLU(shared_axes=[1, 2])(PixelShuffle()(x))
        x = layers.Conv2D(spec.shape[2], 9, padding="same")(x)
        return keras.Model(small, layers.Activation("tanh", dtype="float32")(x), name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        image = keras.Input(spec.shape, name=spec.key)
        x = layers.LeakyReLU(negative_slope=0.2)(self._conv()(image))
        for factor, stride in ((1, 2), (2, 1), (2, 2)):
            x = layers.Conv2D(factor * self.width, 3, stride, "same", use_bias=False)(x)
            x = layers.LeakyReLU(negative_slope=0.2)(BatchNormalization(momentum=0.9)(x))
        x = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(4 * self.width)(layers.Flatten()(x)))
        return keras.Model(image, layers.Dense(1, dtype="float32")(x), name="discriminator")

    def _conv(self, side: int = 3):
        return layers.Conv2D(self.width, side, padding="same")

    def feature_network(self, spec: DataSpec) -> keras.Model:
        """What stands for VGG: two convolutions."""
        image = keras.Input(spec.shape, name=spec.key)
        x = layers.Conv2D(8, 3, 2, "same", activation="relu")(image)
        return keras.Model(image, layers.Conv2D(8, 3, 2, "same")(x), name="features")

    def frozen(self, spec: DataSpec) -> Mapping[str, Frozen]:
        if not self.features:
            return {}
        build = lambda: self.feature_network(spec)  # noqa: E731
        return {"features": Frozen(self.features, self.features_sha256 or None, build)}

    def players(self, networks, spec: DataSpec, step: int = 0):
        generator, discriminator = networks["generator"], networks["discriminator"]

        def judge(samples, turn):
            return tf.cast(turn.call(discriminator, samples), tf.float32)

        def fake(turn):
            return turn.once("fake", lambda: turn.call(generator))

        def logits(turn):
            real = turn.once("real", lambda: judge(turn.batch[spec.key], turn))
            return real, turn.once("judged", lambda: judge(fake(turn), turn))

        def content(turn):
            real, made = turn.batch[spec.key], fake(turn)
            loss = tf.reduce_mean(tf.square(real - made))
            if "features" in networks:
                seen = [networks["features"](x, training=False) for x in (real, made)]
                loss += self.feature_weight * tf.reduce_mean(tf.square(seen[0] - seen[1]))
            return loss

        def pixels(turn):
            return tf.reduce_mean(tf.square(turn.batch[spec.key] - fake(turn)))

        def g_loss(turn):
            adversarial = losses.nonsaturating_g(judge(fake(turn), turn))
            return content(turn) + self.adversarial_weight * adversarial

        def g_record(turn):  # of images in [-1, 1], whose peak is 2
            return {"psnr": 10 * tf.math.log(4 / pixels(turn)) / tf.math.log(10.0)}

        def d_record(turn):
            return judged(*logits(turn), self.accuracy(*logits(turn)))

        adam = Adam(self.g_lr, beta_1=0.9)
        g = {"optimizer": adam, "record": g_record, "carry": True}
        if step < self.pretrain:
            return [Player("generator", ("generator",), pixels, **g)]
        return [
            Player(
                "discriminator",
                ("discriminator",),
                lambda turn: losses.minimax_d(*logits(turn)),
                Adam(self.d_lr, beta_1=0.9),
                record=d_record,
            ),
            Player("generator", ("generator",), g_loss, **g),
        ]


class PixelShuffle(layers.Layer):
    """(n, h, w, 4 c) -> (n, 2 h, 2 w, c)."""

    def call(self, x):
        return tf.nn.depth_to_space(x, 2)


def _times(small, factor: int) -> tuple[int, int]:
    return small[0] * factor, small[1] * factor
