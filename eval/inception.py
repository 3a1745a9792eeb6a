"""The FID network: Inception v3 as it was published on 2015-12-05, down to its quirks.

Images are resized to 299x299 the way TensorFlow 1 did it (bilinear, corners at the same place, no
antialiasing) and mapped by (x - 128) / 128; average pools leave the padding out of the count; the
last block pools by maximum. Lower layers serve too: 64, 192 and 768 dimensions as in pytorch-fid.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ganzoo.errors import GanzooError, UsageError
from ganzoo.eval.extractor import Extractor, hash_arrays
from ganzoo.eval.frozen import frozen
from ganzoo.eval.inception_weights import find, read
from ganzoo.hardware import has_bfloat16

SIDE = 299
DIMS = (64, 192, 768, 2048)
CLASSES = 1008

STEM = (
    ("conv:3x3x32/2", "conv_1:3x3x32!", "conv_2:3x3x64", "max/2"),
    ("conv_3:1x1x80!", "conv_4:3x3x192!", "max/2"),
)
"""What ends in 64 dimensions, and in 192. `/2` is a stride of 2, and `!` no stride, unpadded."""

SQUARE_35 = (
    "conv:1x1x64",
    "tower_conv:1x1x48 tower_conv_1:5x5x64",
    "tower_1_conv:1x1x64 tower_1_conv_1:3x3x96 tower_1_conv_2:3x3x96",
    "avg tower_2_conv:1x1x{pooled}",
)
TO_17 = (
    "conv:3x3x384/2",
    "tower_conv:1x1x64 tower_conv_1:3x3x96 tower_conv_2:3x3x96/2",
    "max/2",
)
SQUARE_17 = (
    "conv:1x1x192",
    "tower_conv:1x1x{c} tower_conv_1:1x7x{c} tower_conv_2:7x1x192",
    "tower_1_conv:1x1x{c} tower_1_conv_1:7x1x{c} tower_1_conv_2:1x7x{c} tower_1_conv_3:7x1x{c} "
    "tower_1_conv_4:1x7x192",
    "avg tower_2_conv:1x1x192",
)
TO_8 = (
    "tower_conv:1x1x192 tower_conv_1:3x3x320/2",
    "tower_1_conv:1x1x192 tower_1_conv_1:1x7x192 tower_1_conv_2:7x1x192 tower_1_conv_3:3x3x192/2",
    "max/2",
)
SQUARE_8 = (
    "conv:1x1x320",
    "tower_conv:1x1x384 tower_mixed_conv:1x3x384+tower_mixed_conv_1:3x1x384",
    "tower_1_conv:1x1x448 tower_1_conv_1:3x3x384 "
    "tower_1_mixed_conv:1x3x384+tower_1_mixed_conv_1:3x1x384",
    "{pool} tower_2_conv:1x1x192",
)


def _block(branches: tuple[str, ...], **values: Any) -> tuple[str, ...]:
    return tuple(branch.format(**values) for branch in branches)


MIXED = {
    "mixed": _block(SQUARE_35, pooled=32),
    "mixed_1": _block(SQUARE_35, pooled=64),
    "mixed_2": _block(SQUARE_35, pooled=64),
    "mixed_3": TO_17,
    "mixed_4": _block(SQUARE_17, c=128),
    "mixed_5": _block(SQUARE_17, c=160),
    "mixed_6": _block(SQUARE_17, c=160),
    "mixed_7": _block(SQUARE_17, c=192),
    "mixed_8": TO_8,
    "mixed_9": _block(SQUARE_8, pool="avg"),
    "mixed_10": _block(SQUARE_8, pool="max"),
}
"""Each block: branches that are laid side by side; `a+b` lays two convolutions side by side."""


class Inception(Extractor):
    """`dims` means of one layer's channels; with 2,048, also the logits that IS is made of."""

    batch = 50

    def __init__(
        self,
        dims: int = 2048,
        weights: str | os.PathLike[str] | None = None,
        *,
        bfloat16: bool | None = None,
    ):
        if dims not in DIMS:
            raise UsageError(f"inception has 64, 192, 768 or 2048 dimensions, not {dims}.")
        path = find(weights)
        self.weights = fitting(read(path), dims, path)
        self.name, self.dim = "inception", dims
        self.sha256 = hash_arrays(self.weights)
        self.classes = CLASSES if dims == 2048 else None
        self.bfloat16 = has_bfloat16() if bfloat16 is None else bfloat16
        self.preprocessing = (
            "grey repeated to colour, bilinear as in TensorFlow 1 to 299x299, (x - 128) / 128, "
            f"convolutions in {'bfloat16' if self.bfloat16 else 'float32'}"
        )
        self.compiled: dict[tuple[int, ...], Callable[[np.ndarray], list[np.ndarray]]] = {}

    def compute(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The network's outputs, by a graph for each shape of images."""
        if images.shape not in self.compiled:
            self.compiled[images.shape] = frozen(
                lambda pixels: forward(prepared(pixels), self.weights, self.dim),
                images.shape,
                bfloat16=self.bfloat16,
            )
        features, *logits = self.compiled[images.shape](images)
        return features, logits[0] if logits else None


def largest_dims(weights: str | os.PathLike[str] | None = None) -> int | None:
    """The most dimensions that the weights found here serve; None where there are none."""
    try:
        path = find(weights)
        found = read(path)
    except GanzooError:
        return None
    for dims in reversed(DIMS):
        if set(shapes(dims)) <= set(found):
            return dims
    return None


def prepared(pixels: Any) -> Any:
    """uint8 (n, h, w, 1 or 3) -> float32 (n, 299, 299, 3)."""
    import tensorflow as tf

    x = tf.cast(pixels, tf.float32)
    if x.shape[-1] == 1:
        x = tf.repeat(x, 3, axis=-1)
    x = tf.compat.v1.image.resize_bilinear(x, [SIDE, SIDE])
    return (x - 128) / 128


def forward(x: Any, weights: Mapping[str, np.ndarray], dims: int) -> list[Any]:
    """Images (n, 299, 299, 3) -> [features (n, dims)], and for 2,048 [.., logits (n, 1008)].

    The logits have no bias: the Inception score's own code leaves it out.
    """
    import tensorflow as tf

    for steps, end in zip(STEM, (64, 192), strict=True):
        for step in steps:
            x = _apply(x, step, "", weights)
        if dims == end:
            return [tf.reduce_mean(x, [1, 2])]
    for name, branches in MIXED.items():
        x = tf.concat([_branch(x, steps, f"{name}_", weights) for steps in branches], -1)
        if dims == 768 and name == "mixed_7":
            return [tf.reduce_mean(x, [1, 2])]
    features = tf.reduce_mean(x, [1, 2])
    return [features, features @ weights["softmax/weights"]]


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
    x = tf.nn.conv2d(x, weights[f"{prefix}{name}/weights"], stride, padding)
    return tf.nn.relu(tf.nn.bias_add(x, weights[f"{prefix}{name}/bias"]))


# -- weights --------------------------------------------------------------------------------------


def shapes(dims: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of what `dims` dimensions need; kernels are height, width, in, out.

    >>> shapes(64)["conv_2/weights"]
    (3, 3, 32, 64)
    """
    found: dict[str, tuple[int, ...]] = {}
    channels = 3
    for steps, end in zip(STEM, (64, 192), strict=True):
        channels = _declare(found, " ".join(steps), "", channels)
        if dims == end:
            return found
    for name, branches in MIXED.items():
        channels = sum(_declare(found, steps, f"{name}_", channels) for steps in branches)
        if dims == 768 and name == "mixed_7":
            return found
    return found | {"softmax/weights": (channels, CLASSES)}


def _declare(found: dict[str, tuple[int, ...]], steps: str, prefix: str, channels: int) -> int:
    """Note the shapes of one branch; returns the channels that come out of it."""
    for step in steps.split():
        outs = []
        for name, height, width, out in _convolutions(step):
            found[f"{prefix}{name}/weights"] = (height, width, channels, out)
            found[f"{prefix}{name}/bias"] = (out,)
            outs.append(out)
        channels = sum(outs) or channels
    return channels


def _convolutions(step: str) -> Iterator[tuple[str, int, int, int]]:
    for part in step.split("+"):
        name, _, size = part.partition(":")
        if size:
            height, width, out = size.rstrip("!").removesuffix("/2").split("x")
            yield name, int(height), int(width), int(out)


def fitting(arrays: Mapping[str, np.ndarray], dims: int, path: Path) -> dict[str, np.ndarray]:
    """The arrays that `dims` dimensions need, as float32, or an error that says what is amiss."""
    wanted = shapes(dims)
    missing = [name for name in wanted if name not in arrays]
    if missing:
        raise GanzooError(
            f"{path} lacks {len(missing)} of the {len(wanted)} arrays that {dims} dimensions need "
            f"({missing[0]} first): choose fewer --dims, or put classify_image_graph_def.pb there."
        )
    for name, shape in wanted.items():
        if arrays[name].shape != shape:
            raise GanzooError(
                f"{path}: {name} has shape {arrays[name].shape}, expected {shape}: these are not "
                "the weights of 2015-12-05."
            )
    return {name: np.asarray(arrays[name], np.float32) for name in wanted}
