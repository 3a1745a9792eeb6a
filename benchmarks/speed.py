"""Images a second of ganzoo, Keras and PyTorch on the same GANs, and the ratios.

All contenders wait in processes of their own and play in turn, one at a time, so that a machine
whose speed drifts is the same for all. Printed are medians over the rounds, and ratios round by
round: `python benchmarks/speed.py [--network dcgan|mlp] [--rounds 7] [--torch PYTHON]`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BATCH = 128
STEPS = {"dcgan": 30, "mlp": 1500}
LOOP = "ganzoo loop"
"""The whole loop is measured over many more steps: `--only ganzoo --steps 1000 --rounds 3`."""


class Waiting:
    """A contender's process."""

    def __init__(self, python: str, name: str, network: str):
        self.name = name
        self.process = subprocess.Popen(
            [python, str(HERE / "contenders.py"), name, network],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        self.alive = self.answer() is not None

    def answer(self) -> dict | None:
        """The next line of the process as data, or None where it has ended."""
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def play(self, steps: int) -> dict:
        """Seconds and peak memory of so many steps."""
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return self.answer()


def measure(network: str, rounds: int, steps: int, torch: str, only: list[str]) -> None:
    """Print the table of one network."""
    from contenders import CONTENDERS

    names = [n for n in CONTENDERS if (not only and n != LOOP) or any(w in n for w in only)]
    started = [
        Waiting(torch if n.startswith("torch") else sys.executable, n, network) for n in names
    ]
    waiting = [w for w in started if w.alive]
    for missing in (w.name for w in started if not w.alive):
        print(f"left out: {missing} (it did not start)")
    results = {w.name: [] for w in waiting}
    for _ in range(rounds):
        for contender in waiting:
            results[contender.name].append(contender.play(steps))
    speed = {name: [steps / r["seconds"] for r in rows] for name, rows in results.items()}
    print(f"\n{network}, batch {BATCH}, {rounds} rounds of {steps} steps")
    print(f"{'':22}{'steps/s':>10}{'images/s':>10}{'peak MiB':>10}   ganzoo bf16 / f32 against it")
    for name, rates in speed.items():
        middle = statistics.median(rates)
        ratios = "  ".join(
            f"{_ratio(speed.get(ours), rates):>8}" for ours in ("ganzoo bfloat16", "ganzoo float32")
        )
        print(
            f"{name:22}{middle:10.2f}{middle * BATCH:10.0f}"
            f"{results[name][-1]['peak_mib']:10d}   {ratios}"
        )
    for contender in waiting:
        contender.process.kill()


def _ratio(ours: list[float] | None, theirs: list[float]) -> str:
    if ours is None:
        return ""
    return f"{statistics.median(a / b for a, b in zip(ours, theirs, strict=True)):.2f}x"


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=[*STEPS, "both"], default="both")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, help="steps of a round")
    parser.add_argument("--torch", default=sys.executable, help="a Python that has torch")
    parser.add_argument("--only", nargs="*", default=[], help="words in the contenders' names")
    chosen = parser.parse_args()
    for network in STEPS if chosen.network == "both" else [chosen.network]:
        steps = chosen.steps or STEPS[network]
        measure(network, chosen.rounds, steps, chosen.torch, chosen.only)


if __name__ == "__main__":
    main()
