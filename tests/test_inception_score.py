"""Inception score: its two bounds, its splits, and what it does not see."""

from __future__ import annotations

import numpy as np
import pytest

from ganzoo.errors import UsageError
from ganzoo.eval.inception_score import inception_score, inception_score_of_logits


def test_certain_and_balanced_predictions_score_the_number_of_classes():
    assert inception_score(np.tile(np.eye(7), (10, 1)), splits=2) == {
        "is": pytest.approx(7),
        "is_std": pytest.approx(0, abs=1e-12),
    }


@pytest.mark.parametrize("p", [np.full((50, 5), 0.2), np.tile([[1.0, 0, 0]], (50, 1))])
def test_predictions_that_are_all_alike_score_one(p):
    assert inception_score(p)["is"] == pytest.approx(1)


def test_it_is_the_exponential_of_the_mean_divergence_within_each_split():
    p = np.random.default_rng(0).dirichlet(np.ones(4), 60)
    scores = []
    for part in (p[:20], p[20:40], p[40:]):
        kl = (part * (np.log(part) - np.log(part.mean(0)))).sum(1)
        scores.append(np.exp(kl.mean()))
    found = inception_score(p, splits=3)
    assert found == {"is": pytest.approx(np.mean(scores)), "is_std": pytest.approx(np.std(scores))}


def test_a_dropped_class_lowers_it_and_so_does_doubt():
    p = np.tile(np.eye(5), (20, 1))
    dropped = inception_score(p[p[:, 0] == 0], splits=1)["is"]
    doubtful = inception_score(0.8 * p + 0.04, splits=1)["is"]
    assert dropped == pytest.approx(4)
    assert doubtful < 5


def test_logits_score_what_their_probabilities_do_however_large_they_are():
    logits = np.random.default_rng(0).standard_normal((40, 6))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert inception_score_of_logits(logits)["is"] == pytest.approx(inception_score(p)["is"])
    assert inception_score_of_logits(1e4 * np.tile(np.eye(6), (10, 1)))["is"] == pytest.approx(6)


def test_one_split_does_not_care_for_the_order():
    p = np.random.default_rng(0).dirichlet(np.ones(4), 60)
    a, b = (inception_score(x, splits=1)["is"] for x in (p, p[::-1]))
    assert a == pytest.approx(b, rel=1e-12)


@pytest.mark.parametrize(
    ("p", "splits", "said"),
    [
        (np.ones((50, 4)), 10, "softmax"),
        (np.full((50, 4), np.nan), 10, "200 of 200"),
        (np.full((5, 4), 0.25), 10, "1 to 2 splits"),
        (np.full((1, 4), 0.25), 1, "at least 2 samples"),
    ],
)
def test_what_is_no_probability_or_too_few_is_refused(p, splits, said):
    with pytest.raises(UsageError, match=said):
        inception_score(p, splits=splits)
