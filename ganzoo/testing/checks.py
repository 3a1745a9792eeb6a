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
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from ganzoo.fields import make
from ganzoo.testing.result import Result, judged, some, where

if TYPE_CHECKING:
    from ganzoo.testing.trial import Trial

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
        made = sample(game.average, trial.inputs(game.average, spec, 5))
        yield judged(
            "shapes",
            str(spec),
            made.shape == (5, *spec.shape) and made.dtype == np.float32,
            f"expected float32 samples of shape {(5, *spec.shape)} for 5 z, found {made.dtype} "
            f"of {made.shape}; see {where(trial.plugin, 'sampler', 'generator')}",
        )


def ranges(trial: Trial) -> Iterator[Result]:
    """Samples lie in the data's range, whatever z is."""
    from ganzoo.testing.trial import sample

    for spec in trial.specs:
        model = trial.game(spec).average
        inputs = trial.inputs(model, spec)
        far = {
            k: v * FAR if v.ndim == 2 and v.dtype == np.float32 else v for k, v in inputs.items()
        }
        made = np.stack([sample(model, inputs), sample(model, far)])
        low, high = spec.range or (-math.inf, math.inf)
        found = f"[{made.min():.4g}, {made.max():.4g}]"
        yield judged(
            "ranges",
            str(spec),
            bool(
                np.isfinite(made).all() and low - SLACK <= made.min() <= made.max() <= high + SLACK
            ),
            f"expected finite samples in [{low:g}, {high:g}] for z up to {FAR:g} times the usual, "
            f"found {found}: end the generator with tanh; "
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

    found = largest_gradients(trial.new_game())
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
        game = trial.new_game(precision=precision)
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
    from ganzoo import sampling
    from ganzoo.run import RunDir
    from ganzoo.testing.trial import sample

    game = trial.game()
    inputs = trial.inputs(game.average, trial.spec)
    with tempfile.TemporaryDirectory() as folder:
        run = RunDir.create(Path(folder) / "run")
        run.write_sampler(*sampling.export(game.average, trial.plugin, trial.spec))
        run.save_checkpoint(0, game.state())
        main = next(value for name, value in inputs.items() if name != "label")
        again = sampling.Sampler(run)(main, inputs.get("label"))
    off = float(np.abs(again - sample(game.average, inputs)).max())
    yield judged(
        "export",
        str(trial.spec),
        off <= 1e-4,
        f"expected the exported sampler to make the same samples, they differ by {off:.3g}: its "
        f"layers must behave the same each time; see {where(trial.plugin, 'sampler', 'generator')}",
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
    yield judged(
        "repeats",
        "another seed",
        any(not np.array_equal(start[name], another[name]) for name in start),
        "expected other weights, found the same: initializers must not fix a seed of their own; "
        f"see {where(trial.plugin, 'networks', 'generator')}",
    )


def resumes(trial: Trial) -> Iterator[Result]:
    """Compiled, three steps end on the same bits as two steps, a restart and the third."""
    straight, resumed = trial.new_game(), trial.new_game()
    straight.run(0, 2)
    saved = straight.state()
    straight.run(2, 1)
    resumed.restore(saved, 2)
    resumed.run(2, 1)
    ours, theirs = straight.state(), resumed.state()
    moved = [name for name in ours if not np.array_equal(ours[name], theirs[name])]
    yield judged(
        "resumes",
        str(trial.spec),
        not moved,
        f"expected the same bits after a restart, {len(moved)} of {len(ours)} arrays differ "
        f"({some(moved)}): keep all state in the networks or draw it from the step; "
        f"see {where(trial.plugin, 'players', 'd_loss', 'networks')}",
    )


def replicas(trial: Trial) -> Iterator[Result]:
    """On two halves of a batch the mean of a player's gradients is the whole batch's.

    A sum over the batch fails: it would grow with the batch. Statistics of the batch (batch norm)
    and random numbers drawn for it cannot be split, and are noted.
    """
    from ganzoo.testing.trial import Part, example, gradient, model_arrays

    game = trial.game()
    n = trial.plugin.batch_size // 2 * 2
    if not n:
        yield Result("replicas", "", "skipped", "a batch of one cannot be split")
        return
    arrays = model_arrays(example(trial.spec), n)
    cuts = (slice(0, n), slice(0, n // 2), slice(n // 2, n))
    for player in game.players:
        turns = [Part(game, cut, arrays, trial.z(n)) for cut in cuts]
        whole, *halves = (gradient(game, player, turn) for turn in turns)
        mean = (halves[0] + halves[1]) / 2
        off = float(np.linalg.norm(whole - mean) / max(np.linalg.norm(whole), 1e-12))
        yield _split(trial, game, player.name, off, _slope(whole, mean), turns[0].drawn - {"z"})


def _split(
    trial: Trial, game: Any, player: str, off: float, slope: float, drawn: set[str]
) -> Result:
    if off <= 1e-3:
        return Result("replicas", player, "ok")
    if slope > 1.5:
        return judged(
            "replicas",
            player,
            False,
            f"expected the gradient of a batch to be the mean of its halves', it is {slope:.2f} "
            f"times that: take the mean over the batch, not the sum; "
            f"see {where(trial.plugin, 'players', 'd_loss', 'g_loss')}",
        )
    norms = [n for n, net in game.networks.items() for w in net.variables if "moving_" in w.path]
    reasons = [f"batch norm in {norms[0]}"] if norms else []
    reasons += [f"random numbers for {', '.join(sorted(drawn))}"] if drawn else []
    reason = " and ".join(reasons) or "dropout, or a statistic of the batch"
    return Result(
        "replicas",
        player,
        "note",
        f"the gradients of two half batches differ from the whole one's by {off:.0%} ({reason}): "
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
