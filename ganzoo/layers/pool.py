"""Past fakes for a discriminator."""

from __future__ import annotations

import keras
import tensorflow as tf

from ganzoo.errors import UsageError
from ganzoo.turn import Turn


class Pool(keras.Model):
    """Past fakes, which a discriminator is shown in place of half the new ones (Zhu et al.
    2017, section 4, after Shrivastava et al. 2017).

    A network without a trainable weight, for `Plugin.networks`: its images are saved and resumed.
    `shown` reads and `keep` writes, so that what was shown stays so until the turn has counted.
    `shape` is that of one image; UsageError where a batch does not fit in.
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
        if self.size < turn.batch_size:
            raise UsageError(
                f"{self.name} must hold a batch of {turn.batch_size}, not {self.size} images."
            )
        fakes = tf.stop_gradient(tf.cast(fakes, tf.float32))
        here = tf.range(self.size) < self.filled.value
        draw = turn.uniform(f"{self.name} slots", (self.size,))[0]
        slots = tf.argsort(tf.where(here, draw, -1.0), stable=True)[: turn.batch_size]
        old, full = tf.gather(self.images.value, slots), tf.gather(here, slots)
        new = turn.uniform(f"{self.name} coins") < 0.5
        return _choose(~full | new, fakes, old), slots, _choose(full & new, old, fakes)


def _choose(rows: tf.Tensor, one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    return tf.where(tf.reshape(rows, [-1, *[1] * (len(one.shape) - 1)]), one, other)
