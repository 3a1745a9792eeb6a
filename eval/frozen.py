"""A network as one optimised graph of fixed shape: fast, and the same bits in every process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def frozen(
    function: Callable[[Any], Any], shape: tuple[int, ...]
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """`function` of one uint8 tensor of exactly `shape`, its variables turned into constants.

    The graph runs in a session of its own, whose rewriting is set here: convolutions are fused
    with bias and ReLU, whatever a training in the same process has switched off for its steps.
    """
    import tensorflow as tf
    from tensorflow.core.protobuf import rewriter_config_pb2
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    traced = tf.function(function).get_concrete_function(tf.TensorSpec(shape, tf.uint8))
    constant = convert_variables_to_constants_v2(traced)
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(constant.graph.as_graph_def(), name="")
    config = tf.compat.v1.ConfigProto()
    config.gpu_options.allow_growth = True
    config.graph_options.rewrite_options.remapping = rewriter_config_pb2.RewriterConfig.ON
    session = tf.compat.v1.Session(graph=graph, config=config)
    return session.make_callable(
        [tensor.name for tensor in constant.outputs], [constant.inputs[0].name]
    )
