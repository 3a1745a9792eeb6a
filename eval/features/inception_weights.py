"""Find Inception's weights, or download them once, and read them: from three kinds of files.

The original frozen graph, pytorch-fid's port of it to PyTorch, or an `.npz` with one array for each
convolution. The port is what is downloaded: of these, it alone has a published checksum.
"""

from __future__ import annotations

import math
import os
import tarfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ganzoo import reading
from ganzoo.data import arrays, download
from ganzoo.errors import GanzooError, UsageError
from ganzoo.eval.features import torch_file
from ganzoo.eval.features.inception_layers import DIMS, shapes
from ganzoo.files import cache_dir

FOLDER = "inception_2015"
GRAPH = "classify_image_graph_def.pb"
ARCHIVE = "inception-2015-12-05.tgz"
SAVED_MODEL = "saved_model.pb"
REMOTE = download.Remote(
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth",
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
)
LARGEST = 2**29
"""Bytes of the graph's file, and of what it unpacks to; the published one has 96 million."""
EPSILON = 1e-3
KNOWN = {
    "conv/weights": (0.405111779, 0.671274908),
    "conv_4/weights": (0.026075408, 0.038592035),
    "conv_4/bias": (1.808494179, 2.249962658),
}
"""Of the published weights: mean magnitude and root of the mean square, to tell them by."""


def find(dims: int = 2048, weights: str | os.PathLike[str] | None = None) -> Path:
    """What to read the weights for `dims` dimensions from: a file, or the folder of a SavedModel.

    That is what is named; or the first that serves so many dimensions in `inception_2015/` under
    $GANZOO_DATA and under ganzoo's cache folder, or where PyTorch or Keras keep downloads; or a
    download. Raises GanzooError where there is none of these.
    """
    if weights is not None:
        path = Path(weights).expanduser()
        with reading.told(path):
            here = (path / SAVED_MODEL if path.is_dir() else path).exists()
        if not here:
            raise UsageError(
                f"no weights at {path}: expected {GRAPH}, {REMOTE.file}, an .npz of their arrays, "
                "the folder of TF-GAN's module, or tfgan to download it."
            )
        return path
    partial: dict[int, Path] = {}
    for path in _local():
        most = serves(path)
        if most is not None and most >= dims:
            return path
        partial.setdefault(most or 0, path)
    try:
        return download.fetch((REMOTE,), "models") / REMOTE.file
    except GanzooError as error:
        said = str(error).rstrip(".")
    if most := max(partial, default=0):
        raise GanzooError(
            f"{partial[most]} serves {most} dimensions, {dims} are asked for, and {said}: choose "
            f"fewer --dims, or put {GRAPH} there."
        )
    raise GanzooError(
        f"Inception's weights are not here, and {said}: put {GRAPH} (from {ARCHIVE} "
        f"of download.tensorflow.org/models/image/imagenet) or {REMOTE.file} into "
        f"{cache_dir() / FOLDER}, or say --weights FILE."
    )


def _local() -> list[Path]:
    """The files that lie where weights may, in the order in which they are tried."""
    own = [Path(root).expanduser() for root in (os.environ.get("GANZOO_DATA"), cache_dir()) if root]
    torch = Path(os.environ.get("TORCH_HOME") or "~/.cache/torch").expanduser()
    port = f"*{REMOTE.file.removeprefix('pt_')}"
    places = {root / FOLDER: (GRAPH, ARCHIVE, port, "*.npz") for root in own}
    places |= {torch / "hub" / "checkpoints": (port,), download.keras_home() / "models": (port,)}
    return [
        path
        for folder, kinds in places.items()
        for kind in kinds
        for path in sorted(folder.glob(kind))
    ]


def serves(path: Path) -> int | None:
    """The most dimensions that the weights in a file serve; a module of TF-GAN's has 2,048."""
    if path.is_dir():
        return 2048
    found = read(path)
    return next((dims for dims in reversed(DIMS) if set(shapes(dims)) <= set(found)), None)


def largest_dims(weights: str | os.PathLike[str] | None = None) -> int | None:
    """The most dimensions that can be had, be it by a download; None where there are none."""
    try:
        return serves(find(2048, weights))
    except GanzooError:
        known = [] if weights is not None else [serves(path) or 0 for path in _local()]
        return max(known, default=0) or None


def read(path: Path) -> dict[str, np.ndarray]:
    """Name -> array: `mixed_3_conv/weights` (height, width, in, out), `mixed_3_conv/bias`."""
    return dict(_read(path, path.stat().st_mtime_ns))


@lru_cache(maxsize=2)
def _read(path: Path, _: int) -> Mapping[str, np.ndarray]:
    readers = {".npz": arrays.read, ".pth": from_torch}
    found = readers.get(path.suffix, from_graph)(path)
    _refuse_others(found, path)
    return found


def from_torch(path: Path) -> dict[str, np.ndarray]:
    """The arrays of pytorch-fid's port, each batch norm folded into its convolution.

    Its convolutions come in the order of the graph's, so that names need no table.
    """
    stored = torch_file.read(path)
    ours = [name.removesuffix("/weights") for name in shapes(2048) if name.endswith("/weights")]
    found: dict[str, np.ndarray] = {}
    theirs = [name.removesuffix(".conv.weight") for name in stored if name.endswith("conv.weight")]
    for short, name in zip(ours, theirs, strict=False):
        try:
            norm = [
                stored[f"{name}.bn.{part}"].astype(np.float64)
                for part in ("weight", "running_mean", "running_var", "bias")
            ]
            kernel = stored[f"{name}.conv.weight"].transpose(2, 3, 1, 0)
            found |= _folded(short, kernel, *norm)
        except (KeyError, ValueError) as error:
            raise GanzooError(
                f"{path} holds another network ({error}): expected {REMOTE.file}."
            ) from error
    if "fc.weight" in stored:
        found["softmax/weights"] = np.ascontiguousarray(stored["fc.weight"].T)
    return found


def from_graph(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the frozen graph, each batch norm folded into its convolution.

    The graph stands in a file of its own, or in the archive that it was published in.
    """
    import tensorflow as tf

    try:
        graph = tf.compat.v1.GraphDef.FromString(_graph_in(path))
        constants = {
            node.name: _constant(node.attr["value"].tensor)
            for node in graph.node
            if node.op == "Const"
        }
    except Exception as error:  # protobuf's own family
        said = getattr(error, "strerror", None) or error
        raise GanzooError(f"{path} is truncated or no frozen graph ({said}).") from error
    scaled = {
        node.name: node.attr["scale_after_normalization"].b
        for node in graph.node
        if node.op == "BatchNormWithGlobalNormalization"
    }
    found: dict[str, np.ndarray] = {}
    for name in [
        n.removesuffix("/conv2d_params") for n in constants if n.endswith("conv2d_params")
    ]:
        norm = f"{name}/batchnorm"
        try:
            gamma, mean, variance, beta = (
                constants[f"{norm}/{part}"].astype(np.float64)
                for part in ("gamma", "moving_mean", "moving_variance", "beta")
            )
            if not scaled.get(norm):
                gamma = np.ones_like(gamma)
            kernel = constants[f"{name}/conv2d_params"]
            found |= _folded(name.replace("/", "_"), kernel, gamma, mean, variance, beta)
        except (KeyError, ValueError) as error:
            raise GanzooError(
                f"{path} holds another network ({error}): expected {GRAPH}."
            ) from error
    if "softmax/weights" in constants:
        found["softmax/weights"] = constants["softmax/weights"]
    if not found:
        raise GanzooError(f"{path} holds no Inception network: expected {GRAPH}.")
    return found


def _graph_in(path: Path) -> bytes:
    """The graph's file, or the one in the archive."""
    with reading.opened(path, LARGEST, follow=True) as file:
        if not tarfile.is_tarfile(file):
            file.seek(0)
            return file.read()
        file.seek(0)
        with tarfile.open(fileobj=file) as archive:
            for member in archive:
                if member.offset_data + member.size > LARGEST:
                    raise ValueError(f"it unpacks to more than {LARGEST:,} bytes")
                if member.name.removeprefix("./") == GRAPH and member.isfile():
                    return archive.extractfile(member).read()
    raise ValueError(f"it is an archive without {GRAPH}")


def _constant(tensor: Any) -> np.ndarray:
    """The array; one value may stand for as many as the shape says, here of the file's size."""
    import tensorflow as tf

    count = math.prod(side.size for side in tensor.tensor_shape.dim)
    if not 0 <= count <= LARGEST // 4:
        raise ValueError(f"a constant of {count:,} values")
    return tf.make_ndarray(tensor)


def _folded(
    name: str,
    kernel: np.ndarray,
    gamma: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    beta: np.ndarray,
) -> dict[str, np.ndarray]:
    scale = gamma / np.sqrt(variance + EPSILON)
    return {
        f"{name}/weights": (kernel * scale).astype(np.float32),
        f"{name}/bias": (beta - mean * scale).astype(np.float32),
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
