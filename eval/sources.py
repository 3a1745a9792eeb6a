"""Where samples come from: a run, a data set, an array file, a folder of images.

Every source gives its samples in batches, images as uint8 (n, h, w, 1 or 3), so that a sample in
memory and the same one in a file score alike, and points as float32 (n, d).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ganzoo import data, handles, reading
from ganzoo.data import Dataset, Judging, arrays, domains, folder, to_uint8
from ganzoo.data.resize import resize
from ganzoo.errors import GanzooError, UsageError, unknown
from ganzoo.priors import Label
from ganzoo.run import RunDir

BATCH = 500


class Source(Protocol):
    """Something that can be judged, or compared with."""

    name: str
    """`runs/a step 500`, `mnist test`, `samples.npz`: for the reader."""
    data: str
    """The data set that its samples are, or are meant to be, from; may be empty."""
    shape: tuple[int, ...]
    """Of one sample."""
    count: int | None
    """How many samples there are; None where more can always be made."""
    split: str
    """`train`, `test`, or empty where there is no such thing."""

    def batches(self, n: int, seed: int) -> Iterator[np.ndarray]:
        """`n` samples; which ones, where there are more, depends on the seed alone."""

    def labels(self, n: int, seed: int) -> np.ndarray | None:
        """The classes (n,) of these samples, where they are known."""


@dataclass(frozen=True, eq=False)
class Stored:
    """Samples in memory."""

    name: str
    values: np.ndarray
    classes: np.ndarray | None = None
    data: str = ""
    split: str = ""
    note: str | None = None
    array: str = ""
    """Which of the data set's arrays; empty for its key's."""
    judging: Judging = field(default_factory=Judging)
    """How samples that are compared with these want to be judged."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return self.values.shape[1:]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.values)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over shape and bytes: equal means equal samples in equal order."""
        values = np.ascontiguousarray(self.values)
        digest = hashlib.sha256(f"{values.dtype.str} {values.shape}\n".encode())
        digest.update(values.data)
        return digest.hexdigest()

    def batches(self, n: int, seed: int) -> Iterator[np.ndarray]:
        """All in order, or `n` of them drawn without replacement."""
        chosen = self._chosen(n, seed)
        for start in range(0, n, BATCH):
            yield self.values[chosen[start : start + BATCH]]

    def labels(self, n: int, seed: int) -> np.ndarray | None:
        """The stored labels."""
        return None if self.classes is None else self.classes[self._chosen(n, seed)]

    def drawn(self, n: int) -> Stored:
        """`n` of them, always the same ones; all where they suffice."""
        if n >= self.count:
            return self
        chosen = self._chosen(n, 0)
        classes = None if self.classes is None else self.classes[chosen]
        return replace(self, values=self.values[chosen], classes=classes)

    def _chosen(self, n: int, seed: int) -> np.ndarray:
        return subset(len(self.values), n, seed)


def subset(n: int, wanted: int, seed: int) -> np.ndarray:
    """`wanted` of n indices in rising order, drawn without replacement; all where they suffice."""
    if wanted >= n:
        return np.arange(n)
    return np.sort(np.random.Generator(np.random.Philox(seed)).permutation(n)[:wanted])


class Generated:
    """What the averaged generator of a run makes, as it was at one checkpoint.

    `output` is one of the sampler's outputs, by default the first; `settings` hold inputs at
    values (`ganzoo.inputs.changed`). A generator that is fed by data gets its test rows, in order,
    and there are as many samples as rows.
    """

    split = ""

    def __init__(
        self,
        run: RunDir,
        step: int,
        *,
        output: str | None = None,
        settings: Mapping[str, Any] | None = None,
    ):
        from ganzoo.sampling import Sampler, StoredRows

        self.rows = StoredRows(run)
        self.sampler = Sampler(run, step, rows=self.rows)
        self.step = step
        self.output = self.sampler.output(output)
        self.settings = dict(settings or {})
        self.name = f"{run} step {step}"
        config = run.config()
        self.data, self.size = str(config.get("data", "")), config.get("size")
        self.array = self.output.imitates
        self.shape, self.is_image = self.output.shape, self.output.is_image

    @cached_property
    def fed(self) -> dict[str, int]:
        """Input -> how many test rows feed it, of those that data feeds."""
        fed = self.sampler.fed_by_data(self.output.name)
        return {one.name: len(self.sampler.rows(one.source)) for one in fed}

    def counterparts(self) -> np.ndarray | None:
        """The test images of the array that it imitates, row i beside sample i; None where no image
        of the same rows feeds it, so that nothing pairs them."""
        fed = [one for one in self.sampler.fed_by_data(self.output.name) if len(one.shape) == 3]
        fed = [one for one in fed if one.name not in self.settings]
        if not self.is_image or not fed:
            return None
        known = self.rows.dataset.spec.arrays
        groups = {known[one.source.array].group for one in fed if one.source.array in known}
        paired = self.array in known and known[self.array].group in groups
        return self.rows.dataset.arrays[self.array] if paired else None

    @property
    def count(self) -> int | None:
        """How many rows feed it; None where it is fed by no data."""
        return min(self.fed.values(), default=None)

    def batches(self, n: int, seed: int) -> Iterator[np.ndarray]:
        """Sample i depends on the seed and i alone."""
        for batch in self.sampler.batches(
            n, seed=seed, settings=self.settings, output=self.output.name, batch_size=BATCH
        ):
            if not np.isfinite(batch).all():
                raise GanzooError(
                    f"{self.name} makes samples that are NaN or infinite: the generator has "
                    "diverged; evaluate an earlier --checkpoint."
                )
            yield to_uint8(batch) if self.is_image else batch

    def labels(self, n: int, seed: int) -> np.ndarray | None:
        """Which class each sample was asked to be, or is the row of that it was made from; None
        where this output depends on neither."""
        told = [one.name for one in self.sampler.inputs if isinstance(one.source, Label)]
        told = [name for name in told if name in self.output.needs]
        if not told:
            return self._translated(n)
        fed = self.sampler.fed(n, seed=seed, settings=self.settings, output=self.output.name)
        labels = fed[told[0]]
        return labels.argmax(1) if labels.ndim == 2 else labels

    def _translated(self, n: int) -> np.ndarray | None:
        """The classes of the rows that feed the one input of data."""
        fed = self.sampler.fed_by_data(self.output.name)
        held = {name.partition(".")[0] for name in self.settings}
        if len(fed) != 1 or fed[0].name in held:
            return None
        labels = self.rows.labels(fed[0].source)
        return None if labels is None else labels[np.arange(n) % len(labels)]


def stored(path: str, *, pixels: str = "auto", size: int | None = None) -> Stored:
    """The samples of an `.npz` or `.npy` file or of a folder of images, all of them."""
    with reading.told(path):
        return _stored(path, Path(path).expanduser(), pixels, size)


def _stored(path: str, place: Path, pixels: str, size: int | None) -> Stored:
    if place.is_dir():
        if domains.are_in(place):
            raise UsageError(
                f"{path} holds two domains: name the folder of one, as {place / 'testB'}."
            )
        values, note = folder.samples(str(place), size)
        return Stored(path, values, note=note)
    if place.suffix.lower() in (".npz", ".npy") and place.exists():
        values, classes, note = arrays.samples(str(place), pixels)
        if size is not None and values.ndim == 4:
            values = resize(values, size)
        return Stored(path, values, classes, note=note)
    raise UsageError(
        f"{path} holds no samples: expected a run folder, an .npz or .npy file, or a folder of "
        "images."
    )


def reference(
    name: str, *, split: str, pixels: str = "auto", size: int | None = None, array: str = ""
) -> Stored:
    """A data set's split by its name; a file or folder whole, since somebody chose it.

    With an `array` a file or folder is a data set too: one of its arrays, of that split.
    """
    if array or handles.is_name(name) or name in data.names():
        return of_dataset(data.load(name, size=size, split=split), split, array)
    if not Path(name).expanduser().exists():
        raise unknown("data set or path", name, data.names())
    return stored(name, pixels=pixels, size=size)


def of_run(source: Generated, *, split: str, size: int | None) -> Stored:
    """What a run's samples are compared with: the array that they imitate, of the data set that it
    was trained on; a file or folder with this one array is taken whole."""
    name = source.data
    named = handles.is_name(name) or name in data.names() or not Path(name).exists()
    found = data.load(name, size=size, split=split)
    if not named and not found.spec.others:
        return stored(name, size=size)
    own = named and source.array == found.spec.key
    return of_dataset(found, split, "" if own else source.array)


def of_dataset(found: Dataset, split: str, array: str = "") -> Stored:
    """A loaded data set as a source, or one of its arrays."""
    name = f"{found.name} {split}" + (f", {array}" if array else "")
    labels = found.labels_of(array or found.spec.key)
    found = found.of(array) if array else found
    return Stored(
        name,
        found.arrays[found.spec.key],
        labels,
        data=found.name,
        split=split,
        note=found.note,
        judging=found.judging,
        array=array,
    )


def steps(run: RunDir, checkpoint: str) -> list[int]:
    """The steps that `best`, `last`, `every` or a number mean.

    `best` is the kept checkpoint whose score during training was lowest.
    """
    kept = run.checkpoints()
    if not kept:
        raise GanzooError(f"{run} has no checkpoint yet: nothing to evaluate.")
    if checkpoint == "every":
        return kept
    if checkpoint == "last":
        return kept[-1:]
    if checkpoint == "best":
        scores = run.scored()
        scored = [step for step in kept if step in scores]
        return [min(scored, key=scores.__getitem__)] if scored else kept[-1:]
    if not (checkpoint.isascii() and checkpoint.isdigit()):
        raise UsageError(
            f"expected --checkpoint best, last, every or a step, not {checkpoint[:40]!r}."
        )
    named = [step for step in kept if str(step) == (checkpoint.lstrip("0") or "0")]
    if not named:
        raise UsageError(
            f"{run} has no checkpoint of step {checkpoint[:40]}; it has "
            f"{', '.join(map(str, kept))}."
        )
    return named
