"""The monitor in games of several pairs, of no pair, and of several phases."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from click.testing import CliRunner
from test_diagnostics import FAILURES, LOOK, TOTAL, changed, healthy

from ganzoo.cli import cli
from ganzoo.errors import UsageError
from ganzoo.eval.diagnosis import records
from ganzoo.eval.diagnosis.findings import Remedy, Rule, Sign
from ganzoo.eval.diagnosis.monitor import Monitor, diagnose
from ganzoo.eval.report import run_facts
from ganzoo.run import RunDir

USUAL = ("generator", "discriminator")
SAMPLES = ("step", "seconds", "score", "score_of_reals", "diversity", "duplicates", "precision")
SAMPLES += ("recall", "copies", "classes", "real_classes")
VANISHED = {
    "generator_grad_norm": 1e-3,
    "d_accuracy_real": 1.0,
    "d_accuracy_fake": 1.0,
    "score": 9.0,
}
WON = {"d_accuracy_real": 1.0, "d_accuracy_fake": 1.0, "discriminator_loss": 0.02, "score": 9.0}


def game(*pairs: tuple[str, str], **failing: dict[str, Any]) -> list[dict]:
    """Rows of these pairs, each a healthy game but for what is `failing` in one: {"a": changes}.

    Columns are as the loop writes them: what is recorded of a discriminator bears its name where
    the game has two of them.
    """
    rows = healthy()
    lone = len({d for _, d in pairs}) == 1
    merged = [{name: row[name] for name in SAMPLES if name in row} for row in rows]
    for g, d in pairs:
        for new, row in zip(
            merged, changed(0.3, **(failing.get(g) or failing.get(d) or {})), strict=True
        ):
            for name, value in row.items():
                if name.startswith("generator_"):
                    new[f"{g}{name.removeprefix('generator')}"] = value
                elif name.startswith("discriminator_"):
                    new.setdefault(f"{d}{name.removeprefix('discriminator')}", value)
                elif name not in SAMPLES:
                    new.setdefault(name if lone else f"{d}_{name}", value)
    if any("score" in changes for changes in failing.values()):
        for row in merged:
            if "score" in row and row["step"] > 0.3 * TOTAL:
                row |= {"score": 9.0, "precision": 0.1, "recall": 0.0}
    return merged


def judge(rows, *pairs, **context):
    return diagnose(rows, total_steps=TOTAL, phases=[(0, pairs)], **context)


def failures(found) -> list[str]:
    return [f.name for f in found if f.severity == "failure"]


# -- pairs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAILURES)
def test_a_game_that_says_who_plays_is_judged_as_one_of_the_usual_names(name):
    plain = diagnose(FAILURES[name], total_steps=TOTAL)
    assert judge(FAILURES[name], USUAL) == plain


def test_one_of_two_generators_that_vanishes_is_named():
    pairs = ("generator_0", "discriminator_0"), ("generator_1", "discriminator_0")
    rows = game(*pairs, generator_1={"generator_grad_norm": 1e-3, "score": 9.0})
    for row in rows:
        if row["step"] > 0.3 * TOTAL:
            row |= {"d_accuracy_real": 1.0, "d_accuracy_fake": 1.0}
    told = [f for f in judge(rows, *pairs) if f.name == "vanishing_gradient"]
    assert {f.evidence["generator"] for f in told} == {"generator_1"}
    found = told[-1]
    assert found.severity == "failure"
    assert found.message.startswith("generator_1 against discriminator_0: the generator's gradient")
    assert found.evidence["curve"]["name"] == "generator_1_grad_norm"
    assert "vanishing_gradient" not in failures(diagnose(rows, total_steps=TOTAL))


def test_the_pairs_of_a_cycle_are_judged_apart():
    pairs = ("g_ab", "d_b"), ("g_ba", "d_a")
    assert failures(judge(game(*pairs), *pairs)) == []
    assert judge(game(*pairs), *pairs)[-1].name == "healthy"
    found = judge(game(*pairs, g_ba=WON), *pairs)
    [won] = [f for f in found if f.name == "saturated_discriminator" and f.severity == "failure"]
    assert (won.evidence["generator"], won.evidence["discriminator"]) == ("g_ba", "d_a")
    assert won.evidence["curve"]["name"] == "d_a_loss"
    assert won.message.startswith("g_ba against d_a: the discriminator's loss is 0.02")
    both = judge(game(*pairs, g_ab=WON, g_ba=WON), *pairs)
    told = [f.evidence["discriminator"] for f in both if f.name == "saturated_discriminator"]
    assert sorted(told) == ["d_a", "d_b"]


def test_a_player_in_two_pairs_fails_once():
    pairs = ("generator", "discriminator_a"), ("generator", "discriminator_b")
    rows = game(*pairs, generator=VANISHED)
    assert failures(judge(rows, *pairs)).count("vanishing_gradient") == 1
    rows = game(*pairs)
    for row in rows[50:]:
        row["generator_grad_norm"] = 1e6
    [found] = [f for f in judge(rows, *pairs) if f.name == "exploding"]
    assert found.message.startswith("generator_grad_norm grew")
    assert found.evidence["player"] == "generator"


def test_two_players_that_explode_are_both_named():
    pairs = ("generator_0", "discriminator"), ("generator_1", "discriminator")
    rows = game(*pairs)
    for row in rows[50:]:
        row |= {"discriminator_grad_norm": 1e6, "generator_1_grad_norm": 1e6}
    told = {f.evidence["player"] for f in judge(rows, *pairs) if f.name == "exploding"}
    assert told == {"discriminator", "generator_1"}


def test_a_name_that_begins_with_another_is_its_own():
    pairs = ("generator", "discriminator"), ("generator_b", "discriminator_b")
    rows = game(*pairs)
    for row in rows[50:]:
        row["generator_b_grad_norm"] = 1e6
    told = {f.evidence["player"] for f in judge(rows, *pairs) if f.name == "exploding"}
    assert told == {"generator_b"}


def test_a_discriminator_that_learns_by_heart_is_named():
    pairs = ("g", "d_1"), ("g", "d_2")
    rows = game(*pairs)
    for row in rows[30:]:
        if "score" in row:
            row["d_2_real_logits_heldout"] = -0.7
    found = [f for f in judge(rows, *pairs) if f.name == "discriminator_overfitting"]
    assert {f.evidence["discriminator"] for f in found} == {"d_2"}
    assert found[-1].evidence["curve"]["name"] == "d_2_real_logits_heldout"


def test_what_bears_no_name_is_nobodys_where_there_are_two_discriminators():
    pairs = ("g", "d_1"), ("g", "d_2")
    rows = [{k.removeprefix("d_1_"): v for k, v in row.items()} for row in game(*pairs)]
    for row in rows:
        row |= {"fake_logits": 9.0, "real_logits": 0.5, "d_accuracy_fake": 0.0}
        row["loss"] = 9.5
        if "score" in row:
            row |= {"score": 9 + row["step"] / TOTAL, "precision": 0.1, "recall": 0.0}
    assert "discriminator_beaten" not in failures(judge(rows, *pairs))
    assert "discriminator_beaten" in failures(judge(rows, pairs[0]))


def test_a_player_against_nobody_is_still_looked_at():
    rows = [row | {"encoder_loss": 1.0, "encoder_grad_norm": 2.0} for row in healthy()]
    assert failures(judge(rows, USUAL)) == []
    for row in rows[50:]:
        row["encoder_grad_norm"] = 1e6
    [found] = [f for f in judge(rows, USUAL) if f.name == "exploding"]
    assert found.message.startswith("encoder_grad_norm grew")
    rows[40]["encoder_loss"] = math.nan
    assert "non_finite" in failures(judge(rows, USUAL))


def test_four_games_in_one_are_healthy_together():
    pairs = [(f"g_{i}", f"d_{i}") for i in range(4)]
    [verdict] = judge(game(*pairs), *pairs)
    assert verdict.message == "No failure was found."
    assert {"g_0_loss", "g_3_loss", "d_3_d_accuracy_real"} <= verdict.evidence.keys()


# -- no pair ------------------------------------------------------------------------------------


def test_a_game_of_no_pair_is_not_called_healthy():
    rows = game(("left", "right"))
    found = judge(rows)
    assert [f.name for f in found] == ["not_judged"]
    assert found[-1].message == (
        "No failure was found in the samples; no two players of left, right say that they play "
        "against each other, so the game itself was not judged."
    )
    [looked_away] = judge([{k: v for k, v in r.items() if k not in SAMPLES[2:]} for r in rows])
    assert looked_away.message.startswith("No failure was found; nobody looked at the samples; no")


def test_the_samples_of_a_game_of_no_pair_are_judged():
    rows = game(("left", "right"))
    for row in rows[30:]:
        if "score" in row:
            row |= {"diversity": 0.1, "duplicates": 0.97, "recall": 0.0, "score": 9.0}
    assert "mode_collapse" in failures(judge(rows))


def test_a_phase_of_no_pair_is_told_by_its_step():
    rows = [row | {"step": TOTAL + row["step"]} for row in game(("left", "right"))]
    found = diagnose(healthy() + rows, total_steps=2 * TOTAL, phases=[(0, [USUAL]), (TOTAL, [])])
    assert [f.name for f in found] == ["not_judged"]
    assert found[0].message.endswith("so the game itself was not judged since step 10000.")


def test_a_pair_that_no_row_knows_is_not_judged():
    assert judge(game(("left", "right")), USUAL)[-1].name == "not_judged"


# -- phases -------------------------------------------------------------------------------------

EDGE = 6000


def growing(after: list[dict] | None = None) -> list[dict]:
    """A healthy run whose networks grow at EDGE: the score jumps and every scale is another."""
    first, second = healthy(), after or healthy(1)
    rows = [row for row in first if row["step"] <= EDGE]
    best = min(row["score"] for row in rows if "score" in row)
    for row in second:
        new = row | {"step": EDGE + row["step"], "seconds": (EDGE + row["step"]) / 10}
        if "score" in row:
            new["score"] = row["score"] * 5 * best / 10
        for name in ("generator_loss", "generator_grad_norm", "discriminator_grad_norm"):
            new[name] = row[name] * 5000
        rows.append(new)
    return rows


def grown(rows, edge: int | None = EDGE, **context):
    phases = [(0, [USUAL])] + ([(edge, [USUAL])] if edge else [])
    return diagnose(rows, total_steps=EDGE + TOTAL, phases=phases, **context)


def test_growth_is_no_failure():
    assert [f.name for f in grown(growing())] == ["healthy"]
    assert {"exploding", "late_degradation"} <= set(failures(grown(growing(), edge=None)))


@pytest.mark.parametrize("name", ["vanishing_gradient", "mode_collapse", "late_degradation"])
def test_a_failure_of_the_second_phase_is_found(name):
    [found] = [
        f for f in grown(growing(FAILURES[name])) if (f.name, f.severity) == (name, "failure")
    ]
    assert found.since >= EDGE
    assert found.step <= EDGE + 0.8 * TOTAL


def test_samples_that_stay_bad_throughout_the_second_phase_are_found():
    rows = growing()
    for row in rows:
        if row["step"] > EDGE and "score" in row:
            row |= {"score": 30.0, "precision": 0.0, "recall": 0.0}
    assert failures(grown(rows)) == ["stagnation"]


def test_a_second_phase_that_begins_with_good_samples_may_stay_there():
    rows = growing()
    for row in rows:
        if row["step"] > EDGE and "score" in row:
            row |= {"score": 3.0, "precision": 0.6, "recall": 0.6}
        if row["step"] > EDGE:  # the discriminator is at chance, as it should be in the end
            row |= {"real_logits": 0.01, "fake_logits": 0.0}
    assert failures(grown(rows)) == []


def test_the_row_of_a_milestone_belongs_to_the_phase_before():
    monitor = Monitor(phases=[(0, [USUAL]), (EDGE, [USUAL])])
    monitor.see({"step": EDGE, "generator_loss": 1.0})
    assert len(monitor.history["generator_loss"]) == 1
    monitor.see({"step": EDGE + 1, "generator_loss": 2.0})
    assert monitor.history["generator_loss"].values == [2.0]


def test_a_phase_has_its_own_length_and_the_clock_goes_on():
    monitor = Monitor(total_steps=1000, phases=[(0, [USUAL]), (600, [USUAL])])
    monitor.see({"step": 300, "seconds": 3600.0})
    assert monitor.history.progress() == 0.5
    monitor.see({"step": 700, "seconds": 7200.0})
    assert monitor.history.progress() == 0.25
    assert monitor.history.hours_since(300) == 1


def test_a_failure_may_be_told_again_in_the_next_phase():
    bad = FAILURES["mode_collapse"]
    rows = [row for row in bad if row["step"] <= 8000]
    rows += [row | {"step": 8000 + row["step"]} for row in bad]
    found = diagnose(rows, total_steps=18_000, phases=[(0, [USUAL]), (8000, [USUAL])])
    collapsed = [f.step for f in found if (f.name, f.severity) == ("mode_collapse", "failure")]
    assert len(collapsed) == 2
    assert collapsed[0] <= 8000 < collapsed[1]


def test_players_may_change_with_the_phase():
    pairs = ("g", "d_1"), ("g", "d_2")
    second = game(*pairs, d_2={k: v for k, v in WON.items() if k != "score"})
    late = [row | {"step": TOTAL + row["step"]} for row in second]
    phases = [(0, [USUAL]), (TOTAL, pairs)]
    found = diagnose(healthy() + late, total_steps=2 * TOTAL, phases=phases)
    told = {f.evidence.get("discriminator") for f in found if f.name == "saturated_discriminator"}
    assert told == {"d_2"}


@pytest.mark.parametrize("resumed", [None, EDGE - LOOK, EDGE, EDGE + LOOK])
def test_a_replay_finds_what_was_found_live(resumed):
    rows = growing(FAILURES["vanishing_gradient"])
    context = {"total_steps": EDGE + TOTAL, "milestones": [EDGE]}
    live = Monitor(**context)
    live.enter(0, [USUAL])
    for row in rows:
        if row["step"] - resumed == 100 if resumed else False:  # a new process reads the past
            past = [(0, [USUAL])] + ([(EDGE, [USUAL])] if resumed >= EDGE else [])
            live = Monitor(**context, phases=past)
            for old in rows[: rows.index(row)]:
                live.see(old)
        live.see(row)
        if row["step"] == EDGE:
            live.enter(EDGE, [USUAL])
        live.enter(0, [USUAL])  # what is on or over changes nothing
    phases = [(0, [USUAL]), (EDGE, [USUAL])]
    found = diagnose(rows, phases=phases, **context)
    assert live.findings == found
    assert "vanishing_gradient" in failures(found)


# -- rules of strangers -------------------------------------------------------------------------


def cold(history) -> Sign | None:
    value = history["temperature"].level
    if not value < 0:
        return None
    return Sign("failure", f"it is {value:.0f} degrees", {"temperature": value}, "temperature")


def test_a_rule_brings_its_remedy():
    rule = Rule(
        "cold",
        cold,
        ("temperature",),
        Remedy("Heat it.", {"heat": 2, "absent": 3}, options=("--auto-balance",)),
        about="samples",
        looks=1,
        lasts=0.0,
    )
    rows = [{"step": i + 1, "temperature": -5.0} for i in range(5)]
    context = {"plugin": "p", "data": "d", "fields": {"heat": 0.5}}
    [found] = [f for f in diagnose(rows, rules=(rule,), **context) if f.name == "cold"]
    assert (found.message, found.remedy) == ("It is -5 degrees.", "Heat it.")
    assert found.command == "ganzoo train p --data d --set heat=1 --auto-balance"
    assert found.evidence["curve"]["name"] == "temperature"


def test_a_rule_about_pairs_reads_what_a_stranger_records():
    rule = Rule("cold", cold, ("temperature",), Remedy("Heat it."), looks=1, lasts=0.0)
    pairs = ("g", "d_1"), ("g", "d_2")
    rows = [
        {"step": i + 1, "d_1_temperature": 3.0, "d_2_temperature": -5.0, "g_grad_norm": 1.0}
        for i in range(5)
    ]
    [found] = [f for f in diagnose(rows, phases=[(0, pairs)], rules=(rule,)) if f.name == "cold"]
    assert found.message == "g against d_2: it is -5 degrees."
    assert found.evidence["curve"]["name"] == "d_2_temperature"


def test_what_a_rule_is_about_is_checked():
    with pytest.raises(UsageError, match="did you mean 'samples'"):
        Rule("cold", cold, (), Remedy("Heat it."), about="sample")


# -- run folders --------------------------------------------------------------------------------


def folder(path, rows, game: Any) -> RunDir:
    run = RunDir.create(path / "run")
    run.write_config({"plugin": "p", "data": "d", "fields": {"steps": EDGE + TOTAL}})
    for row in rows:
        run.append_metrics(row)
    (run.path / "game.json").write_text(json.dumps(game))
    return run


def test_a_run_says_its_phases(tmp_path):
    pairs = [list(USUAL)]
    phases = [{"step": 0, "pairs": pairs}, {"step": EDGE, "pairs": pairs}]
    run = folder(tmp_path, growing(), {"milestones": [EDGE], "phases": phases})
    rows, context = records.of_run(run)
    assert context["milestones"] == [EDGE]
    assert context["phases"] == [(0, [USUAL]), (EDGE, [USUAL])]
    assert [f.name for f in diagnose(rows, **context)] == ["healthy"]
    assert [f["name"] for f in run_facts.read(run.path).findings] == ["healthy"]
    told = CliRunner().invoke(cli, ["diagnose", str(run), "--json"])
    assert [f["name"] for f in json.loads(told.output)["findings"]] == ["healthy"]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"milestones": 3, "phases": {"step": 0}},
        {"milestones": ["x", -1, None, True], "phases": [None, 1, {"step": "0", "pairs": []}]},
        {"phases": [{"step": 0, "pairs": None}, {"step": 1.5, "pairs": []}, {"step": True}]},
    ],
)
def test_a_game_that_cannot_be_read_was_not_said(tmp_path, said):
    run = folder(tmp_path, healthy()[:30], said)
    _, context = records.of_run(run)
    assert (context["phases"], context["milestones"]) == (None, [])


def test_a_damaged_game_is_told_and_was_not_said(tmp_path):
    run = folder(tmp_path, healthy()[:30], {})
    (run.path / "game.json").write_text("[]")
    with pytest.warns(UserWarning, match=r"game\.json is damaged"):
        assert records.of_run(run)[1]["phases"] is None


def test_pairs_that_are_none_are_left_out(tmp_path):
    odd = [["a"], "ab", ["a", 1], ["a\x1b[2J", "b"], ["a", "b"], ["a", "b"], ["", "b"], None]
    run = folder(tmp_path, healthy()[:3], {"phases": [{"step": 0, "pairs": odd}]})
    assert records.of_run(run)[1]["phases"] == [(0, [("a", "b")])]
