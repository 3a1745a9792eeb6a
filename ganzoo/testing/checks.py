"""The contract, check by check. Each takes a Trial and yields a Result for each case.

A message says what was expected, what came, and where to look. What only slows a plugin down, or
makes it depend on the number of replicas, is a note and no failure.
"""

from __future__ import annotations

import dataclasses
import json
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml

from ganzoo.fields import make
from ganzoo.testing.result import Result, judged, some, where

if TYPE_CHECKING:
    from ganzoo.exporting import Output
    from ganzoo.spec import DataSpec
    from ganzoo.testing.trial import Trial
    from ganzoo.training.game import Game

SLACK = 1e-3
"""How far rounding may carry a sample out of its range."""
FAR = 100.0
"""Times the usual z: what keeps samples in range only near the prior's centre is found out."""


def fields(trial: Trial) -> Iterator[Result]:
    """The hyperparameters come back the same from JSON and from YAML."""
    from ganzoo import settings

    plugin = trial.original
    values = settings.field_values(plugin)
    trips = {
        "JSON": lambda: json.loads(json.dumps(values)),
        "YAML": lambda: settings.parse(yaml.safe_dump(values)),
    }
    for name, trip in trips.items():
        again = make(type(plugin), trip())
        wrong = [
            f"{f.name} was {getattr(plugin, f.name)!r} and came back {getattr(again, f.name)!r}"
            for f in dataclasses.fields(plugin)
            if getattr(again, f.name) != getattr(plugin, f.name)
        ]
        yield judged(
            "fields",
            name,
            not wrong,
            f"expected every field as it went, {'; '.join(wrong)}: use plain numbers, words, "
            f"truth values and tuples of them; see {where(plugin)}",
        )


def shapes(trial: Trial) -> Iterator[Result]:
    """The sampler makes float32 samples of the data's shape, for all data that is supported."""
    from ganzoo.testing.trial import sample

    for spec in trial.specs:
        game = trial.game(spec)
        made = sample(game, trial.inputs(game, 5))
        for one in game.outputs:
            found = made[one.name]
            yield judged(
                "shapes",
                _case(spec, game, one),
                found.shape == (5, *one.shape) and found.dtype == np.float32,
                f"expected float32 samples of shape {(5, *one.shape)} for 5 rows of its inputs, "
                f"found {found.dtype} of {found.shape}; "
                f"see {where(trial.plugin, 'sampler', 'generator')}",
            )


def _case(spec: DataSpec, game: Game, one: Output) -> str:
    return str(spec) if len(game.outputs) == 1 else f"{spec}; {one.name}"


def ranges(trial: Trial) -> Iterator[Result]:
    """Samples lie in the data's range, whatever z is."""
    from ganzoo.testing.trial import sample

    for spec in trial.specs:
        game = trial.game(spec)
        near, far = (sample(game, trial.inputs(game, scale=scale)) for scale in (1.0, FAR))
        for one in game.outputs:
            made = np.stack([near[one.name], far[one.name]])
            low, high = one.range or (-math.inf, math.inf)
            found = f"[{made.min():.4g}, {made.max():.4g}]"
            inside = low - SLACK <= made.min() <= made.max() <= high + SLACK
            yield judged(
                "ranges",
                _case(spec, game, one),
                bool(np.isfinite(made).all() and inside),
                f"expected finite samples in [{low:g}, {high:g}] for z up to {FAR:g} times the "
                f"usual, found {found}: end the generator with tanh; "
                f"see {where(trial.plugin, 'sampler', 'generator')}",
            )


def losses(trial: Trial) -> Iterator[Result]:
    """A step of every player gives finite losses, for all data that is supported."""
    from ganzoo.testing.trial import play

    for spec in trial.specs:
        yield _finite(trial, "losses", str(spec), play(trial.game(spec), 0, 1))


def gradients(trial: Trial) -> Iterator[Result]:
    """Every trainable weight gets a gradient from a player, in some phase of the game."""
    from ganzoo.testing.trial import largest_gradients

    found = largest_gradients(trial.game())
    case = str(trial.spec)
    lost = [name for name, size in found.items() if size is None]
    still = [name for name, size in found.items() if size == 0]
    networks = [name.partition("/")[0] for name in [*lost, *still]]
    place = where(trial.plugin, *networks[:1], "players", "networks")
    yield judged(
        "gradients",
        case,
        not lost,
        f"expected a gradient for every trainable weight, none reached {some(lost)}: let a "
        f"player's loss use it, or set trainable = False on it; see {place}",
    )
    if still:
        yield Result(
            "gradients",
            case,
            "note",
            f"the gradient of {some(still)} is 0: the loss does not see it (a bias before a "
            f"batch norm, say); see {place}",
        )


def precisions(trial: Trial) -> Iterator[Result]:
    """Two steps in float32 and in bfloat16: finite, with weights that stay float32."""
    from ganzoo.testing.trial import play

    for precision in ("float32", "bfloat16"):
        case = f"{trial.spec}, {precision}"
        if precision == "bfloat16" and not trial.plugin.low_precision:
            yield Result("precisions", case, "skipped", "the plugin says low_precision: false")
            continue
        game = trial.game() if precision == "float32" else trial.new_game(precision=precision)
        yield _finite(trial, "precisions", case, play(game, 0, 1))
        low = [n for n, net in game.networks.items() for w in net.weights if w.dtype == "bfloat16"]
        if low:
            yield judged(
                "precisions",
                case,
                False,
                f"expected float32 weights, found bfloat16 ones in {some(low)}: let a layer's "
                f"policy decide what it computes in; see {where(trial.plugin, *low[:1])}",
            )


def export(trial: Trial) -> Iterator[Result]:
    """The sampler is written to a run folder and read back without the plugin: same samples."""
    from ganzoo import exporting, sampling
    from ganzoo.run import RunDir
    from ganzoo.testing.trial import sample

    game = trial.game()
    inputs = trial.inputs(game)
    with tempfile.TemporaryDirectory() as folder:
        run = RunDir.create(Path(folder) / "run")
        run.write_sampler(*exporting.export(game.average, trial.plugin, trial.spec))
        run.save_checkpoint(0, game.state())
        read = sampling.Sampler(run)
        again = {one.name: read(inputs, one.name) for one in read.outputs}
    made = sample(game, inputs)
    for one in game.outputs:
        off = float(np.abs(again[one.name] - made[one.name]).max())
        yield judged(
            "export",
            _case(trial.spec, game, one),
            off <= 1e-4,
            f"expected the exported sampler to make the same samples, they differ by {off:.3g}: "
            "its layers must behave the same each time; "
            f"see {where(trial.plugin, 'sampler', 'generator')}",
        )


def repeats(trial: Trial) -> Iterator[Result]:
    """The same seed gives the same numbers, and another seed gives others."""
    from ganzoo.testing.trial import play

    first, second, other = (trial.new_game(seed=seed) for seed in (0, 0, 1))
    start, another = first.state(), other.state()
    rows, again = play(first, 0, 1), play(second, 0, 1)
    moved = [name for name in rows if not np.array_equal(rows[name], again[name])]
    place = where(trial.plugin, "players", "d_loss", "g_loss", "networks")
    yield judged(
        "repeats",
        "same seed",
        not moved,
        f"expected the same numbers twice, found other ones in {some(moved)}: draw with "
        f"turn.seed(...) and stateless operations; see {place}",
    )
    same = all(np.array_equal(start[name], another[name]) for name in start)
    yield Result(
        "repeats",
        "another seed",
        "note" if same else "ok",
        f"the first weights are the same for every seed: seeds differ in their draws alone; "
        f"see {where(trial.plugin, 'networks', 'generator')}"
        if same
        else "",
    )


def resumes(trial: Trial) -> Iterator[Result]:
    """A step again from the saved state ends on the same bits: within a phase, at every milestone.

    Compiled it is played again by the same game; operation by operation, by a game built anew too.
    Compiling is what takes long: each phase is compiled once, and no two compilations are compared.
    In each phase every player must move some weight. Most of its steps are left out, so state that
    `after` sets may be an earlier one's.
    """
    moved: Moved = {}
    milestones = trial.plugin.milestones
    firsts = {min(2, *milestones) if milestones else 2: 0}  # pause -> first of the steps before it
    for m in milestones:
        firsts |= {pause: first for first, pause in ((m - 1, m), (m, m + 1)) if pause not in firsts}
    game = trial.game()
    game.enter(0)
    for pause, first in firsts.items():
        yield _resumed(trial, game, first, pause, moved)
    still = [player for (_, player), any_did in moved.items() if not any_did]
    if still:
        yield judged(
            "resumes",
            str(trial.spec),
            False,
            f"expected every player to move its weights, those of {some(still)} stood still: its "
            f"rate is 0, or its loss does not depend on them; "
            f"see {where(trial.plugin, 'optimizers', 'players', 'd_loss')}",
        )


Moved = dict[tuple[int, str], bool]
"""(first step of a phase, player) -> whether any weight of its was given another value."""


def _resumed(trial: Trial, game: Game, first: int, pause: int, moved: Moved) -> Result:
    """From step `first`, of the phase that the game is in, to `pause`, a restart, one step more."""
    from ganzoo.testing.trial import play

    _play(game, first, pause - first, moved)
    if pause in game.milestones:
        game.enter(pause)
    saved = game.state()
    _play(game, pause, 1, moved)
    compiled = game.state()
    game.assign(saved)
    game.run(pause, 1)
    again = game.state()
    game.assign(saved)
    play(game, pause, 1)
    eager = game.state()
    resumed = trial.new_game()  # behind all that the other game has played
    resumed.restore(saved, pause)
    play(resumed, pause, 1)
    pairs = (compiled, again), (eager, resumed.state())
    differ = [n for n in saved if any(not np.array_equal(a[n], b[n]) for a, b in pairs)]
    return judged(
        "resumes",
        f"{trial.spec}" + (f", at step {pause}" if trial.plugin.milestones else ""),
        not differ,
        f"expected the same bits after a restart, {len(differ)} of {len(saved)} arrays differ "
        f"({some(differ)}): keep all state in the networks or draw it from the step; "
        f"see {where(trial.plugin, 'players', 'd_loss', 'networks')}",
    )


def _play(game: Game, step: int, count: int, moved: Moved) -> None:
    """Some steps of one phase; notes down whose weights they moved."""
    players = {player.name: game.weights(player) for player in game.players}
    before = {name: [np.array(w.numpy()) for w in weights] for name, weights in players.items()}
    game.run(step, count)
    for name, weights in players.items():
        same = zip(before[name], weights, strict=True)
        changed = any(not np.array_equal(old, new.numpy()) for old, new in same)
        place = game.phase_start, name
        moved[place] = moved.get(place, False) or changed


def replicas(trial: Trial) -> Iterator[Result]:
    """On two halves of a batch the mean of a player's gradients is the whole batch's.

    A loss that sums over the batch is noted, for its gradient grows with the batch; so are
    statistics of the batch (batch norm) and random numbers drawn for it, which cannot be split.
    """
    from ganzoo.testing.trial import Part, example, gradient, model_arrays, phases, smaller
    from ganzoo.training.game import Game

    game = trial.game()
    n = trial.plugin.batch_size // 2 * 2
    half = smaller(trial.plugin, n // 2) if n else None
    if half is None:
        yield Result("replicas", "", "skipped", "its batch cannot be split in two")
        return
    arrays = model_arrays(example(trial.spec), n)
    parts = Game(half, example(trial.spec), seed=0, precision="float32", chunk_steps=2)
    cuts = (slice(0, n), slice(0, n // 2), slice(n // 2, n))
    for start, _ in phases(trial.plugin):
        game.enter(start)
        parts.restore(game.state(), start)
        for place, player in enumerate(game.players):
            played = [(game, player), *[(parts, parts.players[place])] * 2]
            turns = [Part(g, cut, arrays, n) for (g, _), cut in zip(played, cuts, strict=True)]
            whole, *halves = (
                gradient(g, p, turn) for (g, p), turn in zip(played, turns, strict=True)
            )
            mean = (halves[0] + halves[1]) / 2
            off = float(np.linalg.norm(whole - mean) / max(np.linalg.norm(whole), 1e-12))
            case = f"{player.name} from step {start} on" if start else player.name
            slope = 0.0 if turns[1].shared else _slope(whole, mean)
            if off > 1e-3 and turns[1].shared and not turns[1].drawn:
                words = "it asks for turn.mean, which several devices share: not tried by halves"
                yield Result("replicas", case, "note", words)
                continue
            yield _split(trial, game, case, off, slope, turns[1].drawn)


def _split(
    trial: Trial, game: Game, player: str, off: float, slope: float, drawn: set[str]
) -> Result:
    if off <= 1e-3:
        return Result("replicas", player, "ok")
    if slope > 1.5:
        return Result(
            "replicas",
            player,
            "note",
            f"the gradient of a batch is {slope:.2f} times the mean of its halves': the loss sums "
            "over the batch, so that steps grow with batch_size; unless that is meant, take the "
            f"mean; see {where(trial.plugin, 'players', 'd_loss', 'g_loss')}",
        )
    norms = [n for n, net in game.networks.items() for w in net.variables if "moving_" in w.path]
    reasons = [f"batch norm in {norms[0]}"] if norms else []
    reasons += [f"draws of its own for {', '.join(sorted(drawn))}"] if drawn else []
    reason = (
        " and ".join(reasons)
        or "dropout, a statistic of the batch, or a loss that is no mean over rows"
    )
    return Result(
        "replicas",
        player,
        "note",
        f"the gradients of two half batches differ from the whole one's by {off:.1%} ({reason}): "
        "several replicas give other numbers than one",
    )


def _slope(whole: np.ndarray, mean: np.ndarray) -> float:
    """How many times `mean` the vector `whole` is, where they point the same way; else 0."""
    size = float(np.linalg.norm(whole) * np.linalg.norm(mean))
    product = float(whole @ mean)
    return product / float(mean @ mean) if size and product / size > 0.9 else 0.0


def speed(trial: Trial) -> Iterator[Result]:
    """A compiled step's time against dcgan's on the same data: for information."""
    from ganzoo.testing.speed import against

    yield from against(trial)


def _finite(trial: Trial, check: str, case: str, row: dict[str, np.ndarray]) -> Result:
    bad = [
        f"{name} = {values[-1]}" for name, values in row.items() if not np.isfinite(values).all()
    ]
    return judged(
        check,
        case,
        not bad,
        f"expected finite numbers in the first steps, found {some(bad)}; "
        f"see {where(trial.plugin, 'd_loss', 'g_loss', 'players')}",
    )
