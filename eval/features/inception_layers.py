"""The layers of the FID network as a table, and the arrays that they need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ganzoo.errors import GanzooError

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
        for name, height, width, out in convolutions(step):
            found[f"{prefix}{name}/weights"] = (height, width, channels, out)
            found[f"{prefix}{name}/bias"] = (out,)
            outs.append(out)
        channels = sum(outs) or channels
    return channels


def convolutions(step: str) -> Iterator[tuple[str, int, int, int]]:
    """Name, height, width and output channels of each convolution in a step; none in a pool."""
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
