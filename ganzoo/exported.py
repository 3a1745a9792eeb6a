"""An exported sampler that can be called: a signature and a graph, checked against each other.

Both may be a stranger's. `ganzoo.signature` says what may be told of a graph, `ganzoo.vetting`
which operations it may have, `ganzoo.bounds` what they may need, and `ganzoo.program` calls them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ganzoo import bounds, signature, vetting
from ganzoo.errors import GanzooError
from ganzoo.inputs import Input
from ganzoo.program import Program, broken, said
from ganzoo.signature import Output


class Exported:
    """What `exporting.export` made, from its bytes: GanzooError where they are anything else.

    `place` is where they come from, for that error.
    """

    def __init__(self, graph: bytes, content: Mapping[str, Any], place: str):
        try:
            self.signature = signature.read(content, graph)
        except ValueError as error:
            raise GanzooError(
                f"{place}/sampler.json is damaged, or does not belong to sampler.pb: {error}."
            ) from error
        definition, told = vetting.read(graph), self.signature
        feeds, weights = told.feeds[: len(told.inputs)], told.feeds[len(told.inputs) :]
        self._programs: dict[str, Program] = {}
        for output, fetch in zip(told.outputs, told.fetches, strict=True):
            own = [f for f, one in zip(feeds, told.inputs, strict=True) if one.name in output.needs]
            program = Program(definition, [*own, *weights], [fetch])
            _check_feeds(self.needed(output), program.fed)
            self._programs[output.name] = program
        self._sizes: dict[tuple[str, int], bounds.Needs] = {}

    def needed(self, output: Output) -> list[Input]:
        """The inputs that an output depends on, in order."""
        return [one for one in self.signature.inputs if one.name in output.needs]

    def weights(self, arrays: Mapping[str, np.ndarray]) -> list[tf.Tensor]:
        """The weights of a checkpoint's arrays; GanzooError where they are not those of this."""
        specs = next(iter(self._programs.values())).fed[-len(self.signature.weights) :]
        found = []
        for number, spec in zip(self.signature.weights, specs, strict=False):
            array = arrays.get(f"sampler/{number}")
            if array is None or array.shape != spec.shape or array.dtype != spec.dtype:
                what = "none" if array is None else f"{array.dtype} of {array.shape}"
                raise GanzooError(
                    f"the checkpoint does not belong to sampler.pb: expected {spec.dtype.name} of "
                    f"{tuple(spec.shape)} as sampler/{number}, found {what}."
                )
            found.append(tf.constant(array))
        return found

    def together(self, output: Output, samples: int) -> int:
        """How many of so many samples can be made at once: as many as fit, half of them, ..."""
        while True:
            try:
                self.needs(output, samples)
                return samples
            except bounds.TooLargeError:
                if samples == 1:
                    raise
                samples //= 2

    def needs(self, output: Output, samples: int) -> bounds.Needs:
        """What so many samples at once need; GanzooError where that is too much."""
        if (output.name, samples) not in self._sizes:
            program, inputs = self._programs[output.name], self.needed(output)
            fed = [tf.TensorSpec((samples, *one.shape), one.dtype) for one in inputs]
            found = bounds.needs(program, [*fed, *program.fed[len(fed) :]], samples)
            expected = tf.TensorSpec((samples, *output.shape), tf.float32)
            if found.results != [expected]:
                raise broken(f"it makes {found.results[0]}, and not {expected}")
            self._sizes[output.name, samples] = found
        return self._sizes[output.name, samples]

    def __call__(
        self, output: Output, values: Mapping[str, np.ndarray], weights: Sequence[tf.Tensor]
    ) -> np.ndarray:
        """Samples (n, *shape), float32, for the values (n, *shape) of the inputs it needs."""
        given = [np.asarray(values[one.name], one.dtype) for one in self.needed(output)]
        size, made = self.together(output, len(given[0])), []
        for first in range(0, len(given[0]), size):
            part = [one[first : first + size] for one in given]
            self.needs(output, len(part[0]))
            made.append(self._run(output, [*map(tf.constant, part), *weights]))
        return np.concatenate(made)

    def _run(self, output: Output, fed: Sequence[tf.Tensor]) -> np.ndarray:
        try:
            (made,) = self._programs[output.name](*fed)
            return made.numpy()
        except Exception as error:  # TensorFlow's own, of many kinds
            raise broken(said(error)) from error


def _check_feeds(inputs: Sequence[Input], fed: Sequence[tf.TensorSpec]) -> None:
    """That the graph takes what the signature says."""
    for one, spec in zip(inputs, fed, strict=False):
        if spec.dtype != one.dtype or not spec.shape.is_compatible_with((None, *one.shape)):
            raise broken(f"it takes {spec} where sampler.json has {one.dtype} of {one.shape}")
    for spec in fed[len(inputs) :]:
        if not spec.shape.is_fully_defined():
            raise broken(f"it takes a weight of {spec.shape}")


def check(graph: bytes, content: Mapping[str, Any]) -> None:
    """Raise GanzooError where what was exported could not be sampled from."""
    made = Exported(graph, content, "this run")
    for output in made.signature.outputs:
        made.needs(output, 1)
