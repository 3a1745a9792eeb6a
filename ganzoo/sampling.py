"""Run folder -> samples, without plugin code.

A run exports its averaged generator as a graph that takes the weights as inputs, and beside it
what it takes and makes: inputs by name, each with its source, and outputs by name, each with the
array of the data that it imitates. `ganzoo.exported` is both; here they meet a checkpoint's weights
and what the inputs are fed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ganzoo import data, signature
from ganzoo import inputs as named
from ganzoo.data import to_float
from ganzoo.errors import GanzooError, UsageError, unknown
from ganzoo.exported import Exported
from ganzoo.inputs import Input
from ganzoo.priors import Data, Label
from ganzoo.run import RunDir
from ganzoo.shrinking import fits
from ganzoo.signature import Output

Rows = Callable[[Data], np.ndarray]
"""An input's source in the data -> its rows, uint8 images or values as they are."""


class Sampler:
    """The generator of a run, as it was averaged at one checkpoint.

    `rows` gives the data that inputs are fed by; by default the test rows of the run's data set.
    """

    def __init__(self, run: RunDir, step: int | None = None, *, rows: Rows | None = None):
        graph, content = run.sampler()
        if step is None:
            self.step, arrays = run.latest("sampler/")
        else:
            self.step, arrays = step, run.read_checkpoint(step, "sampler/")
        self._exported = Exported(graph, content, str(run))
        self._weights = self._exported.weights(arrays)
        self.inputs = list(self._exported.signature.inputs)
        self.outputs = list(self._exported.signature.outputs)
        self.rows = rows or StoredRows(run)
        if signature.is_old(content):
            warnings.warn(
                f"{run} was written by an earlier version: its sampler has no digests, so that "
                "damage to it may not be told.",
                stacklevel=2,
            )

    @property
    def conditional(self) -> bool:
        """Whether the generator takes labels."""
        return any(isinstance(one.source, Label) for one in self.inputs)

    @property
    def classes(self) -> int:
        """Of the label that it takes; 0 where it takes none."""
        return next((o.source.classes for o in self.inputs if isinstance(o.source, Label)), 0)

    def output(self, name: str | None = None) -> Output:
        """The output called `name`, or the first."""
        if name is None:
            return self.outputs[0]
        for one in self.outputs:
            if one.name == name:
                return one
        raise unknown("output", name, [one.name for one in self.outputs])

    def fed_by_data(self, output: str | None = None) -> list[Input]:
        """The inputs of this output that are arrays of the data."""
        needs = self.output(output).needs
        return [o for o in self.inputs if isinstance(o.source, Data) and o.name in needs]

    def __call__(self, values: Mapping[str, np.ndarray], output: str | None = None) -> np.ndarray:
        """Samples (n, *shape), float32, for the values (n, ...) of the inputs that it needs."""
        return self._exported(self.output(output), values, self._weights)

    def batches(
        self,
        n: int,
        *,
        seed: int,
        label: int | None = None,
        settings: Mapping[str, Any] | None = None,
        given: Mapping[str, np.ndarray] | None = None,
        output: str | None = None,
        batch_size: int = 500,
    ) -> Iterator[np.ndarray]:
        """`n` samples in batches, smaller ones where the memory wants it. Sample `i` depends on the
        seed and `i` alone.

        `settings` are `named.changed`'s; `given` are rows for inputs by their names, in place of
        what feeds them otherwise: row i mod their number for sample i.
        """
        asked = dict(settings or {}) | self.labelled(label)
        feeding = _Feeding(self, self.output(output), seed, asked, given or {})
        size = self._exported.together(self.output(output), max(1, min(n, batch_size)))
        for first in range(0, n, size):
            yield self(feeding.part(first, min(first + size, n)), output)

    def fed(
        self, n: int, *, seed: int, settings: Mapping[str, Any], output: str | None = None
    ) -> dict[str, np.ndarray]:
        """What the inputs of an output are fed for samples 0 to n - 1, without a sample made."""
        return _Feeding(self, self.output(output), seed, settings, {}).part(0, n)

    def labelled(self, label: int | None) -> dict[str, int]:
        """The setting that asks for one class."""
        if label is None:
            return {}
        if not self.conditional:
            raise UsageError("this run is not conditional: it takes no --label.")
        named.check_label(label, self.classes)
        return {one.name: label for one in self.inputs if isinstance(one.source, Label)}

    def labels(self, n: int, label: int | None = None) -> np.ndarray | None:
        """The classes (n,) to ask for: all in turn, or `label`; None where there are none."""
        if not self.conditional:
            self.labelled(label)
            return None
        if label is None:  # all classes in turn
            return (np.arange(n) % self.classes).astype(np.int32)
        self.labelled(label)
        return np.full(n, label, np.int32)


class _Feeding:
    """What the inputs of an output are fed, sample by sample in order."""

    def __init__(
        self,
        sampler: Sampler,
        output: Output,
        seed: int,
        settings: Mapping[str, Any],
        given: Mapping[str, np.ndarray],
    ):
        inputs, self.held = named.changed(sampler.inputs, settings)
        self.bits = named.streams(inputs, seed)
        self.inputs = [one for one in inputs if one.name in output.needs]
        for name in [*given, *(name.partition(".")[0] for name in settings)]:
            if name not in self.bits:
                raise unknown("input", name, self.bits)
            if name not in output.needs:
                raise UsageError(
                    f"the output {output.name!r} does not depend on the input {name!r}; it depends "
                    f"on {', '.join(output.needs)}."
                )
        self.stored = {one.name: given[one.name] for one in self.inputs if one.name in given}
        for one in self.inputs:
            whole = self.held.get(one.name, named.Held()).value is not None
            if isinstance(one.source, Data) and one.name not in given and not whole:
                self.stored[one.name] = sampler.rows(one.source)

    def part(self, first: int, end: int) -> dict[str, np.ndarray]:
        """The values for the samples from `first` on; those before it have been asked for."""
        return {one.name: self._rows(one, first, end) for one in self.inputs}

    def _rows(self, one: Input, first: int, end: int) -> np.ndarray:
        held = self.held.get(one.name)
        if one.name in self.stored:
            rows = _fitting(one, self.stored[one.name], np.arange(first, end))
            return named.with_columns(one, rows, held)
        return named.rows(one, end - first, self.bits[one.name], held=held, first=first)


class StoredRows:
    """The rows of a run's data set that feed a sampler's inputs: those of its test split."""

    def __init__(self, run: RunDir, split: str = "test"):
        self.run, self.split = run, split

    @cached_property
    def dataset(self) -> data.Dataset:
        """That split of the run's data set."""
        config = self.run.config()
        name, size = str(config.get("data", "")), config.get("size")
        return data.load(name, size=size, split=self.split)

    def __call__(self, source: Data) -> np.ndarray:
        return self._with(source).arrays[source.array]

    def labels(self, source: Data) -> np.ndarray | None:
        """The classes of these rows, where the data knows them."""
        return self._with(source).labels_of(source.array)

    def _with(self, source: Data) -> data.Dataset:
        """The data, which brings this array."""
        try:
            found = self.dataset
        except GanzooError as error:
            todo = f"say --input {source.array}=train, or name a file or a folder there"
            raise type(error)(f"{str(error).rstrip('.')}: {todo}.") from error
        if source.array not in found.arrays:
            raise GanzooError(
                f"the sampler of {self.run} is fed by the array {source.array!r}, which "
                f"{found.name} does not bring; say where it is with --input."
            )
        return found


def _fitting(one: Input, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Rows at these places, again from the first behind the last, as the input takes them:
    (n, *shape), pixels in [-1, 1]."""
    rows = np.atleast_1d(rows)
    reduces = isinstance(one.source, Data) and one.source.size > 0
    if not len(rows) or (rows.shape[1:] != one.shape and not (reduces and fits(rows, one.shape))):
        raise UsageError(
            f"the input {one.name!r} takes rows of {one.shape}"
            f"{', or larger ones of that proportion' if reduces else ''}, not {rows.shape[1:]}"
            f"{'' if len(rows) else ': there are none'}."
        )
    chosen = rows[places % len(rows)]
    chosen = to_float(chosen) if chosen.dtype == np.uint8 else chosen
    if isinstance(one.source, Data):
        chosen = one.source.of(chosen, one.shape)
    return chosen.astype(one.dtype)
