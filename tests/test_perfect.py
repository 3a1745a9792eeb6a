"""What perfect is: real samples in the samples' place; equal counts, cautions, known modes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator

import numpy as np
import pytest
from test_cli import call

from ganzoo.data import Judging, Modes, points, stacked
from ganzoo.eval import evaluation, metrics, perfect, scores, sources, summary
from ganzoo.eval.evaluation import evaluate
from ganzoo.eval.features.simple import PerChannel, RawValues
from ganzoo.eval.frechet import gaussian
from ganzoo.eval.metrics import METRICS, Metric, Sides, Value
from ganzoo.eval.scores import Score
from ganzoo.eval.summary import Summary
from ganzoo.run import RunDir

RNG = np.random.default_rng


@pytest.fixture(autouse=True)
def few_subsets(monkeypatch):
    monkeypatch.setattr(metrics, "SUBSETS", 2)


class Listening(evaluation.Silent):
    """A view that remembers what was said, and how many samples of what went by."""

    def __init__(self):
        self.said: list[str] = []
        self.begun: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def start(self, what: str, total: int) -> None:
        self.begun.append(what)


def cloud(n: int = 500, seed: int = 0) -> sources.Stored:
    return sources.Stored("f", RNG(seed).standard_normal((n, 2)).astype(np.float32))


def of(name: str, found: list[Score]) -> Score:
    return next(score for score in found if score.metric == name)


# -- real samples in the samples' place -----------------------------------------------------------


def test_perfect_is_the_very_score_of_as_many_training_samples():
    names = ["fid", "kid", "prdc", "modes", "swd"]
    found = evaluate(cloud(), names, against="ring", seed=3)
    train = sources.reference("ring", split="train").drawn(500)
    again = evaluate(train, names, against="ring", seed=3)
    assert {s.metric: s.perfect for s in found} == {s.metric: s.value for s in again}
    assert [s.column for s in found] == [s.column for s in again]


def test_of_the_training_split_the_test_split_is_what_perfect_comes_from():
    (found,) = evaluate(cloud(), ["swd"], against="ring", split="train")
    test = sources.reference("ring", split="test").drawn(500)
    (again,) = evaluate(test, ["swd"], against="ring", split="train")
    assert found.perfect == again.value > 0


def test_without_another_split_nothing_is_said_to_be_perfect_and_one_line_says_why():
    view = Listening()
    found = evaluate(cloud(), ["swd", "prdc"], against=cloud(seed=1), view=view, seeds=2)
    assert {score.perfect for score in found} == {None}
    (line,) = [line for line in view.said if "perfect" in line]
    assert line.startswith("what perfect is, is not known of swd, prdc: f has no other split")


def test_more_samples_than_there_are_real_ones_are_left_without_a_perfect_score():
    view = Listening()
    fake = sources.Stored("f", RNG(0).integers(0, 256, (1500, 16, 16, 1), np.uint8))
    names = ["kid", "prdc", "psnr"]
    found = evaluate(fake, names, against="digits", view=view, skip_unsuited=True)
    assert of("kid", found).perfect is None
    assert 0 < of("recall", found).perfect <= 1  # of 359 samples, as many as the test split has
    assert "not known of kid: digits train holds 1,438 samples, and 1,500 are needed." in str(
        view.said
    )


def test_who_asks_for_no_perfect_score_pays_for_none():
    view = Listening()
    (found,) = evaluate(cloud(), ["swd"], against="ring", perfect=False, view=view)
    assert found.perfect is None
    assert not any("train" in what for what in view.begun)


def test_a_metric_is_told_once_what_perfect_is(monkeypatch, tmp_path):
    """Other checkpoints and later evaluations ask for the same number."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    calls: list[int] = []

    def compute(sides: Sides) -> Iterator[Value]:
        calls.append(len(sides.fake.samples))
        yield Value("counted", "counted", float(sides.rng.random()))

    monkeypatch.setitem(METRICS, "counted", Metric("counted", "Calls.", compute))
    fakes = [(cloud(seed=i), None) for i in range(3)]
    monkeypatch.setattr(evaluation, "_sources", lambda *_: iter(fakes))
    view = Listening()
    found = evaluate("three checkpoints", ["counted"], against="ring", view=view)
    assert calls == [500] * 4
    evaluate(cloud(), ["counted"], against="ring")
    assert calls == [500] * 7  # another evaluation of the same data asks the disk
    evaluate(cloud(), ["counted"], against="ring", seed=1)
    assert calls == [500] * 11
    assert len({score.value for score in found} | {score.perfect for score in found}) == 1
    assert view.begun.count("ring train, in the samples' place") == 1
    assert len(list((tmp_path / "ganzoo" / "references").iterdir())) == 2
    (one, other) = (tmp_path / "ganzoo" / "perfect").iterdir()
    one.write_text("{")
    other.write_text('{"counted": "much"}')
    again = evaluate(cloud(), ["counted"], against="ring")
    assert {score.perfect for score in again} == {found[0].perfect}


def test_what_is_remembered_is_found_by_all_that_it_depends_on():
    real, other, third = cloud(), cloud(seed=1), cloud(seed=2)
    labelled = dataclasses.replace(other, classes=np.arange(500) % 2)
    judged = dataclasses.replace(real, judging=points.judging("ring"))
    seen_by = RawValues(2)
    asked = [
        ("swd", seen_by, real, other),
        ("prdc", seen_by, real, other),
        ("swd", RawValues(3), real, other),
        ("swd", seen_by, other, real),
        ("swd", seen_by, real, third),
        ("swd", seen_by, real, labelled),
        ("swd", seen_by, judged, other),
    ]
    places = [perfect.place(*one, seed=0) for one in asked]
    places.append(perfect.place(*asked[0], seed=1))
    assert len(set(places)) == len(places)
    same = dataclasses.replace(real, name="by another name")
    assert perfect.place("swd", seen_by, same, other, seed=0) == places[0]


def test_a_file_keeps_what_perfect_is_and_older_files_know_of_none(tmp_path):
    run = RunDir.create(tmp_path / "a")
    run.write_config({"plugin": "dcgan"})
    protocol = {"samples": 10, "seed": 0}
    Score("fid", "FID (10)", 2.0, protocol, step=5, better="lower", perfect=0.5).save(run)
    (found,) = scores.read(run)
    assert (found.value, found.perfect) == (2.0, 0.5)
    (path,) = (tmp_path / "a" / "eval").iterdir()
    older = {k: v for k, v in found.as_json().items() if k != "perfect"}
    path.write_text(json.dumps(older))
    (old,) = scores.read(run)
    assert (old.value, old.perfect) == (2.0, None)
    assert old.column == found.column


def test_the_table_the_comparison_and_the_report_say_what_perfect_is(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", cloud().values)
    code, out, _ = call(capsys, "eval", "a.npy", "ring", "--swd")
    assert code == 0
    assert out.splitlines()[1].split()[:3] == ["score", "value", "perfect"]
    code, out, _ = call(capsys, "eval", "a.npy", "ring", "--swd", "--json")
    (score,) = json.loads(out)["scores"]
    assert 0 < score["perfect"] < score["value"] / 4
    code, out, _ = call(capsys, "eval", "a.npy", "ring", "--swd", "--no-perfect", "--json")
    assert json.loads(out)["scores"][0]["perfect"] is None
    run = RunDir.create(tmp_path / "run")
    run.write_config({"plugin": "dcgan"})
    protocol = {"samples": 10, "seed": 0}
    Score("fid", "FID (10)", 2.0, protocol, step=5, better="lower", perfect=0.1234).save(run)
    code, out, _ = call(capsys, "compare", "run")
    assert "fid: FID (10); lower is better; perfect is 0.1234" in out
    call(capsys, "report", "run", "--out", "page.html")
    page = (tmp_path / "page.html").read_text()
    assert '<th scope="col">perfect</th>' in page
    assert "<td>0.1234</td>" in page


# -- counts ---------------------------------------------------------------------------------------


def test_neighbours_and_projections_are_those_of_as_many_reals_as_samples():
    names = ["prdc", "swd", "fid"]
    found = evaluate(cloud(300), names, against=cloud(1200, seed=1), perfect=False)
    counts = {s.metric: (s.protocol["samples"], s.protocol["reference_samples"]) for s in found}
    assert counts.pop("fid") == (300, 1200)
    assert set(counts.values()) == {(300, 300)}
    assert "300 vs 300" in of("swd", found).label


def test_coverage_does_not_move_with_the_count_of_the_reference():
    """Of all 3,000 reals few would have a sample as near as their fifth neighbour."""
    fake = cloud(300)
    (few, many) = (
        of("coverage", evaluate(fake, ["prdc"], against=cloud(n, seed=1), perfect=False)).value
        for n in (300, 3000)
    )
    assert many == pytest.approx(few, abs=0.05)
    assert few > 0.9


def test_a_part_of_the_kept_rows_is_the_same_part_every_time():
    found = summary.summarize(cloud(100), 100, RawValues(2), seed=0)
    part = found.part(30)
    assert np.array_equal(part.samples, found.samples[part.kept])
    assert np.array_equal(part.features, found.features[part.kept])
    assert np.array_equal(part.kept, found.part(30).kept)
    assert (part.n, len(part.kept)) == (100, 30)
    assert found.part(100) is found


@pytest.mark.parametrize(
    ("metric", "n", "words"),
    [
        ("prdc", 300, "300 samples on either side and not 2,500: recall, coverage"),
        ("swd", 300, "300 samples on either side and not 2,500"),
        ("fid", 2500, "this distance sees the mean and covariance and no modes"),
        ("kid", 2500, "this distance sees the moments up to the third and no modes"),
        ("kid", 300, "KID of subsets of 300 samples and not 1,000"),
    ],
)
def test_a_number_that_misleads_comes_with_a_caution(metric, n, words):
    view = Listening()
    found = evaluate(cloud(n), [metric], against="ring", view=view, perfect=False, seeds=2)
    assert sum(words in line for line in view.said) == 1  # of both seeds, and of all four of prdc
    assert any(words in line for line in found[0].details["cautions"])


def test_the_usual_count_needs_no_caution():
    view = Listening()
    evaluate(cloud(2500), ["prdc", "swd"], against="ring", view=view, perfect=False)
    assert view.said == []


def test_few_samples_make_a_classifier_score_that_is_cautioned():
    logits = RNG(0).standard_normal((400, 3)).astype(np.float32)
    (value,) = METRICS["is"].compute(sides(np.zeros((400, 2), np.float32), logits))
    assert "10 splits of 40 samples" in value.details["cautions"][0]


# -- modes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [("ring", "modes"), ("swissroll", "swd"), ("screws", "wasserstein"), ("digits", "fid")],
)
def test_without_a_metric_the_one_is_taken_that_sees_structure(name, expected):
    real = sources.reference(name, split="test")
    assert metrics.suited(real.shape, real.judging) == [expected]


def test_a_cloud_with_the_covariance_of_the_ring_is_seen_through_by_default():
    ring = sources.reference("ring", split="train").values
    values = RNG(0).multivariate_normal(ring.mean(0), np.cov(ring.T), 2500).astype(np.float32)
    fake = sources.Stored("f", values)
    fid = of("fid", evaluate(fake, ["fid"], against="ring"))
    assert fid.value < 0.01
    found = evaluate(fake, against="ring")
    assert [s.metric for s in found] == ["modes", "high_quality", "modes_kl", "modes_kl_good"]
    quality = of("high_quality", found)
    assert quality.value < 0.02
    assert quality.perfect > 0.98


def test_the_labels_say_which_divergence_of_which_samples_in_which_unit():
    found = evaluate(cloud(), ["modes"], against="ring", perfect=False)
    assert of("modes_kl", found).label.startswith("modes KL(all samples || uniform) in nats (")
    assert of("modes_kl_good", found).label.startswith("modes KL(good samples || uniform) in nats")
    assert of("modes_kl", found).perfect == pytest.approx(7 / 1000, rel=0.02)


def sides(samples: np.ndarray, logits: np.ndarray, confusion: np.ndarray | None = None) -> Sides:
    flat = samples.reshape(len(samples), -1)[:, :2].astype(np.float32)
    side = Summary(
        "f", len(samples), gaussian(flat), flat, samples, np.arange(len(samples)), logits, None
    )
    judging = Judging(per_channel=True, classifier=confusion is not None)
    return Sides(
        side,
        side,
        PerChannel(RawValues(2)),
        confusion is not None,
        judging,
        lambda: side,
        RNG(0),
        confusion=lambda: confusion,
    )


def test_stacked_modes_stand_beside_those_that_the_classifiers_errors_explain():
    """Two triples, the second misread of the first's last digit: of 5,000 samples 50 are."""
    confusion = np.diag(np.full(10, 10_000))
    confusion[8, 9] = 100
    digits = np.tile([3, 5, 8], (5000, 1))
    digits[:50, 2] = 9
    logits = (30 * np.eye(10)[digits]).reshape(5000, 30)
    found = {
        value.name: value
        for value in METRICS["modes"].compute(
            sides(np.zeros((5000, 4, 4, 3), np.uint8), logits, confusion)
        )
    }
    assert found["modes"].value == 2
    assert found["modes_beyond"].value == 1
    assert 1 <= found["modes_misread"].value < 3  # and the rare ones that nobody saw
    assert found["modes_kl"].title == "modes KL(samples || uniform) in nats"
    floors = found["modes_kl"].details
    assert floors["kl_floor_of_uniform"] < floors["kl_floor"] < 1.1 * floors["kl_floor_of_uniform"]


def test_pacgans_stacks_are_drawn_of_all_digits_of_both_splits(monkeypatch):
    from ganzoo import data

    digits = {split: data.load("digits", split=split) for split in ("train", "test")}
    monkeypatch.setattr(
        "ganzoo.data.standard.load",
        lambda _, size, split: dataclasses.replace(digits[split], name="mnist"),
    )
    monkeypatch.setattr(stacked, "DRAWN", {"train": 4000, "test": 500})
    train, test = (data.load("stacked_mnist_pacgan", split=split) for split in ("train", "test"))
    assert (len(train), len(test)) == (4000, 500)
    both = np.concatenate([digits[split].arrays["image"] for split in ("train", "test")])[..., 0]
    known = {image.tobytes() for image in both}
    channels = [train.arrays["image"][..., channel] for channel in range(3)]
    seen = [{image.tobytes() for image in channel} for channel in channels]
    assert all(images <= known for images in seen)
    of_test = {image.tobytes() for image in digits["test"].arrays["image"][..., 0]}
    assert len(set.union(*seen) & of_test) > 350
    assert len(seen[0]) < 4000  # with replacement
    assert train.judging == data.load("stacked_mnist").judging
    assert train.judging.channels_of == "mnist"


def test_a_data_set_with_one_mode_or_none_is_judged_by_a_distance():
    one = Judging(modes=Modes(np.zeros((1, 2)), 0.1))
    assert metrics.suited((2,), one) == ["swd"]
    assert metrics.suited((2,), points.judging("grid")) == ["modes"]
