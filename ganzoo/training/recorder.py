"""What a training writes down, and when: rows, findings, pictures, checkpoints."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.scalar.summary import scalar_pb

from ganzoo import pictures
from ganzoo.errors import GanzooError
from ganzoo.eval.diagnosis import records
from ganzoo.eval.diagnosis.monitor import Finding, Monitor
from ganzoo.eval.diagnosis.probe import Probe
from ganzoo.run import PENDING, RunDir
from ganzoo.training.events import Events
from ganzoo.training.game import Game
from ganzoo.training.request import Request
from ganzoo.views.view import View

LOOKS, LEAST_BETWEEN = 20, 25
"""The probe looks so often in a run, and at checkpoints; no sooner than after so many steps."""
ROWS, SECONDS = f"{PENDING}rows", f"{PENDING}seconds"
"""In a checkpoint: the steps since the last row, and how long they took."""
CHUNK_SECONDS = 1.0
"""A compiled call lasts about this long: short enough to watch and to interrupt."""


class Recorder:
    """The records of one training, and the monitor that reads them as they are written."""

    def __init__(
        self,
        run: RunDir,
        game: Game,
        request: Request,
        view: View,
        step: int,
        pending: Mapping[str, np.ndarray] | None = None,
    ):
        self.run, self.game, self.view = run, game, view
        self.settings, self.plugin = request.settings, request.plugin
        view.batch = self.plugin.batch_size
        self.probe = Probe(
            game.dataset,
            inputs=game.inputs,
            outputs=game.outputs,
            sampler=game.average,
            judges=game.judges(),
            seed=self.settings.seed,
            size=self.settings.size,
        )
        self.events = Events(run, step)
        self.look_every = max(self.plugin.steps // LOOKS, LEAST_BETWEEN)
        self.names = game.names
        self.rows: list[np.ndarray] = []
        self.interval, self.pace, self.rate = 0.0, 1, 0.0
        self.goes_on = bool(pending)
        """Whether this training begins where somebody stopped another."""
        if pending:
            _check_begun(pending, step)
            self.rows = [pending[ROWS]] if len(pending[ROWS]) else []
            self.interval = float(pending[SECONDS])
        past = run.metrics()
        self.seconds = sum(row.get("interval") or 0.0 for row in past)
        self.compiled = False  # the first call is no measure of the next ones
        self.saved = step if step in run.checkpoints() else None
        self.scores = run.scored()
        self.phases = _phases_before(run.game(), game.phase_start) + [game.phase()]
        self._write_game()
        self.monitor = self._monitor(past)
        self.failure: Finding | None = None
        """The first alarm since this training began or was resumed."""

    def complete(self, step: int, crashed: bool) -> None:
        """Make up what a resumed run lacks at its step: the look and the picture that are due, and
        after a crash the alarm that was to end it there.
        """
        s = self.settings
        if self.goes_on:
            if not self._due(step, s.picture_every):
                self.run.remove(self.run.picture_of(step), self.run.field_of(step))
        elif self.saved == step:
            if step not in self.scores:
                self._score_again(step)
            if self._due(step, s.picture_every) and not self.run.picture_of(step).exists():
                self.picture(step)
        alarms = [f for f in self.monitor.findings if f.severity == "failure" and f.step == step]
        self.failure = alarms[0] if crashed and alarms else self.failure
        self.run.prune_checkpoints(self.scores)

    def _score_again(self, step: int) -> None:
        """Write the row of `step` with the look at the samples that it lacks."""
        rows = self.run.metrics()
        here = {k: v for row in rows if row["step"] == step for k, v in row.items()}
        before = [row for row in rows if row["step"] < step]
        self.run.write_metrics(before)
        self.monitor = self._monitor(before)
        self.write({"step": step} | here | self._look(step, saves=True))

    def _due(self, step: int, every: int) -> bool:
        return step == self.plugin.steps or step % every == 0

    def _monitor(self, past: list[dict[str, Any]]) -> Monitor:
        """The monitor as it stood behind the last row: it has read all of them again."""
        monitor = Monitor(**records.context(self.run, dataclasses.asdict(self.settings)))
        for row in past:
            monitor.see(row)
        self.run.write_findings([finding.as_json() for finding in monitor.findings])
        return monitor

    def pause(self, step: int, total: int) -> int:
        """The next step at which something is due."""
        s = self.settings
        due = [
            step - step % every + every
            for every in (s.log_every, s.picture_every, s.checkpoint_every, self.look_every)
        ]
        edge = self.game.next_milestone(step)
        return min(*due, total, *([] if edge is None else [edge]))

    def enter(self, step: int) -> None:
        """Other players have taken over at `step`: for the monitor a new phase begins."""
        self.phases.append(self.game.phase())
        self._write_game()
        self.monitor.enter(step, self.phases[-1]["pairs"])
        self.probe.judge_by(self.game.judges())
        self.compiled, self.pace, self.rate = False, 1, 0.0  # another game to compile

    def _write_game(self) -> None:
        self.run.write_game({"milestones": list(self.game.milestones), "phases": self.phases})

    def add(self, step: int, names: list[str], rows: np.ndarray, seconds: float) -> None:
        """Take in the rows of one call; stop the run at the first value that is not finite."""
        self.names = names
        self.rows.append(rows)
        self.interval += seconds
        if self.compiled:
            self.rate = len(rows) / seconds
        self.compiled = True
        limit = max(1, int(CHUNK_SECONDS * len(rows) / seconds))
        self.pace = min(self.game.chunk_steps, limit, 2 * self.pace)
        bad = np.argwhere(~np.isfinite(rows))
        if len(bad):
            self._refuse(step + int(bad[0][0]) + 1, rows[bad[0][0]], names[bad[0][1]])

    def _refuse(self, step: int, row: np.ndarray, name: str) -> None:
        values = dict(zip(self.names, map(float, row), strict=True))
        self.write({"step": step, **values})
        players = [p.name for p in self.game.players if name.startswith(f"{p.name}_")]
        whose = f" of player {players[0]!r}" if players else ""
        raise GanzooError(
            f"{name}{whose} became {values[name]} at step {step}: the run is stopped. "
            f"{self._good()}"
        )

    def _good(self) -> str:
        steps = self.run.checkpoints()
        if not steps:
            return "No checkpoint had been written yet: lower the learning rate and start again."
        return (
            f"The checkpoint of step {steps[-1]} is good ({self.run.checkpoint_path(steps[-1])})."
        )

    # -- rows and findings ----------------------------------------------------------------------

    def keep(self, step: int) -> None:
        """Write what is due at `step`, the checkpoint last.

        A kill before it costs time alone: a resume begins at the one before, and writes this again.
        """
        s = self.settings
        saves = self._due(step, s.checkpoint_every)
        row = self._look(step, saves) if saves or step % self.look_every == 0 else {}
        if self._due(step, s.picture_every):
            self.picture(step)
        if self._due(step, s.log_every) or row or step in self.game.milestones:
            row = self.log(step) | row
            self.write(row)
        if saves:
            self.save(step)
        if self.rows or row:
            self.view.progress(step, self.plugin.steps, self.rate, row or self._means())

    def write(self, row: dict[str, Any]) -> None:
        """Add a row to the record, and what the monitor makes of it."""
        self.run.append_metrics(row)
        for finding in self.monitor.see(row):
            self._tell(finding)
            if finding.severity == "failure" and self.failure is None:
                self.failure = finding

    def conclude(self) -> None:
        """Say of a finished run that it was healthy, if it was."""
        verdict = self.monitor.verdict()
        if verdict is not None:
            self._tell(verdict)

    def _tell(self, finding: Finding) -> None:
        self.run.append_finding(finding.as_json())
        self.view.finding(finding)

    def _means(self) -> dict[str, float]:
        means = np.concatenate(self.rows).astype(np.float64).mean(0)
        return dict(zip(self.names, map(float, means), strict=True))

    def log(self, step: int) -> dict[str, float]:
        """The means since the last row, also as events."""
        self.seconds += self.interval
        count = sum(map(len, self.rows))
        row = {
            "step": step,
            "seconds": round(self.seconds, 3),
            "interval": self.interval,
            "images_per_second": count * self.plugin.batch_size / self.interval,
            **self._means(),
        }
        self.events.add(
            step,
            *(
                scalar_pb(name, value).value[0]
                for name, value in row.items()
                if name not in ("step", "seconds", "interval")
            ),
        )
        self.rows, self.interval = [], 0.0
        return row

    # -- pictures and checkpoints ---------------------------------------------------------------

    def picture(self, step: int) -> None:
        """The grid of the fixed z, also as an event."""
        image = self._draw(step)
        width, height = Image.open(io.BytesIO(image)).size
        shown = Summary.Image(encoded_image_string=image, height=height, width=width)
        self.events.add(step, Summary.Value(tag="samples", image=shown))

    def _draw(self, step: int) -> bytes:
        image = draw(self.run, self.run.picture_of(step).stem, *self.probe.picture())
        field = self.probe.field()
        if field:
            buffer = io.BytesIO()
            np.savez_compressed(buffer, **field)
            name = self.run.field_of(step).name
            self.run.write("fields", name, content=buffer.getbuffer())
        return image

    def save(self, step: int, pending: Mapping[str, np.ndarray] | None = None) -> None:
        """Save everything: the game, and of a stop the row that was begun."""
        self.run.save_checkpoint(step, self.game.state() | dict(pending or {}))
        self.run.prune_checkpoints(self.scores)
        self.saved = step

    def _refuse_weights(self, step: int) -> None:
        """Stop the run before a weight is saved that is not finite."""
        weight = self.game.non_finite_weight()
        if weight:
            raise GanzooError(
                f"weight {weight} is not finite at step {step}: the run is stopped. {self._good()}"
            )

    def _look(self, step: int, saves: bool) -> dict[str, Any]:
        """What the probe sees; before a checkpoint every weight must be finite."""
        if saves:
            self._refuse_weights(step)
        try:
            seen = self.probe.look()
        except GanzooError as error:
            raise GanzooError(
                f"{error}, at step {step}: the run is stopped. {self._good()}"
            ) from error
        if saves:
            self.scores[step] = seen["score"]
        return seen

    def best(self) -> int | None:
        """The checkpoint with the lowest score."""
        steps = [step for step in self.run.checkpoints() if step in self.scores]
        return min(steps, key=self.scores.__getitem__, default=None)

    def seconds_between(self, first: int, last: int) -> float:
        """How long the steps after `first` up to `last` took."""
        return sum(
            row.get("interval") or 0.0 for row in self.run.metrics() if first < row["step"] <= last
        )

    def close(self, step: int) -> None:
        """Save where the run stops: no row is written, so that a resume goes on in the middle of
        the one that was begun.
        """
        if self.saved != step:
            self._refuse_weights(step)
            begun = np.concatenate(self.rows) if self.rows else np.empty((0, len(self.names)))
            self.save(step, {ROWS: begun, SECONDS: np.float64(self.interval)})
            if not self.run.picture_of(step).exists():
                self._draw(step)


def _check_begun(pending: Mapping[str, np.ndarray], step: int) -> None:
    rows, seconds = (pending.get(name, np.empty(0, "U1")) for name in (ROWS, SECONDS))
    if rows.dtype.kind != "f" or rows.ndim != 2 or seconds.dtype.kind != "f" or seconds.shape:
        raise GanzooError(f"what the checkpoint of step {step} holds is no row that was begun.")


def _phases_before(game: Mapping[str, Any], start: int) -> list[dict[str, Any]]:
    """The phases that a resumed run has behind it, as its folder tells."""
    phases = game.get("phases")
    return [
        phase
        for phase in (phases if isinstance(phases, list) else [])
        if isinstance(phase, dict) and isinstance(phase.get("step"), int) and phase["step"] < start
    ]


def draw(
    run: RunDir,
    name: str,
    samples: np.ndarray,
    real: np.ndarray | None = None,
    columns: int | None = None,
) -> bytes:
    """Write a grid of samples into the run's folder, and return the file's bytes."""
    image = pictures.grid(samples, real, columns)
    run.write_picture(name, image)
    return image
