"""Read and check what a report shows of a run folder, which may be a stranger's.

Only `config.yaml` is needed. What else is missing is left out, and what cannot be read is named in
`RunFacts.problems`. Nothing of the plugin is imported.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganzoo import registry, settings
from ganzoo.errors import GanzooError
from ganzoo.eval.diagnosis import records
from ganzoo.eval.diagnosis.findings import SEVERITIES, VERDICTS
from ganzoo.eval.diagnosis.monitor import diagnose
from ganzoo.eval.report import untrusted
from ganzoo.eval.report.untrusted import text
from ganzoo.eval.scores import LARGEST_FILE, Score
from ganzoo.run import RunDir

HISTOGRAMS = ("classes", "real_classes")
MAX_FINDINGS = 50


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
    """The facts of the run at `path`; raises UsageError where there is none."""
    run = RunDir.open(path)
    config = settings.read_config(run.path / "config.yaml")
    problems: list[str] = []
    rows = _rows(run, problems)
    return RunFacts(
        name=text(run.path),
        state=text(run.state()),
        settings=_settings(config, problems),
        record=dict(untrusted.flat(config.get("record"), skip=("source",))),
        rows=rows,
        findings=_findings(run, config, rows, problems),
        scores=_scores(run.scores, problems),
        grids=grids(run),
        fields=untrusted.numbered(run.field_of(0).parent, "npz"),
        real=next(iter(untrusted.files(run.pictures, "real.png")), None),
        problems=problems,
    )


def grids(run: RunDir) -> list[tuple[int, Path]]:
    """(step, PNG) of a run's sample grids, in order of step."""
    return untrusted.numbered(run.pictures, "png")


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
    with contextlib.suppress(GanzooError, OSError, ValueError, SyntaxError, RecursionError):
        fields = registry.static_fields(registry.find(str(plugin)))
        if fields is not None:
            return {field.name: field.default for field in fields}
    problems.append(f"The defaults of plugin {text(plugin)!r} are not known here: none is marked.")
    return {}


# -- rows and findings --------------------------------------------------------------------------


def _rows(run: RunDir, problems: list[str]) -> list[dict[str, Any]]:
    rows = [_row(item) for item in untrusted.objects(run.path / "metrics.jsonl")]
    rows = [row for row in rows if row["step"] is not None]
    if not rows:
        problems.append("metrics.jsonl holds no row that can be read: no curves, no diagnosis.")
    return sorted(rows, key=lambda row: row["step"])


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: untrusted.number(value) for name, value in item.items()}
    row: dict[str, Any] = {name: value for name, value in numbers.items() if value is not None}
    row |= {name: shares for name in HISTOGRAMS if (shares := untrusted.shares(item.get(name)))}
    return row | {"step": untrusted.step(item.get("step"))}


def _findings(
    run: RunDir, config: dict[str, Any], rows: list[dict[str, Any]], problems: list[str]
) -> list[dict[str, Any]]:
    """What the monitor wrote while the run trained, and what its rows still show; worst first."""
    live = [_finding(item) for item in untrusted.objects(run.path / "findings.jsonl")]
    found = live[:MAX_FINDINGS]
    seen = {item["name"] for item in found}
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


def _scores(folder: Path, problems: list[str]) -> list[ScoreFile]:
    found = []
    for path in untrusted.files(folder, "*.json"):
        score = _score(path)
        if score is None:
            problems.append(f"eval/{text(path.name)} is no score file: left out.")
        else:
            pictures = untrusted.files(folder, "*.png")
            beside = tuple(p for p in pictures if p.name.startswith(f"{path.stem}-"))
            found.append(ScoreFile(score, beside))
    return sorted(found, key=lambda item: (item.score.metric, item.score.label, item.score.step))


def _score(path: Path) -> Score | None:
    try:
        content = json.loads(path.read_bytes()) if path.stat().st_size <= LARGEST_FILE else None
    except (OSError, ValueError, RecursionError):
        return None
    content = content if isinstance(content, dict) else {}
    value, protocol = untrusted.number(content.get("value")), content.get("protocol")
    details = content.get("details")
    if value is None or not isinstance(protocol, dict):
        return None
    return Score(
        metric=text(content.get("metric", "")),
        label=text(content.get("label") or content.get("metric", "")),
        value=value,
        protocol=protocol,
        std=untrusted.number(content.get("std")),
        better=text(content.get("better") or ""),
        details=details if isinstance(details, dict) else {},
        step=untrusted.step(content.get("step"), 0),
    )
