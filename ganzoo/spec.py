"""What one sample of a data set looks like: all that an architecture may know about the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DataSpec:
    """Shape, range and classes of one sample.

    A batch is a dict of arrays. `key` names the array that `shape` and `range` describe:
    `"image"`, `"point"`, or the first of two domains; integer labels are always `"label"`;
    whatever else a data set brings is in `others`, name to shape.
    """

    shape: tuple[int, ...]
    """Of one sample, without the batch axis: `(28, 28, 1)` or `(2,)`."""
    range: tuple[float, float] | None = (-1.0, 1.0)
    """Smallest and largest value, or None where values are unbounded (points)."""
    classes: int = 0
    """Number of classes; 0 says that there are no labels."""
    key: str = "image"
    others: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def is_image(self) -> bool:
        """Whether a sample has height, width and channels."""
        return len(self.shape) == 3

    @property
    def size(self) -> int:
        """How many numbers one sample has."""
        total = 1
        for side in self.shape:
            total *= side
        return total

    def __str__(self) -> str:
        shape = "x".join(map(str, self.shape)) + ("" if len(self.shape) > 1 else " numbers")
        return f"{shape}, {self.classes} classes" if self.classes else shape
