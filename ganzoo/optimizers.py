"""Keras's Adam on TensorFlow's fused kernel."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


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
