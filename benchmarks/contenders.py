"""One contender in a process of its own: it waits for a number of steps, plays them, and tells.

Every contender takes the same network, batch, losses and optimiser, draws one z a step, and takes
both gradients at the same weights. `python benchmarks/contenders.py CONTENDER NETWORK`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
BATCH, Z, SAMPLES = 128, 100, 12_800


def pixels() -> np.ndarray:
    """Random bytes with MNIST's shape: speed does not depend on what they show."""
    return np.random.default_rng(0).integers(0, 256, (SAMPLES, 28, 28, 1)).astype(np.uint8)


def ganzoo(network: str, precision: str) -> Callable[[int], None]:
    """The compiled chunk of ganzoo's loop."""
    from networks import plugin

    from ganzoo.data import Dataset
    from ganzoo.spec import DataSpec
    from ganzoo.training.game import Game

    data = Dataset("random", DataSpec((28, 28, 1)), {"image": pixels()}, licence="", source="")
    game = Game(plugin(network), data, seed=0, precision=precision, chunk_steps=50)
    step = 0

    def play(count: int) -> None:
        nonlocal step
        while count > 0:
            _, rows = game.run(step, min(count, 50))
            step, count = step + len(rows), count - len(rows)

    return play


def loop(network: str, precision: str) -> Callable[[int], None]:
    """ganzoo's whole loop: rows, events, pictures and checkpoints at their default cadence."""
    import tempfile

    from networks import plugin

    from ganzoo.data import Dataset
    from ganzoo.run import RunDir
    from ganzoo.settings import Settings
    from ganzoo.spec import DataSpec
    from ganzoo.training import Request, loop
    from ganzoo.training.recorder import Recorder
    from ganzoo.views.view import Silent

    data = Dataset("random", DataSpec((28, 28, 1)), {"image": pixels()}, licence="", source="")
    request = Request(Settings("benchmark", precision=precision), plugin(network), data)
    run, view, step = RunDir.create(tempfile.mkdtemp()), Silent(), 0
    game = loop.make_game(request)
    loop.prepare_folder(run, game, request, view)
    recorder = Recorder(run, game, request, view, step)

    def play(count: int) -> None:
        nonlocal step
        end = step + count
        while step < end:
            step = loop.play(game, recorder, step, recorder.pause(step, end))

    return play


def keras_step(network: str, fit: bool) -> Callable[[int], None]:
    """Keras as users have it: `fit` with a custom train_step, or one compiled step a call."""
    import keras
    import tensorflow as tf
    from networks import NETWORKS

    make_g, make_d = NETWORKS[network]
    bce = keras.losses.BinaryCrossentropy(from_logits=True)

    class GAN(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.g, self.d = make_g(), make_d()
            self.g_opt, self.d_opt = keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-4)
            self.g_opt.build(self.g.trainable_variables)
            self.d_opt.build(self.d.trainable_variables)

        def train_step(self, images):
            z = tf.random.normal((BATCH, Z))
            with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
                fake = self.g(z, training=True)
                real_logits, fake_logits = (self.d(x, training=True) for x in (images, fake))
                g_loss = bce(tf.ones_like(fake_logits), fake_logits)
                d_loss = bce(tf.ones_like(real_logits), real_logits) + bce(
                    tf.zeros_like(fake_logits), fake_logits
                )
            g_grads = g_tape.gradient(g_loss, self.g.trainable_variables)
            d_grads = d_tape.gradient(d_loss, self.d.trainable_variables)
            self.g_opt.apply(g_grads)
            self.d_opt.apply(d_grads)
            return {"g_loss": g_loss, "d_loss": d_loss}

    model = GAN()
    data = tf.data.Dataset.from_tensor_slices(pixels()).shuffle(SAMPLES).repeat()
    data = (
        data.batch(BATCH, drop_remainder=True)
        .map(lambda x: tf.cast(x, tf.float32) / 127.5 - 1)
        .prefetch(2)
    )
    if fit:
        model.compile(optimizer=None)
        return lambda count: model.fit(data, epochs=1, steps_per_epoch=count, verbose=0)
    step, batches = tf.function(model.train_step), iter(data)

    def play(count: int) -> None:
        for _ in range(count):
            out = step(next(batches))
        float(out["g_loss"])

    return play


def pytorch(network: str, bfloat16: bool, channels_last: bool) -> Callable[[int], None]:
    """PyTorch, eager; bfloat16 by autocast."""
    import torch
    from torch import nn

    torch.set_num_threads(2)
    if network == "dcgan":
        g = nn.Sequential(
            nn.Linear(Z, 7 * 7 * 256, bias=False),
            nn.BatchNorm1d(7 * 7 * 256),
            nn.LeakyReLU(0.3),
            nn.Unflatten(1, (256, 7, 7)),
            nn.ConvTranspose2d(256, 128, 5, 1, 2, bias=False),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(0.3),
            nn.ConvTranspose2d(128, 64, 5, 2, 2, 1, bias=False),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(0.3),
            nn.ConvTranspose2d(64, 1, 5, 2, 2, 1, bias=False),
            nn.Tanh(),
        )
        d = nn.Sequential(
            nn.Conv2d(1, 64, 5, 2, 2),
            nn.LeakyReLU(0.3),
            nn.Dropout(0.3),
            nn.Conv2d(64, 128, 5, 2, 2),
            nn.LeakyReLU(0.3),
            nn.Dropout(0.3),
            nn.Flatten(),
            nn.Linear(128 * 49, 1),
        )
    else:
        g = nn.Sequential(
            nn.Linear(Z, 128),
            nn.ReLU(),
            nn.Linear(128, 784),
            nn.Tanh(),
            nn.Unflatten(1, (1, 28, 28)),
        )
        d = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 1))
    if channels_last:
        g, d = g.to(memory_format=torch.channels_last), d.to(memory_format=torch.channels_last)
    g_opt, d_opt = (torch.optim.Adam(m.parameters(), 1e-4, (0.9, 0.999), 1e-7) for m in (g, d))
    bce = nn.functional.binary_cross_entropy_with_logits
    data = torch.from_numpy(pixels()).permute(0, 3, 1, 2).contiguous()

    def one() -> None:
        real = data[torch.randint(SAMPLES, (BATCH,))].float() / 127.5 - 1
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            fake = g(torch.randn(BATCH, Z))
            fake_logits, real_logits = d(fake).float(), d(real).float()
        g_loss = bce(fake_logits, torch.ones_like(fake_logits))
        d_loss = bce(real_logits, torch.ones_like(real_logits)) + bce(
            fake_logits, torch.zeros_like(fake_logits)
        )
        g_grads = torch.autograd.grad(g_loss, list(g.parameters()), retain_graph=True)
        d_grads = torch.autograd.grad(d_loss, list(d.parameters()))
        for model, grads, optimizer in ((g, g_grads, g_opt), (d, d_grads, d_opt)):
            for parameter, gradient in zip(model.parameters(), grads, strict=True):
                parameter.grad = gradient
            optimizer.step()

    def play(count: int) -> None:
        for _ in range(count):
            one()

    return play


CONTENDERS = {
    "ganzoo bfloat16": lambda n: ganzoo(n, "bfloat16"),
    "ganzoo float32": lambda n: ganzoo(n, "float32"),
    "ganzoo loop": lambda n: loop(n, "bfloat16"),
    "keras fit": lambda n: keras_step(n, fit=True),
    "one compiled step": lambda n: keras_step(n, fit=False),
    "torch float32": lambda n: pytorch(n, False, False),
    "torch float32 last": lambda n: pytorch(n, False, True),
    "torch bfloat16": lambda n: pytorch(n, True, False),
    "torch bfloat16 last": lambda n: pytorch(n, True, True),
}


def main() -> None:
    """Answer each line `N` on standard input with the seconds that N steps took."""
    play = CONTENDERS[sys.argv[1]](sys.argv[2])
    play(2)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        play(int(line))
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "peak_mib": round(peak)}), flush=True)


if __name__ == "__main__":
    main()
