"""The monitor: every failure by name on rows that show it, none on rows that do not."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from click.testing import CliRunner

from ganzoo.cli import cli
from ganzoo.errors import GanzooError, UsageError
from ganzoo.eval.diagnosis import records
from ganzoo.eval.diagnosis.findings import Finding
from ganzoo.eval.diagnosis.monitor import Monitor, diagnose
from ganzoo.eval.diagnosis.rules_players import cycle

TOTAL, EVERY, LOOK = 10_000, 100, 500


def healthy(seed: int = 0) -> list[dict]:
    """Rows of a run that learns: losses near chance, a falling score, all ten classes."""
    bits = np.random.Generator(np.random.Philox(seed))
    rows = []
    for step in range(EVERY, TOTAL + 1, EVERY):
        noise = bits.normal(1, 0.05, 12)
        done = step / TOTAL
        row = {
            "step": step,
            "seconds": step / 10,
            "generator_loss": 1.2 * noise[0],
            "discriminator_loss": 1.1 * noise[1],
            "generator_grad_norm": 2 * noise[2],
            "discriminator_grad_norm": 3 * noise[3],
            "d_accuracy_real": 0.75 * noise[4],
            "d_accuracy_fake": 0.75 * noise[5],
            "real_logits": 0.8 * noise[6],
            "fake_logits": -0.8 * noise[7],
            "real_logits_std": 1.0,
            "fake_logits_std": 1.0,
        }
        if step % LOOK == 0:
            row |= {
                "score": 10 * math.exp(-4 * done) * noise[8] + 0.5,
                "score_of_reals": 0.1,
                "diversity": min(1.0, 0.4 + done) * noise[9],
                "duplicates": 0.01,
                "precision": min(0.8, done),
                "recall": min(0.7, done),
                "copies": 0.01,
                "classes": (bits.dirichlet([50] * 10)).round(6).tolist(),
                "real_classes": [0.1] * 10,
                "real_logits_train": 0.8,
                "real_logits_heldout": 0.7 * noise[10],
                "real_logits_train_std": 1.0,
                "fake_logits_sampled": -0.8 * noise[7],
            }
        rows.append(row)
    return rows


def changed(since: float, looks_too: bool = True, **values) -> list[dict]:
    """Healthy rows whose values are others from this part of the run on.

    A value may be a function of (old value, row); a key that only looks have stays theirs.
    """
    rows = healthy()
    for row in rows:
        for name, value in values.items():
            if row["step"] > since * TOTAL and name in row:
                row[name] = value(row[name], row) if callable(value) else value
    return rows


ONE_CLASS = [1.0] + [0.0] * 9
BAD = {"score": lambda *_: 9.0, "precision": 0.1, "recall": 0.0}
"""Samples that never got better."""


def alarms(rows, **context) -> list[str]:
    return [f.name for f in diagnose(rows, **context) if f.severity == "failure"]


FAILURES = {
    "vanishing_gradient": changed(
        0.3,
        generator_grad_norm=1e-3,
        d_accuracy_real=1.0,
        d_accuracy_fake=1.0,
        discriminator_loss=0.01,
        **BAD,
    ),
    "saturated_discriminator": changed(
        0.1, d_accuracy_real=1.0, d_accuracy_fake=1.0, discriminator_loss=0.02, **BAD
    ),
    "dead_discriminator": changed(
        0.2, discriminator_loss=2.0, real_logits_std=0.0, fake_logits_std=0.0, **BAD
    ),
    "discriminator_beaten": changed(
        0.0,
        real_logits=0.5,
        fake_logits=9.0,
        d_accuracy_fake=0.0,
        discriminator_loss=9.5,
        **BAD | {"score": lambda _, row: 9 + row["step"] / TOTAL},
    ),
    "exploding": changed(0.4, generator_grad_norm=1e5, **BAD),
    "non_finite": changed(0.5, generator_loss=math.nan),
    "mode_collapse": changed(0.3, diversity=0.1, duplicates=0.97, **BAD),
    "partial_collapse": changed(0.2, classes=[0.0] * 4 + [1 / 6] * 6, **BAD),
    "oscillation": changed(
        0.1,
        classes=lambda _, row: list(np.eye(10)[row["step"] // LOOK % 3] * 0.6 + 0.04),
        **BAD,
    ),
    "late_degradation": changed(0.5, score=lambda *_: 6.0, precision=0.1),
    "stagnation": changed(0.0, **BAD),
    "memorization": changed(0.3, copies=0.8),
    "discriminator_overfitting": changed(0.3, real_logits_heldout=-0.7, **BAD),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_named_before_the_run_is_over(name):
    found = [f for f in diagnose(FAILURES[name], total_steps=TOTAL) if f.severity == "failure"]
    named = [f for f in found if f.name == name]
    assert len(named) == 1, [f.name for f in found]
    assert named[0].since <= named[0].step <= 0.8 * TOTAL
    assert named[0].remedy
    assert named[0].message.endswith(".")
    json.dumps(named[0].as_json(), allow_nan=False)


@pytest.mark.parametrize("total", [TOTAL, None], ids=["length known", "length unknown"])
@pytest.mark.parametrize("seed", range(6))
def test_a_healthy_run_raises_nothing_and_is_said_to_be_healthy_with_evidence(seed, total):
    found = diagnose(healthy(seed), total_steps=total)
    assert [f.name for f in found if f.severity != "info"] == []
    assert found[-1].name == "healthy"
    assert found[-1].evidence["diversity"] > 0.8
    assert found[-1].evidence["curve"]["name"] == "score"


@pytest.mark.parametrize("name", FAILURES)
def test_the_monitor_never_looks_ahead(name):
    whole = Monitor(total_steps=TOTAL)
    for row in FAILURES[name]:
        whole.see(row)
    for cut in (40, 75):
        part = Monitor(total_steps=TOTAL)
        for row in FAILURES[name][:cut]:
            part.see(row)
        known = [f for f in whole.findings if f.step <= FAILURES[name][cut - 1]["step"]]
        assert part.findings == known


def test_a_finding_is_raised_once():
    names = [(f.name, f.severity) for f in diagnose(FAILURES["mode_collapse"], total_steps=TOTAL)]
    assert len(names) == len(set(names))


def test_a_winning_discriminator_is_a_warning_while_the_samples_get_better():
    rows = changed(0.1, d_accuracy_real=1.0, d_accuracy_fake=1.0, discriminator_loss=0.02)
    for row in rows:
        if "score" in row:
            row["score"] = 10 * math.exp(-8 * row["step"] / TOTAL)
    found = diagnose(rows, total_steps=TOTAL)
    assert ("saturated_discriminator", "warning") in [(f.name, f.severity) for f in found]
    assert alarms(rows, total_steps=TOTAL) == []


def test_a_discriminator_that_leads_while_the_average_forgets_its_start_is_a_warning():
    leads = {"discriminator_loss": 0.01, "d_accuracy_real": 1.0, "d_accuracy_fake": 1.0}
    rows = healthy()
    scores = iter([26, 32, 36, 34, 30, 25, 19, 14, 12, 10] + [8] * 10)
    for row in rows:
        if row["step"] < 0.4 * TOTAL:
            row |= leads
        if "score" in row:
            row["score"] = float(next(scores))
    found = [f for f in diagnose(rows, total_steps=TOTAL) if f.name == "saturated_discriminator"]
    assert [f.severity for f in found] == ["warning"]


def test_an_equilibrium_at_the_reals_floor_is_healthy():
    still = {"discriminator_loss": 1.386294, "generator_loss": 0.693147, "score": 0.003}
    still |= {"real_logits": 1e-4, "fake_logits": -1e-4, "precision": 1.0, "recall": 0.99}
    still |= {"real_logits_std": 0.01, "fake_logits_std": 0.01, "generator_grad_norm": 1e-7}
    rows = [row | {k: v for k, v in still.items() if k in row} for row in healthy()]
    rows = [row | {"score_of_reals": 0.003} if "score" in row else row for row in rows]
    assert [f.name for f in diagnose(rows, total_steps=TOTAL) if f.severity != "info"] == []


def test_logits_that_move_are_no_dead_discriminator_though_the_loss_stands():
    rows = changed(0.0, discriminator_loss=1.386294, generator_grad_norm=1.0, **BAD)
    assert "dead_discriminator" not in alarms(rows, total_steps=TOTAL)
    unknown = [{k: v for k, v in row.items() if not k.endswith("_std")} for row in rows]
    assert "dead_discriminator" in alarms(unknown, total_steps=TOTAL)


def test_a_collapse_that_passes_within_a_quarter_of_the_run_is_no_alarm():
    rows = changed(0.0, diversity=0.05, duplicates=1.0, classes=ONE_CLASS, **BAD)
    rows[25:] = healthy()[25:]
    assert alarms(rows, total_steps=TOTAL) == []
    assert "mode_collapse" in [f.name for f in diagnose(rows, total_steps=TOTAL)]


def test_one_bad_look_is_no_alarm():
    rows = healthy()
    looks = [row for row in rows if "score" in row]
    looks[9] |= {"score": 30.0, "diversity": 0.05, "duplicates": 1.0, "copies": 0.9}
    assert alarms(rows, total_steps=TOTAL) == []


def test_a_critic_that_separates_well_is_not_saturated():
    rows = changed(0.0, discriminator_loss=lambda loss, _: -0.05 * loss, d_accuracy_real=1.0)
    assert alarms(rows, total_steps=TOTAL) == []


def test_scores_as_low_as_those_of_reals_do_not_degrade():
    rows = changed(0.5, score=lambda *_: 0.04)
    for row in rows:
        if row["step"] > 0.7 * TOTAL and "score" in row:
            row |= {"score": 0.08, "precision": 0.1}  # twice the best, and still as reals score
    assert "late_degradation" in alarms([r | {"score_of_reals": 0.0} for r in rows])
    assert alarms(rows) == []


def test_a_score_that_rises_while_precision_and_recall_do_too_is_no_degradation():
    rows = changed(0.5, score=lambda *_: 6.0)
    assert "late_degradation" not in alarms(rows, total_steps=TOTAL)


def test_a_score_that_rises_while_only_the_diversity_falls_is_a_degradation():
    poor = {"precision": 1.0, "recall": 0.0, "duplicates": 0.5}
    worse = {"score": lambda v, _: 3 * v + 1, "diversity": 0.05}
    rows = [row | {k: v for k, v in poor.items() if k in row} for row in changed(0.6, **worse)]
    assert "late_degradation" in alarms(rows, total_steps=TOTAL)


@pytest.mark.parametrize("total", [TOTAL, None], ids=["length known", "length unknown"])
@pytest.mark.parametrize(
    ("halvings", "severities"), [(0.8, ["warning", "failure"]), (3.0, ["warning"])]
)
def test_a_collapse_that_stays_is_an_alarm_once_the_score_falls_slowly(halvings, severities, total):
    rows = changed(0.3, diversity=0.05, duplicates=1.0, classes=ONE_CLASS)
    for row in rows:
        if "score" in row:
            row["score"] = 20 * 0.5 ** (halvings * row["step"] / TOTAL)
    found = [f for f in diagnose(rows, total_steps=total) if f.name == "mode_collapse"]
    assert [f.severity for f in found] == severities
    assert found[-1].step <= 0.9 * TOTAL


def test_a_collapse_that_passes_while_the_score_falls_is_a_warning():
    rows = changed(0.3, diversity=0.05, duplicates=1.0, classes=ONE_CLASS)
    rows[55:] = healthy()[55:]
    found = [f for f in diagnose(rows, total_steps=TOTAL) if f.name == "mode_collapse"]
    assert [f.severity for f in found] == ["warning"]


@pytest.mark.parametrize(("gain", "severity"), [(0.0, "failure"), (2.0, "info")])
def test_samples_that_do_not_move_yet_are_no_failure_while_d_learns(gain, severity):
    bad = {"score": 9.0, "precision": 0.0, "recall": 0.0, "diversity": 0.6}
    rows = changed(0, **bad, real_logits=lambda _, row: 0.3 + gain * row["step"] / TOTAL)
    found = [f for f in diagnose(rows, total_steps=TOTAL) if f.name == "stagnation"]
    assert found[0].severity == severity


def test_late_degradation_names_the_best_step_and_the_hours():
    finding = next(f for f in diagnose(FAILURES["late_degradation"]) if f.severity == "failure")
    assert finding.evidence["best_step"] == finding.since <= TOTAL / 2
    wasted = (finding.step - finding.since) / 10 / 3600
    assert finding.evidence["wasted_hours"] == pytest.approx(wasted, abs=1e-3)


def test_missing_classes_are_listed():
    finding = next(
        f
        for f in diagnose(FAILURES["partial_collapse"], total_steps=TOTAL)
        if f.name == "partial_collapse"
    )
    assert finding.evidence["missing"] == [0, 1, 2, 3]
    assert "0, 1, 2, 3" in finding.message


def test_overfitting_is_measured_as_r_v():
    finding = next(
        f
        for f in diagnose(FAILURES["discriminator_overfitting"], total_steps=TOTAL)
        if f.name == "discriminator_overfitting" and f.severity == "failure"
    )
    assert finding.evidence["r_v"] == pytest.approx((0.8 + 0.7) / (0.8 + 0.8), rel=0.1)


def test_a_ratio_of_what_lies_within_the_noise_is_no_overfitting():
    looks = {"real_logits_train": 0.1, "fake_logits_sampled": 0.0, "real_logits_heldout": -0.4}
    assert "discriminator_overfitting" not in alarms(changed(0.0, **looks, **BAD))


def test_a_cycle_is_found_and_noise_is_none():
    wave = np.sin(np.arange(256) * 2 * np.pi / 32)
    noise = np.random.Generator(np.random.Philox(3)).normal(size=(200, 256))
    period, strength = cycle(wave)
    assert (period, strength > 0.95) == (32, True)
    assert max(cycle(x)[1] for x in noise) < 0.4


def test_remedies_are_lines_that_train_or_sample(tmp_path):
    context = {
        "plugin": "mlp_gan",
        "data": "digits",
        "fields": {"g_lr": 1e-3, "d_lr": 2e-3, "batch_size": 64, "steps": 100},
    }
    for rows in FAILURES.values():
        for found in diagnose(rows, total_steps=TOTAL, **context):
            if not found.command:
                continue
            words = found.command.split()
            assert words[0] == "ganzoo"
            result = CliRunner().invoke(cli, [*words[1:], "--dry-run"])
            assert result.exit_code == 0, (found.command, result.output, result.exception)


@pytest.mark.parametrize(
    ("rate", "words"), [(1e-7, "g_lr=0.0002"), (0.0, "g_lr=0.0002"), (1e-2, "g_lr=0.005")]
)
def test_a_rate_that_moves_nothing_is_raised_and_any_other_lowered(rate, words):
    rows = FAILURES["stagnation"]
    found = diagnose(rows, plugin="mlp_gan", data="digits", fields={"g_lr": rate})
    assert words in next(f.command for f in found if f.name == "stagnation")


def test_a_line_that_would_repeat_the_run_as_it_was_is_not_printed():
    known = {"plugin": "mlp_gan", "data": "digits", "fields": {"g_lr": "fast", "d_lr": math.inf}}
    assert next(f.command for f in diagnose(FAILURES["stagnation"], **known)) == ""


def test_no_line_is_printed_for_objects_that_no_command_reaches():
    for known in ({"plugin": "<Mine>", "data": "digits"}, {"plugin": "mlp_gan", "data": "<array>"}):
        found = diagnose(FAILURES["exploding"], fields={"g_lr": 1e-3}, run="runs/mine", **known)
        assert not any(f.command.startswith("ganzoo train") for f in found)


def test_warnings_that_stand_and_poor_samples_are_no_healthy_run():
    rows = changed(0.0, recall=0.0)
    verdict = diagnose(rows, total_steps=TOTAL)[-1]
    assert (verdict.name, verdict.severity) == ("doubtful", "warning")
    assert "recall is 0.00" in verdict.message
    slow = changed(0.5, classes=[0.0] * 2 + [1 / 8] * 8, recall=0.3)  # and the score still falls
    verdict = diagnose(slow, total_steps=TOTAL)[-1]
    assert verdict.message.startswith("No failure was found, but partial_collapse still stands")


def test_the_remedy_of_a_degraded_run_is_its_best_checkpoint():
    found = diagnose(FAILURES["late_degradation"], run="runs/a b")
    command = next(f.command for f in found if f.name == "late_degradation")
    assert command == "ganzoo sample 'runs/a b' --checkpoint best"


# -- records of other programs ------------------------------------------------------------------


def write(path, text):
    path.write_text(text)
    return path


def log(rows: int = 200, fid=None, d_loss=lambda i: 1.0) -> str:
    bits = np.random.Generator(np.random.Philox(1))
    lines = ["step,seconds,g_loss,d_loss,fid"]
    for i in range(rows):
        score = f"{fid(i):.3f}" if fid and i % 10 == 9 else ""
        noise = bits.normal(1, 0.1)
        lines.append(f"{100 * (i + 1)},{60 * i},{1.2 * noise:.4f},{d_loss(i) * noise:.5f},{score}")
    return "\n".join(lines) + "\n"


def test_a_log_that_degrades_is_caught_and_the_hours_are_said(tmp_path):
    path = write(tmp_path / "log.csv", log(fid=lambda i: 100 - i if i < 60 else 80))
    result = CliRunner().invoke(cli, ["diagnose", str(path)])
    assert result.exit_code == 0
    assert "failure: late_degradation" in result.output
    assert "after the first alarm" in result.output


def test_a_log_without_scores_is_judged_by_its_losses(tmp_path):
    path = write(tmp_path / "log.csv", log(d_loss=lambda i: 1.0 if i < 50 else 0.01))
    result = CliRunner().invoke(cli, ["diagnose", str(path), "--json"])
    found = json.loads(result.output)["findings"]
    assert [(f["name"], f["severity"]) for f in found] == [("saturated_discriminator", "failure")]


def test_a_healthy_log_is_healthy(tmp_path):
    path = write(tmp_path / "log.csv", log(fid=lambda i: 10 + 100 / (1 + i / 10)))
    result = CliRunner().invoke(cli, ["diagnose", str(path), "--json"])
    assert [f["name"] for f in json.loads(result.output)["findings"]] == ["healthy"]


@pytest.mark.parametrize(
    ("g", "d", "found"),
    [
        (0.4, 0.1, []),  # least squares, with halves: G off by 0.9, D by 0.3
        (0.5, 0.002, ["saturated_discriminator"]),  # the same, and D off by 0.05
        (6.0, 0.02, ["saturated_discriminator"]),  # cross-entropy, D sure to 0.99
    ],
)
def test_of_losses_alone_it_counts_whether_they_can_be_a_cross_entropy(tmp_path, g, d, found):
    bits = np.random.Generator(np.random.Philox(4))
    lines = ["step,g_loss,d_loss"]
    for step in range(100, 30_001, 100):
        noise, early = bits.normal(1, 0.1, 2), 0.7 * math.exp(-step / 1000)
        lines.append(f"{step},{g * noise[0]},{(d + early) * noise[1]}")
    assert alarms(records.of_csv(write(tmp_path / "log.csv", "\n".join(lines)))) == found


def test_an_inception_score_alone_is_a_score(tmp_path):
    lines = ["step,inception_score"]
    lines += [f"{100 * i},{1 + i if i < 20 else 4}" for i in range(1, 41)]
    rows = records.of_csv(write(tmp_path / "is.csv", "\n".join(lines)))
    assert "late_degradation" in alarms(rows)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a header"),
        ("a,b\n1,2\n", "expected a header"),
        ("step,g_loss\n", "no rows"),
        ("step,g_loss\n1,oops\n", "line 2: expected a number for g_loss"),
        ("step,g_loss\n2,1\n1,1\n", "line 3: expected a step above 2"),
        ("step,g_loss\n,1\n", "line 2: expected a step"),
        ("\x00\x01", "expected a header"),
    ],
)
def test_a_file_that_is_no_record_is_named_with_its_line(tmp_path, text, said):
    path = write(tmp_path / "log.csv", text)
    with pytest.raises((GanzooError, UsageError), match=said):
        list(records.of_csv(path))


def test_bytes_that_are_no_text_are_no_record(tmp_path):
    (tmp_path / "log.csv").write_bytes(b"\xff\xfe\x00step")
    with pytest.raises(GanzooError, match="cannot be read as a CSV file"):
        list(records.of_csv(tmp_path / "log.csv"))


def test_a_loss_that_is_not_a_number_is_non_finite(tmp_path):
    path = write(tmp_path / "log.csv", "step,g_loss,d_loss\n1,1,1\n2,nan,1\n")
    assert alarms(records.of_csv(path)) == ["non_finite"]


def test_a_finding_maps_to_plain_json():
    found = Finding("x", "info", 1, 1, "m", {"a": math.nan, "b": [math.inf]})
    assert found.as_json()["evidence"] == {"a": "nan", "b": ["inf"]}


@pytest.mark.parametrize(("looks", "said"), [(3, "3 looks"), (20, "No failure was found.")])
def test_healthy_after_few_looks_says_that_they_are_few(looks, said):
    rows = [{"step": i + 1, "score": 10.0 / (i + 1)} for i in range(looks)]
    [verdict] = diagnose(rows)
    assert verdict.name == "healthy"
    assert said in verdict.message
