"""What several test files share: small data, and a small run."""

from __future__ import annotations

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


@pytest.fixture(autouse=True)
def _no_download(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test goes out, and none leaves anything in the user's cache."""

    def refuse(*arguments: object, **_: object) -> None:
        raise OSError(f"a test must not go out: {arguments[:1]}")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
