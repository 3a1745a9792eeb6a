"""The report: what a run folder says stands on one page, and nothing else happens."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from test_cli import call

from ganzoo import pictures
from ganzoo.errors import UsageError
from ganzoo.eval.diagnosis.findings import Finding
from ganzoo.eval.report import axis, curves, run_facts, stored_pictures
from ganzoo.eval.report.curves import Line, Mark, chart
from ganzoo.eval.report.page import html, report
from ganzoo.eval.report.panels import histogram
from ganzoo.eval.scores import Score
from ganzoo.files import write_atomic
from ganzoo.run import RunDir

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = "<script>alert(1)</script>\"'><img src=http://evil.example/x>{{ 7*7 }}"


def noise(n: int = 4, side: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 1), np.uint8)


def make(path: Path, **config: Any) -> RunDir:
    """A run of 100 steps whose discriminator won at step 60."""
    run = RunDir.create(path)
    fields = {"steps": 100, "g_lr": 0.5, "batch_size": 128}
    run.write_config({"plugin": "dcgan", "fields": fields, "data": "digits", "seed": 7} | config)
    for step in range(10, 101, 10):
        row = {"generator_loss": 1.0, "discriminator_loss": 2.0, "generator_grad_norm": 10.0 / step}
        run.append_metrics({"step": step, **row, "d_accuracy_real": 0.75, "real_logits": 0.5})
    alarm = Finding("saturated_discriminator", "failure", 60, 40, "D wins.", {}, "Slow it.", "")
    run.append_finding(alarm.as_json())
    for step in range(10, 101, 10):
        write_atomic(run.picture(f"step-{step:08d}"), pictures.grid(noise()))
    write_atomic(run.picture("real"), pictures.grid(noise()))
    return run


def score(run: RunDir, value: float, samples: int = 10, seed: int = 0, **more: Any) -> Path:
    protocol = {"extractor": "net", "samples": samples, "seed": seed}
    label = f"FID (net, {samples} vs test 10)"
    return Score("fid", label, value, protocol, better="lower", step=100, **more).save(run)


def page(*runs: RunDir) -> str:
    return html([run_facts.read(run.path) for run in runs])


def words(text: str) -> str:
    """What a reader sees of a page."""
    return " ".join(re.sub(r"<[^>]*>", " ", text.partition("</head>")[2] or text).split())


# -- the page -------------------------------------------------------------------------------------


def test_a_page_says_what_happened_and_how_the_run_was_made(tmp_path):
    run = make(tmp_path / "a")
    score(run, 1.25)
    found = words(page(run))
    for said in (
        "dcgan on digits, interrupted at step 100 of 100, seed 7",
        "saturated discriminator failure, step 60, since 40 D wins. Slow it.",
        "FID (net, 10 vs test 10) ↓",
        "1.25 at step 100",
        "Gradient norms generator",
        "step 10 ",
        "step 100 real samples",
        "g_lr 0.5 (0.0002)",  # not the plugin's default
        "batch_size 128 ",
    ):
        assert said in found, said
    assert "healthy" not in found


def test_a_warning_that_became_a_failure_is_told_once(tmp_path):
    run = make(tmp_path / "a")
    for step, severity, name in (
        (30, "warning", "saturated_discriminator"),
        (70, "warning", "saturated_discriminator"),
        (90, "warning", "oscillation"),
    ):
        run.append_finding(Finding(name, severity, step, 20, "Soon.").as_json())
    found = words(page(run))
    assert "failure, step 60, since 40, warned at 30 D wins." in found
    assert found.count("saturated discriminator") == 1
    assert "oscillation warning, step 90, since 20 Soon." in found


def test_a_page_asks_for_nothing_outside_itself(tmp_path):
    text = page(make(tmp_path / "a"))
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text
    assert set(re.findall(r'(?:src|href)="([^":]*)', text)) == {"data"}
    assert not re.search(r"url\(|@import|<script|https?://", text)


def test_runs_share_a_row_of_scores_only_by_protocol(tmp_path):
    runs = [make(tmp_path / name) for name in "abc"]
    for run, samples, value in zip(runs, (10, 10, 99), (1.0, 2.0, 3.0), strict=True):
        score(run, value, samples)
    score(runs[0], 2.0, seed=1)
    text = page(*runs)
    rows = re.findall(r'<tr><th scope="row"><details>.*?</tr>', text, re.S)
    cells = [[words(cell) for cell in re.findall(r"<td>.*?</td>", row)] for row in rows]
    assert cells == [
        ["1.5 ± 0.71 over 2 seeds at step 100", "2 at step 100", "\N{EN DASH}"],
        ["\N{EN DASH}", "\N{EN DASH}", "3 at step 100"],
    ]


def test_settings_in_which_runs_differ_are_shaded(tmp_path):
    text = page(make(tmp_path / "a"), make(tmp_path / "b", seed=8))
    assert re.findall(r'<tr class="differs"><th scope="row">(\w+)', text) == ["seed"]


def test_classes_come_from_the_newest_score_and_else_from_the_last_row(tmp_path):
    run = make(tmp_path / "a")
    run.append_metrics({"step": 110, "classes": [0.25, 0.75], "real_classes": [0.5, 0.5]})
    assert histogram(run_facts.read(run.path)).fake == [0.25, 0.75]
    details = {"histogram": [1.0, 0.0], "real_histogram": [0.4, 0.6], "missing": [1]}
    Score("modes", "modes of 2", 1, {"samples": 10}, step=100, details=details).save(run)
    found = histogram(run_facts.read(run.path))
    assert (found.fake, found.real, found.missing) == ([1.0, 0.0], [0.4, 0.6], [1])
    assert "class 1: 0.0%, real 60.0%" in found.draw(1.0)
    assert 'class="bar missing"' in found.draw(1.0)


def test_nearest_neighbours_are_shown(tmp_path):
    run = make(tmp_path / "a")
    pairs = {"pairs": pictures.grid(noise(8))}
    Score("memorization", "copies", 1.0, {"samples": 10}, step=100, pictures=pairs).save(run)
    assert "right of it, its nearest training image" in words(page(run))


# -- strangers and damage -------------------------------------------------------------------------


def test_what_a_stranger_wrote_is_text_and_nothing_else(tmp_path):
    fields = {HOSTILE: HOSTILE, "steps": HOSTILE}
    run = make(tmp_path / "a", plugin=HOSTILE, data=HOSTILE, fields=fields, record={HOSTILE: 1})
    run.append_metrics({"step": 110, f"{HOSTILE}_loss": 1.0, "generator_loss": 1e308})
    hostile = dict.fromkeys(("name", "severity", "message", "remedy"), HOSTILE)
    run.append_finding({**hostile, "step": 1, "command": "ganzoo list; rm -rf ."})
    Score("fid", HOSTILE, 1.0, {HOSTILE: HOSTILE}, better=HOSTILE, step=1).save(run)
    text = page(run)
    assert "<script" not in text
    assert "<img src=http" not in text
    assert "rm -rf" not in text
    assert "{{ 7*7 }}" in text


@pytest.mark.filterwarnings("ignore:.* is no score file")
def test_what_is_missing_or_damaged_is_left_out_with_a_line(tmp_path):
    run = make(tmp_path / "a")
    run.picture("step-00000010").write_bytes(b"\x89PNG\r\n\x1a\n")
    score(run, 1.0).write_text('{"value": "high"}')
    (run.path / "metrics.jsonl").write_text('{"step": -1}\n[]\n{"st')
    (run.path / "findings.jsonl").unlink()
    with pytest.warns(UserWarning, match="is damaged and read without line 1"):
        found = words(page(run))
    assert "samples/step-00000010.png is no PNG that can be read: left out." in found
    assert re.search(r"eval/fid-\S+ is no score file, and is left out: it has no metric.", found)
    assert "metrics.jsonl holds no row that can be read: no curves, no diagnosis." in found
    assert "Curves" not in found


def test_a_configuration_alone_makes_a_page(tmp_path):
    (tmp_path / "config.yaml").write_text("plugin: dcgan\n")
    assert "No row of metrics: nothing is known." in words(page(RunDir(tmp_path)))


def test_links_are_not_followed(tmp_path):
    run = make(tmp_path / "a")
    other = tmp_path / "private.png"
    run.picture("real").rename(other)
    run.picture("real").symlink_to(other)
    assert run_facts.read(run.path).real is None


def test_values_without_bounds_still_make_a_chart():
    values = [1e308, -1e308, 1e-320, 0.0, 5.0, float("nan")] * 30
    for kind in ("auto", "log", "linear", "unit"):
        y = axis.axis(values, kind=kind)
        text = chart([Line("x", range(180), values)], title="x", y=y, last=179)
        assert "nan" not in re.sub(r"<title>.*?</title>", "", text)


# -- curves ---------------------------------------------------------------------------------------


def test_a_finding_stands_where_it_was_raised_and_shades_from_where_it_began():
    mark = Mark(1, "failure", since=25, step=50, title="x")
    text = chart([], title="x", y=axis.axis([0, 1]), last=100, marks=[mark])
    left, right = curves.LEFT, curves.RIGHT
    middle, quarter = (left + right) / 2, left + (right - left) / 4
    assert f'<path d="M{middle} ' in text
    assert f'<rect x="{quarter}"' in text
    assert 'class="mark failure"' in text


def test_no_peak_is_lost_among_many_rows():
    points = [(i, 0.0) for i in range(10_000)]
    points[7777] = (7777, 9.0)
    kept = curves.thin(points, 50)
    assert (7777, 9.0) in kept
    assert len(kept) <= 100


def test_a_value_that_is_not_finite_gets_a_cross_and_a_gap():
    values = [1.0, 2.0, float("nan"), float("nan"), 3.0]
    text = chart([Line("loss", range(5), values)], title="x", y=axis.axis(values), last=4)
    assert text.count('class="cross"') == 1
    assert "loss is nan from step 2 on" in text
    assert re.search(r'class="line s0" d="M[^"]*M[^"]*"', text)


@pytest.mark.parametrize(
    ("values", "kind", "expected", "labels"),
    [
        ([0.2, 0.9], "unit", "linear", "0 0.2 0.4 0.6 0.8 1.0"),
        ([0.01, 100], "auto", "log", "0.01 0.1 1 10 100"),
        ([2, 30], "log", "log", "2 5 10 20"),
        ([0.2, 50], "log", "log", "0.3 1 3 10 30"),
        ([3, 5], "log", "linear", "3.0 3.5 4.0 4.5 5.0"),
        ([-1, 2], "auto", "linear", "\N{MINUS SIGN}1 0 1 2"),
        ([-1, 1, 1, 2, 5000], "auto", "signed log", "0 10 100 1,000"),
        ([-900, 1, 1, 2, 5000], "auto", "signed log", "\N{MINUS SIGN}10 0 10 1,000"),
    ],
)
def test_axes_have_round_ticks_and_suit_their_values(values, kind, expected, labels):
    found = axis.axis(values, kind=kind)
    assert found.kind == expected
    assert " ".join(label for _, label in found.ticks) == labels
    places = [found.place(value) for value in values]
    assert places == sorted(places)
    assert 0 <= places[0] < places[-1] <= 1


# -- pictures and the command ---------------------------------------------------------------------


def test_a_picture_is_made_to_fit():
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8))
    assert len(stored_pictures.data_uri(picture, 10**6)) > 160_000
    assert len(stored_pictures.data_uri(picture, 20_000)) <= 20_000


def test_the_command_writes_one_small_file_about_the_newest_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "runs" / "a")
    code, out, err = call(capsys, "report")
    assert (code, err) == (0, "")
    assert out.startswith("the newest run: runs/a\nruns/a/report.html  (0.")
    text = Path("runs/a/report.html").read_text()
    assert text.startswith("<!doctype html>")
    call(capsys, "report", "runs/a", "runs/a", "--out", "two.html")
    assert Path("two.html").read_text().count("<h1>") == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "no run in runs/: name one"),
        (["nowhere"], "no run at nowhere"),
        (["."] * 13, "a report takes 1 to 12 runs, not 13"),
    ],
)
def test_a_report_that_cannot_be_made_is_one_sentence(
    arguments, sentence, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    code, _, err = call(capsys, "report", *arguments)
    assert code == 2
    assert sentence in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_report_of_no_run_is_refused(tmp_path):
    with pytest.raises(UsageError, match="1 to 12 runs, not 0"):
        report([], tmp_path / "x.html")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
def test_a_browser_draws_the_page(tmp_path):
    runs = [make(tmp_path / name).path for name in "ab"]
    report(runs, tmp_path / "page.html")
    picture, log = tmp_path / "page.png", tmp_path / "log"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=900,2000"]
    with log.open("wb") as errors:
        subprocess.run(
            [CHROMIUM, *options, f"--screenshot={picture}", (tmp_path / "page.html").as_uri()],
            stderr=errors,
            timeout=60,
            check=True,
        )
    assert "CONSOLE" not in log.read_text(errors="replace")  # nothing was refused by the page
    drawn = np.asarray(Image.open(picture).convert("RGB")).reshape(-1, 3)
    for colour in ((0xC0, 0x27, 0x2D), (0x25, 0x63, 0xB0)):  # an alarm, and the first curve
        assert (drawn == colour).all(1).sum() > 50


def test_a_flipped_bit_in_a_picture_is_damage():
    png = pictures.grid(np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 1)).astype("f"))
    whole = stored_pictures.decoded(png).tobytes()
    for place in range(0, len(png), 29):
        flipped = bytearray(png)
        flipped[place] ^= 4
        found = stored_pictures.decoded(bytes(flipped))
        assert found is None or found.tobytes() == whole, place
