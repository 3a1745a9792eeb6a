"""Train the network of the `mnist` and `fashion` features; prints its accuracy on the test images.

`python benchmarks/train_digit_network.py mnist OUT.npz [--epochs 14] [--hold-out 5000]`. Nothing
is chosen by the test images: with `--hold-out`, the last training images are left out and the
accuracy is theirs.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ganzoo import data
from ganzoo.eval.features import digit_network
from ganzoo.files import write_atomic
from ganzoo.layers import BatchNormalization

BATCH = 128
SMOOTHING = 0.05
RATE = 3e-3
DECAY = 0.02


@dataclass(frozen=True)
class Warp:
    """How far training images are moved: radians, relative, pixels."""

    rotation: float
    scale: float
    shear: float
    shift: float
    elastic: float
    flip: bool = False


WARPS = {
    "mnist": Warp(rotation=0.25, scale=0.12, shear=0.2, shift=2.5, elastic=0.8),
    "fashion_mnist": Warp(rotation=0.05, scale=0.08, shear=0.03, shift=1.5, elastic=0.0, flip=True),
}


def network() -> keras.Model:
    """The architecture of `digit_network` with a batch norm behind each convolution."""
    x = inputs = keras.Input((digit_network.SIDE, digit_network.SIDE, 1))
    for i, (kernel, stride, channels) in enumerate(digit_network.CONVOLUTIONS):
        x = keras.layers.Conv2D(
            channels,
            kernel,
            stride,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"conv_{i}",
        )(x)
        x = keras.layers.ReLU()(BatchNormalization(momentum=0.99, name=f"norm_{i}")(x))
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(digit_network.CLASSES, name="logits")(x))


def fold(model: keras.Model) -> dict[str, np.ndarray]:
    """The arrays of `digit_network.shapes`, each batch norm folded into its convolution."""
    arrays = {}
    for i in range(len(digit_network.CONVOLUTIONS)):
        norm = model.get_layer(f"norm_{i}")
        gamma, beta, mean, variance = (
            np.asarray(w, np.float64)
            for w in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
        )
        scale = gamma / np.sqrt(variance + norm.epsilon)
        arrays[f"conv_{i}/weights"] = np.asarray(model.get_layer(f"conv_{i}").kernel) * scale
        arrays[f"conv_{i}/bias"] = beta - mean * scale
    last = model.get_layer("logits")
    arrays |= {"logits/weights": np.asarray(last.kernel), "logits/bias": np.asarray(last.bias)}
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def warped(images: tf.Tensor, warp: Warp, seed: tf.Tensor) -> tf.Tensor:
    """Each image under a random affine map and a smooth random displacement of its own."""
    n, side = tf.shape(images)[0], digit_network.SIDE
    draw = tf.random.stateless_uniform([n, 7], seed, -1, 1)
    angle = draw[:, 0] * warp.rotation
    sx, sy = tf.exp(draw[:, 1] * warp.scale), tf.exp(draw[:, 2] * warp.scale)
    shear = draw[:, 3] * warp.shear
    if warp.flip:
        sx *= tf.sign(draw[:, 6])
    cos, sin = tf.cos(angle), tf.sin(angle)
    matrix = tf.stack([cos * sx, shear * cos - sin * sy, sin * sx, shear * sin + cos * sy], axis=1)
    axis = tf.range(side, dtype=tf.float32) - (side - 1) / 2
    y, x = tf.meshgrid(axis, axis, indexing="ij")
    places = tf.reshape(tf.stack([x, y]), [2, -1])
    moved = tf.reshape(matrix, [-1, 2, 2]) @ places + draw[:, 4:6, None] * warp.shift
    moved = tf.reshape(moved, [-1, 2, side, side])
    if warp.elastic:
        coarse = tf.random.stateless_normal([n, 5, 5, 2], seed + 1) * warp.elastic
        smooth = tf.image.resize(coarse, [side, side], method="bicubic")
        moved += tf.transpose(smooth, [0, 3, 1, 2])
    return sampled(images, moved + (side - 1) / 2)


def sampled(images: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """Bilinear values of (n, h, w, 1) at places (n, 2, h, w), x before y; black outside."""
    padded = tf.pad(images[..., 0], [[0, 0], [1, 1], [1, 1]])
    side = digit_network.SIDE
    places = tf.clip_by_value(places + 1, 0.0, side + 0.999)
    corner = tf.floor(places)
    right, below = tf.unstack(places - corner, axis=1)
    left, top = tf.unstack(tf.cast(corner, tf.int32), axis=1)
    width = side + 2
    flat = tf.reshape(padded, [tf.shape(images)[0], -1])
    at = tf.reshape(top * width + left, [tf.shape(images)[0], -1])

    def value(offset: int) -> tf.Tensor:
        return tf.reshape(tf.gather(flat, at + offset, batch_dims=1), tf.shape(right))

    upper = value(0) * (1 - right) + value(1) * right
    lower = value(width) * (1 - right) + value(width + 1) * right
    return (upper * (1 - below) + lower * below)[..., None]


def trainer(model: keras.Model, warp: Warp, steps: int) -> Callable[..., tf.Tensor]:
    """One compiled step: (uint8 images, labels, step) -> loss."""
    warm = steps // 10
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warm, warmup_target=RATE, warmup_steps=warm
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=DECAY)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        x = warped(tf.cast(images, tf.float32) / 255, warp, seed)
        wanted = tf.one_hot(labels, digit_network.CLASSES)
        wanted = wanted * (1 - SMOOTHING) + SMOOTHING / digit_network.CLASSES
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step


def batches(n: int, epochs: int, seed: int) -> Iterator[np.ndarray]:
    """Indices of whole batches, in a new order each epoch."""
    bits = np.random.Generator(np.random.Philox(seed))
    for _ in range(epochs):
        order = bits.permutation(n)
        for i in range(n // BATCH):
            yield order[i * BATCH : (i + 1) * BATCH]


def train(name: str, images: np.ndarray, labels: np.ndarray, epochs: int, seed: int):
    """The trained network's folded arrays."""
    keras.utils.set_random_seed(seed)
    model = network()
    per_epoch = len(images) // BATCH
    step = trainer(model, WARPS[name], epochs * per_epoch)
    losses, began = [], time.perf_counter()
    for i, chosen in enumerate(batches(len(images), epochs, seed), 1):
        key = tf.constant([seed, 2 * i], tf.int32)
        losses.append(step(tf.constant(images[chosen]), tf.constant(labels[chosen]), key))
        if i % per_epoch == 0:
            seconds = time.perf_counter() - began
            print(
                f"epoch {i // per_epoch}: loss {np.mean(losses):.4f}, {seconds:.0f} s", flush=True
            )
            losses.clear()
    return fold(model)


def accuracy(arrays: dict[str, np.ndarray], images: np.ndarray, labels: np.ndarray) -> float:
    """The share of images whose largest logit is their label's."""
    right = 0
    for i in range(0, len(images), 500):
        _, logits = digit_network.forward(images[i : i + 500].astype(np.float32) / 255, arrays)
        right += int((np.argmax(logits, 1) == labels[i : i + 500]).sum())
    return right / len(images)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", choices=WARPS)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hold-out", type=int, default=0)
    args = parser.parse_args()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    train_set, test_set = data.load(args.data), data.load(args.data, split="test")
    x, y = train_set.arrays["image"], train_set.arrays["label"]
    held = test_set.arrays["image"], test_set.arrays["label"]
    if args.hold_out:
        held = x[-args.hold_out :], y[-args.hold_out :]
        x, y = x[: -args.hold_out], y[: -args.hold_out]
    arrays = train(args.data, x, y, args.epochs, args.seed)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_atomic(args.out, buffer.getvalue())
    which = "held-out training" if args.hold_out else "test"
    print(f"accuracy on {len(held[0]):,} {which} images: {100 * accuracy(arrays, *held):.2f} %")


if __name__ == "__main__":
    main()
