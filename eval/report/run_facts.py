"""Read and check what a report shows of a run folder, which may be a stranger's.

Only `config.yaml` is needed. What else is missing is left out, and what cannot be read is named in
`RunFacts.problems`. Nothing of the plugin is imported.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganzoo import registry, settings, untrusted
from ganzoo.errors import GanzooError
from ganzoo.eval import scores
from ganzoo.eval.diagnosis import records
from ganzoo.eval.diagnosis.findings import SEVERITIES, VERDICTS
from ganzoo.eval.diagnosis.monitor import diagnose
from ganzoo.eval.scores import Score
from ganzoo.run import PICTURE, RunDir
from ganzoo.untrusted import text

MAX_FINDINGS = 50
MAX_SOURCE = 1_000_000
"""Bytes of a plugin's file."""
REAL = re.compile(r"real\.png")


@dataclass(frozen=True)
class Setting:
    """One resolved setting; `default` is the plugin's, or None where the values agree."""

    name: str
    value: str
    default: str | None = None


@dataclass(frozen=True)
class ScoreFile:
    """A score of `eval/`, and the pictures that lie beside its file."""

    score: Score
    pictures: tuple[Path, ...]


@dataclass(frozen=True)
class RunFacts:
    """Everything that a report says about one run; strings are as they stand in the folder."""

    name: str
    state: str
    settings: list[Setting]
    record: dict[str, str]
    rows: list[dict[str, Any]]
    """In order of step: `step` is an int, other values floats, finite or not, or histograms."""
    findings: list[dict[str, Any]]
    """Worst first, with the keys of `Finding.as_json` without its evidence, and with `warned`."""
    scores: list[ScoreFile]
    grids: list[tuple[int, Path]]
    """(step, PNG), in order of step."""
    fields: list[tuple[int, Path]]
    """(step, file) of what a run on points keeps, in order of step."""
    real: Path | None
    problems: list[str] = field(default_factory=list)

    def setting(self, name: str) -> str:
        """The value of a setting, or an empty string."""
        return next((s.value for s in self.settings if s.name == name), "")


def read(path: str | Path) -> RunFacts:
    """The facts of the run at `path`; raises UsageError where there is none, GanzooError where its
    configuration cannot be read. What is damaged elsewhere is told in warnings too.
    """
    run = RunDir.open(path)
    config = run.config()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        facts = _facts(run, config, [])
    for warning in told:
        facts.problems.append(text(warning.message))
        warnings.warn(str(warning.message), stacklevel=2)
    return facts


def _facts(run: RunDir, config: dict[str, Any], problems: list[str]) -> RunFacts:
    rows = _survived(records.rows, run)
    if not rows:
        problems.append("metrics.jsonl holds no row that can be read: no curves, no diagnosis.")
    return RunFacts(
        name=text(run.path),
        state=text(run.state()),
        settings=_settings(config, problems),
        record=dict(untrusted.flat(config.get("record"), skip=("source",))),
        rows=rows,
        findings=_findings(run, config, rows, problems),
        scores=_scores(run),
        grids=_survived(grids, run),
        fields=_survived(RunDir.fields, run),
        real=next(iter(_survived(_real, run)), None),
        problems=problems,
    )


def _survived(reader: Callable[[RunDir], list[Any]], run: RunDir) -> list[Any]:
    """What is read, or nothing and a warning."""
    try:
        return reader(run)
    except GanzooError as error:
        warnings.warn(str(error), stacklevel=2)
        return []


def grids(run: RunDir) -> list[tuple[int, Path]]:
    """(step, PNG) of a run's sample grids, in order of step."""
    found = run.listing(run.pictures.name, PICTURE)
    return sorted((int(path.stem.removeprefix("step-")), path) for path in found)


def _real(run: RunDir) -> list[Path]:
    return run.listing(run.pictures.name, REAL)


# -- settings -----------------------------------------------------------------------------------


def _settings(config: dict[str, Any], problems: list[str]) -> list[Setting]:
    own = {f.name: f.default for f in dataclasses.fields(settings.Settings) if f.name != "fields"}
    chosen = ("plugin", "data", "precision")  # what `auto` became is a choice, not a change
    plain = [
        _setting(name, config[name], config[name] if name in chosen else default)
        for name, default in own.items()
        if name in config
    ]
    fields = config.get("fields") if isinstance(config.get("fields"), dict) else {}
    defaults = _defaults(config.get("plugin"), problems)
    some = list(fields.items())[: untrusted.MAX_ITEMS]
    return plain + [_setting(name, value, defaults.get(name, value)) for name, value in some]


def _setting(name: Any, value: Any, default: Any) -> Setting:
    default = list(default) if isinstance(default, tuple) else default
    return Setting(text(name), text(value), None if value == default else text(default))


def _defaults(plugin: Any, problems: list[str]) -> dict[str, Any]:
    """The defaults of a plugin's fields, from its source: a report imports no plugin."""
    wrong = (GanzooError, OSError, ValueError, SyntaxError, RecursionError, MemoryError)
    with contextlib.suppress(*wrong):
        if not str(plugin).endswith(".py") or _is_small(str(plugin)):
            fields = registry.static_fields(registry.find(str(plugin)))
            if fields is not None:
                return {field.name: field.default for field in fields}
    problems.append(f"The defaults of plugin {text(plugin)!r} are not known here: none is marked.")
    return {}


def _is_small(path: str) -> bool:
    """Whether there is a file of a plugin's size: a stranger's settings may name anything."""
    return os.path.isfile(path) and os.path.getsize(path) <= MAX_SOURCE


# -- findings -----------------------------------------------------------------------------------


def _findings(
    run: RunDir, config: dict[str, Any], rows: list[dict[str, Any]], problems: list[str]
) -> list[dict[str, Any]]:
    """What the monitor wrote while the run trained, and what its rows still show; worst first."""
    live = [_finding(item) for item in _survived(RunDir.findings, run)]
    found = live[:MAX_FINDINGS]
    seen = {item["name"] for item in found}
    seen |= set(VERDICTS) if seen & set(VERDICTS) else set()
    found += [f for f in _diagnosed(run, config, rows, problems) if f["name"] not in seen]
    if any(item["severity"] == "failure" for item in found):
        found = [item for item in found if item["name"] not in VERDICTS]
    return _merged(
        sorted(found, key=lambda item: (SEVERITIES.index(item["severity"]), item["step"]))
    )


def _merged(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of findings with one name those of the worst severity; `warned` is the step of a milder."""
    worst: dict[str, dict[str, Any]] = {}
    kept = []
    for item in found:
        first = worst.setdefault(item["name"], item)
        if item["severity"] == first["severity"]:
            kept.append(item)
        elif item["step"] < first["step"]:
            first.setdefault("warned", item["step"])
    return kept


def _diagnosed(
    run: RunDir, config: dict[str, Any], rows: list[dict[str, Any]], problems: list[str]
) -> list[dict[str, Any]]:
    """What the rows show; rows that a monitor stumbles over were not written by a training."""
    if not rows:
        return []
    try:
        found = diagnose(rows, **records.context(run, config))
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        problems.append(f"The rows of metrics.jsonl cannot be diagnosed: {text(error)}.")
        return []
    return [_finding(finding.as_json()) for finding in found[:MAX_FINDINGS]]


def _finding(item: Mapping[str, Any]) -> dict[str, Any]:
    step = untrusted.step(item.get("step"), 0)
    severity = item.get("severity")
    return {
        "name": text(item.get("name", "finding")),
        "severity": severity if severity in SEVERITIES else "info",
        "step": step,
        "since": min(untrusted.step(item.get("since"), step), step),
        "message": text(item.get("message") or ""),
        "remedy": text(item.get("remedy") or ""),
        "command": untrusted.command(item.get("command")),
    }


# -- scores -------------------------------------------------------------------------------------


def _scores(run: RunDir) -> list[ScoreFile]:
    """The scores with the pictures beside them; a warning for each file that is none."""
    pictures = _survived(scores.pictures, run)
    found = []
    for name, score in scores.stored(run):
        if not isinstance(score, Score):
            warnings.warn(str(score), stacklevel=2)
            continue
        beside = tuple(p for p in pictures if p.name.startswith(f"{Path(name).stem}-"))
        found.append(ScoreFile(_shown(score), beside))
    return sorted(found, key=lambda item: (item.score.metric, item.score.label, item.score.step))


def _shown(score: Score) -> Score:
    """With names that can be shown, and a step."""
    return dataclasses.replace(
        score, metric=text(score.metric), label=text(score.label), step=score.step or 0
    )
