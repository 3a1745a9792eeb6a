"""How long a plugin's compiled step takes, as a multiple of dcgan's in the same process."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

from ganzoo.plugins.dcgan import DCGAN
from ganzoo.testing.result import Result
from ganzoo.testing.trial import Trial, example
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
    games = [
        Game(plugin, data, seed=0, precision="float32", chunk_steps=STEPS)
        for plugin in (dataclasses.replace(trial.original, batch_size=BATCH), standard)
    ]
    for game in games:
        game.run(0, 1)  # compiles
    seconds = [[_timed(game) for game in games] for _ in range(ROUNDS)]
    ours, theirs = (min(row[i] for row in seconds) / STEPS for i in (0, 1))
    yield Result(
        "speed",
        f"{specs[0]}, batch {BATCH}, float32",
        "note",
        f"a step takes {ours * 1000:.3g} ms, {ours / theirs:.2f} times dcgan's",
    )


def _timed(game: Game) -> float:
    began = time.perf_counter()
    game.run(1, STEPS)
    return time.perf_counter() - began
