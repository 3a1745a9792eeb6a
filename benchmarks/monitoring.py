"""What watching a training costs: the probe's looks and the monitor's rules, against the steps.

`python benchmarks/monitoring.py [--rounds 5]` alternates, in one process, a stretch of steps with a
look and with the rules on a row, for plugins at their defaults on MNIST, and prints the share of a
whole run that watching takes at the default cadence.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from ganzoo import training
from ganzoo.run import RunDir
from ganzoo.training import loop
from ganzoo.training.recorder import Recorder
from ganzoo.views.view import Silent

STRETCH = {"mlp_gan": 1000, "dcgan": 50, "wgan": 20, "sagan": 10}


def timed(work: Any) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(plugin: str, rounds: int, folder: Path) -> None:
    """Print one plugin's line."""
    request = training.prepare({"plugin": plugin, "data": "mnist"})
    game, steps = loop.make_game(request), STRETCH[plugin]
    recorder = Recorder(RunDir.create(folder / plugin), game, request, Silent(), 0)
    game.run(0, 1)
    recorder.probe.look()
    step, found = 1, []
    for _ in range(rounds):
        stretch = 0.0
        for _ in range(0, steps, min(steps, game.chunk_steps)):
            chunk = min(steps, game.chunk_steps)
            stretch += timed(lambda at=step, n=chunk: game.run(at, n))
            step += chunk
        look = timed(recorder.probe.look)
        row = {"step": step, "discriminator_loss": 1.0, **recorder.probe.look()}
        found.append((stretch / steps, look, timed(lambda row=row: recorder.monitor.see(row))))
    each, look, rules = (statistics.median(values) for values in zip(*found, strict=True))
    settings, total = request.settings, request.plugin.steps
    ends = (range(n, total + 1, n) for n in (recorder.look_every, settings.checkpoint_every))
    looks, rows = len(set().union(*ends)), total // settings.log_every
    share = (looks * look + rows * rules) / (total * each)
    print(
        f"| {plugin} | {1000 * each:.2f} ms | {1000 * look:.0f} ms | {1000 * rules:.2f} ms | "
        f"{looks} | {share:.2%} |",
        flush=True,
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("plugins", nargs="*", default=list(STRETCH))
    asked = parser.parse_args()
    print("| plugin | a step | a look | the rules on a row | looks a run | of the run's time |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for plugin in asked.plugins:
            measure(plugin, asked.rounds, Path(folder))


if __name__ == "__main__":
    main()
