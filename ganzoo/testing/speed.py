"""How long a plugin's compiled step takes, as a multiple of dcgan's in the same process."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ganzoo.data import Dataset
from ganzoo.plugin import Plugin
from ganzoo.plugins.dcgan import DCGAN
from ganzoo.testing.result import Result
from ganzoo.testing.trial import Trial, example, smaller
from ganzoo.training.game import Game

BATCH = 32
STEPS = 4
ROUNDS = 3


def against(trial: Trial) -> Iterator[Result]:
    """One note: milliseconds and the ratio, both float32, the best of three alternating rounds."""
    standard = DCGAN(batch_size=BATCH)
    specs = [spec for spec in trial.specs if standard.unsupported(spec) is None]
    if not specs:
        yield Result("speed", "", "skipped", "dcgan makes none of the data that this one makes")
        return
    data = example(specs[0])
    plugin = smaller(trial.original, BATCH) or trial.original
    games = [_ready(plugin, data)]
    try:
        games.append(_ready(standard, data))
    except Exception as error:  # not the plugin's
        yield Result("speed", "", "skipped", f"dcgan, the measure, cannot be played: {error}")
        return
    seconds = [[_timed(game) for game in games] for _ in range(ROUNDS)]
    ours, theirs = (min(row[i] for row in seconds) / STEPS for i in (0, 1))
    yield Result(
        "speed",
        f"{specs[0]}, batch {plugin.batch_size}, float32",
        "note",
        f"a step takes {ours * 1000:.3g} ms, {ours / theirs:.2f} times dcgan's",
    )


def _ready(plugin: Plugin, data: Dataset) -> Game:
    """The game behind its first step, which compiles."""
    game = Game(plugin, data, seed=0, precision="float32", chunk_steps=STEPS)
    game.run(0, 1)
    return game


def _timed(game: Game) -> float:
    began = time.perf_counter()
    game.run(1, STEPS)
    return time.perf_counter() - began
