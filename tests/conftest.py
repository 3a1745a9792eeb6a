"""What several test files share: small data, and a small run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ganzoo.data import Dataset
from ganzoo.spec import DataSpec


def points(n: int = 256) -> Dataset:
    """Two blobs in the plane."""
    bits = np.random.Generator(np.random.Philox(0))
    values = (
        bits.standard_normal((n, 2)).astype(np.float32) + np.where(np.arange(n) % 2, 2, -2)[:, None]
    )
    return Dataset(
        "blobs",
        DataSpec((2,), range=None, key="point"),
        {"point": values.astype(np.float32)},
        licence="",
        source="test",
    )


def images(n: int = 256, side: int = 16, channels: int = 1, classes: int = 0) -> Dataset:
    """Noise images with a bright corner."""
    bits = np.random.Generator(np.random.Philox(1))
    values = bits.integers(0, 100, (n, side, side, channels)).astype(np.uint8)
    values[:, :4, :4] = 250
    arrays = {"image": values}
    if classes:
        arrays["label"] = (np.arange(n) % classes).astype(np.int32)
    return Dataset(
        "corner",
        DataSpec((side, side, channels), classes=classes),
        arrays,
        licence="",
        source="test",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests go first: one that began last would leave the other workers idle."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def _no_download(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test goes out, and none leaves anything in the user's cache."""

    def refuse(*arguments: object, **_: object) -> None:
        raise OSError(f"a test must not go out: {arguments[:1]}")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed distributions, and an empty working folder."""
    (tmp_path / "site").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.chdir(tmp_path / "work")
    before = set(sys.modules)
    yield tmp_path / "site"
    for name in set(sys.modules) - before:
        if name.endswith("_module"):
            del sys.modules[name]


def probe_of(dataset: Dataset, game, *, seed: int = 0):
    """The probe that a recorder makes of a game."""
    from ganzoo.eval.diagnosis.probe import Probe

    return Probe(
        dataset,
        inputs=game.inputs,
        outputs=game.outputs,
        sampler=game.average,
        judges=game.judges(),
        seed=seed,
    )
