"""A network as one optimised graph of fixed shape: fast, and the same bits in every process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def frozen(
    function: Callable[[Any, Mapping[str, Any]], Any],
    shape: tuple[int, ...],
    weights: Mapping[str, np.ndarray],
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """`function` of one uint8 tensor of exactly `shape` and of the weights by name, as a graph.

    The graph runs in a session of its own, whose rewriting is set here: convolutions are fused
    with bias and ReLU, whatever a training in the same process has switched off for its steps. The
    weights are fed: as constants, TensorFlow would hold ten copies of them.
    """
    import tensorflow as tf
    from tensorflow.core.protobuf import rewriter_config_pb2

    graph = tf.Graph()
    with graph.as_default():
        pixels = tf.compat.v1.placeholder(tf.uint8, shape)
        feeds = {n: tf.compat.v1.placeholder(w.dtype, w.shape) for n, w in weights.items()}
        outputs = list(function(pixels, feeds))
    config = tf.compat.v1.ConfigProto()
    config.gpu_options.allow_growth = True
    config.graph_options.rewrite_options.remapping = rewriter_config_pb2.RewriterConfig.ON
    session = tf.compat.v1.Session(graph=graph, config=config)
    run = session.make_callable(outputs, [pixels, *feeds.values()])
    return lambda images: run(images, *weights.values())
