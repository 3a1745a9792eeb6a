"""A plugin's networks: built twice, live and averaged, with the frozen ones from their files."""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from ganzoo import memory, reading
from ganzoo.data import array_file
from ganzoo.errors import GanzooError, UsageError
from ganzoo.exporting import Output, declared
from ganzoo.inputs import Input
from ganzoo.plugin import Frozen, Plugin
from ganzoo.priors import key
from ganzoo.spec import DataSpec
from ganzoo.training import given

LARGEST = 16 * 2**30
"""Bytes of a frozen network's file."""


@dataclass(frozen=True)
class Built:
    """All networks of a game by name, the sampler among them, and its average."""

    networks: dict[str, keras.Model]
    frozen: dict[str, dict[str, str]]
    """Name -> `file` and its `sha256`, of the networks that nobody trains."""
    sampler: keras.Model
    average: keras.Model
    """A float32 copy of the sampler, which the loop moves towards it."""
    inputs: list[Input]
    outputs: list[Output]


def build(plugin: Plugin, spec: DataSpec, seed: int, precision: str) -> Built:
    """Make the networks of `plugin` for this data, their weights drawn from the seed."""
    policy = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("float32")
        frozen = {name: _frozen(name, one) for name, one in plugin.frozen(spec).items()}
        still = {name: network for name, (network, *_) in frozen.items()}
        keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
        keras.utils.set_random_seed(key(seed, "weights") % 2**31)
        with _fitting():
            networks = given.networks(plugin, plugin.networks(spec)) | still
            live = given.sampler(plugin, plugin.sampler(networks, spec))
        keras.config.set_dtype_policy("float32")
        average = plugin.sampler(dict(plugin.networks(spec)) | still, spec)
        _check_batch(plugin.batch_size, networks, precision)
    finally:
        keras.config.set_dtype_policy(policy)
    inputs, outputs = declared(average, plugin, spec)
    for mean, variable in zip(average.variables, live.variables, strict=True):
        if mean is not variable:
            mean.assign(variable)
    files = {name: {"file": path, "sha256": digest} for name, (_, path, digest) in frozen.items()}
    return Built(networks, files, live, average, inputs, outputs)


def _fitting() -> contextlib.AbstractContextManager[None]:
    """A block in which no weight is made that cannot be trained.

    That takes four: itself, another for the average, and Adam's two slots. A GPU's memory is not
    the machine's, and what it cannot hold is an error there, not a killed process.
    """
    if tf.config.get_visible_devices("GPU"):
        return contextlib.nullcontext()
    return memory.counted_weights(4, "choose smaller values for the plugin's fields")


def _check_batch(batch: int, networks: dict[str, keras.Model], precision: str) -> None:
    """Refuse a batch that cannot go through the largest network: its input, and what each layer
    with weights makes of it, which the gradient needs."""
    if tf.config.get_visible_devices("GPU"):
        return
    numbers = max((sum(_passing(network)) for network in networks.values()), default=0)
    needed = batch * numbers * (2 if precision == "bfloat16" else 4)
    memory.require(
        needed, f"a batch of {batch:,} in these networks", "lower --batch-size, or the sizes"
    )


def _passing(network: keras.Model) -> Iterator[int]:
    """How many numbers of one sample go into the network, and out of each layer with weights."""
    tensors = list(getattr(network, "inputs", None) or [])
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _passing(layer)
        elif layer.weights:
            with contextlib.suppress(AttributeError, ValueError):  # it is called nowhere, or often
                tensors += keras.tree.flatten(layer.output)
    for tensor in tensors:
        yield math.prod(side for side in tensor.shape if side)


# -- frozen networks ------------------------------------------------------------------------------


def _frozen(name: str, one: Frozen) -> tuple[keras.Model, str, str]:
    """The network with its weights, none of them trainable, its file and the file's SHA-256."""
    path = Path(one.file).expanduser()
    try:
        content = reading.content(path, LARGEST, follow=True)
    except OSError as error:
        raise UsageError(
            f"frozen network {name!r}: cannot read {path} ({error.strerror or error})."
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    if one.sha256 is not None and digest != one.sha256:
        raise GanzooError(
            f"frozen network {name!r}: {path} has the SHA-256 {digest}, expected {one.sha256}: it "
            "is damaged, or another file."
        )
    network = _loaded(name, path) if one.build is None else one.build()
    if one.build is not None:
        _fill(name, network, content, path)
    network.trainable = False
    return network, str(path.resolve()), digest


def _loaded(name: str, path: Path) -> keras.Model:
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # zipfile, h5py, JSON and Keras each have their own for damage
        raise GanzooError(
            f"frozen network {name!r}: {path} is no Keras model ({' '.join(str(error).split())})."
        ) from error


def _fill(name: str, network: keras.Model, content: bytes, path: Path) -> None:
    try:
        arrays = list(array_file.stored(io.BytesIO(content)).values())
    except ValueError as error:
        raise GanzooError(
            f"frozen network {name!r}: {path} is no .npz of arrays ({error})."
        ) from error
    wanted = [tuple(weight.shape) for weight in network.weights]
    if [array.shape for array in arrays] != wanted:
        raise GanzooError(
            f"frozen network {name!r}: {path} holds arrays of {[a.shape for a in arrays]}, the "
            f"network has weights of {wanted}, in this order."
        )
    network.set_weights(arrays)
