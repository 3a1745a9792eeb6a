"""What metrics, extractors and data sets of other packages may ask for, and that they get it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator

import numpy as np
import pytest
from test_cli import call
from test_third_party import install

import ganzoo.eval
from ganzoo import data
from ganzoo.errors import GanzooError
from ganzoo.eval import Score, UnsuitedError, evaluate
from ganzoo.eval.summary import KEEP
from ganzoo.views.view import Silent

SHADES = textwrap.dedent("""
    import numpy as np
    from ganzoo.data import Dataset, Judging
    from ganzoo.spec import DataSpec

    def Theirs(size, split):
        n, side = 12_000 if split == "test" else 400, size or 8
        shade = np.random.default_rng(n).integers(0, 256, n).astype(np.uint8)
        image = np.broadcast_to(shade[:, None, None, None], (n, side, side, 1)).copy()
        arrays = {"image": image, "label": (shade // 64).astype(np.int32)}
        judging = Judging(samples=500, extractor="shade", classifier=True, protocol="of shades")
        spec = DataSpec((side, side, 1), classes=4)
        return Dataset("shades", spec, arrays, "", "made", judging=judging)
""")
"""A data set whose labels are the quarters of its grey values; more than are kept."""

SHADE = textwrap.dedent("""
    import numpy as np
    from ganzoo.eval import Extractor

    class Theirs(Extractor):
        name, dim, sha256, preprocessing, classes = "shade", 2, "ab" * 32, "none", 4

        def compute(self, images):
            shade = images[:, 0, 0, 0]
            return np.stack([shade, 255 - shade], 1), np.eye(4)[shade // 64]
""")

ALIGNED = textwrap.dedent("""
    import numpy as np

    def Theirs(real, fake, *, rng, features, logits, labels, train, extractor, judging, depth=2):
        for samples, seen, said in zip((real, fake), features, logits):
            assert np.array_equal(samples[:, 0, 0, 0], seen[:, 0])
            assert np.array_equal(samples[:, 0, 0, 0] // 64, said.argmax(1))
        assert np.array_equal(real[:, 0, 0, 0] // 64, labels.real)
        known = train()
        assert np.array_equal(known.samples[:, 0, 0, 0], known.features[:, 0])
        assert np.array_equal(known.logits.argmax(1), known.labels)
        return {
            "depth": depth,
            "real": len(real),
            "labelled": labels.fake is not None,
            "train": len(known.samples),
            "extractor": extractor.name,
            "judged": judging.samples,
        }
""")

MODES = textwrap.dedent("""
    import numpy as np
    from ganzoo.data import Dataset, Judging, Modes
    from ganzoo.spec import DataSpec

    CENTRES = np.array([[0.0, 0.0], [5.0, 5.0]])

    def Theirs(size, split):
        point = np.repeat(CENTRES, 50, axis=0).astype(np.float32)
        judging = Judging(samples=123, modes=Modes(CENTRES, 0.1))
        return Dataset(
            "two", DataSpec((2,), range=None, key="point"), {"point": point}, "", "made",
            judging=judging,
        )
""")


class Endless:
    """As many samples as are asked for, all of them the same."""

    count, split, data = None, "", ""

    def __init__(self, name: str, sample: np.ndarray):
        self.name, self.sample, self.shape = name, sample, sample.shape

    def batches(self, n: int, seed: int) -> Iterator[np.ndarray]:
        yield np.repeat(self.sample[None], n, axis=0)

    def labels(self, n: int, seed: int) -> None:
        return None


@pytest.fixture
def _shades(site):
    install(site, "shades", "ganzoo.datasets", "shades", SHADES)
    install(site, "shade", "ganzoo.metrics", "shade", SHADE)


def by_theirs(site, text: str, against: str = "shades", **terms: object) -> Score:
    """The score of 40 grey images by the metric that `text` defines."""
    install(site, "theirs", "ganzoo.metrics", "theirs", text)
    shade = np.arange(40, dtype=np.uint8)[:, None, None, None]
    np.savez("grey.npz", image=np.broadcast_to(shade, (40, 8, 8, 1)))
    (score,) = evaluate("grey.npz", ["theirs"], against=against, **terms)
    return score


def test_the_page_of_the_contract_tells_the_truth_about_imports():
    code = (
        "import sys, ganzoo.eval\n"
        "assert not {'numpy', 'scipy', 'tensorflow'} & set(sys.modules)\n"
        "from ganzoo.eval import *\n"
        "from ganzoo.eval import Extractor, UnsuitedError, evaluate, Terms, Score, Pair, Rows\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_name_that_is_not_there_is_an_attribute_error():
    assert set(ganzoo.eval.__all__) <= set(dir(ganzoo.eval))
    with pytest.raises(AttributeError, match="no attribute 'extractor_of'"):
        _ = ganzoo.eval.extractor_of


@pytest.mark.usefixtures("_shades")
def test_a_metric_gets_what_it_names_row_by_row(site):
    score = by_theirs(site, ALIGNED)
    expected = {"real": KEEP, "labelled": False, "train": 400, "extractor": "shade", "judged": 500}
    assert score.value == 2
    assert {name: score.details[name] for name in expected} == expected
    assert score.label == "theirs of theirs 1.0 (shade abababab, 40 vs test 10k)"
    assert score.protocol["sha256"] == "ab" * 32


@pytest.mark.usefixtures("_shades")
def test_a_metric_that_names_nothing_more_is_called_as_before(site):
    text = "def Theirs(real, fake, **more): return len(more) + ('rng' in more)"
    score = by_theirs(site, text)
    assert score.value == 2
    assert score.label == "theirs of theirs 1.0 (40 vs test 10k)"
    assert "extractor" not in score.protocol


@pytest.mark.usefixtures("_shades")
def test_labels_alone_load_no_network(site):
    text = "def Theirs(real, fake, *, labels): return len(labels.real)"
    score = by_theirs(site, text)
    assert (score.value, "extractor" in score.protocol) == (KEEP, False)


def test_without_a_classifier_there_are_no_logits(site):
    text = "def Theirs(real, fake, rng, logits=1): return logits is None"
    install(site, "theirs", "ganzoo.metrics", "theirs", text)
    np.save("points.npy", np.ones((9, 2), np.float32))
    (score,) = evaluate("points.npy", ["theirs"], against="ring")
    assert score.value == 1


@pytest.mark.usefixtures("_shades")
def test_a_metric_without_training_samples_has_no_meaning(site):
    text = "def Theirs(real, fake, *, train): return len(train().samples)"
    with pytest.raises(UnsuitedError, match="needs a data set with a training split"):
        by_theirs(site, text, split="train")


@pytest.mark.usefixtures("_shades")
def test_the_training_samples_are_as_large_as_the_runs(site):
    text = "def Theirs(real, fake, *, train): return train().samples.shape[1]"
    install(site, "theirs", "ganzoo.metrics", "theirs", text)
    fake = Endless("grey", np.zeros((12, 12, 1), np.uint8))
    fake.data, fake.size = "shades", 12
    (score,) = evaluate(fake, ["theirs"])
    assert score.value == 12


def test_a_metric_that_asks_for_too_much_is_told_what_there_is(site, capsys):
    install(site, "theirs", "ganzoo.metrics", "taste", "def Theirs(real, fake, *, mood): return 1")
    np.save("points.npy", np.ones((9, 2), np.float32))
    code, _, err = call(capsys, "eval", "points.npy", "ring", "--metric", "taste")
    assert (code, err.count("\n")) == (1, 1)
    assert "'taste' of theirs 1.0 is broken: it asks for 'mood'" in err
    assert "may ask for rng, features, logits, labels, train, extractor, judging" in err


@pytest.mark.usefixtures("_shades")
def test_a_data_set_of_others_is_judged_by_its_own_count_extractor_and_classes():
    sample = np.full((8, 8, 1), 70, np.uint8)
    found = evaluate(Endless("grey", sample), ["modes", "fid"], against="shades")
    scores = {score.metric: score for score in found}
    assert scores["modes"].label == "modes of 4 (shade abababab, 500 vs test 12k)"
    assert scores["modes"].details["missing"] == [0, 2, 3]
    assert scores["fid"].details["judging"] == "of shades"


def test_points_of_others_say_their_modes(site):
    install(site, "two", "ganzoo.datasets", "two", MODES)
    found = evaluate(Endless("one", np.float32([5, 5])), ["modes"], against="two")
    assert found[0].label == "modes of 2 (raw values, 123 vs test 100)"
    assert found[0].value == 1


def test_an_extractor_that_is_not_installed_is_said_to_be_wanted(site):
    install(site, "shades", "ganzoo.datasets", "shades", SHADES)
    fake = Endless("grey", np.zeros((8, 8, 1), np.uint8))
    with pytest.raises(GanzooError, match="shades test wants to be judged by the features 'shade'"):
        evaluate(fake, ["fid"], against="shades")


def test_all_leaves_out_what_does_not_fit_and_goes_on(site):
    install(site, "theirs", "ganzoo.metrics", "theirs", "def Theirs(real, fake, mood): return 1")
    said: list[str] = []
    view = Silent()
    view.say = said.append
    fake = Endless("p", np.float32([0, 0]))
    found = evaluate(fake, ["modes", "theirs"], against="ring", skip_unsuited=True, view=view)
    assert found[0].protocol["samples"] == data.load("ring").judging.samples == 2500
    assert any("theirs is left out" in line for line in said)
