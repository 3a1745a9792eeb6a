"""The loop: one for every architecture, resumable to the bit, honest about what goes wrong.

`start` makes a new run folder, `resume` goes on in an old one; both end in `_advance`, which
plays the game until its last step and keeps the folder's records.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ganzoo import exporting, handles, plugin_source, settings, vetting
from ganzoo.errors import GanzooError, UsageError
from ganzoo.eval.diagnosis.probe import GRID
from ganzoo.run import RunDir
from ganzoo.training.game import Game
from ganzoo.training.record import changed_surroundings, record
from ganzoo.training.recorder import ROWS, SECONDS, Recorder, draw
from ganzoo.training.request import Request, prepare
from ganzoo.views.view import Silent, View


def start(request: Request, outdir: str | os.PathLike[str], view: View | None = None) -> RunDir:
    """Train from step 0 in a new folder."""
    view = view or Silent()
    game = make_game(request)
    new = not os.path.lexists(outdir)
    run = RunDir.create(outdir)
    with run.locked():
        try:
            run.remove(*run.leftovers())  # of one that was killed before its first word
            met = record(request, game.frozen)
            run.write_config(dataclasses.asdict(request.settings) | {"record": met})
            if handles.is_name(request.settings.plugin):
                run.write_plugin(plugin_source.text_of(type(request.plugin)))
            prepare_folder(run, game, request, view)
            _advance(run, game, request, 0, view)
        except BaseException:
            _undo(run, new)
            raise
    return run


def _undo(run: RunDir, new: bool) -> None:
    """Leave no folder of a run that failed before its first row: it would be in the way of the next
    try.
    """
    with contextlib.suppress(OSError, GanzooError):
        run.check()
        if not run.metrics() and not run.checkpoints():
            run.undo()
            if new:
                run.path.rmdir()


def resume(
    path: str | os.PathLike[str],
    changes: dict[str, Any] | None = None,
    steps: int | None = None,
    view: View | None = None,
) -> RunDir:
    """Go on in `path` from its newest whole checkpoint to its own last step, or to `steps`.

    `changes` are settings asked for beside `--resume`: any that would change a number is refused.
    """
    view = view or Silent()
    run = RunDir.open(path)
    config = run.config()
    request = _resumed(run, config, changes or {}, steps)
    with run.locked():
        run.remove(*run.leftovers())
        game = make_game(request)
        met = config.get("record", {})
        _same_frozen(run, config, game)
        for line in changed_surroundings(met, record(request, {})):
            view.say(line)
        step, pending = 0, {}
        if run.checkpoints():
            step, arrays = run.latest()
            pending = {name: arrays.pop(name) for name in (ROWS, SECONDS) if name in arrays}
            game.restore(arrays, step)
        if step >= request.plugin.steps and run.state() == "finished":
            view.say(f"{run} is complete at step {step}; ask for more with --steps.")
            return run
        crashed = run.state() not in ("stopped", "finished")
        run.write_config(dataclasses.asdict(request.settings) | {"record": met})
        run.write_metrics([row for row in run.metrics() if row["step"] <= step])
        run.forget_after(step)
        prepare_folder(run, game, request, view)
        view.say(f"resuming {run} at step {step} of {request.plugin.steps}")
        _advance(run, game, request, step, view, pending, crashed)
    return run


def _resumed(
    run: RunDir, config: dict[str, Any], changes: dict[str, Any], steps: int | None
) -> Request:
    handles.require(run, config | changes)
    _refuse_own_code(run, config)
    old, _ = settings.resolve(config)
    fields = old.fields | changes.get("fields", {}) | ({"steps": steps} if steps else {})
    wanted = prepare(config | changes | {"fields": fields})
    lines = old.differences(wanted.settings)
    fingerprint = _mapping(config.get("record"), "data").get("fingerprint")
    if not lines and fingerprint and fingerprint != wanted.dataset.fingerprint:
        lines = [f"data: the content of {wanted.dataset.name!r} is not what the run was trained on"]
    if lines:
        raise UsageError(f"{run} cannot be resumed under other settings:\n  " + "\n  ".join(lines))
    return wanted


def _mapping(values: Any, name: str) -> dict[str, Any]:
    """What stands under a name in what a run met, which may be anything."""
    found = values.get(name) if isinstance(values, dict) else None
    return found if isinstance(found, dict) else {}


def _refuse_own_code(run: RunDir, config: dict[str, Any]) -> None:
    """UsageError where a run names a plugin that lies in it: a run folder executes nothing."""
    plugin = config.get("plugin", "")
    if plugin.endswith(".py") and Path(plugin).resolve().is_relative_to(run.path.resolve()):
        raise UsageError(
            f"{run} names a plugin that lies in the run folder itself, {plugin}, and a run folder "
            "executes nothing: if you trust it, move it elsewhere, and say so in config.yaml."
        )


def _same_frozen(run: RunDir, config: dict[str, Any], game: Game) -> None:
    """UsageError where a frozen network's file is not the one that the run was trained with."""
    recorded = _mapping(config.get("record"), "frozen")
    for name, here in game.frozen.items():
        before = _mapping(recorded, name).get("sha256")
        if before != here["sha256"]:
            raise UsageError(
                f"{run} cannot be resumed: its frozen network {name!r} had a file with the SHA-256 "
                f"{before}, and {here['file']} has {here['sha256']}: give it the same file."
            )


def make_game(request: Request) -> Game:
    """The game of a request, at step 0."""
    return Game(
        request.plugin,
        request.dataset,
        seed=request.settings.seed,
        precision=request.settings.precision,
        chunk_steps=min(request.settings.log_every, 100),
        auto_balance=request.settings.auto_balance,
    )


def prepare_folder(run: RunDir, game: Game, request: Request, view: View) -> None:
    """Write what stands in the folder from the start: the sampler's graph and real samples."""
    if request.dataset.note:
        view.say(request.dataset.note)
    graph, signature = exporting.export(game.average, request.plugin, request.dataset.spec)
    try:
        vetting.read(graph)
    except GanzooError as error:
        view.say(f"warning: this run will train, and cannot be sampled: {error}")
    run.write_sampler(graph, signature)
    real = request.dataset.arrays[game.outputs[0].imitates]
    chosen = np.random.Generator(np.random.Philox(request.settings.seed)).permutation(len(real))
    if real.ndim == 4:
        draw(run, "real", real[chosen[:GRID]])
    else:
        draw(run, "real", real[chosen[:2000]], real)  # framed as the samples are


# -- the loop -------------------------------------------------------------------------------------


class _Stop:
    """Set by SIGINT, SIGTERM or SIGHUP: the loop ends behind the current chunk."""

    requested = False

    def __call__(self, *_: Any) -> None:
        self.requested = True


@contextmanager
def _signals() -> Iterator[_Stop]:
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    heard = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        heard.append(signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _advance(
    run: RunDir,
    game: Game,
    request: Request,
    step: int,
    view: View,
    pending: Mapping[str, np.ndarray] | None = None,
    crashed: bool = False,
) -> None:
    """Play from `step` to the plugin's last step, a signal, or a failure that is to stop it.

    `pending` is what the checkpoint of `step` holds of the row that was begun before it; `crashed`
    says that the training before this one was killed.
    """
    run.write_state("running", step=step)
    total = request.plugin.steps
    heeds, failing = request.settings.on_failure != "warn", False
    try:
        recorder = Recorder(run, game, request, view, step, pending)
        recorder.complete(step, crashed)
        with _signals() as stop:
            failing = heeds and recorder.failure
            while step < total and not stop.requested and not failing:
                step = play(game, recorder, step, recorder.pause(step, total))
                failing = heeds and recorder.failure
        recorder.close(step)
        if step >= total and not failing:
            recorder.conclude()
    except BaseException:
        with contextlib.suppress(GanzooError):
            run.write_state("failed", step=step)
        raise
    if failing and not stop.requested:
        _give_up(run, recorder, step, view)
        return
    run.write_state("finished" if step >= total else "stopped", step=step)
    if step < total:
        view.say(f"stopped at step {step} of {total}; go on with: ganzoo train --resume {run}")


def _give_up(run: RunDir, recorder: Recorder, step: int, view: View) -> None:
    """End a run that is failing: where it stands, or at the best checkpoint that it had.

    Raises GanzooError where the run stops, or was to roll back and has nothing better.
    """
    finding, best = recorder.failure, recorder.best()
    what = f"{finding.name} since step {finding.since}: {finding.message}"
    todo = f" Try: {finding.command}" if finding.command else f" {finding.remedy}".rstrip()
    if recorder.settings.on_failure == "rollback" and best is not None and best < step:
        wasted = recorder.seconds_between(best, step)
        run.drop_checkpoints([newer for newer in run.checkpoints() if newer > best])
        run.write_state("stopped", step=best, rolled_back_from=step, finding=finding.name)
        view.say(
            f"rolled back from step {step} to step {best}, the checkpoint with the best score "
            f"({step - best} steps, {wasted:.0f} s wasted), by {what}{todo}"
        )
        return
    run.write_state("stopped", step=step, finding=finding.name)
    raise GanzooError(
        f"stopped at step {step} by {what}{todo} To go on regardless: "
        f"ganzoo train --resume {run} --on-failure warn"
    )


def play(game: Game, recorder: Recorder, step: int, end: int) -> int:
    """One compiled call towards `end`; returns the step that it reached.

    Where the players change there, the new ones are taken up before anything is saved: a
    checkpoint of step s holds what the step after it needs.
    """
    edge = game.next_milestone(step)
    count = min(end if edge is None else min(end, edge), step + recorder.pace) - step
    began = time.perf_counter()
    names, rows = game.run(step, count)
    recorder.add(step, names, rows, time.perf_counter() - began)
    step += len(rows)
    if step == edge:
        game.enter(step)
    recorder.keep(step)
    if step == edge:
        recorder.enter(step)
    return step
