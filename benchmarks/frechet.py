"""Our Frechet distance against scipy.linalg.sqrtm's, turn by turn in one process.

`python benchmarks/frechet.py [--dimension 2048] [--samples 5000] [--rounds 3]` prints seconds
(the best round's, as other work on the machine only adds), their ratio and that of each round, and
how far apart the two distances are. The covariances are made once, outside the clock.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy import linalg

from ganzoo.eval.frechet import Gaussian, frechet_of_gaussians, gaussian


def with_sqrtm(real: Gaussian, fake: Gaussian) -> float:
    """As in the reference implementations, with the root of the product."""
    root = linalg.sqrtm(real.covariance @ fake.covariance)
    difference = real.mean - fake.mean
    traces = np.trace(real.covariance) + np.trace(fake.covariance)
    return float(difference @ difference + traces - 2 * np.trace(root).real)


def features(rng: np.random.Generator, n: int, d: int, shift: float) -> np.ndarray:
    """Non-negative and of very different scales, like pooled activations."""
    scales = np.geomspace(1, 0.01, d)
    return np.maximum(rng.standard_normal((n, d)) + shift, 0) * scales


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--dimension", type=int, default=2048)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    real, fake = (gaussian(features(rng, args.samples, args.dimension, s)) for s in (0.0, 0.1))
    contenders = {"ganzoo": frechet_of_gaussians, "sqrtm": with_sqrtm}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    values = {}
    for _ in range(args.rounds):
        for name, distance in contenders.items():
            start = time.perf_counter()
            values[name] = distance(real, fake)
            seconds[name].append(time.perf_counter() - start)
    for name in contenders:
        print(f"{name:8s} {min(seconds[name]):8.2f} s   {values[name]:.9g}")
    ratios = [theirs / ours for ours, theirs in zip(*seconds.values(), strict=True)]
    best = min(seconds["sqrtm"]) / min(seconds["ganzoo"])
    print(f"ratio    {best:8.1f}     rounds: " + " ".join(f"{ratio:.1f}" for ratio in ratios))
    print(f"relative difference {abs(values['ganzoo'] / values['sqrtm'] - 1):.1e}")


if __name__ == "__main__":
    main()
