"""Label accuracy and FID by class: counted by hand, by closed forms, and where they are refused."""

from __future__ import annotations

import numpy as np
import pytest

from ganzoo.data import Judging
from ganzoo.errors import UsageError
from ganzoo.eval.conditional import fid_by_class, label_accuracy
from ganzoo.eval.features.simple import RawValues
from ganzoo.eval.frechet import frechet_distance, gaussian
from ganzoo.eval.metrics import METRICS, Sides, UnsuitedError, Value
from ganzoo.eval.sources import Generated
from ganzoo.eval.summary import Summary
from ganzoo.exporting import Output
from ganzoo.inputs import Input
from ganzoo.priors import Label, Normal
from ganzoo.sampling import Sampler

RNG = np.random.default_rng
CLASSES = np.arange(600) % 3
PLACES = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 8.0]])


def says(labels: np.ndarray, classes: int = 3) -> np.ndarray:
    """A classifier that is certain."""
    return np.eye(classes)[labels]


def blobs(labels: np.ndarray = CLASSES, seed: int = 0) -> np.ndarray:
    """Points about each class's place."""
    return PLACES[labels] + RNG(seed).standard_normal((len(labels), 2))


# -- label accuracy -------------------------------------------------------------------------------


def test_samples_of_the_class_asked_for_are_a_1_and_of_the_next_a_0():
    assert label_accuracy(CLASSES, says(CLASSES))["label_accuracy"] == 1
    assert label_accuracy(CLASSES, says((CLASSES + 1) % 3))["label_accuracy"] == 0


def test_a_generator_that_knows_no_class_is_right_by_chance():
    found = label_accuracy(CLASSES, says(RNG(0).permutation(np.repeat([0, 1, 2], 200))))
    assert found["label_accuracy"] == pytest.approx(1 / 3, abs=0.05)


def test_each_class_has_its_share_its_count_and_what_it_was_taken_for():
    found = label_accuracy(np.array([0, 0, 0, 0, 2, 2]), says(np.array([0, 0, 0, 1, 2, 0])))
    assert found["label_accuracy"] == pytest.approx(4 / 6)
    assert found["per_class"] == {0: 0.75, 2: 0.5}
    assert found["counts"] == {0: 4, 2: 2}
    assert found["confusion"] == {0: [0.75, 0.25, 0.0], 2: [0.5, 0.0, 0.5]}


def test_the_order_of_the_samples_does_not_matter():
    order = RNG(1).permutation(600)
    p = RNG(0).dirichlet([1, 1, 1], 600)
    one, other = label_accuracy(CLASSES, p), label_accuracy(CLASSES[order], p[order])
    assert one.pop("confidence") == pytest.approx(other.pop("confidence"))
    assert one == other


@pytest.mark.parametrize("asked", [CLASSES[:-1], CLASSES + 1, CLASSES.astype(float), CLASSES - 1])
def test_classes_that_fit_no_sample_are_refused(asked):
    with pytest.raises(UsageError, match="asked label"):
        label_accuracy(asked, says(CLASSES))


# -- FID by class ---------------------------------------------------------------------------------


def test_the_same_samples_in_any_order_are_no_distance_apart():
    order = RNG(2).permutation(600)
    found = fid_by_class(blobs(), CLASSES, blobs()[order], CLASSES[order])
    assert found["fid_by_class"] == pytest.approx(0, abs=1e-9)


def test_a_class_that_is_moved_is_its_squared_way_from_home():
    way = np.array([[3.0, 4.0], [0.0, 0.0], [0.0, 1.0]])
    found = fid_by_class(blobs(), CLASSES, blobs() + way[CLASSES], CLASSES)
    assert found["per_class"] == pytest.approx({0: 25, 1: 0, 2: 1}, abs=1e-9)
    assert found["fid_by_class"] == pytest.approx(26 / 3)


def test_classes_that_are_mixed_up_are_a_distance_within_classes_and_none_over_all():
    swapped = np.array([1, 0, 2])[CLASSES]
    found = fid_by_class(blobs(), CLASSES, blobs(), swapped)
    assert frechet_distance(blobs(), blobs()) == pytest.approx(0, abs=1e-9)
    assert found["per_class"][2] == pytest.approx(0, abs=1e-9)
    assert found["per_class"][0] == pytest.approx(36, rel=0.1)


def test_each_class_is_the_frechet_distance_of_its_samples_and_says_how_many_they_are():
    real, fake, labels = blobs(seed=1), blobs(CLASSES[:500], seed=2), CLASSES[:500]
    found = fid_by_class(real, CLASSES, fake, labels)
    expected = frechet_distance(real[CLASSES == 2], fake[labels == 2])
    assert found["per_class"][2] == pytest.approx(expected)
    assert found["counts"] == {0: 167, 1: 167, 2: 166}
    assert found["real_counts"] == {0: 200, 1: 200, 2: 200}


def test_a_class_that_nobody_asked_for_is_refused_and_no_mean_of_the_others():
    with pytest.raises(UsageError, match="found 0 that were asked to be of class 1"):
        fid_by_class(blobs(), CLASSES, blobs()[CLASSES != 1], CLASSES[CLASSES != 1])


# -- as metrics -----------------------------------------------------------------------------------


class Eyes(RawValues):
    classes = 3


def judged(name: str, *, labelled: bool = True, classified: bool = True, right: float = 1.0):
    """The metric's value where 3 of 4 samples are of the class that was asked for."""
    said = np.where(RNG(3).random(600) < right, CLASSES, (CLASSES + 1) % 3)
    off = np.where(np.arange(600) % 4, CLASSES, (CLASSES + 1) % 3)

    def side(name: str, seen: np.ndarray, labels: np.ndarray | None, seed: int) -> Summary:
        points = blobs(seen, seed).astype(np.float32)
        logits = 10 * says(seen if seed else said)
        return Summary(name, 600, gaussian(points), points, points, np.arange(600), logits, labels)

    real, train = side("reals", CLASSES, CLASSES, 0), side("train", CLASSES, CLASSES, 1)
    fake = side("fakes", off, CLASSES if labelled else None, 2)
    if right < 0:  # nobody can tell the reals apart
        object.__setattr__(real, "features", RNG(5).standard_normal((600, 2)))
    sides = Sides(real, fake, Eyes(2), classified, Judging(), lambda: train, RNG(0))
    (value,) = METRICS[name].compute(sides)
    assert isinstance(value, Value)
    return value


@pytest.mark.parametrize(
    ("classified", "right", "title"),
    [
        (True, 0.97, "label accuracy"),
        (True, 0.5, "label accuracy by 5 neighbours"),
        (False, 1.0, "label accuracy by 5 neighbours"),
    ],
)
def test_the_metric_asks_a_classifier_that_knows_the_reals(classified, right, title):
    found = judged("label-accuracy", classified=classified, right=right)
    assert found.title == title
    assert found.value == pytest.approx(0.75, abs=0.01)
    assert found.details["classifier_accuracy"] > 0.9
    assert found.better == "higher"


def test_the_metric_of_classes_says_how_many_each_had():
    found = judged("fid-by-class")
    assert found.title == "Frechet distance by class, mean of 3, 200 each"
    assert found.settings == {"samples_per_class": 200, "reference_per_class": 200}
    assert found.value == pytest.approx(np.mean(list(found.details["per_class"].values())))
    assert "200 samples are fewer than" in found.details["cautions"][0]


@pytest.mark.parametrize("name", ["label-accuracy", "fid-by-class"])
def test_samples_that_nobody_asked_for_by_class_are_refused(name):
    with pytest.raises(UnsuitedError, match="fakes is not conditional"):
        judged(name, labelled=False)


def test_a_classifier_that_does_not_know_the_reals_is_not_asked():
    with pytest.raises(UnsuitedError, match=r"no classifier here knows reals: .* by 5 neighbours"):
        judged("label-accuracy", classified=False, right=-1.0)


@pytest.mark.parametrize("shape", [(), (3,)])
@pytest.mark.parametrize(("settings", "labels"), [({}, [0, 1, 2, 0]), ({"y": 2}, [2, 2, 2, 2])])
def test_the_classes_of_a_runs_samples_are_those_that_it_was_fed(shape, settings, labels):
    sampler, source = Sampler.__new__(Sampler), Generated.__new__(Generated)
    label = Input("y", shape, "float32" if shape else "int32", Label(3))
    sampler.inputs = [Input("z", (2,), "float32", Normal()), label]
    sampler.outputs = [
        Output(n, "point", (2,), None, e) for n, e in (("a", ("z", "y")), ("b", "z"))
    ]
    source.sampler, source.settings, source.output = sampler, settings, sampler.outputs[0]
    assert source.labels(4, 0).tolist() == labels
    source.output, source.settings = sampler.outputs[1], {}
    assert source.labels(4, 0) is None
