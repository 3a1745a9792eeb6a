"""What a run met: versions, device, threads and data, kept beside its settings."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganzoo import __version__, handles, plugin_source
from ganzoo.eval.diagnosis.probe import PROTOCOL
from ganzoo.training.request import Request


def record(request: Request, frozen: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """What the run met: versions, device, threads, data; nothing in it is read as a setting.

    `frozen` maps the networks that nobody trains to `file` and `sha256`.
    """
    gpus = tf.config.get_visible_devices("GPU")
    dataset, plugin = request.dataset, type(request.plugin)
    return {
        "ganzoo": __version__,
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "device": _device_name(gpus),
        "threads": tf.config.threading.get_intra_op_parallelism_threads()
        or len(os.sched_getaffinity(0)),
        "exact_resume": not gpus,  # GPU kernels may sum in another order from run to run
        "plugin_source": plugin_source.digest(plugin),
        "resume_needs": handles.needs(vars(request.settings)),  # what the folder cannot give
        **({"frozen": dict(frozen)} if frozen else {}),
        "data": {
            "name": dataset.name,
            "source": dataset.source,
            "samples": len(dataset),
            "shape": list(dataset.spec.shape),
            "classes": dataset.spec.classes,
            "fingerprint": dataset.fingerprint,
            "licence": dataset.licence,
            "note": dataset.note,
        },
        "score": PROTOCOL,
    }


def _device_name(gpus: list[Any]) -> str:
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return f"gpu: {len(gpus)} x {details.get('device_name', 'unknown')}"
    try:
        names = [
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ]
    except OSError:
        names = []
    return f"cpu: {names[0] if names else platform.processor() or 'unknown'}"


def changed_surroundings(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """What may change bits although the settings are the same."""
    for name in ("tensorflow", "keras", "device", "threads", "plugin_source"):
        if old.get(name) != new[name]:
            yield (
                f"warning: {name} was {old.get(name)} and is {new[name]}: the run goes on, but "
                "its bits may differ from an uninterrupted one's"
            )
