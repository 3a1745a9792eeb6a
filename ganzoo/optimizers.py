"""Keras's Adam on TensorFlow's fused kernel, and a rate that falls along a line."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ganzoo.errors import UsageError


@keras.saving.register_keras_serializable("ganzoo")
class Adam(keras.optimizers.Adam):
    """Adam (Kingma & Ba 2015), one operation for each weight where Keras has a dozen.

    The same formula as Keras's, epsilon included: w -= lr sqrt(1 - b2^t) / (1 - b1^t) m /
    (sqrt(v) + epsilon). AMSGrad, sparse gradients and weights that are not float32 take Keras's
    own way: the kernel would end the process on weights and slots of two types.
    """

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        age = tf.cast(self.iterations.value + 1, tf.float32)
        self._powers = tf.pow(self.beta_1, age), tf.pow(self.beta_2, age)  # once for all weights
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
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, tf.float32),
        )


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
