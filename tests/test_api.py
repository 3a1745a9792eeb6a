"""The Python API: it does what the commands do, with objects too, and says what is wrong."""

from __future__ import annotations

import re
import subprocess
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import ganzoo
from ganzoo import data
from ganzoo.errors import GanzooError, UsageError
from ganzoo.plugins.mlp_gan import MLPGAN
from ganzoo.run import RunDir

SMALL = {
    "steps": 4,
    "batch_size": 16,
    "device": "cpu",
    "precision": "float32",
    "quiet": True,
}


@dataclass(frozen=True)
class MyGAN(MLPGAN):
    """Mine; no name leads here, because this file defines another plugin too."""

    hidden: int = 16


@dataclass(frozen=True)
class Another(MLPGAN):
    """The other plugin."""


def pictures(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Noise images (n, 16, 16), uint8, and their labels out of three."""
    bits = np.random.Generator(np.random.Philox(0))
    return bits.integers(0, 256, (n, 16, 16), dtype=np.uint8), np.arange(n) % 3


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> ganzoo.Run:
    """A run of an object on arrays."""
    path = tmp_path_factory.mktemp("api") / "run"
    return ganzoo.train(MyGAN(z_dim=5), data=pictures(), outdir=path, **SMALL)


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> ganzoo.Run:
    """A run that the command line could have made."""
    path = tmp_path_factory.mktemp("api") / "digits"
    return ganzoo.train("mlp_gan", data="digits", z_dim=4, outdir=path, **SMALL)


def test_importing_ganzoo_imports_nothing_heavy():
    code = (
        "import sys, ganzoo; assert 'train' in dir(ganzoo)\n"
        "print([m for m in ('tensorflow', 'keras', 'numpy', 'yaml', 'click') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = ganzoo.trian


def test_train_sample_evaluate_read_as_they_are_meant_to(digits):
    assert digits.sample(16).shape == (16, 16, 16, 1)
    assert np.array_equal(digits.sample(3), digits.sample(16)[:3])
    scores = digits.evaluate("fid", "modes", samples=300)
    assert scores["fid"].value > 0
    assert repr(scores).startswith("FID (mnist-cnn ")
    assert len(list((digits.path / "eval").glob("*.json"))) == len(scores)
    assert repr(digits) == f"Run({str(digits.path)!r}, step 4, finished)"
    assert digits.metrics[-1]["step"] == 4


def test_the_same_settings_give_the_same_bits_as_the_command_line(digits, tmp_path):
    from ganzoo.cli import main

    options = "--data digits --steps 4 --batch-size 16 --set z_dim=4 --device cpu --quiet"
    words = ["train", "mlp_gan", *options.split(), "--precision", "float32", "--outdir", "cli"]
    main(words)
    theirs = RunDir("cli")
    ours, same = digits.folder.read_checkpoint(4), theirs.read_checkpoint(4)
    assert all(np.array_equal(ours[name], same[name]) for name in ours)
    assert digits.config["fields"] == theirs.config()["fields"]


def test_a_plugin_as_an_object_keeps_its_fields_and_leaves_its_text(run):
    assert run.config["plugin"] == "<MyGAN>"
    assert run.config["fields"]["z_dim"] == 5
    assert run.config["fields"]["hidden"] == 16
    assert (run.path / "plugin.txt").read_text().startswith("@dataclass(frozen=True)\nclass MyGAN")
    assert run.config["record"]["resume_needs"] == ["plugin", "data"]
    assert run.sample(3).shape == (3, 16, 16, 1)


def test_arrays_are_judged_by_the_rows_that_were_held_out(run):
    score = run.evaluate("swd", samples=100)["swd"]
    assert "vs test 20" in score.label
    assert run.evaluate("swd", samples=100, against=pictures())["swd"].value == score.value


def test_arrays_make_the_same_data_set_as_a_file_that_holds_them(run):
    x, y = pictures()
    np.savez("same.npz", x=x, y=y)
    assert run.config["record"]["data"]["fingerprint"] == data.load("same.npz").fingerprint


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        (pictures()[0][..., None].repeat(3, 3), (16, 16, 3)),
        (np.linspace(-1, 1, 400).reshape(200, 2), (2,)),
        ({"x_train": pictures()[0], "x_test": pictures()[0][:20]}, (16, 16, 1)),
        (data.load("ring"), (2,)),
    ],
    ids=["colour", "points", "named", "Dataset"],
)
def test_what_may_stand_in_a_file_may_be_given(given, shape):
    from ganzoo.data.memory import Held

    held = Held(given)
    assert data.load(held.name).spec.shape == shape


def test_a_run_from_memory_resumes_on_its_bits_when_it_is_given_its_objects_again(tmp_path):
    whole = ganzoo.train(MyGAN, data=pictures(), outdir="whole", **SMALL)
    half = ganzoo.train(MyGAN, data=pictures(), outdir="half", **{**SMALL, "steps": 2}).path
    with pytest.raises(UsageError, match=r"resume\(.*data=array\)"):
        ganzoo.load(half).resume(4, quiet=True)
    resumed = ganzoo.load(half, data=pictures(), plugin=MyGAN).resume(4, quiet=True)
    ours, theirs = (r.folder.read_checkpoint(4) for r in (whole, resumed))
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    with pytest.raises(UsageError, match="you ask for"):
        ganzoo.load(half, data=pictures(190), plugin=MyGAN).resume(6, quiet=True)


def test_a_plugin_in_a_file_is_resumed_by_its_path():
    Path("filegan.py").write_text(
        "from dataclasses import dataclass\n"
        "from ganzoo.plugins.mlp_gan import MLPGAN\n\n\n"
        "@dataclass(frozen=True)\nclass FileGAN(MLPGAN):\n    hidden: int = 8\n"
    )
    run = ganzoo.train("./filegan.py", data="ring", **SMALL)
    assert run.path.parent == Path("runs")
    assert run.path.name.startswith("filegan-ring-")
    assert run.resume(6, quiet=True).step == 6


WRONG = {
    "plugin's name": (("dcgam",), {}, "did you mean 'dcgan'"),
    "no plugin": ((3,), {}, "a plugin's name, path, class or object, not 3"),
    "keyword": (("mlp_gan",), {"zdim": 3}, "did you mean 'z_dim'"),
    "type": (("mlp_gan",), {"steps": "many"}, "steps must be int, not 'many'"),
    "both": (("mlp_gan",), {"steps": 1, "epochs": 1}, "steps or epochs, not both"),
    "epochs": (("mlp_gan", "ring"), {"epochs": "two"}, "epochs must be above 0, not two"),
    "choice": (("mlp_gan",), {"device": "tpu"}, "unknown device 'tpu'"),
    "no array": (("mlp_gan", None), {}, "expected numbers"),
    "ragged": (("mlp_gan", [[1.0, 2.0], [3.0]]), {}, "must be an array"),
    "three": (("mlp_gan", (1, 2, 3)), {}, "(values, labels), not 3 things"),
    "labels": (("mlp_gan", (pictures()[0], [0, 1])), {}, "expected 200 labels"),
}


@pytest.mark.parametrize(("arguments", "keywords", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_trained_is_one_sentence_and_leaves_nothing(arguments, keywords, words):
    with pytest.raises(GanzooError) as error:
        ganzoo.train(*arguments, **keywords)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda run: run.sample(0), "n must be a whole number of at least 1, not 0"),
        (lambda run: run.sample("all"), "not 'all'"),
        (lambda run: run.sample(1, checkpoint=77), "no checkpoint of step 77; it has 4"),
        (lambda run: run.sample(1, checkpoint="every"), "one checkpoint at a time"),
        (lambda run: run.sample(1, label=3), "this run is not conditional"),
        (lambda run: run.evaluate("fidd"), "did you mean 'fid'"),
        (lambda run: run.evaluate("fid", sampels=3), "did you mean 'samples'"),
        (lambda run: run.evaluate("fid", samples="many"), "samples must be int"),
        (lambda run: ganzoo.load(run.path / "nowhere"), "no run at"),
    ],
)
def test_a_wrong_question_to_a_run_is_one_sentence(digits, ask, words):
    with pytest.raises(UsageError) as error:
        ask(digits)
    assert words in str(error.value)


def test_samples_of_a_run_need_neither_its_plugin_nor_its_data(run, monkeypatch):
    before = run.sample(2)
    monkeypatch.setattr("ganzoo.handles._alive", {})
    elsewhere = ganzoo.load(run.path)
    assert np.array_equal(elsewhere.sample(2), before)
    with pytest.raises(UsageError, match=r"ganzoo.load\(RUN, data=array\)"):
        elsewhere.evaluate("swd")


def test_the_page_about_python_works_as_printed():
    page = (Path(__file__).parent.parent / "docs" / "python.md").read_text()
    text = "\n".join(re.findall(r"^```python\n(.*?)^```", page, re.S | re.M))
    for slow, quick in (("dcgan", "mlp_gan"), ("=500", "=4"), ("=2000", "=4")):
        text = text.replace(slow, quick)
    text = text.replace("fashion_mnist", "digits")
    here: dict[str, object] = {"__name__": "__main__"}
    exec(text, here)
    assert here["run"].step == 40


# -- a notebook ------------------------------------------------------------------------------------


@pytest.fixture
def shown(monkeypatch) -> list[str]:
    """What a notebook would display, in order; a later text may replace the one before it."""
    texts: list[str] = []

    class Place:
        update = staticmethod(texts.append)

    def display(text: str, display_id: bool = False) -> Place:
        texts.append(text)
        return Place()

    ipython, kernel = types.ModuleType("IPython"), types.SimpleNamespace(kernel=object())
    ipython.get_ipython = lambda: kernel
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.display, ipython.display.HTML = display, str
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    return texts


def test_a_notebook_shows_progress_and_the_newest_grid(shown, capsys):
    loud = {**SMALL, "quiet": False}
    run = ganzoo.train("mlp_gan", data="ring", picture_every=2, log_every=1, **loud)
    assert "step 4/4" in shown[-1]
    assert "data:image/png;base64," in shown[-1]
    assert "training mlp_gan on ring" in capsys.readouterr().out
    run.show()
    assert shown[-1] == run._repr_html_()
    assert "mlp_gan on ring, step 4, finished" in shown[-1]


def test_what_a_run_is_called_cannot_become_markup_in_a_notebook(run):
    run.folder.append_finding({"severity": "info", "name": "<b>", "message": "1 < 2"})
    shown = run._repr_html_()
    assert "&lt;MyGAN&gt;" in shown
    assert "<b>" not in shown


def test_outside_a_notebook_the_newest_grid_is_named(run, capsys):
    run.show()
    assert capsys.readouterr().out.strip().endswith("samples/step-00000004.png")
