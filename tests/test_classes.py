"""Modes of labelled images: whose word is taken on which class a sample is of."""

from __future__ import annotations

import numpy as np
import pytest

from ganzoo.data import Judging
from ganzoo.eval.frechet import gaussian
from ganzoo.eval.metrics import METRICS, Sides, UnsuitedError
from ganzoo.eval.summary import Summary


class Eyes:
    """An extractor by name alone."""

    name, label = "mnist-cnn", "mnist-cnn 00000000"


def blobs(n: int, seed: int, right: float = 1.0, without: int | None = None) -> Summary:
    """Four classes, 10 apart in 5 dimensions, with a classifier that is so often right."""
    bits = np.random.Generator(np.random.Philox(seed))
    labels = (np.arange(n) % 4).astype(np.int32)
    labels = labels[labels != without]
    n = len(labels)
    features = (10 * np.eye(5)[labels] + bits.standard_normal((n, 5))).astype(np.float32)
    said = np.where(bits.random(n) < right, labels, (labels + 1) % 4)
    logits = 10 * np.eye(4, dtype=np.float32)[said]
    samples = np.zeros((n, 4, 4, 1), np.uint8)
    return Summary("b", n, gaussian(features), features, samples, np.arange(n), logits, labels)


def modes(classified: bool, right: float, **changes):
    train, real, fake = blobs(400, 0, right), blobs(200, 1, right), blobs(200, 2, right, without=2)
    for name, value in changes.items():
        object.__setattr__(train, name, value)
    rng = np.random.Generator(np.random.Philox(0))
    judging = Judging(classifier=classified)
    sides = Sides(real, fake, Eyes(), classified, judging, lambda: train, rng)
    return next(iter(METRICS["modes"].compute(sides)))


@pytest.mark.parametrize(
    ("classified", "right", "title"),
    [
        (True, 0.97, "modes of 4"),
        (True, 0.6, "modes of 4 by 5 neighbours"),
        (False, 1.0, "modes of 4 by 5 neighbours"),
    ],
)
def test_a_class_without_samples_is_missed_by_whoever_is_trusted(classified, right, title):
    value = modes(classified, right)
    assert value.title == title
    assert value.details["missing"] == [2]
    assert value.details["classifier_accuracy"] > 0.94


def test_without_labels_there_are_no_modes_of_classes():
    with pytest.raises(UnsuitedError, match="has none"):
        modes(False, 1.0, labels=None)
