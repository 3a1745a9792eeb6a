"""Write the report: one HTML page about runs, with no script, network or other file.

A run folder may be a stranger's: all that it says is escaped, its pictures are decoded and written
anew, and the page forbids itself everything but its own style and pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from ganzoo import __version__, untrusted
from ganzoo.errors import GanzooError, UsageError
from ganzoo.eval.report import fields, run_facts, stored_pictures
from ganzoo.eval.report.panels import GROUPS, Histogram, Panel, histogram, panels
from ganzoo.eval.report.run_facts import RunFacts, ScoreFile, Setting
from ganzoo.eval.scores import Score, mean_and_spread
from ganzoo.files import write_atomic

MAX_BYTES = 5_000_000
PICTURE_CHARACTERS = 3_500_000
"""Of the page's bytes, those that pictures may take, all runs together."""
MAX_RUNS = 12
GRIDS = 5
"""Sample grids shown of a run, beside the real samples."""
MAX_PICTURES = 4
"""Pictures of metrics shown of a run."""
MAX_STEPS = 5
"""Steps of which a score is shown."""
ORDER = ("fid", "kid", "is", "precision", "recall", "density", "coverage", "modes", "modes_kl")
"""Metrics that are asked for first; others follow by name."""


@dataclass(frozen=True)
class Figure:
    """A picture with a line below it; `uri` is a data URI."""

    uri: str
    caption: str
    width: int
    height: int


@dataclass(frozen=True)
class RunPage:
    """One run as the template shows it."""

    facts: RunFacts
    panels: dict[str, Panel]
    histogram: Histogram | None
    samples: list[Figure]
    pictures: list[Figure]

    @property
    def last(self) -> int:
        """The step of its last row."""
        return self.facts.rows[-1]["step"] if self.facts.rows else 0

    @property
    def steps(self) -> str:
        """`5,000 of 20,000`: how far it came."""
        asked = self.facts.setting("steps")
        return f"{self.last:,}" + (f" of {int(asked):,}" if asked.isdecimal() else "")


def report(runs: Sequence[str | Path], out: str | Path) -> int:
    """Write the page about `runs`, side by side, to `out`; returns its size in bytes.

    Raises UsageError where a run does not exist or there are none or more than 12, GanzooError
    where the page would have more than 5 MB.
    """
    if not 1 <= len(runs) <= MAX_RUNS:
        raise UsageError(f"a report takes 1 to {MAX_RUNS} runs, not {len(runs)}.")
    page = html([run_facts.read(run) for run in runs]).encode()
    if len(page) > MAX_BYTES:
        raise GanzooError(
            f"the report would have {len(page) / 1e6:.1f} MB, and at most {MAX_BYTES / 1e6:.0f} "
            "are meant to be: name fewer runs."
        )
    write_atomic(Path(out), page)
    return len(page)


def html(runs: Sequence[RunFacts]) -> str:
    """The page about the runs, in their order."""
    each = PICTURE_CHARACTERS // (len(runs) * (GRIDS + 1 + MAX_PICTURES))
    pages = [_page(facts, each) for facts in runs]
    histograms = [page.histogram for page in pages if page.histogram]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        version=__version__,
        runs=pages,
        charts=[g.title for g in GROUPS if any(g.title in page.panels for page in pages)],
        top=max((h.top for h in histograms), default=0),
        scores=list(_scores(runs)),
        settings=_settings(runs),
        record=_record(runs),
    )


# -- pictures -----------------------------------------------------------------------------------


def _page(facts: RunFacts, each: int) -> RunPage:
    """The run with its pictures, each of at most so many characters."""
    shown = _spread(facts.grids, GRIDS)
    listed = [(path, f"step {step:,}") for step, path in shown]
    if facts.real is not None:
        listed.append((facts.real, "real samples"))
    beside = [(path, _told(item)) for item in facts.scores for path in item.pictures]
    return RunPage(
        facts,
        panels(facts),
        histogram(facts),
        samples=_figures(listed, facts, each) + _game(facts, each),
        pictures=_figures(beside[:MAX_PICTURES], facts, each),
    )


def _game(facts: RunFacts, each: int) -> list[Figure]:
    """Of a run on points: samples, discriminator and its gradient at the last step that tells."""
    for step, path in facts.fields[-1:]:
        field = fields.read(path)
        picture = fields.pictures([field])[0] if field else None
        if picture is None:
            facts.problems.append(f"{path.parent.name}/{untrusted.text(path.name)} cannot be read.")
            continue
        uri = stored_pictures.data_uri(picture, each)
        return [Figure(uri, f"the game at step {step:,}", *picture.size)]
    return []


def _spread(grids: Sequence[Any], count: int) -> list[Any]:
    """The first, the last, and some between: closer together where training is young.

    >>> _spread(range(1, 41), 5)
    [1, 3, 11, 23, 40]
    """
    if len(grids) <= count:
        return list(grids)
    last = len(grids) - 1
    places = [round(last * (i / (count - 1)) ** 2) for i in range(count)]
    return [grids[max(i, place)] for i, place in enumerate(places)]


def _told(item: ScoreFile) -> str:
    """What a picture of a metric shows."""
    where = f"{item.score.label}, step {item.score.step:,}"
    if item.score.metric == "memorization":
        return (
            f"{where}: a sample and, right of it, its nearest training image; nearest pairs first"
        )
    return where


def _figures(listed: Sequence[tuple[Path, str]], facts: RunFacts, each: int) -> list[Figure]:
    found = []
    for path, caption in listed:
        picture = stored_pictures.opened(path)
        if picture is None:
            name = untrusted.text(f"{path.parent.name}/{path.name}")
            facts.problems.append(f"{name} is no PNG that can be read: left out.")
            continue
        uri = stored_pictures.data_uri(picture, each)
        found.append(Figure(uri, caption, *picture.size))
    return found


# -- tables -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ScoreRow:
    """The scores of one protocol: for each run, a line for each step."""

    label: str
    better: str
    perfect: str
    """What real samples score in the samples' place; empty where nobody knows."""
    digest: str
    protocol: list[tuple[str, str]]
    cells: list[list[str]]


def _scores(runs: Sequence[RunFacts]) -> Iterator[ScoreRow]:
    """A row for each protocol: no two protocols share one."""
    columns = {item.score.column: item.score for run in runs for item in run.scores}
    for column, score in sorted(columns.items(), key=lambda item: _place(item[1])):
        protocol = {name: value for name, value in score.protocol.items() if name != "seed"}
        yield ScoreRow(
            label=score.label,
            better=score.better if score.better in ("lower", "higher") else "",
            perfect="" if score.perfect is None else _told_number(score.perfect),
            digest=column.rpartition(" ")[2],
            protocol=list(untrusted.flat(protocol)),
            cells=[_cell(run, column) for run in runs],
        )


def _place(score: Score) -> tuple[int, str, str]:
    place = ORDER.index(score.metric) if score.metric in ORDER else len(ORDER)
    return place, score.metric, score.label


def _cell(run: RunFacts, column: str) -> list[str]:
    """`0.94 at step 5,000` for the newest steps of a run, over seeds where there are several."""
    by_step: dict[int, list[Score]] = {}
    for item in run.scores:
        if item.score.column == column:
            by_step.setdefault(item.score.step, []).append(item.score)
    return [
        f"{_number(group)} at step {step:,}" for step, group in sorted(by_step.items())[-MAX_STEPS:]
    ]


def _told_number(value: float) -> str:
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"


def _number(group: Sequence[Score]) -> str:
    values = [score.value for score in group]
    mean, spread = mean_and_spread(values)
    told = _told_number(mean)
    if len(values) > 1:
        return f"{told} ± {spread:.2g} over {len(values)} seeds"
    std = group[0].std
    return told + (f" ± {std:.2g}" if std is not None else "")


@dataclass(frozen=True)
class SettingRow:
    """One setting of all runs: a `Setting` each, or None where a run has none of this name."""

    name: str
    cells: list[Setting | None]

    @property
    def differs(self) -> bool:
        """Whether the runs do not agree."""
        return len({cell.value if cell else None for cell in self.cells}) > 1


def _settings(runs: Sequence[RunFacts]) -> list[SettingRow]:
    found = [{setting.name: setting for setting in run.settings} for run in runs]
    names = dict.fromkeys(name for settings in found for name in settings)
    return [SettingRow(name, [settings.get(name) for settings in found]) for name in names]


def _record(runs: Sequence[RunFacts]) -> list[tuple[str, list[str]]]:
    names = dict.fromkeys(name for run in runs for name in run.record)
    return [(name, [run.record.get(name, "") for run in runs]) for name in names]
