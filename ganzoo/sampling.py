"""Run folder -> samples, without plugin code.

A run exports its averaged generator as a graph that takes the weights as inputs. The graph is
data: before it runs, every operation in it is checked to be one that only computes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganzoo.errors import GanzooError, UsageError
from ganzoo.plugin import Plugin, key
from ganzoo.run import RunDir
from ganzoo.spec import DataSpec

CALLS = {
    "PartitionedCall",
    "StatefulPartitionedCall",
    "Placeholder",
    "NoOp",
    "While",
    "If",
    "StatelessWhile",
    "StatelessIf",
}
"""Operations that run nothing but other operations of the same graph, which are checked too."""
READS_FILES = {
    "ReadFile",
    "MatchingFiles",
    "RestoreV2",
    "Restore",
    "RestoreSlice",
    "PyFuncStateless",
}


def export(model: keras.Model, plugin: Plugin, spec: DataSpec) -> tuple[bytes, dict[str, Any]]:
    """The sampler as a serialised graph from (inputs, weights) to samples, and its signature."""
    names = [tensor.name for tensor in model.inputs]
    trainable, fixed = model.trainable_variables, model.non_trainable_variables

    @tf.function
    def sample(inputs: list[tf.Tensor], weights: list[tf.Tensor]) -> tf.Tensor:
        arguments = inputs if len(inputs) > 1 else inputs[0]
        out, _ = model.stateless_call(
            weights[: len(trainable)], weights[len(trainable) :], arguments, training=False
        )
        return tf.cast(out, tf.float32)

    inputs = [tf.TensorSpec([None, *t.shape[1:]], t.dtype) for t in model.inputs]
    weights = [tf.TensorSpec(w.shape, w.dtype) for w in [*trainable, *fixed]]
    concrete = sample.get_concrete_function(inputs, weights)
    definition = concrete.graph.as_graph_def()
    for node in _nodes(definition):
        node.device = ""
    positions = {id(v): i for i, v in enumerate(model.variables)}
    return definition.SerializeToString(), {
        "inputs": names,
        "feeds": [t.name for t in concrete.inputs],
        "fetch": concrete.outputs[0].name,
        "weights": [positions[id(w)] for w in [*trainable, *fixed]],
        "z_dim": plugin.z_dim,
        "z_prior": plugin.z_prior,
        "shape": list(spec.shape),
        "range": list(spec.range) if spec.range else None,
        "classes": spec.classes,
        "key": spec.key,
    }


class Sampler:
    """The generator of a run, as it was averaged at one checkpoint."""

    def __init__(self, run: RunDir, step: int | None = None):
        graph, self.signature = run.sampler()
        if step is None:
            self.step, arrays = run.latest("sampler/")
        else:
            self.step, arrays = step, run.read_checkpoint(step, "sampler/")
        try:
            definition = tf.compat.v1.GraphDef.FromString(graph)
        except Exception as error:
            raise GanzooError(f"{run}/sampler.pb is damaged ({error}).") from error
        refuse_side_effects(definition)
        self._call = _import(definition, self.signature)
        self._weights = [tf.constant(arrays[f"sampler/{i}"]) for i in self.signature["weights"]]

    @property
    def conditional(self) -> bool:
        """Whether the generator takes labels."""
        return "label" in self.signature["inputs"]

    def __call__(self, z: np.ndarray, label: np.ndarray | None = None) -> np.ndarray:
        """Samples (n, *shape), float32, for z (n, z_dim) and, where conditional, labels (n,)."""
        named = {"z": z, "label": label}
        inputs = [named[name] if name in named else named["z"] for name in self.signature["inputs"]]
        return self._call(*[tf.constant(x) for x in inputs], *self._weights)[0].numpy()

    def batches(
        self, n: int, *, seed: int, label: int | None = None, batch_size: int = 500
    ) -> Iterator[np.ndarray]:
        """`n` samples in batches. Sample `i` depends on the seed and `i` alone."""
        z = draw_z(n, self.signature, seed)
        labels = self.labels(n, label)
        for start in range(0, n, batch_size):
            part = slice(start, start + batch_size)
            yield self(z[part], None if labels is None else labels[part])

    def labels(self, n: int, label: int | None = None) -> np.ndarray | None:
        """The classes (n,) to ask for: all in turn, or `label`; None where there are none."""
        classes = self.signature["classes"]
        if not self.conditional:
            if label is not None:
                raise UsageError("this run is not conditional: it takes no --label.")
            return None
        if label is None:  # all classes in turn
            return (np.arange(n) % classes).astype(np.int32)
        if not 0 <= label < classes:
            raise UsageError(f"label must lie in 0..{classes - 1}, not {label}.")
        return np.full(n, label, np.int32)


def draw_z(n: int, signature: dict[str, Any], seed: int) -> np.ndarray:
    """(n, z_dim) float32 from the prior; row i is the same for every n."""
    bits = np.random.Generator(np.random.Philox(key=key(seed, "sample")))
    shape = (n, signature["z_dim"])
    if signature["z_prior"] == "uniform":
        return (bits.random(shape, np.float32) * 2 - 1).astype(np.float32)
    return bits.standard_normal(shape, np.float32)


def _import(definition: Any, signature: dict[str, Any]) -> Any:
    wrapped = tf.compat.v1.wrap_function(
        lambda: tf.compat.v1.import_graph_def(definition, name=""), []
    )
    graph = wrapped.graph
    return wrapped.prune(
        [graph.get_tensor_by_name(name) for name in signature["feeds"]],
        [graph.get_tensor_by_name(signature["fetch"])],
    )


def _nodes(definition: Any) -> Iterator[Any]:
    yield from definition.node
    for function in definition.library.function:
        yield from function.node_def


def refuse_side_effects(definition: Any) -> None:
    """Raise GanzooError where a graph holds an operation that does more than compute."""
    from tensorflow.python.framework import op_def_registry

    own = {function.signature.name for function in definition.library.function}
    for node in _nodes(definition):
        known = op_def_registry.get(node.op)
        if node.op in own or node.op in CALLS:
            continue
        if known is None or known.is_stateful or node.op in READS_FILES:
            raise GanzooError(
                f"the run's sampler.pb holds the operation {node.op!r} "
                f"({node.name}), which a generator does not need: not run."
            )
