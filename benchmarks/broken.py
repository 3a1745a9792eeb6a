"""A GAN with a mistake in its code, one of those that people make; for `diagnosis.py`."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import tensorflow as tf
from keras import layers, ops

from ganzoo import losses
from ganzoo.errors import unknown
from ganzoo.plugin import DataSpec, Plugin

MISTAKES = {
    "": "none: it works",
    "swapped_labels": "the discriminator is told that reals are fake, and fakes real",
    "double_sigmoid": "the discriminator ends in a sigmoid, and the loss applies another",
    "wrong_sign": "the generator's loss has the wrong sign: it helps the discriminator",
    "dead_units": "the discriminator's hidden units start so low that none ever fires",
    "dead_generator": "the generator's hidden units start so low that none ever fires",
    "ignored_z": "the generator multiplies z by 0",
    "wrong_range": "the generator ends in a sigmoid, for pixels from -1 to 1",
    "too_wide": "the generator's pixels are from -255 to 255",
    "mismatch": "batch norm whose moving statistics are never updated",
    "ignored_labels": "a conditional generator that multiplies its label by 0",
    "unasked_labels": "a conditional generator, and a discriminator that sees no label",
    "one_class": "the discriminator sees the reals of one class alone",
}


@dataclass(frozen=True)
class Broken(Plugin):
    """Goodfellow et al. 2014, dense or convolutional, with one of the `MISTAKES`."""

    mistake: str = ""
    convolutional: bool = False
    z_dim: int = 32
    width: int = 128  # of dense layers; channels, if convolutional
    steps: int = 3_000
    g_lr: float = 1e-3
    d_lr: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mistake not in MISTAKES:
            raise unknown("mistake", self.mistake, MISTAKES)

    @property
    def conditional(self) -> bool:
        """Whether the generator takes a label."""
        return self.mistake in ("ignored_labels", "unasked_labels")

    def generator(self, spec: DataSpec) -> keras.Model:
        inputs = [keras.Input((self.z_dim,), name="z")]
        x = inputs[0] * (0.0 if self.mistake == "ignored_z" else 1.0)
        if self.conditional:
            inputs.append(keras.Input((), name="label", dtype="int32"))
            label = layers.Embedding(spec.classes, self.width)(inputs[1])
            label = label * (0.0 if self.mistake == "ignored_labels" else 1.0)
            x = layers.Concatenate()([x, label])
        if self.convolutional:
            h, w, c = spec.shape
            x = self._hidden(layers.Dense(h // 4 * (w // 4) * self.width), x)
            x = layers.Reshape((h // 4, w // 4, self.width))(x)
            for _ in range(2):
                x = layers.UpSampling2D()(x)
                x = self._hidden(layers.Conv2D(self.width, 3, padding="same"), x)
            x = layers.Conv2D(c, 3, padding="same")(x)
        else:
            for _ in range(2):
                x = self._hidden(layers.Dense(self.width), x)
            x = layers.Reshape(spec.shape)(layers.Dense(spec.size)(x))
        last = "tanh" if spec.range else "linear"
        x = layers.Activation("sigmoid" if self.mistake == "wrong_range" else last)(x)
        if self.mistake == "too_wide":
            x = 255.0 * x
        return keras.Model(inputs, x, name="generator")

    def _hidden(self, layer: layers.Layer, x):
        """A layer of the generator's, with batch norm where it is convolutional or mismatched."""
        x = layer(x)
        if self.mistake == "dead_generator":
            return layers.ReLU()(x - 1000.0)
        if self.convolutional or self.mistake == "mismatch":
            never = self.mistake == "mismatch"
            x = layers.BatchNormalization(momentum=1.0 if never else 0.9)(x)
        return layers.ReLU()(x)

    def discriminator(self, spec: DataSpec) -> keras.Model:
        inputs = [keras.Input(spec.shape, name=spec.key)]
        x = inputs[0]
        if self.convolutional:
            for factor in (1, 2):
                x = self._judging(layers.Conv2D(factor * self.width, 4, 2, padding="same"), x)
        x = layers.Flatten()(x)
        if self.mistake == "ignored_labels":
            inputs.append(keras.Input((), name="label", dtype="int32"))
            x = layers.Concatenate()([x, layers.Embedding(spec.classes, self.width)(inputs[1])])
        if not self.convolutional:
            for _ in range(2):
                x = self._judging(layers.Dense(self.width), x)
        logits = layers.Dense(1, dtype="float32")(x)
        if self.mistake == "double_sigmoid":
            logits = ops.sigmoid(logits)
        return keras.Model(inputs, logits, name="discriminator")

    def _judging(self, layer: layers.Layer, x):
        """A layer of the discriminator's."""
        if self.mistake == "dead_units":
            return layers.ReLU()(layer(x) - 1000.0)
        return layers.LeakyReLU(negative_slope=0.2)(layer(x))

    def players(self, networks, spec: DataSpec, step: int = 0):
        if self.mistake != "one_class":
            return super().players(networks, spec, step)

        def ones_alone(turn):
            other = tf.cast(turn.batch["label"] != 1, tf.int32)
            ones = tf.maximum(self.batch_size - tf.reduce_sum(other), 1)
            first = tf.argsort(other, stable=True)
            places = tf.math.floormod(tf.range(self.batch_size), ones)
            return tf.gather(turn.batch[spec.key], tf.gather(first, places))

        return self.duel(networks, ones_alone)

    def d_loss(self, real_logits, fake_logits):
        if self.mistake == "swapped_labels":
            return losses.minimax_d(fake_logits, real_logits)
        return losses.minimax_d(real_logits, fake_logits)

    def g_loss(self, fake_logits):
        loss = losses.nonsaturating_g(fake_logits)
        return -loss if self.mistake == "wrong_sign" else loss
