"""How far networks have grown, as a weight of theirs, and what they show meanwhile.

A level is a pair of layers, models as a rule; levels are counted from 0, the smallest images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import layers


@keras.saving.register_keras_serializable("ganzoo")
class Depth(layers.Layer):
    """How far the networks have grown, the same for every row: (n, ...) -> (n, 1), float32.

    Its one weight `depth` trains with nobody and begins at 0; a player's `after` assigns it.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**({"dtype": "float32"} | kwargs))

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.depth = self.add_weight(shape=(), initializer="zeros", trainable=False, name="depth")

    def call(self, x: Any) -> Any:
        return tf.fill([tf.shape(x)[0], 1], tf.convert_to_tensor(self.depth))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (shape[0], 1)


@keras.saving.register_keras_serializable("ganzoo")
class Fade(layers.Layer):
    """From what level k - 1 gives to what level k gives, as the depth goes from k - 1 to k.

    [below, own, depth (n, 1)] -> below + a (own - below), a being depth - (k - 1) within [0, 1]
    (Karras et al. 2018, figure 2).
    """

    def __init__(self, k: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.k = k

    def call(self, inputs: Any) -> Any:
        below, own, depth = inputs
        share = _share(depth, self.k)[:, :, None, None]
        return below + tf.cast(share, below.dtype) * (own - below)

    def compute_output_shape(self, shapes: Any) -> tuple[int | None, ...]:
        return tuple(shapes[0])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"k": self.k}


def grown(x: Any, levels: Sequence[tuple[Any, Any]], depth: Depth) -> Any:
    """Images of the last level's side: each level doubles the side of what the one below made.

    `levels` are (features -> features, features -> image), the first from `x`. All are symbolic
    tensors of a Keras model.
    """
    image, reached = None, depth(x)
    for k, (level, colours) in enumerate(levels):
        x = level(x)
        own = colours(x)
        image = Fade(k)([layers.UpSampling2D()(image), own, reached]) if k else own
    return image


def shrunken(image: Any, levels: Sequence[tuple[Any, Any]], depth: Depth) -> Any:
    """What the first level says of images of the last level's side: the way back from `grown`.

    `levels` are (image -> features, features -> features), which halve the side but for the first.
    """
    reached, x = depth(image), levels[-1][0](image)
    for k in range(len(levels) - 1, 0, -1):
        image = layers.AveragePooling2D(2)(image)
        x = Fade(k)([levels[k - 1][0](image), levels[k][1](x), reached])
    return levels[0][1](x)


def seen_at(images: tf.Tensor, halvings: int, k: int, depth: tf.Tensor) -> tf.Tensor:
    """(n, h, w, c) halved so often, as networks of this depth could show them at best.

    While level `k` fades in, from the means of 2x2 places to the images of that side.
    """
    factor = 2**halvings
    images = tf.nn.avg_pool2d(images, factor, factor, "VALID")
    if not k:
        return images
    low = tf.nn.avg_pool2d(images, 2, 2, "VALID")
    low = tf.repeat(tf.repeat(low, 2, 1), 2, 2)
    return low + _share(depth, k) * (images - low)


def depth_at(step: tf.Tensor, milestones: Sequence[int]) -> tf.Tensor:
    """How far networks have grown at a step: a level more from each milestone on, in half as many
    steps as the level before it had. A float32 scalar, of an integer one."""
    depth = tf.constant(0.0)
    for before, start in zip((0, *milestones), milestones, strict=False):
        half = max(1.0, (start - before) / 2)
        depth += tf.clip_by_value((tf.cast(step - start, tf.float32) + 1) / half, 0.0, 1.0)
    return depth


def _share(depth: tf.Tensor, k: int) -> tf.Tensor:
    """How much of level k is seen, the rest being of the level below."""
    return tf.clip_by_value(depth - tf.cast(k - 1, depth.dtype), 0, 1)
