"""Keras's Adam on TensorFlow's fused kernel, and schedules: along a line, along a cosine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ganzoo.errors import UsageError

Moments = tuple[tf.Tensor, list[tf.Tensor], list[tf.Tensor]]
"""Number of updates, first and second moments of each weight's gradient."""


@keras.saving.register_keras_serializable("ganzoo")
class Adam(keras.optimizers.Adam):
    """Adam (Kingma & Ba 2015), one operation for each weight where Keras has a dozen.

    The same formula as Keras's, epsilon included: w -= lr sqrt(1 - b2^t) / (1 - b1^t) m /
    (sqrt(v) + epsilon). AMSGrad, sparse gradients and weights that are not float32 take Keras's
    own way: the kernel would end the process on weights and slots of two types.

    `beta_2` may be a schedule, as the learning rate may: t -> a number, t the updates so far.
    """

    @property
    def beta_2(self) -> Any:
        held = self._beta_2
        return held(self.iterations.value) if callable(held) else held

    @beta_2.setter
    def beta_2(self, value: Any) -> None:
        self._beta_2 = value

    def moments(self, weights: Sequence[keras.Variable]) -> Moments:
        """What it remembers of these weights now: the number of updates, and both averages."""
        places = [self._get_variable_index(weight) for weight in weights]
        first, second = (
            [kind[place].value for place in places] for kind in (self._momentums, self._velocities)
        )
        return tf.cast(self.iterations.value, tf.float32), first, second

    def ahead(
        self, gradients: Sequence[tf.Tensor], weights: Sequence[tf.Tensor], moments: Moments
    ) -> tuple[list[tf.Tensor], Moments]:
        """An update as a function: weights and moments behind it, through which slopes flow.

        Nothing is changed. The rate is today's, however far ahead one looks.
        """
        age, first, second = moments[0] + 1, moments[1], moments[2]
        b1, b2 = self.beta_1, self.beta_2
        first = [b1 * m + (1 - b1) * g for m, g in zip(first, gradients, strict=True)]
        second = [b2 * v + (1 - b2) * g * g for v, g in zip(second, gradients, strict=True)]
        rate = self.learning_rate * tf.sqrt(1 - b2**age) / (1 - b1**age)
        roots = [tf.sqrt(tf.maximum(v, 1e-37)) for v in second]  # a root has no slope at 0
        moved = [
            w - rate * m / (root + self.epsilon)
            for w, m, root in zip(weights, first, roots, strict=True)
        ]
        return moved, (age, first, second)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"beta_2": keras.saving.serialize_keras_object(self._beta_2)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Adam:
        read = keras.saving.deserialize_keras_object(config["beta_2"], custom_objects)
        return super().from_config(config | {"beta_2": read}, custom_objects)

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        age = tf.cast(self.iterations.value + 1, tf.float32)
        self._second = self.beta_2  # once for all weights, as are the powers
        self._powers = tf.pow(self.beta_1, age), tf.pow(self._second, age)
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        plain = variable.dtype == "float32" and not isinstance(gradient, tf.IndexedSlices)
        if self.amsgrad or not plain:
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        first, second = self._momentums[index].value, self._velocities[index].value
        tf.raw_ops.ResourceApplyAdam(
            var=(variable.value if isinstance(variable, keras.Variable) else variable).handle,
            m=first.handle,
            v=second.handle,
            beta1_power=self._powers[0],
            beta2_power=self._powers[1],
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self._second,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, tf.float32),
        )


@keras.saving.register_keras_serializable("ganzoo")
class Cosine(keras.optimizers.schedules.LearningRateSchedule):
    """From `first` to `last` along half a wave of a cosine in `steps` steps, and then `last`.

    For a rate, for Adam's `beta_2`, or called with a step for anything else.
    """

    def __init__(self, first: float, last: float, steps: float):
        self.first, self.last, self.steps = first, last, steps

    def __call__(self, step: Any) -> tf.Tensor:
        share = tf.minimum(tf.cast(step, tf.float32) / self.steps, 1.0)
        return self.last + (self.first - self.last) * (1 + tf.cos(math.pi * share)) / 2

    def get_config(self) -> dict[str, Any]:
        return {"first": self.first, "last": self.last, "steps": self.steps}


@keras.saving.register_keras_serializable("ganzoo")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """`rate` up to step `start`, then along a line to 0 at step `end`, and 0 from there on.

    The steps are an optimiser's own: updates that it has made.
    """

    def __init__(self, rate: float, start: int, end: int):
        super().__init__()
        if not 0 <= start < end:
            raise UsageError(f"a decay needs 0 <= start < end, not {start} and {end}.")
        self.rate, self.start, self.end = rate, start, end

    def __call__(self, step: Any) -> Any:
        left = (self.end - tf.cast(step, tf.float32)) / (self.end - self.start)
        return self.rate * tf.clip_by_value(left, 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"rate": self.rate, "start": self.start, "end": self.end}
