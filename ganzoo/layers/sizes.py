"""The sides of an image on its way through strided convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import layers


def halved(shape: Sequence[int], smallest: int = 4) -> list[tuple[int, int]]:
    """(h, w) of an image, and of each halving until a side is at most `smallest`.

    Odd sides are rounded up, as a strided convolution with "same" padding does.

    >>> halved((28, 28, 1)), halved((28, 28, 1), smallest=7)
    ([(28, 28), (14, 14), (7, 7), (4, 4)], [(28, 28), (14, 14), (7, 7)])
    """
    sizes = [(shape[0], shape[1])]
    while min(sizes[-1]) > smallest:
        h, w = sizes[-1]
        sizes.append(((h + 1) // 2, (w + 1) // 2))
    return sizes


def halvings(side: int, smallest: int = 7) -> int:
    """How often a side is halved without a rest, down to `smallest` or less, or to an odd number.

    >>> [halvings(side) for side in (28, 32, 20, 36)]
    [2, 3, 2, 2]
    """
    count = 0
    while side % 2 == 0 and side > smallest:
        side, count = side // 2, count + 1
    return count


def cropped(x: Any, size: tuple[int, int]) -> Any:
    """The first (h, w) places of (n, ., ., c): what a doubling makes too much of an odd side."""
    rows, columns = x.shape[1] - size[0], x.shape[2] - size[1]
    return layers.Cropping2D(((0, rows), (0, columns)))(x) if rows or columns else x
