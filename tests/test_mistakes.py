"""Mistakes in code: what they leave in the rows is named, and what only looks like them is not."""

from __future__ import annotations

import numpy as np
import pytest
from test_diagnostics import BAD, TOTAL, alarms, changed, healthy

from ganzoo import data
from ganzoo.eval.diagnosis.monitor import diagnose
from ganzoo.eval.diagnosis.rules_code import RULES
from ganzoo.eval.diagnosis.variety import Variety


def with_looks(rows: list[dict], **values) -> list[dict]:
    """The rows, with more signals of every look."""
    return [row | (values if "score" in row else {}) for row in rows]


SWAPPED = {"real_logits": -3.0, "fake_logits": 3.0, "discriminator_loss": 0.1}
SWAPPED |= {"d_accuracy_real": 0.02, "d_accuracy_fake": 0.01}
SIGMOID = {"real_logits": 0.95, "fake_logits": 0.1, "discriminator_loss": 1.1}
SIGMOID |= {"real_logits_std": 0.1, "fake_logits_std": 0.1, "d_accuracy_fake": 0.0}
MISTAKES = {
    "swapped_labels": changed(0.0, **SWAPPED, **BAD),
    "double_sigmoid": changed(0.0, **SIGMOID, **BAD),
    "wrong_range": with_looks(changed(0.0, **BAD), outside=0.0, unreached=0.8),
    "ignored_labels": with_looks(healthy(), label_agreement=0.11),
    "inference_mismatch": with_looks(changed(0.0, **BAD), score_in_training=0.5),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_and_the_text_says_where_to_look(name):
    found = diagnose(MISTAKES[name], total_steps=TOTAL, run="runs/mine", fields={"g_lr": 1e-3})
    [alarm] = [f for f in found if f.severity == "failure" and f.name == name]
    assert alarm.step <= (0.7 if name == "ignored_labels" else 0.4) * TOTAL
    assert alarm.remedy.startswith(("Look at", "Look whether", "Let the"))
    assert alarm.command == ""  # no setting mends code


def test_every_mistake_is_tried_here():
    assert {rule.name for rule in RULES} == set(MISTAKES)


def test_a_discriminator_that_is_merely_beaten_was_taught_right():
    beaten = SWAPPED | {"discriminator_loss": 6.1}  # what such logits cost a D that is right
    assert "swapped_labels" not in alarms(changed(0.0, **beaten, **BAD), total_steps=TOTAL)


def test_a_discriminator_of_fakes_says_by_its_accuracy_that_it_is_right():
    right = SWAPPED | {"d_accuracy_real": 0.9, "d_accuracy_fake": 0.9}
    assert "swapped_labels" not in alarms(changed(0.0, **right, **BAD), total_steps=TOTAL)


@pytest.mark.parametrize(
    "other",
    [
        {"discriminator_loss": 0.5},  # a least-squares loss wants logits of 0 and 1
        {"fake_logits_std": 0.6},  # no numbers from 0 to 1 spread so far
        {"d_accuracy_fake": 0.2},  # some are below 0
        {"fake_logits": -0.1},
        {"real_logits": 0.4},  # as of a D that learns nothing
    ],
    ids=["least squares", "wide", "some below 0", "mean below 0", "nothing learnt"],
)
def test_logits_that_need_not_come_from_a_sigmoid_are_left_alone(other):
    assert "double_sigmoid" not in alarms(changed(0.0, **SIGMOID | other, **BAD))


def test_a_mistake_that_the_samples_survive_is_no_alarm():
    assert alarms(changed(0.0, **SWAPPED), total_steps=TOTAL) == []
    assert alarms(changed(0.0, **SIGMOID), total_steps=TOTAL) == []


def test_a_range_that_is_reached_late_is_no_mistake():
    rows = with_looks(healthy(), outside=0.0, unreached=0.0)
    for row in rows[: TOTAL // 1000]:
        row |= {"unreached": 0.8} if "score" in row else {}
    assert alarms(rows, total_steps=TOTAL) == []


def test_labels_that_are_obeyed_a_little_are_not_ignored():
    assert alarms(with_looks(healthy(), label_agreement=0.3), total_steps=TOTAL) == []


def test_labels_that_are_learnt_late_are_warned_of_at_most():
    rows = with_looks(healthy(), label_agreement=0.3)
    rows = [row | {"label_agreement": 0.1} if row["step"] < 4500 else row for row in rows]
    rows = [row for row in rows if row["step"] % 500 == 0 or row.pop("label_agreement", 1)]
    found = [f for f in diagnose(rows, total_steps=TOTAL) if f.name == "ignored_labels"]
    assert [f.severity for f in found] == ["warning"]


def test_labels_of_collapsed_samples_are_not_judged():
    rows = with_looks(changed(0.0, diversity=0.1, **BAD), label_agreement=0.1)
    found = alarms(rows, total_steps=TOTAL)
    assert "mode_collapse" in found
    assert "ignored_labels" not in found


def test_samples_that_are_bad_by_their_mode_have_not_collapsed():
    collapsed = changed(0.0, diversity=0.1, classes=[1.0] + [0.0] * 9, **BAD)
    assert "mode_collapse" in alarms(collapsed, total_steps=TOTAL)
    found = alarms(with_looks(collapsed, score_in_training=0.5), total_steps=TOTAL)
    assert "inference_mismatch" in found
    assert "mode_collapse" not in found


def test_a_lone_sample_has_collapsed_and_runs_nowhere():
    hops = {"classes": lambda _, row: list(np.eye(10)[row["step"] // 500 % 3])}
    rows = changed(0.0, diversity=0.0, duplicates=1.0, **hops, **BAD)
    found = [f for f in diagnose(rows, total_steps=TOTAL) if f.severity == "failure"]
    assert [f.name for f in found if f.name in ("mode_collapse", "oscillation")] == [
        "mode_collapse"
    ]
    assert "whatever z is" in next(f for f in found if f.name == "mode_collapse").message


def test_a_generator_that_never_used_its_z_has_collapsed_though_its_score_falls():
    rows = changed(0.0, diversity=0.0, duplicates=1.0, classes=[1.0] + [0.0] * 9, precision=0.0)
    assert "mode_collapse" in alarms(rows, total_steps=TOTAL)
    rows = changed(0.0, diversity=0.05, duplicates=1.0, precision=0.0, score=9.0)
    assert "mode_collapse" not in alarms(rows, total_steps=TOTAL)  # an untrained one's first look


def test_the_class_asked_for_is_that_of_the_nearest_real():
    digits = data.load("digits")
    flat = digits.arrays["image"].reshape(len(digits), -1) / 127.5 - 1
    variety = Variety(flat, 200, labels=digits.arrays["label"], classes=10)
    own, labels = flat[:300], digits.arrays["label"][:300]
    assert variety.neighbours(own, labels)["label_agreement"] == 1.0
    shifted = (labels + 1) % 10
    assert variety.neighbours(own, shifted)["label_agreement"] == 0.0
    assert "label_agreement" not in variety.neighbours(own)
