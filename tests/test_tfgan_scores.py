"""TF-GAN's scores on the same arrays."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from ganzoo.eval.frechet import frechet_distance
from ganzoo.eval.inception_score import inception_score_of_logits
from ganzoo.eval.kernel import mmd2
from ganzoo.eval.swd import laplacian_pyramid
from ganzoo.quiet import quiet_start

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def tfgan():
    """TF-GAN's evaluation modules alone: importing the whole package fails on this TensorFlow."""
    quiet_start()
    root = Path(importlib.util.find_spec("tensorflow_gan").submodule_search_locations[0]).parent
    before = set(sys.modules)
    for name in ("tensorflow_gan", "tensorflow_gan.python", "tensorflow_gan.python.eval"):
        if name not in sys.modules:
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].__path__ = [str(root.joinpath(*name.split(".")))]
    prefix = "tensorflow_gan.python.eval."
    yield types.SimpleNamespace(
        **{
            n: importlib.import_module(prefix + n)
            for n in ("classifier_metrics", "sliced_wasserstein")
        }
    )
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "tensorflow_gan":
            del sys.modules[name]


@pytest.fixture
def features() -> tuple[np.ndarray, np.ndarray]:
    rng = RNG(0)
    mix = np.eye(24) + rng.standard_normal((24, 24)) / 20  # TF-GAN leaves roots below 1e-10 out
    return rng.standard_normal((500, 24)) @ mix, rng.standard_normal((500, 24)) @ mix * 1.2 + 0.1


def test_the_frechet_distance_is_tfgans(tfgan, features):
    f = tfgan.classifier_metrics.frechet_classifier_distance_from_activations
    assert frechet_distance(*features) == pytest.approx(float(f(*features)), rel=1e-6)


def test_the_kernel_distance_of_one_block_is_tfgans(tfgan, features):
    import tensorflow as tf

    f = tfgan.classifier_metrics.kernel_classifier_distance_from_activations
    expected = f(*(tf.constant(x) for x in features), max_block_size=500)
    assert mmd2(*features) == pytest.approx(float(expected), rel=1e-6)


def test_the_inception_score_of_one_split_is_tfgans(tfgan):
    logits = 2 * RNG(0).standard_normal((200, 10))
    expected = tfgan.classifier_metrics.classifier_score_from_logits(logits)
    assert inception_score_of_logits(logits, splits=1)["is"] == pytest.approx(
        float(expected), rel=1e-6
    )


def test_the_laplacian_pyramid_is_tfgans(tfgan):
    images = RNG(0).standard_normal((3, 32, 32, 3)).astype(np.float32)
    expected = tfgan.sliced_wasserstein.laplacian_pyramid(images, 2)
    for ours, theirs in zip(laplacian_pyramid(images, 2), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
