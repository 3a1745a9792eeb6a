"""How a training looks in a terminal: a live panel, plain lines elsewhere, nothing if quiet."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from ganzoo import untrusted
from ganzoo.views.view import Silent

if TYPE_CHECKING:
    from ganzoo.eval.diagnosis.findings import Finding
    from ganzoo.training.request import Request

SHOWN = (
    "discriminator_loss",
    "generator_loss",
    "d_accuracy_real",
    "d_accuracy_fake",
    "discriminator_grad_norm",
    "generator_grad_norm",
)


def for_terminal(quiet: bool) -> Plain:
    """The view that suits where the output goes."""
    if quiet:
        return Quiet()
    return Live() if sys.stdout.isatty() else Plain()


class Plain(Silent):
    """One line now and then: what a log file wants."""

    seconds = 10.0
    """Between two lines."""

    def __enter__(self) -> Plain:
        self._next = 0.0
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def say(self, text: str) -> None:
        """Print the line."""
        click.echo(untrusted.lines(text))

    def progress(self, step: int, total: int, rate: float, row: dict[str, float]) -> None:
        """Show a line now and then, and the last."""
        now = time.monotonic()
        if now < self._next and step < total:
            return
        self._next = now + self.seconds
        scalars = "  ".join(f"{label} {value}" for label, value in _scalars(row))
        left = _left(step, total, rate)
        speed = f"{rate * self.batch:.0f} images/s  {left}" if rate else "compiled"
        self.show(f"step {step}/{total}  {speed}  {scalars}")

    def show(self, line: str) -> None:
        """Print a line of progress."""
        click.echo(untrusted.lines(line))

    def finding(self, finding: Finding) -> None:
        """Print what the monitor found, and what to try."""
        self.say(_told(finding))


class Quiet(Plain):
    """Nothing at all."""

    def say(self, text: str) -> None:
        pass

    def progress(self, step: int, total: int, rate: float, row: dict[str, float]) -> None:
        pass


class Live(Plain):
    """A panel that is drawn over itself; the newest finding stands in it."""

    def __enter__(self) -> Live:
        from rich.live import Live as Panel

        self._newest = ""
        self._panel = Panel(refresh_per_second=4, transient=False)
        self._panel.start()
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._panel.stop()

    def say(self, text: str) -> None:
        whole = untrusted.lines(text)
        self._panel.console.print(whole, highlight=False, markup=False, soft_wrap=True)

    def progress(self, step: int, total: int, rate: float, row: dict[str, float]) -> None:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        head = Table.grid(padding=(0, 2))
        head.add_row(
            f"step {step}/{total}",
            ProgressBar(total, step, width=30),
            f"{rate * self.batch:.0f} images/s",
            _left(step, total, rate),
        )
        body = Table.grid(padding=(0, 2))
        for label, value in _scalars(row):
            body.add_row(label, value)
        self._panel.update(Group(head, body, Text(self._newest)))

    def finding(self, finding: Finding) -> None:
        self.say(_told(finding))
        self._newest = f"{finding.severity}: {finding.name} since step {finding.since}"


class Bar(Silent):
    """An evaluation's progress on the error stream: a bar on a terminal, nothing elsewhere."""

    def __enter__(self) -> Bar:
        self.bar: Any = None
        self.task: Any = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self.bar = Progress(console=Console(stderr=True), transient=True)
            self.bar.start()
        return self

    def __exit__(self, *_: Any) -> None:
        if self.bar:
            self.bar.stop()

    def say(self, text: str) -> None:
        """A line that stays."""
        text = untrusted.lines(text)
        if self.bar:
            self.bar.console.print(text, markup=False, highlight=False)
        else:
            click.echo(text, err=True)

    def start(self, what: str, total: int) -> None:
        """A new bar in the place of the last."""
        if self.bar:
            if self.task is not None:
                self.bar.remove_task(self.task)
            self.task = self.bar.add_task(
                untrusted.visible(what).replace("[", r"\["), total=total or None
            )

    def advance(self, count: int) -> None:
        """Move it."""
        if self.bar:
            self.bar.advance(self.task, count)


def _told(finding: Finding) -> str:
    """A finding as two lines: what, since when, why; and the remedy, where there is one."""
    line = f"{finding.severity}: {finding.name} (step {finding.step}): {finding.message}"
    remedy = "  ".join(part for part in (finding.remedy, finding.command) if part)
    return f"{line}\n  {remedy}" if remedy else line


def _scalars(row: dict[str, float]) -> list[tuple[str, str]]:
    """The scalars worth a place on the screen: the usual ones, or all losses and norms."""
    names = [n for n in SHOWN if n in row]
    names += [n for n in row if n.endswith(("_d_accuracy_real", "_d_accuracy_fake"))]
    names += [n for n in row if n.endswith(("_loss", "_grad_norm")) and n not in names]
    names += [n for n in ("score",) if n in row]
    return [(_short(name), f"{row[name]:.4g}") for name in names]


def _short(name: str) -> str:
    for long, short in (
        ("discriminator", "D"),
        ("generator", "G"),
        ("d_accuracy", "D right on"),
        ("_grad_norm", " gradient"),
        ("_", " "),
    ):
        name = name.replace(long, short)
    return name


def _left(step: int, total: int, rate: float) -> str:
    """Time to the last step, at the present rate in steps/s."""
    return f"{_clock((total - step) / rate)} left" if rate else ""


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def headline(request: Request, outdir: Any) -> str:
    """One line: what is trained on what, where to."""
    s, dataset = request.settings, request.dataset
    return (
        f"training {s.plugin} on {dataset.name} ({len(dataset)} x {dataset.spec}) for "
        f"{request.plugin.steps} steps in {s.precision}, seed {s.seed} -> {outdir}"
    )


def describe(request: Request) -> str:
    """Every resolved setting as YAML: what --dry-run prints."""
    import dataclasses

    import yaml

    return yaml.safe_dump(dataclasses.asdict(request.settings), sort_keys=False).rstrip()
