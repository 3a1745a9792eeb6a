"""`evaluate` and `compare`: the right samples meet the right reference, and the number says so."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_cli import call
from test_completion import offered

from ganzoo import data
from ganzoo.cli import main
from ganzoo.errors import GanzooError, UsageError
from ganzoo.eval import evaluation, metrics, scores, sources, summary
from ganzoo.eval.evaluation import evaluate
from ganzoo.eval.extractor import Extractor
from ganzoo.eval.features.simple import NoFeatures, PerChannel, RawValues
from ganzoo.eval.frechet import frechet_distance
from ganzoo.eval.scores import Score
from ganzoo.run import RunDir


def points(n: int = 300, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1, (n, 2)).astype(np.float32)


def noise(n: int = 40, side: int = 16, channels: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, channels), np.uint8)


def values(found: list[Score]) -> dict[str, float]:
    return {score.metric: score.value for score in found}


class Mean(Extractor):
    """A network's place: the mean of each channel, and its negative."""

    name, sha256, preprocessing, dim, batch = "mean", "ab" * 32, "none", 2, 7

    def compute(self, images: np.ndarray) -> tuple[np.ndarray, None]:
        mean = images.reshape(len(images), -1).mean(1)
        return np.stack([mean, -mean], 1).astype(np.float32), None


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("eval") / "ring"
    config = path.parent / "c.yaml"
    config.write_text("checkpoint_every: 2\nlog_every: 2\n")
    options = ["--data", "ring", "--steps", "6", "--batch-size", "8", "--config", str(config)]
    main(["train", "mlp_gan", *options, "--outdir", str(path), "--quiet"])
    return path


# -- summaries ------------------------------------------------------------------------------------


def test_a_summary_holds_the_moments_of_all_samples_and_keeps_a_part():
    source = sources.Stored("s", points(1234))
    found = summary.summarize(source, 1234, RawValues(2), seed=3, keep=100)
    assert np.allclose(found.gaussian.covariance, np.cov(source.values.T), rtol=1e-6)
    assert found.features.shape == (100, 2) == found.samples.shape
    assert np.array_equal(found.samples, source.values[found.kept])


def test_a_reference_is_remembered_by_its_content_and_not_by_its_name(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    calls = []

    class Counting(Mean):
        def compute(self, images):
            calls.append(len(images))
            return super().compute(images)

    def summarized(name: str, images: np.ndarray, extractor: Extractor) -> np.ndarray:
        source = sources.Stored(name, images)
        return summary.summarize_stored(source, extractor).gaussian.mean

    first = summarized("a", noise(), Counting())
    seen = len(calls)
    assert np.array_equal(summarized("b", noise(), Counting()), first)
    assert len(calls) == seen
    assert not np.array_equal(summarized("a", noise(seed=1), Counting()), first)
    other = Counting()
    other.sha256 = "cd" * 32
    calls.clear()
    summarized("a", noise(), other)
    assert calls


def test_a_damaged_memory_is_computed_again(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    source = sources.Stored("a", noise())
    first = summary.summarize_stored(source, Mean())
    (stored,) = tmp_path.rglob("*.npz")
    stored.write_bytes(stored.read_bytes()[:200])
    again = summary.summarize_stored(source, Mean())
    assert np.array_equal(first.features, again.features)


def test_channels_are_extracted_one_by_one():
    images = noise(channels=3)
    features, logits = PerChannel(Mean())(images)
    assert logits is None
    assert np.allclose(features[:, 2], images[..., 1].mean((1, 2)))


# -- evaluate -------------------------------------------------------------------------------------


def test_two_sets_of_points_are_compared_without_a_run():
    real, fake = sources.Stored("r", points(seed=1)), sources.Stored("f", points(shift=2.0))
    (score,) = evaluate(fake, ["fid"], against=real)
    assert score.value == pytest.approx(frechet_distance(real.values, fake.values))
    assert score.label == "Frechet distance (raw values, 300 vs 300)"
    assert score.protocol["fingerprint"] == real.fingerprint


def test_the_same_seed_gives_the_same_score_to_the_last_digit(run):
    names = ["fid", "kid", "prdc", "modes", "swd", "memorization"]
    first, second = (values(evaluate(run, names, samples=200)) for _ in range(2))
    assert first == second
    assert values(evaluate(run, ["kid"], samples=200))["kid"] == first["kid"]
    assert values(evaluate(run, ["fid"], samples=200, seed=1))["fid"] != first["fid"]


def test_a_run_is_judged_against_the_data_that_it_was_trained_on(run):
    found = evaluate(run, ["modes"])
    assert found[0].protocol["reference"] == "ring test"
    assert found[0].protocol["samples"] == 2500
    assert found[0].details["of"] == 8


def test_every_checkpoint_and_every_seed_gets_its_own_file(run):
    for old in (run / "eval").glob("*"):
        old.unlink()
    steps = RunDir(run).checkpoints()
    found = evaluate(run, ["fid"], checkpoint="every", seeds=2, samples=50)
    assert [score.step for score in found] == [step for step in steps for _ in range(2)]
    assert len(list((run / "eval").glob("fid-*.json"))) == 2 * len(steps)
    assert {score.value for score in scores.read(RunDir(run))} == {s.value for s in found}


def test_metrics_of_pixels_need_no_network():
    fake, real = sources.Stored("f", noise()), sources.Stored("r", noise(seed=1))
    found = values(evaluate(fake, ["swd", "ms-ssim"], against=real))
    assert found["swd"] > 0
    assert abs(found["ms_ssim"]) < 0.2


def test_all_metrics_leave_out_what_has_no_meaning_and_say_so():
    said: list[str] = []
    view = evaluation.Silent()
    view.say = said.append
    real, fake = (sources.Stored("x", points(seed=seed)) for seed in (1, 2))
    found = evaluate(fake, ["fid", "is", "modes"], against=real, skip_unsuited=True, view=view)
    assert [score.metric for score in found] == ["fid"]
    cautions = [line for line in said if line.startswith("warning: ")]
    assert "300 samples are fewer than 10000" in cautions[0]
    left_out, unknown = [line for line in said if line not in cautions][:2], said[-1]
    assert [line.split()[0] for line in left_out] == ["is", "modes"]
    assert unknown.startswith("what perfect is, is not known of fid: x has no other split")
    with pytest.raises(UsageError, match="needs class logits"):
        evaluate(fake, ["is"], against=real)


def test_identical_samples_are_scored_and_mentioned():
    said: list[str] = []
    view = evaluation.Silent()
    view.say = said.append
    fake = sources.Stored("f", np.zeros((50, 2), np.float32))
    found = values(
        evaluate(fake, ["fid", "prdc"], against=sources.Stored("r", points()), view=view)
    )
    assert found["recall"] == 0
    assert said[0] == "all samples of f are identical."


@pytest.mark.parametrize(
    ("fake", "terms", "words"),
    [
        (points(300), {"samples": 400}, "holds 300 samples, 400 are asked for"),
        (points(300), {"samples": 1}, "expected 2 to 10,000,000 samples, not 1"),
        (points(300), {"features": "mnist"}, "their own features"),
        (points(300), {"seeds": 0}, "expected 1 to 1,000 seeds, not 0"),
        (points(300), {"colour": 1}, "unknown keyword of evaluate 'colour'"),
        (points(300)[:, :1], {}, "samples of 1 and r of 2"),
        (np.full((9, 2), np.nan, np.float32), {}, "not"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(fake, terms, words):
    with pytest.raises(GanzooError, match=words):
        evaluate(sources.Stored("f", fake), ["fid"], against=sources.Stored("r", points()), **terms)


def test_an_unknown_metric_is_offered_its_neighbour():
    with pytest.raises(UsageError, match="did you mean 'fid'"):
        evaluate(sources.Stored("f", points()), ["fidd"], against=sources.Stored("r", points()))


# -- sources --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "pixels", "expected"),
    [
        (np.array([0, 200], np.uint8), "auto", [0, 200]),
        (np.array([-1.0, 1.0]), "auto", [0, 255]),
        (np.array([0.0, 1.0]), "auto", [0, 255]),
        (np.array([0.0, 1.0]), "0..255", [0, 1]),
        (np.array([0.0, 1.0]), "-1..1", [128, 255]),
        (np.array([-0.2, 0.2]), "-1..1", [102, 153]),
    ],
)
def test_the_range_of_a_file_is_told_apart_or_said(tmp_path, array, pixels, expected):
    images = np.broadcast_to(array[:, None, None], (2, 6, 6))
    np.savez(tmp_path / "s.npz", image=images)
    found = sources.stored(str(tmp_path / "s.npz"), pixels=pixels)
    assert found.values[:, 0, 0, 0].tolist() == expected


def test_a_range_that_could_mean_several_things_is_asked_for(tmp_path):
    np.savez(tmp_path / "s.npz", image=np.full((3, 6, 6), 0.05))
    with pytest.raises(GanzooError, match="--pixels says which"):
        sources.stored(str(tmp_path / "s.npz"))
    np.savez(tmp_path / "s.npz", image=np.full((3, 6, 6), 7.0))
    with pytest.raises(UsageError, match=r"expected pixels in 0\.\.1, found"):
        sources.stored(str(tmp_path / "s.npz"), pixels="0..1")


def test_a_folder_keeps_the_size_of_its_images_and_names_what_differs(tmp_path):
    for i in range(3):
        Image.fromarray(noise(1)[0, :, :12, 0]).save(tmp_path / f"{i}.png")
    assert sources.stored(str(tmp_path)).shape == (16, 12, 1)
    Image.fromarray(noise(1, 20)[0, :, :, 0]).save(tmp_path / "large.png")
    with pytest.raises(UsageError, match="2 sizes, from 12x16 to 20x20: say --size"):
        sources.stored(str(tmp_path))
    assert sources.stored(str(tmp_path), size=8).values.shape == (4, 8, 8, 1)


@pytest.mark.parametrize(
    ("checkpoint", "expected"), [("best", [2]), ("last", [6]), ("every", [2, 4, 6]), ("4", [4])]
)
def test_a_checkpoint_is_chosen_by_word_or_step(tmp_path, checkpoint, expected):
    folder = RunDir.create(tmp_path / "r")
    folder.write_config({})
    for step, score in ((2, 0.1), (4, 0.3), (6, 0.2)):
        folder.append_metrics({"step": step, "score": score})
        folder.save_checkpoint(step, {})
        folder.prune_checkpoints(folder.scored())
    assert sources.steps(folder, checkpoint) == expected
    with pytest.raises(UsageError, match="has no checkpoint of step 5"):
        sources.steps(folder, "5")


def test_stacked_digits_show_three_of_the_set_in_each_image(monkeypatch):
    digits = dataclasses.replace(data.load("digits"), name="mnist")
    monkeypatch.setattr("ganzoo.data.standard.load", lambda *_: digits)
    stacks = data.load("stacked_mnist").arrays["image"]
    grey = digits.arrays["image"][..., 0]
    assert stacks.shape == (len(grey), *grey.shape[1:], 3)
    order = np.lexsort(grey.reshape(len(grey), -1).T)
    for channel in range(3):
        one = stacks[..., channel]
        again = np.lexsort(one.reshape(len(one), -1).T)
        assert np.array_equal(one[again], grey[order])
    assert not np.array_equal(stacks[..., 0], stacks[..., 1])


# -- compare --------------------------------------------------------------------------------------


def score(value: float, seed: int = 0, samples: int = 100, **more: object) -> Score:
    protocol = {"samples": samples, "seed": seed, "fingerprint": "f", "ganzoo": "1"}
    return Score("fid", f"FID ({samples})", value, protocol, step=5, better="lower", **more)


def run_with(path: Path, *found: Score) -> str:
    folder = RunDir.create(path)
    folder.write_config({"plugin": "dcgan"})
    for one in found:
        one.save(folder)
    return str(path)


def test_compare_gives_mean_and_spread_over_seeds(tmp_path, capsys):
    a = run_with(tmp_path / "a", score(1.0), score(3.0, seed=1))
    code, out, _ = call(capsys, "compare", a, "--json")
    (row,) = json.loads(out)
    assert code == 0
    assert row["scores"]["fid"] == {"mean": 2.0, "spread": pytest.approx(2**0.5), "seeds": 2}


def test_compare_puts_no_two_protocols_in_one_column(tmp_path, capsys):
    a = run_with(tmp_path / "a", score(1.0))
    b = run_with(tmp_path / "b", score(2.0, samples=200))
    code, out, _ = call(capsys, "compare", a, b)
    assert code == 0
    assert "fid [1]  fid [2]" in out
    assert "fid [1]: FID (100)" in out
    code, out, _ = call(capsys, "compare", a, b, "--json")
    assert [list(row["scores"]) for row in json.loads(out)] == [["fid [1]"], ["fid [2]"]]


def test_compare_without_scores_says_how_to_make_them(tmp_path, capsys):
    code, _, err = call(capsys, "compare", run_with(tmp_path / "a"))
    assert code == 1
    assert "ganzoo eval" in err


def test_an_infinite_score_survives_its_file(tmp_path):
    folder = RunDir(run_with(tmp_path / "a", score(float("inf"), details={"kl": float("nan")})))
    (found,) = scores.read(folder)
    assert found.value == float("inf")
    assert found.details["kl"] == "nan"


# -- the command ----------------------------------------------------------------------------------


def test_eval_prints_scores_of_the_newest_run_and_names_it(run, capsys, monkeypatch):
    monkeypatch.chdir(run.parent.parent)
    (Path.cwd() / "runs").symlink_to(run.parent)
    code, out, _ = call(capsys, "eval", "--fid", "--modes", "--samples", "100")
    assert code == 0
    assert out.startswith("the newest run: runs/ring")
    assert "Frechet distance (raw values, 100 vs test 100k)" in out
    code, out, err = call(capsys, "eval", "--fid", "--samples", "100", "--json")
    assert json.loads(out)["scores"][0]["metric"] == "fid"
    assert "the newest run" in err


def test_a_row_of_the_table_is_a_flag_with_help_and_part_of_all(tmp_path, capsys, monkeypatch):
    def compute(sides: metrics.Sides) -> Iterator[metrics.Value]:
        yield metrics.Value("new-born", "new", 7.0)

    row = metrics.Metric("new-born", "How new they are.", compute, features=False)
    monkeypatch.setitem(metrics.METRICS, "new-born", row)
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", points(9))
    assert "How new they are." in call(capsys, "eval", "--help")[1]
    _, out, _ = call(capsys, "eval", "a.npy", "ring", "--new-born")
    assert "new (9 vs test 10k)  7" in out
    _, out, _ = call(capsys, "eval", "a.npy", "ring", "--all", "--json")
    assert json.loads(out)["scores"][-1]["metric"] == "new-born"
    assert "--new-born" in offered("eval --new")


@pytest.mark.parametrize("name", ["fid", "kid", "is", "prdc", "modes", "swd", "ms-ssim"])
def test_a_flag_chooses_its_metric_and_no_other(name, capsys, monkeypatch):
    asked: list[list[str]] = []

    def judge(target: str, names: list[str], **_: object) -> list[Score]:
        asked.append(names)
        return []

    monkeypatch.setattr(evaluation, "evaluate", judge)
    call(capsys, "eval", "samples.npz", "mnist", f"--{name}")
    call(capsys, "eval", "samples.npz", "mnist")
    assert asked == [[name], []]


def test_the_command_line_costs_no_science():
    code = (
        "import sys, ganzoo.cli\n"
        "from ganzoo.eval.metrics import METRICS\n"
        "assert not {'scipy', 'sklearn', 'tensorflow'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_page_lists_the_flags_as_the_table_has_them():
    rows = ["| flag | what it is |", "|---|---|"]
    rows += [f"| `--{name}` | {metric.help} |" for name, metric in metrics.METRICS.items()]
    page = Path(__file__).parent.parent / "docs" / "metrics.md"
    assert "\n".join(rows) in page.read_text(), "expected:\n" + "\n".join(rows)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["eval"], 2, "no run in runs/"),
        (["eval", "nowhere"], 2, "nowhere holds no samples"),
        (["eval", "a.npy"], 2, "say what a.npy is to be compared with"),
        (["eval", "a.npy", "mnits"], 2, "did you mean 'mnist'"),
        (["eval", "bad.npz", "ring"], 1, "truncated, damaged or no array file"),
        (["eval", "pickle.npy", "ring"], 1, "pickled Python objects"),
        (["eval", "nan.npy", "ring"], 1, "NaN or infinite values in 1 of 9"),
        (["eval", "one.npy", "ring"], 2, "at least 2 samples"),
    ],
)
def test_eval_answers_bad_input_in_one_sentence(
    tmp_path, monkeypatch, capsys, arguments, code, words
):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", points(9))
    np.save("one.npy", points(1))
    np.save("nan.npy", np.where(np.arange(18).reshape(9, 2) == 4, np.nan, 0.5))
    np.save("pickle.npy", np.array([{}], object), allow_pickle=True)
    np.savez("bad.npz", a=points(9))
    Path("bad.npz").write_bytes(Path("bad.npz").read_bytes()[:100])
    before = sorted(tmp_path.iterdir())
    found, _, err = call(capsys, *arguments)
    assert found == code
    assert words in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_no_features_cost_nothing():
    features, logits = NoFeatures()(noise())
    assert features.shape == (40, 1)
    assert logits is None


def test_the_range_that_floats_are_read_in_is_said(tmp_path):
    np.savez(tmp_path / "half.npz", image=noise().astype(np.float32) / 255)
    said: list[str] = []
    view = evaluation.Silent()
    view.say = said.append
    real = sources.Stored("r", noise(seed=1))
    evaluate(str(tmp_path / "half.npz"), ["swd"], against=real, view=view)
    assert "are read as 0..1 (--pixels says otherwise)" in said[0]
