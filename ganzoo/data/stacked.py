"""Stacked MNIST: three digits in the channels of one image, so 1,000 modes that can be counted.

Metz et al. 2017 (https://arxiv.org/abs/1611.02163), section 3.3.2; the protocol of modes and
divergence over 26,000 samples is that of VEEGAN and PacGAN.
"""

from __future__ import annotations

import numpy as np

from ganzoo.data import standard
from ganzoo.data.dataset import Dataset, Judging
from ganzoo.spec import DataSpec

PACGAN = "stacked_mnist_pacgan"
NAMES = {
    "stacked_mnist": "1,000 modes: three MNIST digits in the channels of a 28x28 image",
    PACGAN: "the same, 128,000 stacks of all 70,000 digits, as PacGAN draws them",
}
MODES = 1000
JUDGING = Judging(
    samples=26_000,
    extractor="mnist",
    per_channel=True,
    classifier=True,
    protocol="26,000 samples, 1,000 modes (Srivastava et al. 2017; Lin et al. 2018)",
    channels_of="mnist",
)
SEEDS = {"train": 0, "test": 1}
DRAWN = {"train": 128_000, "test": 26_000}
"""Of PacGAN's: the code of VEEGAN and PacGAN trains on so many, and knows no test split."""


def load(name: str, size: int | None = None, split: str = "train") -> Dataset:
    """As many stacks as MNIST's split has digits, always the same; each digit stands in three.

    As PacGAN draws them, each channel's digit is any of the 70,000 of both splits, again and
    again. There are no labels: the modes are what a generator has to find by itself.
    """
    mnist = standard.load("mnist", size, split)
    digits = mnist.arrays["image"][..., 0]
    chosen = orders(len(digits), split)
    if name == PACGAN:
        both = (standard.load("mnist", size, one).arrays["image"][..., 0] for one in SEEDS)
        digits = np.concatenate(list(both))
        chosen = draws(len(digits), DRAWN[split], split)
    images = np.empty((len(chosen[0]), *digits.shape[1:], len(chosen)), np.uint8)
    for channel, rows in enumerate(chosen):
        images[..., channel] = digits[rows]
    return Dataset(
        name,
        DataSpec(images.shape[1:]),
        {"image": images},
        mnist.licence,
        f"stacked from {mnist.source}",
        mnist.note,
        judging=JUDGING,
    )


def orders(n: int, split: str) -> list[np.ndarray]:
    """The digit that stands in each channel of each stack: three permutations of n."""
    bits = np.random.Philox(key=SEEDS[split])
    return [np.argsort(bits.random_raw(n), kind="stable") for _ in range(3)]


def draws(n: int, count: int, split: str) -> list[np.ndarray]:
    """The digit of n that stands in each channel of each of `count` stacks, with replacement."""
    bits = np.random.Philox(key=SEEDS[split])
    return [(bits.random_raw(count) % np.uint64(n)).astype(np.intp) for _ in range(3)]
