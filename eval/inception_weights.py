"""Where Inception's weights lie, and how they are read: the original frozen graph, or an `.npz`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ganzoo.data import arrays
from ganzoo.errors import GanzooError, UsageError
from ganzoo.registry import cache_dir

GRAPH = "classify_image_graph_def.pb"
EPSILON = 1e-3
KNOWN = {
    "conv/weights": (0.405111779, 0.671274908),
    "conv_4/weights": (0.026075408, 0.038592035),
    "conv_4/bias": (1.808494179, 2.249962658),
}
"""Of the published weights: mean magnitude and root of the mean square, to tell them by."""


def find(weights: str | os.PathLike[str] | None = None) -> Path:
    """The file: the one that is named, or the first that lies where it may.

    That is `inception_2015/` under $GANZOO_DATA, then under ganzoo's cache folder; the frozen graph
    before an `.npz`.
    """
    if weights is not None:
        path = Path(weights).expanduser()
        if not path.is_file():
            raise UsageError(f"no weights at {path}: expected {GRAPH} or an .npz of its arrays.")
        return path
    roots = [Path(root).expanduser() for root in [os.environ.get("GANZOO_DATA")] if root]
    folders = [root / "inception_2015" for root in [*roots, cache_dir()]]
    for folder in folders:
        for path in (folder / GRAPH, *sorted(folder.glob("*.npz"))):
            if path.is_file():
                return path
    raise GanzooError(
        f"Inception's weights are not here: put {GRAPH} (from inception-2015-12-05.tgz of "
        f"download.tensorflow.org/models/image/imagenet) into {folders[-1]}, or say --weights FILE."
    )


def read(path: Path) -> dict[str, np.ndarray]:
    """Name -> array: `mixed_3_conv/weights` (height, width, in, out), `mixed_3_conv/bias`."""
    return dict(_read(path, path.stat().st_mtime_ns))


@lru_cache(maxsize=1)
def _read(path: Path, _: int) -> Mapping[str, np.ndarray]:
    found = arrays.read(path) if path.suffix == ".npz" else from_graph(path)
    _refuse_others(found, path)
    return found


def from_graph(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the frozen graph, each batch norm folded into its convolution."""
    import tensorflow as tf

    try:
        graph = tf.compat.v1.GraphDef.FromString(path.read_bytes())
        constants = {
            node.name: tf.make_ndarray(node.attr["value"].tensor)
            for node in graph.node
            if node.op == "Const"
        }
    except Exception as error:  # protobuf's own family
        raise GanzooError(f"{path} is truncated or no frozen graph ({error}).") from error
    scaled = {
        node.name: node.attr["scale_after_normalization"].b
        for node in graph.node
        if node.op == "BatchNormWithGlobalNormalization"
    }
    found: dict[str, np.ndarray] = {}
    for name in [
        n.removesuffix("/conv2d_params") for n in constants if n.endswith("conv2d_params")
    ]:
        found |= _folded(name, constants, scaled)
    if "softmax/weights" in constants:
        found["softmax/weights"] = constants["softmax/weights"]
    if not found:
        raise GanzooError(f"{path} holds no Inception network: expected {GRAPH}.")
    return found


def _folded(
    name: str, constants: Mapping[str, np.ndarray], scaled: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    norm = f"{name}/batchnorm"
    mean, variance, beta, gamma = (
        constants[f"{norm}/{part}"].astype(np.float64)
        for part in ("moving_mean", "moving_variance", "beta", "gamma")
    )
    scale = (gamma if scaled.get(norm) else 1.0) / np.sqrt(variance + EPSILON)
    short = name.replace("/", "_")
    return {
        f"{short}/weights": (constants[f"{name}/conv2d_params"] * scale).astype(np.float32),
        f"{short}/bias": (beta - mean * scale).astype(np.float32),
    }


def _refuse_others(found: Mapping[str, np.ndarray], path: Path) -> None:
    """The published weights are told by two numbers, since folding them rounds their last bits."""
    for name, expected in KNOWN.items():
        if name not in found:
            raise GanzooError(f"{path} holds no array {name!r}: expected the weights of {GRAPH}.")
        x = found[name].astype(np.float64)
        came = (np.abs(x).mean(), np.sqrt((x * x).mean()))
        if not np.allclose(came, expected, rtol=1e-4):
            raise GanzooError(
                f"{path} does not hold the published weights of 2015-12-05 ({name} differs): "
                "scores made with others are no FID."
            )
