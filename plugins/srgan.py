"""Super-resolution GAN: a small image goes in, the large one comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from ganzoo import losses
from ganzoo.errors import UsageError
from ganzoo.layers import BatchNormalization, Conv2D, PixelShuffle
from ganzoo.optimizers import Adam
from ganzoo.plugin import Data, DataSpec, Frozen, Player, Plugin, Turn


@dataclass(frozen=True)
class SRGAN(Plugin):
    """SRGAN (Ledig et al. 2017): from a small image the large one that a judge takes for real.

    At first pixels alone (the paper's SRResNet), then its SRGAN: content plus 1e-3 of -log D. The
    content is features of the network in `features` or, without one, pixels: the paper's SRGAN-MSE
    in place of its SRGAN-VGG54, for no VGG comes with this package, and the network that scores
    digits must not teach as well. Differs: fewer blocks and channels, and one learning rate.
    Paper and code disagree: TensorLayer's SRGAN keeps the pixel loss beside the features and now
    trains by momentum; the paper's features replace the pixels, and Adam trains.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1609.04802"

    scale: int = 4  # how many times larger each side becomes: 2, 4, 8
    pretrain: int = 1_000  # steps on pixels alone; the paper's 1e6 are for photographs
    pretrain_lr: float = 1e-3  # the paper's 1e-4 is for a million steps
    blocks: int = 6  # residual blocks at the small size; the paper has 16
    width: int = 32  # channels of them, and of D next to the image; the paper has 64
    features: str = ""  # a .keras file: from images in [-1, 1] to features, as VGG19's conv5_4
    features_sha256: str = ""  # of that file, where only one will do
    feature_weight: float = 0.006  # section 3.2: features of VGG are 12.75 times as large as pixels
    adversarial_weight: float = 1e-3  # equation 3
    batch_size: int = 16  # section 3.2
    steps: int = 2_000
    g_lr: float = 1e-4  # section 3.2, with beta_1 0.9
    d_lr: float = 1e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale < 2 or self.scale & (self.scale - 1):
            raise UsageError(f"scale must be 2, 4, 8 or so, not {self.scale}.")

    def unsupported(self, spec: DataSpec) -> str | None:
        if not spec.is_image or any(side % self.scale for side in spec.shape[:2]):
            return f"srgan makes images whose sides are multiples of its scale, {self.scale}."
        return None

    @property
    def milestones(self) -> tuple[int, ...]:
        return (self.pretrain,) if self.pretrain else ()

    def inputs(self, spec: DataSpec):
        size = min(spec.shape[:2]) // self.scale
        return {spec.key: Data(spec.key, size=size, method="bicubic")}  # section 3.2

    def frozen(self, spec: DataSpec) -> Mapping[str, Frozen]:
        if not self.features:
            return {}
        return {"features": Frozen(self.features, self.features_sha256 or None)}

    def optimizers(self):
        return self.adam(beta_1=0.9)

    def generator(self, spec: DataSpec) -> keras.Model:
        sides = [side // self.scale for side in spec.shape[:2]]
        small = keras.Input((*sides, spec.shape[2]), name=spec.key)
        first = x = _prelu(Conv2D(self.width, 9, padding="same")(small))
        for _ in range(self.blocks):
            inner = _norm(Conv2D(self.width, 3, padding="same")(x))
            x = x + _norm(Conv2D(self.width, 3, padding="same")(_prelu(inner)))
        x = first + _norm(Conv2D(self.width, 3, padding="same")(x))
        for _ in range(self.scale.bit_length() - 1):  # sub-pixel convolution (Shi et al. 2016)
            x = _prelu(PixelShuffle()(Conv2D(4 * self.width, 3, padding="same")(x)))
        x = Conv2D(spec.shape[2], 9, padding="same")(x)
        return keras.Model(small, layers.Activation("tanh", dtype="float32")(x), name="generator")

    def discriminator(self, spec: DataSpec) -> keras.Model:
        image = keras.Input(spec.shape, name=spec.key)
        x = _leaky(Conv2D(self.width, 3, padding="same")(image))
        for factor in (1, 2, 4, 8):  # figure 4: at each, a stride, then twice the channels
            if factor > 1:
                x = _leaky(_norm(Conv2D(factor * self.width, 3, padding="same")(x)))
            x = _leaky(_norm(Conv2D(factor * self.width, 3, 2, "same")(x)))
        x = _leaky(layers.Dense(16 * self.width)(layers.Flatten()(x)))
        return keras.Model(image, layers.Dense(1, dtype="float32")(x), name="discriminator")

    def d_loss(self, real_logits, fake_logits):
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        return self.adversarial_weight * losses.nonsaturating_g(fake_logits)

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        """Pixels alone, and then the default two, whose generator has the content beside it."""
        discriminator, generator = super().players(networks, spec, step)

        def both(turn: Turn):
            fake = turn.once("fake", lambda: turn.call(networks["generator"]))
            return turn.batch[spec.key], fake

        def pixels(turn: Turn):
            real, fake = both(turn)
            return tf.reduce_mean(tf.square(real - fake))

        def content(turn: Turn):
            if "features" not in networks:
                return pixels(turn)
            return self.feature_weight * losses.content(networks["features"], *both(turn))

        def record(turn: Turn):  # of images in [-1, 1], whose peak is 2
            return {"psnr": 10 * tf.math.log(4 / pixels(turn)) / tf.math.log(10.0)}

        if step < self.pretrain:  # its own Adam: the paper begins anew
            rule = Adam(self.pretrain_lr, beta_1=0.9)
            return [replace(generator, loss=pixels, penalty=None, record=record, optimizer=rule)]
        generator = replace(generator, loss=content, penalty=generator.loss, record=record)
        return [discriminator, generator]


def _norm(x):
    return BatchNormalization(momentum=0.9)(x)


def _prelu(x):
    return layers.PReLU(shared_axes=[1, 2])(x)


def _leaky(x):
    return layers.LeakyReLU(negative_slope=0.2)(x)
