"""Stacked MNIST: three digits in the channels of one image, so 1,000 modes that can be counted.

Metz et al. 2017 (https://arxiv.org/abs/1611.02163), section 3.3.2; the protocol of modes and
divergence over 26,000 samples is that of VEEGAN and PacGAN.
"""

from __future__ import annotations

import numpy as np

from ganzoo.data import standard
from ganzoo.data.dataset import Dataset, Judging
from ganzoo.spec import DataSpec

NAMES = {"stacked_mnist": "1,000 modes: three MNIST digits in the channels of a 28x28 image"}
MODES = 1000
JUDGING = Judging(
    samples=26_000,
    extractor="mnist",
    per_channel=True,
    classifier=True,
    protocol="26,000 samples, 1,000 modes (Srivastava et al. 2017; Lin et al. 2018)",
)
SEEDS = {"train": 0, "test": 1}


def load(name: str, size: int | None = None, split: str = "train") -> Dataset:
    """As many stacks as MNIST's split has digits, always the same; each digit stands in three.

    There are no labels: the modes are what a generator has to find by itself.
    """
    mnist = standard.load("mnist", size, split)
    digits = mnist.arrays["image"][..., 0]
    channels = [digits[order] for order in orders(len(digits), split)]
    images = np.stack(channels, axis=-1)
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
