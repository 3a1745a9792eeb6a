"""A plugin's sampler -> a graph and its signature: what it takes by name, and what it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from ganzoo import inputs as named
from ganzoo import signature
from ganzoo.errors import GanzooError
from ganzoo.inputs import Input
from ganzoo.plugin import Plugin
from ganzoo.priors import PRIORS, Data
from ganzoo.shrinking import reduced_shape
from ganzoo.signature import Output, Signature
from ganzoo.spec import DataSpec


def declared(
    model: keras.Model, plugin: Plugin, spec: DataSpec
) -> tuple[list[Input], list[Output]]:
    """What a plugin's sampler takes and makes; a GanzooError where that is not clear."""
    arrays = {name: array.classes for name, array in spec.arrays.items()}
    prior = PRIORS[plugin.z_prior]
    inputs = named.resolve(model.inputs, plugin.inputs(spec), arrays, prior, plugin.z_dim)
    for one in inputs:
        if isinstance(one.source, Data) and one.source.size:
            _check_reduced(one, one.source, spec, type(plugin).__name__)
    columns = {name: array.names for name, array in spec.arrays.items()}
    inputs = [
        one._replace(columns=columns[one.source.array]) if isinstance(one.source, Data) else one
        for one in inputs
    ]
    return inputs, _outputs(model, plugin, spec, [one.name for one in inputs])


def _check_reduced(one: Input, source: Data, spec: DataSpec, kind: str) -> None:
    """That an input takes the data's images at the size that its source says."""
    whole = tuple(spec.arrays[source.array].shape)
    if len(whole) != 3 or source.size > min(whole[:2]):
        raise GanzooError(
            f"{kind} feeds {one.name!r} with {source.array!r} at size {source.size}, and the data "
            f"has it as {whole}: expected images that are as large, or larger."
        )
    if one.shape != reduced_shape(whole, source.size):
        raise GanzooError(
            f"{kind}'s input {one.name!r} takes {one.shape}, and {source.array!r} {whole} at size "
            f"{source.size} is {reduced_shape(whole, source.size)}: expected the same."
        )


def _outputs(
    model: keras.Model, plugin: Plugin, spec: DataSpec, inputs: Sequence[str]
) -> list[Output]:
    wanted, kind = dict(plugin.outputs(spec)), type(plugin).__name__
    output = model.outputs if isinstance(model, keras.Sequential) else model.output
    made = _by_name(output, wanted, kind)
    arrays, found = spec.arrays, []
    for name, array in wanted.items():
        if array not in arrays:
            raise GanzooError(
                f"{kind}.outputs says that {name!r} imitates {array!r}, and the data has "
                f"{', '.join(sorted(arrays))}."
            )
        shape, told = tuple(made[name].shape[1:]), arrays[array]
        if shape != tuple(told.shape):
            raise GanzooError(
                f"{kind}'s sampler makes {shape} where the data has {tuple(told.shape)}"
                f"{'' if array == spec.key else f' in {array!r}'}: check the plugin's generator."
            )
        found.append(Output(name, array, shape, told.range, tuple(inputs)))
    return found


def _by_name(made: Any, wanted: Mapping[str, str], kind: str) -> dict[str, Any]:
    """A sampler's outputs by the names that the plugin gives them."""
    parts = made if isinstance(made, dict) else dict(zip(wanted, _listed(made), strict=False))
    count = len(made if isinstance(made, dict) else _listed(made))
    if not wanted or set(parts) != set(wanted) or count != len(wanted):
        names = ", ".join(made) if isinstance(made, dict) else f"{count} without names"
        raise GanzooError(
            f"{kind}'s sampler has the outputs {names}; {kind}.outputs names "
            f"{', '.join(wanted) or 'none'}: expected the same."
        )
    return parts


def _listed(made: Any) -> list[Any]:
    return list(made) if isinstance(made, (list, tuple)) else [made]


def export(model: keras.Model, plugin: Plugin, spec: DataSpec) -> tuple[bytes, dict[str, Any]]:
    """The sampler as a serialised graph from (inputs, weights) to samples, and the signature of it,
    both with their digests (`ganzoo.signature`)."""
    inputs, outputs = declared(model, plugin, spec)
    trainable, fixed = model.trainable_variables, model.non_trainable_variables

    @tf.function
    def sample(values: list[tf.Tensor], weights: list[tf.Tensor]) -> list[tf.Tensor]:
        arguments = values if len(values) > 1 else values[0]
        out, _ = model.stateless_call(
            weights[: len(trainable)], weights[len(trainable) :], arguments, training=False
        )
        parts = out if isinstance(out, dict) else dict(zip(names, _listed(out), strict=True))
        return [tf.cast(parts[name], tf.float32) for name in names]

    names = [one.name for one in outputs]
    values = [tf.TensorSpec([None, *t.shape[1:]], t.dtype) for t in model.inputs]
    weights = [tf.TensorSpec(w.shape, w.dtype) for w in [*trainable, *fixed]]
    concrete = sample.get_concrete_function(values, weights)
    definition = concrete.graph.as_graph_def()
    for node in nodes(definition):
        node.device = ""
    feeds = [t.name for t in concrete.inputs]
    positions = {id(v): i for i, v in enumerate(model.variables)}
    graph = definition.SerializeToString(deterministic=True)
    told = Signature(
        inputs=tuple(inputs),
        outputs=tuple(
            replace(one, needs=_needed(definition, made.name, feeds, one.needs))
            for one, made in zip(outputs, concrete.outputs, strict=True)
        ),
        fetches=tuple(made.name for made in concrete.outputs),
        feeds=tuple(feeds),
        weights=tuple(positions[id(w)] for w in [*trainable, *fixed]),
        classes=spec.classes,
    )
    return graph, signature.sealed(signature.as_json(told), graph)


def _needed(
    definition: Any, fetch: str, feeds: Sequence[str], inputs: Sequence[str]
) -> tuple[str, ...]:
    """Which of the inputs, the first of the feeds, lead to the tensor `fetch`."""
    nodes = {node.name: node for node in definition.node}
    seen, left = set(), [fetch]
    while left:
        name = left.pop().lstrip("^").partition(":")[0]
        if name not in seen:
            seen.add(name)
            left += nodes[name].input
    places = zip(inputs, feeds, strict=False)
    return tuple(name for name, feed in places if feed.partition(":")[0] in seen)


def nodes(definition: Any) -> Iterator[Any]:
    yield from definition.node
    for function in definition.library.function:
        yield from function.node_def
