"""The small network behind the features of grey 28x28 images, with the weights that ship with it.

`benchmarks/train_digit_network.py` trains it, and folds its batch norms into the convolutions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ganzoo.data import arrays
from ganzoo.errors import GanzooError
from ganzoo.eval.extractor import Extractor, hash_arrays

PUBLISHED = {
    "mnist": "2ff522569a6d88710cc350b8d098872bf3cf6fe3a6756af93fe3d84661297397",
    "fashion": "970eabc28d6822444d4ecbf0c574fcca08dd775aa64d865dfac626bca6dd2adf",
}
"""SHA-256 of the weights that belong to this version, as `hash_arrays` counts it."""

SIDE = 28
CLASSES = 10
CONVOLUTIONS = ((5, 2, 32), (3, 2, 64), (3, 1, 64), (3, 2, 128))
"""Kernel, stride, channels; 7.5 million operations an image, half of them in the third."""
DIM = CONVOLUTIONS[-1][-1]
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the stored arrays; kernels are height, width, in, out.

    >>> shapes()["conv_1/weights"]
    (3, 3, 32, 64)
    """
    found: dict[str, tuple[int, ...]] = {}
    below = 1
    for i, (kernel, _, channels) in enumerate(CONVOLUTIONS):
        found[f"conv_{i}/weights"] = (kernel, kernel, below, channels)
        found[f"conv_{i}/bias"] = (channels,)
        below = channels
    return found | {"logits/weights": (below, CLASSES), "logits/bias": (CLASSES,)}


def forward(images: Any, weights: Mapping[str, np.ndarray]) -> tuple[Any, Any]:
    """Grey images (n, 28, 28, 1) in [0, 1] -> features (n, 128) >= 0 and logits (n, 10).

    The features are what the last linear layer sees: the mean of the last convolution over its
    4x4 places.
    """
    import tensorflow as tf

    x = images
    for i, (_, stride, _) in enumerate(CONVOLUTIONS):
        x = tf.nn.conv2d(x, weights[f"conv_{i}/weights"], stride, "SAME")
        x = tf.nn.relu(tf.nn.bias_add(x, weights[f"conv_{i}/bias"]))
    features = tf.reduce_mean(x, [1, 2])
    return features, features @ weights["logits/weights"] + weights["logits/bias"]


def prepared(pixels: Any) -> Any:
    """uint8 (n, h, w, 1 or 3) -> float32 (n, 28, 28, 1) in [0, 1]."""
    import tensorflow as tf

    x = tf.cast(pixels, tf.float32) / 255
    if x.shape[-1] == 3:
        x = tf.reduce_sum(x * LUMA, axis=-1, keepdims=True)
    if tuple(x.shape[1:3]) != (SIDE, SIDE):
        x = tf.image.resize(x, [SIDE, SIDE], antialias=True)
    return x


class DigitNetwork(Extractor):
    """`mnist` or `fashion`: 128 features and 10 logits of grey images."""

    dim, classes, batch = DIM, CLASSES, 500
    preprocessing = (
        "grey by ITU-R BT.601 luma, bilinear with antialiasing to 28x28, divided by 255 to [0, 1]"
    )

    def __init__(self, name: str):
        self.name = f"{name}-cnn"
        path = Path(__file__).with_name(f"{self.name}.npz")
        self.weights = arrays.read(path)
        self.sha256 = hash_arrays(self.weights)
        if self.sha256 != PUBLISHED[name]:
            raise GanzooError(
                f"{path} does not hold the weights that ganzoo ships (SHA-256 {self.sha256[:8]}, "
                f"expected {PUBLISHED[name][:8]}): install ganzoo again."
            )
        self.compiled: dict[tuple[int, ...], Callable[[np.ndarray], list[np.ndarray]]] = {}

    def compute(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The network's two outputs, by a graph for each shape of images."""
        from ganzoo.eval.features.graph import frozen

        if images.shape not in self.compiled:
            self.compiled[images.shape] = frozen(
                lambda pixels, weights: forward(prepared(pixels), weights),
                images.shape,
                self.weights,
            )
        features, logits = self.compiled[images.shape](images)
        return features, logits
