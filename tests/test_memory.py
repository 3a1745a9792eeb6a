"""What cannot fit into memory is refused before anything is taken, with the figure."""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext

import keras
import numpy as np
import pytest
from conftest import images, points
from test_cli import SMALL, call
from test_strange_files import soon

import ganzoo
from ganzoo import memory, registry
from ganzoo.data import Dataset, resize
from ganzoo.errors import UsageError
from ganzoo.eval import sources, summary
from ganzoo.eval.features.simple import RawValues
from ganzoo.plugins.mlp_gan import MLPGAN
from ganzoo.training.batches import InMemory
from ganzoo.training.game import Game


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A machine that says what is written into these folders."""
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "cgroup")

    def write(**told: str) -> None:
        for name, text in told.items():
            path = tmp_path.joinpath(*name.split("__"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    write(proc__meminfo="MemTotal:  4000 kB\nMemAvailable:    3000 kB\n")
    return tmp_path, write


def files(folder, **told: int | str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in told.items():
        (folder / name.replace("_OF_", ".")).write_text(f"{value}\n")


def test_what_the_machine_has_left_is_free(system):
    assert memory.free() == 3000 * 1024


def test_a_container_of_either_version_leaves_less(system):
    path, write = system
    write(proc__self__cgroup="4:memory:/one/two\n0::/three\n")
    old, new = path / "cgroup/memory/one", path / "cgroup/three"
    files(old, **{"memory.limit_in_bytes": 2_000_000, "memory.usage_in_bytes": 900_000})
    assert memory.free() == 1_100_000
    files(old, **{"memory.stat": "cache 7\ntotal_inactive_file 400000"})
    assert memory.free() == 1_500_000
    files(new, **{"memory.max": "max", "memory.current": 5})
    assert memory.free() == 1_500_000
    files(new, **{"memory.max": 1000, "memory.current": 5, "memory.stat": "inactive_file 2"})
    assert memory.free() == 997
    files(new, **{"memory.current": 2000})
    assert memory.free() == 0


def test_where_the_system_does_not_say_nothing_is_refused(system):
    path, _ = system
    (path / "proc/meminfo").unlink()
    assert memory.free() is None
    memory.require(10**30, "a dream", "wake up")


def test_a_refusal_has_both_figures(monkeypatch):
    monkeypatch.setattr(memory, "free", lambda: 14 * 2**30)
    memory.require(14 * 2**30, "this", "that")
    with pytest.raises(UsageError, match=r"^it needs at least 2.91 TiB of memory, and 14 GiB are"):
        memory.require(int(2.91 * 2**40), "it", "take less")


# -- networks -------------------------------------------------------------------------------------

TOO_LARGE = [
    ("dcgan", {"z_dim": 10**9}, r"the weight \(1000000000, \d+\) in its layer 'dense.*' needs at"),
    ("dcgan", {"width": 10**6}, r"the weight .* needs at least"),
    ("sagan", {"width": 10**6}, r"the weight .* needs at least"),
    ("wgan", {"width": 10**12}, r"the weight .* needs at least"),
    ("mlp_gan", {"hidden": 10**8}, r"the weight .* needs at least"),
]


@pytest.mark.parametrize(("name", "fields", "words"), TOO_LARGE)
def test_networks_that_cannot_fit_are_not_built(name, fields, words):
    plugin = dataclasses.replace(registry.load(name)(), batch_size=4, **fields)
    before = memory.free()
    with soon(), pytest.raises(UsageError, match=words):
        Game(plugin, images(8), seed=0, precision="float32", chunk_steps=1)
    assert before - memory.free() < before / 4
    assert keras.layers.Layer.add_weight.__qualname__ == "Layer.add_weight"


def test_networks_that_fit_are_counted_with_their_optimisers_and_averages(monkeypatch):
    plugin, small = MLPGAN(hidden=50, z_dim=5, batch_size=4), points(8)
    networks = plugin.networks(small.spec).values()
    own = sum(4 * np.prod(w.shape) for network in networks for w in network.weights)
    for free, fits in ((4 * own, True), (4 * own - 1, False)):
        monkeypatch.setattr(memory, "free", lambda free=free: int(free))
        if fits:
            Game(plugin, small, seed=0, precision="float32", chunk_steps=1)
        else:
            with pytest.raises(UsageError, match="choose smaller values for the plugin's fields"):
                Game(plugin, small, seed=0, precision="float32", chunk_steps=1)


class Nested(keras.layers.Layer):
    """A layer whose call makes another one's weights, of whose errors Keras makes its own."""

    def call(self, x):
        return keras.layers.Dense(10**12, name="inner")(x)


def test_a_refusal_comes_through_the_layers_around_it():
    with (
        pytest.raises(
            UsageError, match=r"in its layer 'inner' needs at least 58\.\d+ TiB .* less\."
        ),
        memory.counted_weights(2, "take less"),
    ):
        keras.Sequential([keras.Input((8,)), Nested()])


def test_a_batch_that_cannot_go_through_the_networks_is_refused(monkeypatch):
    plugin = MLPGAN(hidden=100, batch_size=8)
    monkeypatch.setattr(memory, "counted_weights", lambda *_: nullcontext())
    monkeypatch.setattr(memory, "free", lambda: 6 * 1024)
    with pytest.raises(UsageError, match=r"a batch of 8 in these networks needs at least 6\.\d* K"):
        Game(plugin, points(8), seed=0, precision="float32", chunk_steps=1)


def test_a_step_of_too_many_turns_is_refused_at_once():
    plugin = MLPGAN(d_steps=10**9, batch_size=8)
    with soon(), pytest.raises(UsageError, match="1,000,000,001 turns: expected at most 65,536"):
        Game(plugin, points(8), seed=0, precision="float32", chunk_steps=1)


def test_the_order_of_too_many_batches_is_refused():
    with pytest.raises(
        UsageError, match=r"to draw 60,000 batches of 256 .* needs at least .* d_st"
    ):
        InMemory(points(), 256, 0).feed(0, 100, 60_000, 1000)


# -- data -----------------------------------------------------------------------------------------


def test_a_size_that_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "free", lambda: 2**20)
    with pytest.raises(UsageError, match=r"256 images of 64x64x3 needs .* 3 MiB .*smaller --size"):
        resize.resize(images(256, channels=3).arrays["image"], 64)


def test_a_folder_that_does_not_fit_is_refused_before_it_is_decoded(tmp_path, monkeypatch, capsys):
    for number in range(30):
        (tmp_path / f"{number}.png").write_bytes(b"")
    monkeypatch.setattr(memory, "free", lambda: 2**20)
    code, _, err = call(capsys, "data", "info", str(tmp_path), "--size", "2048")
    assert (code, err.count("\n")) == (2, 1)
    assert "images of 2048x2048x1 needs at least" in err


# -- samples --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("memory") / "run"
    options = {"data": "digits", "steps": 4, "batch_size": 16, "z_dim": 4, "device": "cpu"}
    return ganzoo.train("mlp_gan", outdir=path, precision="float32", quiet=True, **options)


def test_more_samples_than_fit_are_refused_at_once(run, capsys):
    with soon(60), pytest.raises(UsageError, match=r"1,000,000,000,000 samples needs at least 1.8"):
        run.sample(10**12)
    with soon(60):
        code, _, err = call(capsys, "sample", str(run.path), "-n", str(10**15))
    assert (code, err.count("\n")) == (2, 1)
    assert "to make 1,000,000,000,000,000 samples needs at least 1.79 EiB" in err


def test_the_features_of_more_samples_than_fit_are_not_begun(monkeypatch):
    stored = sources.Stored("points", np.zeros((1000, 2), np.float32))
    monkeypatch.setattr(memory, "free", lambda: 4000)
    with pytest.raises(
        UsageError, match=r"judge 1,000 samples of points needs at least 7.8\d* KiB"
    ):
        summary.summarize(stored, 1000, RawValues(2), seed=0)


@pytest.mark.parametrize("epochs", ["inf", "nan", "-1"])
def test_epochs_are_a_number(capsys, epochs):
    few = [part for part in SMALL if part not in ("--steps", "4")]
    code, _, err = call(capsys, "train", "mlp_gan", *few, "--epochs", epochs)
    assert (code, "epochs must be above 0" in err) == (2, True)


def test_what_there_is_no_memory_for_after_all_is_a_sentence(capsys, monkeypatch):
    def full(*_: object, **__: object) -> Dataset:
        raise MemoryError("Unable to allocate 3. GiB for an array")

    monkeypatch.setattr("ganzoo.data.load", full)
    code, _, err = call(capsys, "data", "info", "digits")
    assert (code, err.count("\n")) == (1, 1)
    assert "there is not enough memory (Unable to allocate 3. GiB for an array): choose" in err
