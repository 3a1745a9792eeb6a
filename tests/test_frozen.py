"""Networks that nobody trains: recorded, hashed, in no checkpoint."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf
from plain import Plain, dense, game

import ganzoo
from ganzoo.errors import GanzooError, UsageError
from ganzoo.plugin import Frozen


@dataclass(frozen=True)
class Perceptual(Plain):
    features: str = ""

    def frozen(self, spec):
        return {"features": Frozen(self.features, build=lambda: dense(spec.shape, 3, "features"))}

    def g_penalty(self, networks, fake, turn):
        features = networks["features"]
        return tf.reduce_mean((features(fake) - features(turn.batch["point"])) ** 2)


def weights_file(path, scale: float = 1.0) -> str:
    arrays = [scale * np.ones(w.shape, np.float32) for w in dense((2,), 3, "features").weights]
    np.savez(path, *arrays)
    return str(path)


def test_a_frozen_network_is_recorded_and_in_no_checkpoint(tmp_path):
    path = weights_file(tmp_path / "f.npz")
    values = {"data": "ring", "checkpoint_every": 2, "quiet": True, "features": path}
    run = ganzoo.train(Perceptual, outdir=tmp_path / "run", steps=2, **values)
    recorded = run.config["record"]["frozen"]["features"]
    assert recorded["file"] == path
    assert len(recorded["sha256"]) == 64
    assert not [n for n in run.folder.read_checkpoint(2) if "features" in n]
    run.resume(4, quiet=True)
    weights_file(path, 2.0)
    with pytest.raises(UsageError, match="frozen network 'features'"):
        run.resume(6, quiet=True)
    run.sample(4)


def test_a_frozen_file_that_is_missing_wrong_or_of_other_shapes_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        game(Perceptual(features=str(tmp_path / "none.npz")))
    path = weights_file(tmp_path / "f.npz")

    @dataclass(frozen=True)
    class Pinned(Perceptual):
        def frozen(self, spec):
            one = super().frozen(spec)["features"]
            return {"features": dataclasses.replace(one, sha256="0" * 64)}

    with pytest.raises(GanzooError, match="expected 0000"):
        game(Pinned(features=path))
    np.savez(tmp_path / "g.npz", np.zeros(3))
    with pytest.raises(GanzooError, match="in this order"):
        game(Perceptual(features=str(tmp_path / "g.npz")))
    (tmp_path / "h.npz").write_bytes(b"nothing")
    with pytest.raises(GanzooError, match=r"no \.npz"):
        game(Perceptual(features=str(tmp_path / "h.npz")))

    @dataclass(frozen=True)
    class Trains(Perceptual):
        def players(self, networks, spec, step=0):
            d, g = super().players(networks, spec, step)
            return [d, dataclasses.replace(g, networks=("generator", "features"))]

    with pytest.raises(GanzooError, match="'features', which is frozen"):
        game(Trains(features=path))
