"""How large a plugin's networks are: parameters, and FLOPs of a forward pass."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from ganzoo import memory
from ganzoo.errors import UsageError
from ganzoo.plugin import Plugin
from ganzoo.spec import DataSpec


def count(plugin: Plugin, spec: DataSpec) -> dict[str, dict[str, int]]:
    """Network -> `parameters` (weights, statistics included) and `flops` of one sample.

    A multiply-add counts as two operations, as TensorFlow's profiler counts.
    """
    sentence = plugin.unsupported(spec)
    if sentence:
        raise UsageError(f"{sentence} The data is {spec}.")
    with memory.counted_weights(1, "choose a smaller --size"):
        networks = plugin.networks(spec)
    return {
        name: {"parameters": _numbers(network), "flops": flops(network)}
        for name, network in networks.items()
    }


def _numbers(network: keras.Model) -> int:
    """All its weights hold, statistics included; also of a network that is never called."""
    return sum(math.prod(weight.shape) for weight in network.weights)


def flops(network: keras.Model) -> int:
    """Floating-point operations of one sample's forward pass, from the graph; 0 of a network that
    is not called, and only holds state."""
    if not getattr(network, "inputs", None):
        return 0
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2_as_graph,
    )
    from tensorflow.python.profiler import model_analyzer, option_builder

    inputs = [tf.TensorSpec([1, *t.shape[1:]], t.dtype) for t in network.inputs]

    @tf.function
    def forward(*arguments: tf.Tensor) -> Any:
        return network(list(arguments) if len(arguments) > 1 else arguments[0], training=False)

    _, definition = convert_variables_to_constants_v2_as_graph(
        forward.get_concrete_function(*inputs)
    )
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(definition, name="")
        options = option_builder.ProfileOptionBuilder.float_operation()
        options["output"] = "none"
        return int(model_analyzer.profile(graph, options=options).total_float_ops)
