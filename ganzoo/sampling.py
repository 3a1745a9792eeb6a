"""Run folder -> samples, without plugin code.

A run exports its averaged generator as a graph that takes the weights as inputs, and beside it
what it takes and makes: inputs by name, each with its source, and outputs by name, each with the
array of the data that it imitates. The graph is data, and may be a stranger's: `ganzoo.vetting`
lets through what can only compute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ganzoo import data, vetting
from ganzoo import inputs as named
from ganzoo.data import to_float
from ganzoo.errors import GanzooError, UsageError, unknown
from ganzoo.exporting import Output
from ganzoo.inputs import Input
from ganzoo.priors import PRIORS, Data, Label, Z
from ganzoo.run import RunDir

Rows = Callable[[Data], np.ndarray]
"""An input's source in the data -> its rows, uint8 images or values as they are."""


class Sampler:
    """The generator of a run, as it was averaged at one checkpoint.

    `rows` gives the data that inputs are fed by; by default the test rows of the run's data set.
    """

    def __init__(self, run: RunDir, step: int | None = None, *, rows: Rows | None = None):
        graph, signature = run.sampler()
        if step is None:
            self.step, arrays = run.latest("sampler/")
        else:
            self.step, arrays = step, run.read_checkpoint(step, "sampler/")
        definition = vetting.read(graph)
        try:
            self._read(definition, _upgraded(signature, definition), arrays)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise GanzooError(
                f"{run}/sampler.json is damaged, or does not belong to sampler.pb "
                f"({type(error).__name__}: {error})."
            ) from error
        self.rows = rows or StoredRows(run)

    def _read(
        self, definition: Any, signature: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> None:
        self.inputs = [
            Input(
                one["name"],
                tuple(one["shape"]),
                one["dtype"],
                named.from_json(one["source"]),
                tuple(map(str, one.get("columns", ()))),
            )
            for one in signature["inputs"]
        ]
        self.outputs = [
            Output(
                one["name"],
                one["imitates"],
                tuple(one["shape"]),
                tuple(one["range"]) if one["range"] else None,
                tuple(one["needs"]),
            )
            for one in signature["outputs"]
        ]
        self._feeds = signature["feeds"]
        self._fetch = {one["name"]: one["fetch"] for one in signature["outputs"]}
        self._weights = [tf.constant(arrays[f"sampler/{i}"]) for i in signature["weights"]]
        self._graph = tf.compat.v1.wrap_function(
            lambda: tf.compat.v1.import_graph_def(definition, name=""), []
        )
        vetting.check_sizes(self._graph.graph)
        self._calls: dict[str, Any] = {}
        for one in self.outputs:
            self._graph.graph.get_tensor_by_name(self._fetch[one.name])

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
        chosen = self.output(output)
        needed = [(i, one) for i, one in enumerate(self.inputs) if one.name in chosen.needs]
        if chosen.name not in self._calls:
            feeds = [self._feeds[i] for i, _ in needed]
            graph = self._graph.graph
            self._calls[chosen.name] = self._graph.prune(
                [graph.get_tensor_by_name(n) for n in feeds + self._feeds[len(self.inputs) :]],
                [graph.get_tensor_by_name(self._fetch[chosen.name])],
            )
        given = [tf.constant(values[one.name], one.dtype) for _, one in needed]
        return self._calls[chosen.name](*given, *self._weights)[0].numpy()

    def values(
        self,
        n: int,
        *,
        seed: int,
        settings: Mapping[str, Any] | None = None,
        given: Mapping[str, np.ndarray] | None = None,
        output: str | None = None,
    ) -> dict[str, np.ndarray]:
        """What the inputs of an output are fed for samples 0 to n - 1.

        `settings` are `named.changed`'s; `given` are rows for inputs by their names, in place of
        what feeds them otherwise: row i mod their number for sample i.
        """
        needs = self.output(output).needs
        settings, given = dict(settings or {}), given or {}
        inputs, held = named.changed(self.inputs, settings)
        streams = named.streams(inputs, seed)
        for name in [*given, *(name.partition(".")[0] for name in settings)]:
            if name not in streams:
                raise unknown("input", name, streams)
            if name not in needs:
                raise UsageError(
                    f"the output {self.output(output).name!r} does not depend on the input "
                    f"{name!r}; it depends on {', '.join(needs)}."
                )
        found = {}
        for one in inputs:
            if one.name in given:
                rows = _fitting(one, given[one.name], n)
                found[one.name] = named.with_columns(one, rows, held.get(one.name))
            elif one.name not in needs:
                continue
            elif isinstance(one.source, Data) and held.get(one.name, named.Held()).value is None:
                rows = _fitting(one, self.rows(one.source), n)
                found[one.name] = named.with_columns(one, rows, held.get(one.name))
            else:
                found[one.name] = named.rows(one, n, streams[one.name], held=held.get(one.name))
        return found

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
        """`n` samples in batches. Sample `i` depends on the seed and `i` alone."""
        asked = dict(settings or {}) | self.labelled(label)
        values = self.values(n, seed=seed, settings=asked, given=given, output=output)
        for start in range(0, n, batch_size):
            part = {name: rows[start : start + batch_size] for name, rows in values.items()}
            yield self(part, output)

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


class StoredRows:
    """The rows of a run's data set that feed a sampler's inputs: those of its test split."""

    def __init__(self, run: RunDir, split: str = "test"):
        self.run, self.split = run, split
        self._data: data.Dataset | None = None

    def __call__(self, source: Data) -> np.ndarray:
        if self._data is None:
            config = self.run.config()
            name, size = str(config.get("data", "")), config.get("size")
            try:
                self._data = data.load(name, size=size, split=self.split)
            except GanzooError as error:
                todo = f"say --input {source.array}=train, or name a file or a folder there"
                raise type(error)(f"{str(error).rstrip('.')}: {todo}.") from error
        if source.array not in self._data.arrays:
            raise GanzooError(
                f"the sampler of {self.run} is fed by the array {source.array!r}, which "
                f"{self._data.name} does not bring; say where it is with --input."
            )
        return self._data.arrays[source.array]


def _fitting(one: Input, rows: np.ndarray, n: int) -> np.ndarray:
    """Rows as the input takes them: (n, *shape), pixels in [-1, 1], again from the first."""
    rows = np.asarray(rows)
    if not len(rows) or rows.shape[1:] != one.shape:
        raise UsageError(
            f"the input {one.name!r} takes rows of {one.shape}, not {rows.shape[1:]}"
            f"{'' if len(rows) else ': there are none'}."
        )
    chosen = rows[np.arange(n) % len(rows)]
    return (to_float(chosen) if chosen.dtype == np.uint8 else chosen).astype(one.dtype)


def _upgraded(signature: Mapping[str, Any], definition: Any) -> Mapping[str, Any]:
    """A signature of format 2, also from the one that version 0.1 wrote: z and a label in, one
    kind of samples out."""
    if signature.get("format") == 2:
        return signature
    classes, names = signature["classes"], signature["inputs"]
    prior = named.as_json(PRIORS[signature["z_prior"]])
    label = named.as_json(Label(classes))
    plain = len(names) == 1 or Z in names
    inputs = [
        {
            "name": name if plain and len(names) > 1 else (name if name == "label" else Z),
            "shape": [] if name == "label" else [signature["z_dim"]],
            "dtype": "int32" if name == "label" else "float32",
            "source": label if name == "label" else prior,
        }
        for name in names
    ]
    output = {
        "name": signature["key"],
        "imitates": signature["key"],
        "shape": signature["shape"],
        "range": signature["range"],
        "needs": [one["name"] for one in inputs],
        "fetch": signature["fetch"],
    }
    return {**signature, "inputs": inputs, "outputs": [output]}
