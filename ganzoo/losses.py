"""Adversarial losses on logits, most of them TF-GAN's; penalties on slopes and weights; a loss on
features.

Every loss takes logits without a sigmoid, (n, 1) or (n,), and returns a float32 scalar.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from ganzoo.errors import GanzooError

PACKAGES = ("tensorflow_gan", "tensorflow_gan.python", "tensorflow_gan.python.losses")


@functools.cache
def tfgan_losses() -> Any:
    """TF-GAN's losses, imported past what today's TensorFlow and Python no longer have.

    `import tensorflow_gan` fails: TF-GAN 2.1 wants `tf.estimator`, which TensorFlow 2.16 removed,
    and through its hub `pkg_resources`, which setuptools removed. Its losses want neither, so
    bare packages stand in for those whose `__init__` would import the rest, and are taken away
    afterwards: another module's `import tensorflow_gan` meets no trace of this one.
    """
    if "tensorflow_gan" in sys.modules:  # somebody made it work
        return importlib.import_module("tensorflow_gan.python.losses.losses_impl")
    found = importlib.util.find_spec("tensorflow_gan")
    if found is None:
        raise GanzooError(
            "TF-GAN is not installed, and the losses run on it: pip install tensorflow-gan."
        )
    root = Path(found.submodule_search_locations[0]).parent
    try:
        for name in PACKAGES:
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].__path__ = [str(root.joinpath(*name.split(".")))]
        return importlib.import_module("tensorflow_gan.python.losses.losses_impl")
    finally:
        for name in [n for n in sys.modules if n.partition(".")[0] == "tensorflow_gan"]:
            del sys.modules[name]


def minimax_d(
    real_logits: tf.Tensor, fake_logits: tf.Tensor, label_smoothing: float = 0.0
) -> tf.Tensor:
    """-log D(x) - log(1 - D(G(z))) (Goodfellow et al. 2014, equation 1)."""
    return tfgan_losses().minimax_discriminator_loss(
        real_logits, fake_logits, label_smoothing=label_smoothing
    )


def nonsaturating_g(fake_logits: tf.Tensor) -> tf.Tensor:
    """-log D(G(z)), which keeps a gradient where D wins (Goodfellow et al. 2014, section 3)."""
    return tfgan_losses().modified_generator_loss(fake_logits)


def minimax_g(fake_logits: tf.Tensor) -> tf.Tensor:
    """log(1 - D(G(z))), which saturates where D wins (Goodfellow et al. 2014, equation 1)."""
    return tfgan_losses().minimax_generator_loss(fake_logits)


def wasserstein_d(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """E[f(G(z))] - E[f(x)] (Arjovsky et al. 2017, algorithm 1)."""
    return tfgan_losses().wasserstein_discriminator_loss(real_logits, fake_logits)


def wasserstein_g(fake_logits: tf.Tensor) -> tf.Tensor:
    """-E[f(G(z))] (Arjovsky et al. 2017, algorithm 1)."""
    return tfgan_losses().wasserstein_generator_loss(fake_logits)


def hinge_d(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))] (Miyato et al. 2018, equation 16)."""
    return tfgan_losses().wasserstein_hinge_discriminator_loss(real_logits, fake_logits)


def hinge_g(fake_logits: tf.Tensor) -> tf.Tensor:
    """-E[D(G(z))] (Miyato et al. 2018, equation 17)."""
    return tfgan_losses().wasserstein_hinge_generator_loss(fake_logits)


def least_squares_d(
    real_logits: tf.Tensor,
    fake_logits: tf.Tensor,
    real_target: float = 1.0,
    fake_target: float = 0.0,
) -> tf.Tensor:
    """((D(x) - b)^2 + (D(G(z)) - a)^2) / 2 with targets b and a (Mao et al. 2017, equation 2)."""
    return tfgan_losses().least_squares_discriminator_loss(
        real_logits, fake_logits, real_label=real_target, fake_label=fake_target
    )


def least_squares_g(fake_logits: tf.Tensor, target: float = 1.0) -> tf.Tensor:
    """(D(G(z)) - c)^2 / 2 with the target c (Mao et al. 2017, equation 2)."""
    return tfgan_losses().least_squares_generator_loss(fake_logits, real_label=target)


def relativistic_d(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """-log sigmoid(D(x) - D(G(z))), row by row (Jolicoeur-Martineau 2019, RSGAN)."""
    return tf.reduce_mean(tf.nn.softplus(fake_logits - real_logits))


def relativistic_g(fake_logits: tf.Tensor, real_logits: tf.Tensor) -> tf.Tensor:
    """-log sigmoid(D(G(z)) - D(x)), row by row (Jolicoeur-Martineau 2019, RSGAN)."""
    return relativistic_d(fake_logits, real_logits)


def gradient_penalty(
    discriminator: Callable[[tf.Tensor], tf.Tensor],
    real: tf.Tensor,
    fake: tf.Tensor,
    seed: tf.Tensor | None = None,
    target: float = 1.0,
    *,
    mix: tf.Tensor | None = None,
) -> tf.Tensor:
    """E[(|grad D(x^)| - target)^2] on random mixtures x^ (Gulrajani et al. 2017, equation 3).

    `mix` (n,) in [0, 1] is `turn.uniform("mix")`, drawn for the whole batch; with a `seed` it is
    drawn here, for these rows alone.
    """
    fake = tf.stop_gradient(tf.cast(fake, tf.float32))
    shape = tf.concat([tf.shape(real)[:1], tf.ones(tf.rank(real) - 1, tf.int32)], 0)
    if mix is None:
        mix = tf.random.stateless_uniform(shape, seed, alg="philox")
    mix = tf.reshape(mix, shape)
    points = real + mix * (fake - real)
    with tf.GradientTape() as tape:
        tape.watch(points)
        logits = discriminator(points)
    slopes = tf.reshape(tape.gradient(logits, points), [tf.shape(real)[0], -1])
    norms = tf.sqrt(tf.reduce_sum(tf.square(slopes), 1) + 1e-12)  # the root has no slope at 0
    return tf.reduce_mean(tf.square(norms - target))


def r1_penalty(discriminator: Callable[[tf.Tensor], tf.Tensor], real: tf.Tensor) -> tf.Tensor:
    """E[|grad D(x)|^2] on real samples (Mescheder et al. 2018, equation 9, without gamma / 2).

    On fakes it is their R2.
    """
    real = tf.cast(real, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(real)
        logits = discriminator(real)
    slopes = tf.reshape(tape.gradient(logits, real), [tf.shape(real)[0], -1])
    return tf.reduce_mean(tf.reduce_sum(tf.square(slopes), 1))


def orthogonal_penalty(kernels: Iterable[Any]) -> tf.Tensor:
    """Sum of |W^T W * (1 - I)|_F^2 over kernels W (Brock et al. 2019, equation 3, without beta).

    The last axis counts the filters, which are columns of W: what is paid for is that two of them
    share a direction, not their lengths. A sum without terms is 0.
    """
    total = tf.constant(0.0)
    for kernel in kernels:
        w = tf.reshape(tf.convert_to_tensor(kernel), (-1, kernel.shape[-1]))
        tall = w.shape[0] >= w.shape[1]
        gram = tf.matmul(w, w, transpose_a=tall, transpose_b=not tall)  # the norm is the same
        lengths = tf.reduce_sum(tf.square(w), 0)
        total += tf.reduce_sum(tf.square(gram)) - tf.reduce_sum(tf.square(lengths))
    return total


def content(network: keras.Model, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """E[(phi(x) - phi(y))^2] of what a network phi sees (Johnson et al. 2016, equation 2).

    The network is one that nobody trains (`Plugin.frozen`), row i of `fake` stands for row i of
    `real`. Grey images are shown to a network of colour images as three equal channels.
    """

    def seen(images: tf.Tensor) -> tf.Tensor:
        if network.inputs[0].shape[-1] == 3 and images.shape[-1] == 1:
            images = tf.repeat(images, 3, -1)
        return tf.cast(network(images, training=False), tf.float32)

    return tf.reduce_mean(tf.square(seen(real) - seen(fake)))


def path_lengths(
    synthesis: Callable[[tf.Tensor], tf.Tensor], styles: tf.Tensor, y: tf.Tensor
) -> tf.Tensor:
    """(n, 1): |J^T y|, J the slope of images in their styles (Karras et al. 2020, equation 4).

    `y` is N(0, 1) of the images' shape, and is divided by the root of the number of places, as in
    the authors' code. Of styles (n, layers, d) it is the root mean square over the layers.
    """
    with tf.GradientTape() as tape:
        tape.watch(styles)
        seen = tf.reduce_sum(tf.cast(synthesis(styles), tf.float32) * y)
    squares = tf.reduce_sum(tf.square(tape.gradient(seen, styles)), -1)
    mean = tf.reduce_mean(tf.reshape(squares, [tf.shape(styles)[0], -1]), 1, keepdims=True)
    return tf.sqrt(mean / (y.shape[1] * y.shape[2]) + 1e-8)  # the root has no slope at 0


def lazy(step: tf.Tensor, every: int, penalty: Callable[[], tf.Tensor]) -> tf.Tensor:
    """`every` times `penalty()` at the steps 0, `every`, 2 `every`, ..., and 0 at the others,
    where it is not computed (lazy regularisation: Karras et al. 2020, section 3.1)."""
    return tf.cond(step % every == 0, lambda: every * penalty(), lambda: 0.0)


def told_apart(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Shares of real and of fake on their own side of the middle of both means.

    For `Plugin.accuracy` where logits have no zero: a critic's, or relativistic ones.
    """
    middle = (tf.reduce_mean(real_logits) + tf.reduce_mean(fake_logits)) / 2
    right = real_logits > middle, fake_logits < middle
    return tuple(tf.reduce_mean(tf.cast(side, tf.float32)) for side in right)
