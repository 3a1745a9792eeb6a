"""What a loaded data set is: arrays, their description, and where they came from."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ganzoo.errors import GanzooError
from ganzoo.spec import ArraySpec, DataSpec


class Modes(NamedTuple):
    """The truth about a mixture: where its equally likely normal modes are, and how wide."""

    centres: np.ndarray
    """`(modes, dimensions)`, float64."""
    sigma: float


@dataclass(frozen=True)
class Judging:
    """How a data set wants samples that imitate it to be judged; the defaults suit most sets."""

    samples: int | None = None
    """How many samples its papers take; None: 10,000."""
    extractor: str | None = None
    """The feature extractor that knows such samples, by name; None: by the samples' shape."""
    per_channel: bool = False
    """Whether the extractor looks at each channel alone, as at a grey image."""
    classifier: bool = False
    """Whether the extractor's classes are this set's labels; per channel, those of each channel,
    and a mode is a combination of them."""
    modes: Modes | None = None
    """Of points: where the modes are."""
    protocol: str = ""
    """Whose protocol this is, for the reader of a score."""
    negative: bool = False
    """Whether the extractor looks at the negatives: what it knows is bright on dark."""
    channels_of: str = ""
    """Per channel: the labelled data set whose images the channels are. How often the classifier
    misreads it says how many modes are its errors."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Arrays in memory, one row a sample, with the description that architectures are built from.

    Images are uint8 in [0, 255], `(n, h, w, c)`: the training loop converts them on the device by
    the formula of `to_float`. Points are float32 and used as they are. Labels are int32. Arrays of
    one group (`ArraySpec.group`) are equally long; an array that the spec does not describe is
    described here, in the key's group.
    """

    name: str
    """The resolved name (`auto` becomes `mnist` or `digits`), or the path."""
    spec: DataSpec
    arrays: dict[str, np.ndarray]
    licence: str
    source: str
    """Where it was found, or how it was made."""
    note: str | None = None
    """One line that the user should see, or None."""
    class_names: tuple[str, ...] = ()
    judging: Judging = Judging()
    judging_others: Mapping[str, Judging] = field(default_factory=dict)
    """The same of arrays beside the key, by name; what is left out wants the defaults."""

    def __post_init__(self) -> None:
        values = self.arrays.get(self.spec.key)
        if values is None:
            raise GanzooError(
                f"data set {self.name} has no array {self.spec.key!r}, which its spec "
                f"names; it has {', '.join(self.arrays) or 'none'}."
            )
        if values.shape[1:] != self.spec.shape:
            raise GanzooError(
                f"data set {self.name}: its spec says samples of {self.spec.shape}, "
                f"its array {self.spec.key!r} holds {values.shape[1:]}."
            )
        if self.spec.is_image and values.dtype != np.uint8:
            raise GanzooError(
                f"data set {self.name}: images are uint8 in [0, 255], not {values.dtype}."
            )
        if not len(values):
            raise GanzooError(f"data set {self.name} holds no samples.")
        object.__setattr__(self, "spec", self._described())
        self._check_groups()

    def _described(self) -> DataSpec:
        """The spec with every array in it, and how many rows each has."""
        others = dict(self.spec.others)
        missing = [name for name in others if name not in self.arrays]
        if missing:
            raise GanzooError(
                f"data set {self.name} has no array {missing[0]!r}, which its spec names."
            )
        for name, array in self.arrays.items():
            if name not in (self.spec.key, "label"):
                told = others.get(name)
                if told is None:  # a shape of () makes a spec that is false, and not missing
                    told = ArraySpec(array.shape[1:], group=self.spec.group)
                if told.shape != array.shape[1:]:
                    raise GanzooError(
                        f"data set {self.name}: its spec says rows of {told.shape} for {name!r}, "
                        f"the array holds {array.shape[1:]}."
                    )
                bounds = (-1.0, 1.0) if array.dtype == np.uint8 else told.range
                others[name] = dataclasses.replace(told, range=bounds, samples=len(array))
        return dataclasses.replace(
            self.spec, others=others, samples=len(self.arrays[self.spec.key])
        )

    def _check_groups(self) -> None:
        groups: dict[str, dict[str, int]] = {}
        for name, array in self.arrays.items():
            group = self.spec.group if name == "label" else self.spec.arrays[name].group
            groups.setdefault(group, {})[name] = len(array)
        for lengths in groups.values():
            if len(set(lengths.values())) > 1:
                raise GanzooError(
                    f"data set {self.name}: its arrays differ in length: {lengths}; only those of "
                    "one group must not."
                )

    def of(self, name: str) -> Dataset:
        """The same data with the array `name` as its key: what a network that imitates it sees."""
        if name == self.spec.key:
            return self
        spec = self.spec.of(name)
        arrays = {n: array for n, array in self.arrays.items() if n in spec.arrays}
        judging = self.judging_others.get(name, Judging())
        return dataclasses.replace(
            self, spec=spec, arrays=arrays, judging=judging, judging_others={}
        )

    def labels_of(self, name: str) -> np.ndarray | None:
        """The classes of an array's rows: `label` in the key's group, `NAME_label` in a group of
        NAME's own; None where there are none."""
        group = self.spec.arrays[name].group
        label = "label" if group == self.spec.group else f"{name}_label"
        told = self.spec.arrays.get(label)
        return self.arrays[label] if told and told.classes and told.group == group else None

    def grouped(self, groups: Mapping[str, str]) -> Dataset:
        """The same data with arrays in other groups: name -> group, which is "" for the key's.

        Raises GanzooError where the arrays of a group differ in length, or one does not exist.
        """
        if not groups:
            return self
        unknown = [name for name in groups if name not in self.spec.others]
        if unknown:
            raise GanzooError(
                f"data set {self.name} has no array {unknown[0]!r} beside {self.spec.key!r}; it "
                f"has {', '.join(self.spec.others) or 'none'}."
            )
        others = {
            name: dataclasses.replace(array, group=groups.get(name, array.group) or self.spec.group)
            for name, array in self.spec.others.items()
        }
        return dataclasses.replace(self, spec=dataclasses.replace(self.spec, others=others))

    def groups(self) -> Mapping[str, int]:
        """Group -> how many rows its arrays have."""
        return {array.group: array.samples for array in self.spec.arrays.values()}

    def __len__(self) -> int:
        return len(self.arrays[self.spec.key])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the names, types, shapes and bytes of the arrays: equal means equal data."""
        digest = hashlib.sha256()
        for key in sorted(self.arrays):
            array = np.ascontiguousarray(self.arrays[key])
            digest.update(f"{key} {array.dtype.str} {array.shape}\n".encode())
            digest.update(array.data)
        return digest.hexdigest()


def to_float(pixels: np.ndarray) -> np.ndarray:
    """uint8 pixels as float32 in [-1, 1]: 0 becomes -1 and 255 becomes 1, exactly.

    >>> to_float(np.array([0, 255], np.uint8))
    array([-1.,  1.], dtype=float32)
    """
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_uint8(samples: np.ndarray) -> np.ndarray:
    """Samples in [-1, 1] as uint8 pixels, rounded and clipped; a non-finite sample is an error.

    >>> to_uint8(np.array([-1.0, 0.0, 1.0, 3.0]))
    array([  0, 128, 255, 255], dtype=uint8)
    """
    samples = np.asarray(samples)
    if not np.isfinite(samples).all():
        bad = int(samples.size - np.isfinite(samples).sum())
        raise GanzooError(
            f"{bad} of {samples.size} values are NaN or infinite: they have no pixel."
        )
    return np.clip(np.rint((samples.astype(np.float32) + 1) * 127.5), 0, 255).astype(np.uint8)
