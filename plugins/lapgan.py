"""A Laplacian pyramid of GANs: a small image first, and at each level what makes it sharper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
from keras import layers, ops

from ganzoo import losses
from ganzoo.errors import UsageError
from ganzoo.layers import BatchNormalization, Conv2D, Dropout
from ganzoo.plugin import DataSpec, Player, Plugin, Turn, Uniform, judged


@dataclass(frozen=True)
class LAPGAN(Plugin):
    """LAPGAN (Denton et al. 2015): a GAN makes a small image, others its details, size by size.

    A pair of players for each level of the pyramid. All learn at once and apart, from real small
    images, and only the sampler puts them together. As in the authors' code (facebook/eyescream)
    a discriminator sees the enlarged small image plus the details. Differs: these sums are held
    within the pixels' range, and made from the reals' own small images, not from others; no class
    labels; fewer channels; Adam for SGD with momentum; batch norm in the smallest generator, which
    made few digits without, and tanh behind it; convolutions of D keep their sides. Paper and code
    disagree: the smallest G has two layers of 1200 ReLUs in the paper, D of 600; in the code 8000,
    the second of them sigmoids, and 1600.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1506.05751"

    levels: int = 3  # sizes of the pyramid, each twice the one before: 8, 16 and 32 for CIFAR-10
    hidden: int = 600  # units of the smallest G's two layers, twice those of D; 1200 in the paper
    width: int = 16  # channels next to the largest image, doubled at each halving; 64 in the code
    dropout: float = 0.5  # before the last layer of D; behind each of the smallest D's
    z_prior: str = "uniform"  # as are the noise planes of the other levels
    batch_size: int = 64  # reals and as many fakes, as in the code
    steps: int = 2_000
    g_lr: float = 5e-4
    d_lr: float = 1e-3  # above G's, since dropout slows D
    simultaneous: bool = True  # one pass through each network serves both players

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.levels < 2:
            raise UsageError(f"levels must be at least 2, not {self.levels}.")

    def unsupported(self, spec: DataSpec) -> str | None:
        n = 2 ** (self.levels - 1)
        if spec.is_image and all(s % n == 0 and s >= 4 * n for s in spec.shape[:2]):
            return None
        return f"lapgan of {self.levels} levels makes images with sides of {4 * n}, {5 * n}, ..."

    def pyramid(self, images) -> list:
        """The images at all levels, the smallest first; the last are the images themselves."""
        found = [images]
        for _ in range(1, self.levels):
            found.insert(0, ops.average_pool(found[0], 2))
        return found

    def networks(self, spec: DataSpec) -> dict[str, keras.Model]:
        (h, w, c), made = spec.shape, {}
        for k, n in enumerate(reversed(range(self.levels))):
            shape = (h >> n, w >> n, c)
            made[f"generator_{k}"] = self.details(k, n, shape) if k else self.smallest(shape)
            made[f"discriminator_{k}"] = self.judge(n, shape) if k else self.smallest_judge(shape)
        return made

    def smallest(self, shape: tuple[int, ...]) -> keras.Model:
        """z -> the smallest image."""
        z = x = keras.Input((self.z_dim,), name="z")
        for _ in range(2):
            x = layers.ReLU()(BatchNormalization(momentum=0.9)(layers.Dense(self.hidden)(x)))
        x = layers.Reshape(shape)(layers.Dense(shape[0] * shape[1] * shape[2])(x))
        return keras.Model(z, layers.Activation("tanh", dtype="float32")(x))

    def details(self, k: int, n: int, shape: tuple[int, ...]) -> keras.Model:
        """The image of the level below, enlarged, and a plane of noise -> what it lacks."""
        coarse, noise = keras.Input(shape), keras.Input((*shape[:2], 1), name=f"noise_{k}")
        x = layers.Concatenate()([coarse, noise])
        for _ in range(2):
            x = Conv2D(self.width << n, 7, padding="same", activation="relu")(x)
        x = Conv2D(shape[2], 5, padding="same", dtype="float32")(x)
        return keras.Model([coarse, noise], x)

    def smallest_judge(self, shape: tuple[int, ...]) -> keras.Model:
        image = keras.Input(shape, name="image")
        x = layers.Flatten()(image)
        for _ in range(2):
            x = Dropout(self.dropout)(layers.Dense(self.hidden // 2, activation="relu")(x))
        return keras.Model(image, layers.Dense(1, dtype="float32")(x))

    def judge(self, n: int, shape: tuple[int, ...]) -> keras.Model:
        """An enlarged image plus details -> a logit."""
        image = keras.Input(shape, name="image")
        x = Conv2D(self.width << n, 5, padding="same", activation="relu")(image)
        x = Conv2D(self.width << n, 5, 2, "same", activation="relu")(x)
        x = Dropout(self.dropout)(layers.Flatten()(x))
        return keras.Model(image, layers.Dense(1, dtype="float32")(x))

    def inputs(self, spec: DataSpec):
        return {f"noise_{k}": Uniform() for k in range(1, self.levels)}

    def sampler(self, networks, spec: DataSpec) -> keras.Model:
        first = networks["generator_0"]
        fed, image = [first.input], first.output
        for k in range(1, self.levels):
            details, coarse = networks[f"generator_{k}"], enlarged(image)
            fed.append(details.inputs[1])
            image = ops.clip(coarse + details([coarse, fed[-1]]), -1, 1)
        return keras.Model(fed, image, name="sampler")

    def players(self, networks, spec: DataSpec, step: int = 0) -> list[Player]:
        return [player for k in range(self.levels) for player in self._pair(k, networks, spec.key)]

    def _pair(self, k: int, networks, key: str) -> list[Player]:
        g, d, rules = f"generator_{k}", f"discriminator_{k}", self.optimizers()

        def reals(turn: Turn):
            return turn.once("pyramid", lambda: self.pyramid(turn.batch[key]))

        def fake(turn: Turn):
            coarse = [enlarged(reals(turn)[k - 1])] if k else []
            return ops.clip(sum(coarse, turn.call(networks[g], *coarse)), -1, 1)

        def real_logits(turn: Turn):
            return turn.once(f"real_{k}", lambda: turn.call(networks[d], reals(turn)[k]))

        def fake_logits(turn: Turn):
            return turn.once(f"fake_{k}", lambda: turn.call(networks[d], fake(turn)))

        def d_loss(turn: Turn):
            return losses.minimax_d(real_logits(turn), fake_logits(turn))

        def record(turn: Turn):
            return judged(real_logits(turn), fake_logits(turn), self.accuracy)

        def g_loss(turn: Turn):
            return losses.nonsaturating_g(fake_logits(turn))

        return [
            Player(d, (d,), d_loss, rules["discriminator"], record=record, against=(g,)),
            Player(g, (g,), g_loss, rules["generator"], against=(d,)),
        ]


def enlarged(images):
    """(n, h, w, c) -> (n, 2 h, 2 w, c), linear between the pixels' centres."""
    return layers.UpSampling2D(interpolation="bilinear", dtype="float32")(images)
