"""Maxout: the largest of several linear maps."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("ganzoo")
class Maxout(layers.Layer):
    """max over j of x W_ij + b_ij for each unit i (Goodfellow et al. 2013, section 2).

    (..., d) -> (..., units), with `pieces` linear maps a unit: a convex function that is learned.
    """

    def __init__(
        self, units: int, pieces: int, kernel_initializer: Any = "glorot_uniform", **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.units, self.pieces = units, pieces
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.maps = layers.Dense(
            units * pieces,
            kernel_initializer=self.kernel_initializer,
            dtype=self.dtype_policy,
            name="maps",
        )

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.maps.build(shape)

    def call(self, x: Any) -> Any:
        pieces = self.maps(x)
        return ops.max(ops.reshape(pieces, (-1, *x.shape[1:-1], self.units, self.pieces)), axis=-1)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "units": self.units,
            "pieces": self.pieces,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
