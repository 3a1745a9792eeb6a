"""The FID network: Inception v3 as it was published on 2015-12-05, down to its quirks.

Images are resized to 299x299 the way TensorFlow 1 did it (bilinear, corners at the same place, no
antialiasing) and mapped by (x - 128) / 128; average pools leave the padding out of the count; the
last block pools by maximum. Lower layers serve too: 64, 192 and 768 dimensions as in pytorch-fid.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ganzoo.errors import UsageError
from ganzoo.eval.extractor import Extractor, hash_arrays
from ganzoo.eval.features.graph import frozen
from ganzoo.eval.features.inception_layers import CLASSES, DIMS, MIXED, STEM, fitting
from ganzoo.eval.features.inception_weights import find, read
from ganzoo.hardware import has_bfloat16

SIDE = 299
PREPROCESSING = "grey repeated to colour, bilinear as in TensorFlow 1 to 299x299, (x - 128) / 128"
LOW_FROM = "mixed_3"
"""The first block that `bfloat16` computes in it: rounding below moves scores by over 0.5 %."""


class Inception(Extractor):
    """`dims` means of one layer's channels; with 2,048, also the logits that IS is made of."""

    batch = 25

    def __init__(
        self,
        dims: int = 2048,
        weights: str | os.PathLike[str] | None = None,
        precision: str = "float32",
    ):
        if dims not in DIMS:
            raise UsageError(f"inception has 64, 192, 768 or 2048 dimensions, not {dims}.")
        _check_precision(precision, dims)
        path = find(dims, weights)
        self.weights = fitting(read(path), dims, path)
        self.name, self.dim, self.precision = "inception", dims, precision
        self.sha256 = hash_arrays(self.weights)
        self.classes = CLASSES if dims == 2048 else None
        self.preprocessing = PREPROCESSING
        if precision == "bfloat16":
            self.preprocessing += f", bfloat16 from {LOW_FROM} on"
        self.compiled: dict[tuple[int, ...], Callable[[np.ndarray], list[np.ndarray]]] = {}

    def compute(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The network's outputs, by a graph for each shape of images."""
        if images.shape not in self.compiled:
            self.compiled[images.shape] = compiled(
                images.shape, self.weights, self.dim, self.precision
            )
        features, *logits = self.compiled[images.shape](images)
        return features, logits[0] if logits else None


def compiled(
    shape: tuple[int, ...], weights: Mapping[str, np.ndarray], dims: int, precision: str
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """uint8 images of exactly `shape` -> what `forward` gives, as one graph."""
    return frozen(lambda pixels, w: forward(prepared(pixels), w, dims, precision), shape, weights)


def _check_precision(precision: str, dims: int) -> None:
    if precision not in ("float32", "bfloat16"):
        raise UsageError(f"expected precision float32 or bfloat16, not {precision!r}.")
    if precision == "bfloat16" and dims < 768:
        raise UsageError(
            f"the layers below {dims} dimensions stay in float32, since rounding them moves the "
            "score: leave --precision out, or choose 768 dimensions or more."
        )
    if precision == "bfloat16" and not has_bfloat16():
        raise UsageError("nothing here multiplies bfloat16 in hardware: leave --precision out.")


def prepared(pixels: Any) -> Any:
    """uint8 (n, h, w, 1 or 3) -> float32 (n, 299, 299, 3)."""
    import tensorflow as tf

    x = tf.cast(pixels, tf.float32)
    if x.shape[-1] == 1:
        x = tf.repeat(x, 3, axis=-1)
    x = tf.raw_ops.ResizeBilinear(images=x, size=[SIDE, SIDE])  # tf.image's now samples elsewhere
    return (x - 128) / 128


def forward(
    x: Any, weights: Mapping[str, np.ndarray], dims: int, precision: str = "float32"
) -> list[Any]:
    """Images (n, 299, 299, 3) -> [features (n, dims)], and for 2,048 [.., logits (n, 1008)].

    With `bfloat16`, the blocks from `LOW_FROM` on are computed in it; means and logits never are.
    The logits have no bias: the Inception score's own code leaves it out.
    """
    import tensorflow as tf

    for steps, end in zip(STEM, (64, 192), strict=True):
        for step in steps:
            x = _apply(x, step, "", weights)
        if dims == end:
            return [_mean(x)]
    for name, branches in MIXED.items():
        if name == LOW_FROM:
            x = tf.cast(x, precision)
        x = tf.concat([_branch(x, steps, f"{name}_", weights) for steps in branches], -1)
        if dims == 768 and name == "mixed_7":
            return [_mean(x)]
    features = _mean(x)
    return [features, features @ weights["softmax/weights"]]


def _mean(x: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_mean(tf.cast(x, tf.float32), [1, 2])


def _branch(x: Any, steps: str, prefix: str, weights: Mapping[str, np.ndarray]) -> Any:
    for step in steps.split():
        x = _apply(x, step, prefix, weights)
    return x


def _apply(x: Any, step: str, prefix: str, weights: Mapping[str, np.ndarray]) -> Any:
    import tensorflow as tf

    if "+" in step:
        return tf.concat([_apply(x, part, prefix, weights) for part in step.split("+")], -1)
    if step == "avg":
        return tf.nn.avg_pool2d(x, 3, 1, "SAME")  # TensorFlow counts no padding
    if step == "max":
        return tf.nn.max_pool2d(x, 3, 1, "SAME")
    if step == "max/2":
        return tf.nn.max_pool2d(x, 3, 2, "VALID")
    name, _, rest = step.partition(":")
    stride, padding = (2, "VALID") if "/2" in rest else (1, "VALID" if "!" in rest else "SAME")
    kernel, bias = (
        tf.cast(weights[f"{prefix}{name}/{part}"], x.dtype) for part in ("weights", "bias")
    )
    return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernel, stride, padding), bias))
