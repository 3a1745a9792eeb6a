"""What a plugin exports passes, and makes the same samples however many are made at once."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import images, points

import ganzoo
from ganzoo import bounds, data, exported, exporting, registry, signature
from ganzoo import inputs as inputs_
from ganzoo.errors import GanzooError
from ganzoo.inputs import Input
from ganzoo.priors import Label, Normal, Rows, TruncatedNormal, Uniform
from ganzoo.run import RunDir
from ganzoo.sampling import Sampler

HERE = Path(__file__).parent
GAMES = sorted(path.stem for path in (HERE / "games").glob("*.py") if path.stem != "harness")
DATASETS = {
    "images": lambda: images(64, side=16, channels=3, classes=3),
    "points": points,
    "numbers": lambda: data.load("gaussian1d"),
}


def export(plugin, dataset) -> tuple[bytes, dict]:
    sampler = plugin.sampler(plugin.networks(dataset.spec), dataset.spec)
    return exporting.export(sampler, plugin, dataset.spec)


@pytest.mark.parametrize("name", registry.names())
def test_what_a_plugin_of_the_zoo_exports_passes(name):
    plugin = registry.load(name)()
    taken = [made for one in DATASETS.values() if not plugin.unsupported((made := one()).spec)]
    taken = taken or [data.load("digits_coloured")]
    for dataset in taken:
        exported.check(*export(plugin, dataset))


@pytest.mark.parametrize("name", GAMES)
def test_what_a_game_of_the_literature_exports_passes(name, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(HERE / "games"))
    import harness

    case = harness.GAMES[name]
    place = harness.DATA[case.data](tmp_path) if case.data in harness.DATA else case.data
    dataset = data.load(place, size=16 if case.data == "domains" else None)
    exported.check(*export(registry.load(str(HERE / "games" / f"{name}.py"))(), dataset))
    sys.modules.pop("harness", None)


# -- together -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunDir:
    place = tmp_path_factory.mktemp("exported") / "run"
    settings = {"steps": 2, "checkpoint_every": 2, "width": 4, "batch_size": 8}
    ganzoo.train("sagan", images(64, classes=3), outdir=place, quiet=True, **settings)
    return RunDir.open(place)


def test_fewer_are_made_at_once_where_the_memory_wants_it(run, monkeypatch):
    sampler = Sampler(run)
    whole = list(sampler.batches(20, seed=1))
    assert [len(one) for one in whole] == [20]
    alone, all_of_them = (sampler._exported.needs(sampler.outputs[0], n).memory for n in (1, 20))
    monkeypatch.setattr(bounds, "MEMORY", (alone + all_of_them) // 2)
    sampler = Sampler(run)
    parts = list(sampler.batches(20, seed=1))
    assert [len(one) for one in parts] == [10, 10]
    np.testing.assert_allclose(np.concatenate(parts), whole[0], atol=1e-6)
    at_once = sampler({one.name: _rows(one, 20) for one in sampler.inputs})
    assert at_once.shape == whole[0].shape
    monkeypatch.setattr(bounds, "MEMORY", alone // 2)
    with pytest.raises(GanzooError, match="GiB at once"):
        next(Sampler(run).batches(20, seed=1))


def _rows(one: Input, n: int) -> np.ndarray:
    return inputs_.rows(one, n, np.random.default_rng(0))


@pytest.mark.parametrize(
    "one",
    [
        Input("z", (3,), "float32", Normal()),
        Input("z", (3,), "float32", Uniform()),
        Input("z", (3,), "float32", TruncatedNormal(0.5)),
        Input("y", (), "int32", Label(7)),
        Input("y", (7,), "float32", Label(7)),
        Input("r", (2,), "float32", Rows([[1, 2], [3, 4], [5, 6]])),
    ],
    ids=lambda one: f"{one.source.kind}{one.shape}",
)
def test_rows_in_parts_are_the_same_rows(one):
    whole = inputs_.rows(one, 20, np.random.Generator(np.random.Philox(0)))
    bits = np.random.Generator(np.random.Philox(0))
    parts = [
        inputs_.rows(one, end - first, bits, first=first)
        for first, end in ((0, 7), (7, 8), (8, 20))
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_one_hot_rows_of_many_classes_take_the_memory_of_the_rows():
    one = Input("y", (2**20,), "float32", Label(2**20))
    assert _rows(one, 2).sum() == 2


# -- when it runs ---------------------------------------------------------------------------------


def test_what_fails_when_it_runs_is_one_sentence():
    plugin, dataset = registry.load("mlp_gan")(), points()
    z = keras.Input((plugin.z_dim,), name="z")
    index = keras.ops.cast(z[:, :1] * 0 + 5, "int32")
    made = keras.layers.Lambda(lambda both: keras.ops.take_along_axis(*both, axis=1))([z, index])
    model = keras.Model(z, keras.layers.Concatenate()([made, made]))
    graph, content = exporting.export(model, plugin, dataset.spec)
    found = exported.Exported(graph, content, "here")
    zeros = {"z": np.zeros((3, plugin.z_dim), np.float32)}
    np.testing.assert_array_equal(found(found.signature.outputs[0], zeros, []), 0)
    far = found.signature.outputs[0]
    outside = {"z": np.full((3, plugin.z_dim), np.inf, np.float32)}  # infinity * 0 is no index
    with pytest.raises(GanzooError, match="cannot be run") as error:
        found(far, outside, [])
    assert "\n" not in str(error.value)


def test_what_an_export_says_of_itself_is_sealed():
    graph, content = export(registry.load("mlp_gan")(), points())
    assert signature.read(content, graph).outputs[0].needs == ("z",)
    with pytest.raises(GanzooError, match=r"sampler\.json is damaged"):
        exported.check(graph + b"\x0a\x00", content)
