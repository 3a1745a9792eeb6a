"""The networks of ganzoo's extractors as plain Keras models, the way one would write them there."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
from keras import layers

from ganzoo.eval.features import digit_network, inception
from ganzoo.eval.features.inception_layers import MIXED, STEM, convolutions


def digit_model(weights: Mapping[str, np.ndarray]) -> keras.Model:
    """uint8 (n, 28, 28, 1) -> the 128 features of the digit network."""
    x = inputs = keras.Input((28, 28, 1))
    x = layers.Rescaling(1 / 255)(x)
    for i, (kernel, stride, channels) in enumerate(digit_network.CONVOLUTIONS):
        x = layers.Conv2D(channels, kernel, stride, "same", activation="relu", name=f"conv_{i}")(x)
    return _filled(keras.Model(inputs, layers.GlobalAveragePooling2D()(x)), weights)


def inception_model(weights: Mapping[str, np.ndarray], dims: int, side: int) -> keras.Model:
    """uint8 (n, side, side, 3) -> the `dims` features of Inception."""
    inputs = keras.Input((side, side, 3))
    x = layers.Lambda(inception.prepared, (299, 299, 3))(inputs)
    for steps, end in zip(STEM, (64, 192), strict=True):
        x = _chain(x, " ".join(steps), "")
        if dims == end:
            return _filled(_pooled(inputs, x), weights)
    for name, branches in MIXED.items():
        x = layers.Concatenate()([_chain(x, steps, f"{name}_") for steps in branches])
        if dims == 768 and name == "mixed_7":
            break
    return _filled(_pooled(inputs, x), weights)


def _pooled(inputs: keras.KerasTensor, x: keras.KerasTensor) -> keras.Model:
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def _chain(x: keras.KerasTensor, steps: str, prefix: str) -> keras.KerasTensor:
    for step in steps.split():
        x = _step(x, step, prefix)
    return x


def _step(x: keras.KerasTensor, step: str, prefix: str) -> keras.KerasTensor:
    if "+" in step:
        return layers.Concatenate()([_step(x, part, prefix) for part in step.split("+")])
    if step == "avg":
        return layers.AveragePooling2D(3, 1, "same")(x)
    if step == "max":
        return layers.MaxPooling2D(3, 1, "same")(x)
    if step == "max/2":
        return layers.MaxPooling2D(3, 2)(x)
    ((name, height, width, channels),) = convolutions(step)
    stride, padding = (2, "valid") if "/2" in step else (1, "valid" if "!" in step else "same")
    name = f"{prefix}{name}"
    return layers.Conv2D(channels, (height, width), stride, padding, activation="relu", name=name)(
        x
    )


def _filled(model: keras.Model, weights: Mapping[str, np.ndarray]) -> keras.Model:
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([weights[f"{layer.name}/{part}"] for part in ("weights", "bias")])
    return model
