"""The charts of one run in a report: curves in groups, and shares of classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ganzoo.eval.diagnosis.findings import VERDICTS
from ganzoo.eval.report import axis
from ganzoo.eval.report.bars import bars
from ganzoo.eval.report.curves import Line, Mark, chart
from ganzoo.eval.report.run_facts import RunFacts
from ganzoo.untrusted import shares, text

MAX_LINES = 8
MAX_CLASSES = 200


@dataclass(frozen=True)
class Panel:
    """A chart with its legend; `note` says what the eye cannot see."""

    title: str
    svg: Markup
    legend: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Group:
    """Curves that share a chart: which of a row's names they are, and what the legend calls them.

    `kind` is that of `axis.axis`; `level` is drawn as a dashed line.
    """

    title: str
    called: Callable[[str], str]
    """A name of a row -> its name in the legend, or an empty string where it is not of these."""
    kind: str = "auto"
    level: float | None = None
    smooth: bool = True
    note: str = ""


def _ending(end: str) -> Callable[[str], str]:
    return lambda name: name.removesuffix(end).replace("_", " ") if name.endswith(end) else ""


def _named(**names: str) -> Callable[[str], str]:
    """Of these names, and of those that stand behind a player's: `d_a_real_logits`."""

    def called(name: str) -> str:
        if name in names:
            return names[name]
        found = [plain for plain in names if name.endswith(f"_{plain}")]
        whose = name.removesuffix(f"_{found[0]}").replace("_", " ") if found else ""
        return f"{names[found[0]]}, {whose}" if found else ""

    return called


GROUPS = (
    Group("Losses", _ending("_loss")),
    Group(
        "Accuracy of the discriminator",
        _named(d_accuracy_real="on real", d_accuracy_fake="on generated"),
        kind="unit",
        level=0.5,
        note="dashed: chance",
    ),
    Group("Gradient norms", _ending("_grad_norm"), kind="log"),
    Group(
        "Logits",
        _named(real_logits="of real", fake_logits="of generated"),
        kind="linear",
        note="band: one deviation within a batch",
    ),
    Group(
        "Logits of real samples",
        _named(real_logits_train="trained on", real_logits_heldout="held out"),
        kind="linear",
        smooth=False,
    ),
    Group(
        "Score at checkpoints",
        _named(score="of samples", score_of_reals="of other real ones"),
        smooth=False,
        note="Frechet distance of block means, lower is better",
    ),
    Group(
        "Variety at checkpoints",
        _named(
            diversity="diversity",
            precision="precision",
            recall="recall",
            duplicates="duplicates",
            copies="copies",
            high_quality="within 3 sigma",
        ),
        kind="unit",
        smooth=False,
    ),
)


def panels(facts: RunFacts) -> dict[str, Panel]:
    """Title -> chart, for each group of which the run has a value."""
    marks = _marks(facts)
    last = max((row["step"] for row in facts.rows), default=0)
    found = {}
    for group in GROUPS:
        lines = _lines(facts.rows, group)
        if lines:
            found[group.title] = _panel(group, lines, marks, last)
    return found


def _marks(facts: RunFacts) -> list[Mark]:
    return [
        Mark(
            number,
            finding["severity"],
            finding["since"],
            finding["step"],
            f"{number}. {finding['name']}: {finding['message']}",
        )
        for number, finding in enumerate(facts.findings, 1)
        if finding["name"] not in VERDICTS
    ]


def _lines(rows: Sequence[dict[str, Any]], group: Group) -> list[Line]:
    """One for each name of the group, in the rows' own order."""
    names = dict.fromkeys(name for row in rows for name in row if group.called(name))
    return [_line(rows, name, group) for name in list(names)[:MAX_LINES]]


def _line(rows: Sequence[dict[str, Any]], name: str, group: Group) -> Line:
    own = [row for row in rows if name in row]
    spread = [row.get(f"{name}_std") for row in own]
    return Line(
        text(group.called(name), 40),
        [row["step"] for row in own],
        [row[name] for row in own],
        spread=() if None in spread else spread,
        smooth=group.smooth,
    )


def _panel(group: Group, lines: Sequence[Line], marks: Sequence[Mark], last: int) -> Panel:
    y = axis.axis([value for line in lines for value in _reach(line)], kind=group.kind)
    notes = [group.note] if group.note else []
    if "log" in y.kind:
        notes.append(f"{y.kind} scale")
    svg = chart(lines, title=group.title, y=y, last=last, marks=marks, level=group.level)
    legend = tuple(line.name for line in lines)
    return Panel(group.title, Markup(svg), legend, ", ".join(notes))


def _reach(line: Line) -> Iterator[float]:
    """All values that the line and its band pass through."""
    yield from line.values
    for value, spread in zip(line.values, line.spread, strict=False):
        yield from (value - spread, value + spread)


# -- classes ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Histogram:
    """Shares of classes of the samples and, where they are known, of the real data."""

    fake: list[float]
    real: list[float]
    missing: list[int]
    source: str

    @property
    def top(self) -> float:
        """The largest share."""
        return max([*self.fake, *self.real])

    def draw(self, top: float) -> Markup:
        """The bars, with `top` at the upper end."""
        return Markup(bars(self.fake, self.real, missing=self.missing, top=1.05 * top))


def histogram(facts: RunFacts) -> Histogram | None:
    """Of the newest score that has one, or of the last checkpoint's row; None where neither has."""
    for stored in sorted(facts.scores, key=lambda item: item.score.step or 0, reverse=True):
        details = stored.score.details
        fake = shares(details.get("histogram"))
        if stored.score.metric == "modes" and 0 < len(fake) <= MAX_CLASSES:
            missing = details.get("missing")
            source = f"{stored.score.label}, step {stored.score.step:,}"
            absent = [i for i in missing if type(i) is int] if isinstance(missing, list) else []
            return Histogram(fake, shares(details.get("real_histogram")), absent, source)
    for row in reversed(facts.rows):
        if 0 < len(row.get("classes", ())) <= MAX_CLASSES:
            source = f"by nearest real class while training, step {row['step']:,}"
            return Histogram(row["classes"], row.get("real_classes", []), [], source)
    return None
