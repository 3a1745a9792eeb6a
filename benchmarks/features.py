"""How fast features are made, against `keras.Model.predict`, and what bfloat16 does to scores.

`python benchmarks/features.py mnist` and `... inception [--dims 768]` print images a second, turn
by turn in one process, with a large matrix product as one of the contenders: what the machine could
do in the same rounds. Medians over the rounds, and ratios round by round. `... shift` prints the
Frechet distances of real, noised and other images in float32 and in bfloat16.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent))
import tensorflow as tf
from keras_extractors import digit_model, inception_model

from ganzoo import counting, data
from ganzoo.eval.extractor import Extractor
from ganzoo.eval.features import extractor, inception, inception_layers, largest_dims
from ganzoo.eval.frechet import Gaussian, frechet_of_gaussians, gaussian
from ganzoo.hardware import has_bfloat16

PRODUCT = 2048
"""The side of the square matrices that are multiplied."""
PAIRS = (
    ("cifar10 train", "cifar10 test"),
    ("cifar10 noised by 5", "cifar10 test"),
    ("cifar10 noised by 25", "cifar10 test"),
    ("mnist train", "mnist test"),
    ("mnist noised by 25", "mnist test"),
    ("fashion_mnist test", "mnist test"),
)

Turn = Callable[[], object]


def measured(contenders: dict[str, Turn], rounds: int) -> dict[str, list[float]]:
    """Seconds of each contender in each round; all play once before, unmeasured."""
    for play in contenders.values():
        play()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, play in contenders.items():
            begin = time.perf_counter()
            play()
            seconds[name].append(time.perf_counter() - begin)
    return seconds


def product(dtype: tf.DType, repeats: int) -> Turn:
    """So many matrix products."""
    a = tf.cast(tf.random.stateless_normal((PRODUCT, PRODUCT), (0, 0)), dtype)
    multiply = tf.function(lambda: a @ a)
    return lambda: [multiply() for _ in range(repeats)][-1].numpy()


def table(contenders: dict[str, Turn], images: int, flops: int, rounds: int, repeats: int) -> None:
    """Print what each does in a second, and how it stands to the others."""
    products = {f"matrix product {t.name}": product(t, repeats) for t in (tf.float32, tf.bfloat16)}
    seconds = measured(contenders | products, rounds)
    baseline = next(name for name in contenders if "predict" in name)
    against = f"against {baseline}"
    print(f"{'':36}{'images/s':>10}{'GFLOP/s':>10}   {against}")
    for name, spent in seconds.items():
        if name in products:
            rate = statistics.median(2 * PRODUCT**3 * repeats / s for s in spent)
            print(f"{name:36}{rate / flops:10,.0f}{rate / 1e9:10.0f}")
            continue
        rate = statistics.median(images / s for s in spent)
        ratio = statistics.median(
            theirs / ours for ours, theirs in zip(spent, seconds[baseline], strict=True)
        )
        print(f"{name:36}{rate:10,.0f}{rate * flops / 1e9:10.0f}   {ratio:.2f}")
    print("images/s of a product: what its operations a second would give, without any overhead")


def mnist(rounds: int) -> None:
    """The digit network on 28x28 bytes."""
    ours = extractor("mnist")
    model = digit_model(ours.weights)
    x = np.random.default_rng(0).integers(0, 256, (10_000, 28, 28, 1), np.uint8)
    flops = counting.flops(model)
    print(f"mnist features: {flops / 1e6:.1f} MFLOP an image, 10,000 images a round")
    contenders = {
        "ganzoo float32": lambda: ours(x),
        "keras predict, batch 32": lambda: model.predict(x, verbose=0),
        "keras predict, batch 500 ": lambda: model.predict(x, batch_size=500, verbose=0),
    }
    table(contenders, len(x), flops, rounds, repeats=20)


def inception_speed(dims: int, rounds: int, images: int, batch: int) -> None:
    """Inception on 32x32 bytes in colour; random weights, since speed does not depend on them."""
    rng = np.random.default_rng(0)
    weights = {
        name: (rng.normal(0, 1, shape) * np.prod(shape[:-1]) ** -0.5).astype(np.float32)
        for name, shape in inception_layers.shapes(dims).items()
    }
    model = inception_model(weights, dims, 32)
    x = rng.integers(0, 256, (images, 32, 32, 3), np.uint8)
    flops = counting.flops(model)
    print(f"inception, {dims} dimensions: {flops / 1e9:.1f} GFLOP an image, {images} a round")
    size = inception.Inception.batch
    contenders: dict[str, Turn] = {}
    for precision in precisions(dims):
        network = inception.compiled((size, 32, 32, 3), weights, dims, precision)
        contenders[f"ganzoo {precision}"] = lambda network=network: [
            network(x[i : i + size]) for i in range(0, images, size)
        ]
    contenders[f"keras predict, batch {batch}"] = lambda: model.predict(
        x, batch_size=batch, verbose=0
    )
    table(contenders, images, flops, rounds, repeats=50)


def precisions(dims: int) -> list[str]:
    """float32, and bfloat16 where the hardware and the dimensions have it."""
    return ["float32", *(["bfloat16"] if dims >= 768 and has_bfloat16() else [])]


# -- what bfloat16 does to scores ------------------------------------------------------------------


def shift(images: int) -> None:
    """FIDs of the pairs in both precisions, with the largest dimensions that weights are here for.

    `mixed`: the real images in float32 and the others in bfloat16, which no protocol allows.
    """
    dims = largest_dims()
    networks = [extractor("inception", dims=dims, precision=p) for p in precisions(dims)]

    @cache
    def seen(name: str, network: Extractor) -> Gaussian:
        return gaussian(network(pictures(name, images))[0])

    print(f"FID-{dims}, {images} images a side{'':20}float32   bfloat16     mixed")
    for other, real in PAIRS:
        exact, low = (
            frechet_of_gaussians(seen(real, network), seen(other, network)) for network in networks
        )
        mixed = frechet_of_gaussians(seen(real, networks[0]), seen(other, networks[1]))
        print(f"{f'{other} against {real}':46}{exact:10.4f}{low / exact - 1:+11.2%}", end="")
        print(f"{mixed / exact - 1:+10.2%}", flush=True)


@cache
def pictures(name: str, images: int) -> np.ndarray:
    """`cifar10 train`, `mnist test`, `mnist noised by 25`: the first so many, in colour."""
    which, *_, last = name.split()
    noise = int(last) if last.isdigit() else 0
    x = data.load(which, split="test" if noise else last).arrays["image"][:images]
    if noise:
        added = np.random.default_rng(0).normal(0, noise, x.shape)
        x = np.clip(x + added, 0, 255).round().astype(np.uint8)
    return x


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", choices=["mnist", "inception", "shift"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dims", type=int, choices=inception.DIMS, default=768)
    parser.add_argument("--images", type=int, help="a round; a set  [default: 200; 1,000]")
    parser.add_argument("--batch", type=int, default=32, help="of predict")
    chosen = parser.parse_args()
    if chosen.what == "mnist":
        mnist(chosen.rounds)
    elif chosen.what == "inception":
        inception_speed(chosen.dims, chosen.rounds, chosen.images or 200, chosen.batch)
    else:
        shift(chosen.images or 1000)


if __name__ == "__main__":
    main()
