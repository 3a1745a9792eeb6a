"""What is about to be trained, on what, in which precision: resolved before a word is written."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import tensorflow as tf

from ganzoo import data, settings
from ganzoo.errors import UsageError
from ganzoo.hardware import has_bfloat16
from ganzoo.plugin import Plugin
from ganzoo.settings import Settings
from ganzoo.training.game import check


@dataclasses.dataclass(frozen=True)
class Request:
    """A run about to start: what will be trained, on what, where."""

    settings: Settings
    plugin: Plugin
    dataset: data.Dataset


def prepare(values: dict[str, Any], epochs: float | None = None) -> Request:
    """Resolve settings, plugin, data and hardware; nothing is written yet."""
    chosen, plugin = settings.resolve(values)
    use_device(chosen.device)
    dataset = data.load(chosen.data, size=chosen.size)
    if epochs is not None:
        if not isinstance(epochs, (int, float)) or not 0 < epochs < math.inf:
            raise UsageError(f"epochs must be above 0, not {epochs}.")
        samples = plugin.imitated(dataset.spec).samples
        steps = max(1, round(epochs * samples / plugin.batch_size))
        plugin = dataclasses.replace(plugin, steps=steps)
    chosen = dataclasses.replace(
        chosen,
        data=dataset.name,
        fields=settings.field_values(plugin),
        precision=resolve_precision(chosen.precision, plugin.low_precision),
    )
    check(plugin, dataset)
    return Request(chosen, plugin, dataset)


def use_device(device: str) -> None:
    """Restrict TensorFlow to `cpu`, or insist on a `gpu`; `auto` takes a GPU where there is one."""
    gpus = tf.config.list_physical_devices("GPU")
    if device == "gpu" and not gpus:
        raise UsageError(
            "--device gpu: TensorFlow sees no GPU here; install ganzoo[gpu] and a "
            "driver, or say --device cpu."
        )
    if device == "cpu" and gpus:
        tf.config.set_visible_devices([], "GPU")
    for gpu in tf.config.get_visible_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


def resolve_precision(precision: str, low: bool = True) -> str:
    """`auto` is bfloat16 where the hardware has it and the plugin allows it, else float32."""
    if precision != "auto":
        return precision
    return "bfloat16" if low and has_bfloat16() else "float32"
