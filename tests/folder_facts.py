"""What two run folders have to agree in, wall times and places aside, so that one training is as
good as the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ganzoo.run import RunDir

WALL = ("seconds", "interval", "images_per_second")


def facts(path: Path) -> dict[str, Any]:
    """File or kind of record -> content that can be compared with `==`."""
    run = RunDir(path)
    config = yaml.safe_load((path / "config.yaml").read_text())
    found: dict[str, Any] = {
        "config": {name: value for name, value in config.items() if name != "record"},
        "rows": [{k: v for k, v in row.items() if k not in WALL} for row in run.metrics()],
        "findings": [_without_place(finding, path) for finding in run.findings()],
        "game": run.game(),
        "state": run.state(),
        "events": events(path / "tensorboard"),
        "sampler": run.sampler(),
    }
    for step in run.checkpoints():
        for name, array in run.read_checkpoint(step).items():
            found[f"checkpoint {step} {name}"] = (array.dtype.str, array.shape, array.tobytes())
    for step, file in run.fields():
        with np.load(file) as stored:
            found[f"field {step}"] = {name: stored[name].tobytes() for name in stored.files}
    for picture in (path / "samples").iterdir():
        found[f"picture {picture.name}"] = picture.read_bytes()
    found["others"] = sorted(
        p.name for p in path.iterdir() if p.name != "tensorboard" and not p.is_dir()
    )
    return found


def differences(one: Path, other: Path) -> list[str]:
    """What the two folders do not agree in: empty, as it should be."""
    a, b = facts(one), facts(other)
    return [name for name in sorted({*a, *b}) if repr(a.get(name)) != repr(b.get(name))]


def events(folder: Path) -> list[tuple[int, str]]:
    """(step, tag) of all events, sorted: one that stands there twice is there twice."""
    import tensorflow as tf
    from tensorboard.compat.proto.event_pb2 import Event

    files = [str(path) for path in sorted(folder.iterdir())]
    read = [
        Event.FromString(r) for f in files for r in tf.data.TFRecordDataset(f).as_numpy_iterator()
    ]
    return sorted((event.step, value.tag) for event in read for value in event.summary.value)


def _without_place(finding: dict[str, Any], path: Path) -> dict[str, Any]:
    return {name: str(value).replace(str(path), "RUN") for name, value in finding.items()}
