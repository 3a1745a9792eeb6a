"""What one sample of a data set looks like: all that an architecture may know about the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ganzoo.errors import UsageError


@dataclass(frozen=True)
class ArraySpec:
    """One array of a data set. It unpacks like its shape: `keras.Input(spec.others["mask"])`.

    Arrays of one `group` share their order: row i of one belongs to row i of the other. Groups
    have lengths and orders of their own, so nothing is paired that was not paired in the data.
    """

    shape: tuple[int, ...]
    """Of one row, without the batch axis; () for labels."""
    range: tuple[float, float] | None = None
    """Smallest and largest value as networks see it, or None where values are unbounded."""
    classes: int = 0
    """Of whole numbers: how many there are, counted from 0. 0 says that these are floats."""
    group: str = ""
    names: tuple[str, ...] = ()
    """Of the columns of an array of attributes."""
    samples: int = field(default=0, compare=False)
    """Rows in the training split; 0 where nobody counted."""

    def __iter__(self) -> Iterator[int]:
        return iter(self.shape)

    def __len__(self) -> int:
        return len(self.shape)

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, place: int) -> int:
        return self.shape[place]


@dataclass(frozen=True)
class DataSpec:
    """Shape, range and classes of one sample, and what else the data brings.

    A batch is a dict of arrays. `key` names the array that `shape` and `range` describe:
    `"image"`, `"point"`, or the first of two domains, `"a"`; integer labels are always `"label"`;
    whatever else a data set brings is in `others`, by name.
    """

    shape: tuple[int, ...]
    """Of one sample, without the batch axis: `(28, 28, 1)` or `(2,)`."""
    range: tuple[float, float] | None = (-1.0, 1.0)
    """Smallest and largest value, or None where values are unbounded (points)."""
    classes: int = 0
    """Number of classes; 0 says that there are no labels."""
    key: str = "image"
    others: Mapping[str, ArraySpec | Sequence[int]] = field(default_factory=dict)
    """Further arrays, by name. A bare shape stands for an `ArraySpec` in the key's group, whose
    range is [-1, 1] if it has three sides."""
    group: str = ""
    """Of the key's array and the labels."""
    samples: int = field(default=0, compare=False)
    """Rows of the key's array in the training split; 0 where nobody counted."""

    def __post_init__(self) -> None:
        whole = {name: self._whole(array) for name, array in self.others.items()}
        for name in whole:
            if name in (self.key, "label") or "/" in name or not name:
                raise UsageError(
                    f"an array beside {self.key!r} cannot be called {name!r}: choose a name of its "
                    "own, without a slash."
                )
        object.__setattr__(self, "others", whole)
        object.__setattr__(self, "shape", tuple(self.shape))

    def _whole(self, array: ArraySpec | Sequence[int]) -> ArraySpec:
        if isinstance(array, ArraySpec):
            return array
        shape = tuple(array)
        return ArraySpec(shape, (-1.0, 1.0) if len(shape) == 3 else None, group=self.group)

    @property
    def arrays(self) -> dict[str, ArraySpec]:
        """Every array by name: the key's, `label` where there are classes, and the others."""
        own = {"group": self.group, "samples": self.samples}
        found = {self.key: ArraySpec(self.shape, self.range, **own)}
        if self.classes:
            found["label"] = ArraySpec((), None, self.classes, **own)
        return found | dict(self.others)

    def of(self, name: str) -> DataSpec:
        """The same data with the array `name` as its key: what a network that imitates it sees.

        >>> two = DataSpec((8, 8, 1), key="a", others={"b": ArraySpec((4, 4, 3), group="b")})
        >>> two.of("b").shape, two.of("b").group, sorted(two.of("b").others)
        ((4, 4, 3), 'b', ['a'])
        """
        if name == self.key:
            return self
        arrays = self.arrays
        if name not in arrays:
            raise UsageError(f"the data has no array {name!r}; it has {', '.join(sorted(arrays))}.")
        chosen = arrays.pop(name)
        labelled = chosen.group == self.group
        if not labelled:
            arrays.pop("label", None)
        others = {n: a for n, a in arrays.items() if n != "label"}
        return DataSpec(
            chosen.shape,
            chosen.range,
            self.classes if labelled else 0,
            name,
            others,
            chosen.group,
            chosen.samples,
        )

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
        classes = f", {self.classes} classes" if self.classes else ""
        others = [f"{n} {'x'.join(map(str, a)) or 'a number'}" for n, a in self.others.items()]
        beside = f", with {', '.join(others)}" if others else ""
        return shape + classes + beside
