"""Extractors: the published numbers, and the same features however the images come."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import data
from ganzoo.data import to_float
from ganzoo.errors import GanzooError, UsageError
from ganzoo.eval import features
from ganzoo.eval.extractor import hash_arrays
from ganzoo.eval.features import (
    digit_network,
    extractor,
    inception,
    inception_hub,
    inception_layers,
    inception_weights,
    torch_file,
)

PUBLIC = Path(os.environ.get("GANZOO_DATA", "nowhere"))
INCEPTION = PUBLIC / "inception_2015"
needs_mnist = pytest.mark.skipif(not (PUBLIC / "mnist").is_dir(), reason="needs MNIST")
needs_inception = pytest.mark.skipif(not INCEPTION.is_dir(), reason="needs Inception's weights")


@pytest.fixture(autouse=True)
def _no_weights_of_this_machine(monkeypatch, tmp_path_factory):
    """What other programs keep in their caches decides no test."""
    for name in ("TORCH_HOME", "KERAS_HOME"):
        monkeypatch.setenv(name, str(tmp_path_factory.getbasetemp() / "none"))


def images(n: int = 9, side: int = 28, channels: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, channels), np.uint8)


@pytest.fixture(scope="module")
def digits():
    return extractor("mnist")


# -- the digit network ----------------------------------------------------------------------------


@needs_mnist
@pytest.mark.parametrize(("name", "least"), [("mnist", 0.994), ("fashion", 0.90)])
def test_the_shipped_network_knows_the_test_images(name, least):
    test = data.load({"fashion": "fashion_mnist"}.get(name, name), split="test")
    _, logits = extractor(name)(test.arrays["image"])
    assert (logits.argmax(1) == test.arrays["label"]).mean() >= least


def test_features_do_not_depend_on_the_batch_or_the_number_type(digits):
    x = images(1203)
    whole, logits = digits(x)
    assert whole.shape == (1203, digits.dim)
    assert logits.shape == (1203, 10)
    parts = np.concatenate([digits(x[:1])[0], digits(x[1:700])[0], digits(x[700:])[0]])
    assert np.array_equal(whole, parts)
    assert np.array_equal(whole, digits(to_float(x))[0])
    assert np.allclose(whole, digits(np.repeat(x, 3, axis=-1))[0], atol=1e-3)


def test_no_images_have_no_features(digits):
    found, logits = digits(images(0))
    assert found.shape == (0, digits.dim)
    assert logits.shape == (0, 10)


def test_the_logits_are_the_features_through_the_last_layer(digits):
    found, logits = digits(images())
    w = digits.weights
    assert np.allclose(found @ w["logits/weights"] + w["logits/bias"], logits, atol=1e-4)


def test_the_label_names_the_network_and_its_hash(digits):
    assert digits.label == f"mnist-cnn {digits.sha256[:8]}"
    assert digits.sha256 == digit_network.PUBLISHED["mnist"]


def test_other_weights_than_the_shipped_ones_are_refused(monkeypatch):
    monkeypatch.setitem(digit_network.PUBLISHED, "mnist", "00" * 32)
    with pytest.raises(GanzooError, match="expected 00000000"):
        extractor("mnist")


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((3, 28, 28), np.uint8), "found shape"),
        (np.zeros((3, 28, 28, 2), np.uint8), "found shape"),
        (np.zeros((3, 28, 28, 1), np.int32), "found int32"),
        (np.full((3, 28, 28, 1), 7.0), "values up to 7"),
        (np.full((3, 28, 28, 1), np.nan), "NaN"),
    ],
)
def test_what_is_no_image_is_refused(digits, x, words):
    with pytest.raises(GanzooError, match=words):
        digits(x)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "minst"}, "did you mean 'mnist'"),
        ({"name": "mnist", "dims": 64}, "leave dims"),
        ({"name": "inception", "dims": 65}, "64, 192, 768 or 2048"),
        ({"name": "inception", "weights": "nowhere.pb"}, "no weights at nowhere.pb"),
        ({"name": "inception", "precision": "half"}, "float32 or bfloat16, not 'half'"),
        ({"name": "inception", "dims": 192, "precision": "bfloat16"}, "stay in float32"),
        ({"name": "mnist", "precision": "bfloat16"}, "precision out, or choose inception"),
    ],
)
def test_a_wrong_request_is_refused(arguments, words):
    with pytest.raises(UsageError, match=words):
        extractor(**arguments)


# -- inception ------------------------------------------------------------------------------------


def random_weights(dims: int, seed: int = 0) -> dict[str, np.ndarray]:
    bits = np.random.default_rng(seed)
    return {
        name: (bits.normal(0, 1, shape) * np.prod(shape[:-1]) ** -0.5).astype(np.float32)
        for name, shape in inception_layers.shapes(dims).items()
    }


@needs_inception
@pytest.mark.parametrize("dims", [64, 192, 768])
def test_inception_reproduces_the_features_of_its_layers(dims):
    stored = np.load(PUBLIC / "cifar10" / "cifar10_lossless_subset.npz")
    expected = json.loads((INCEPTION / "self_computed_regression_values.json").read_text())
    network = inception.Inception(dims)
    network.batch = 2
    found, logits = network(stored["x_train"][:2])
    assert logits is None
    assert np.allclose(found[0, :5], expected[str(dims)]["train_image0_first5"], rtol=1e-3)


@needs_inception
def test_weights_that_serve_fewer_dimensions_say_how_many():
    assert features.largest_dims() == 768
    with pytest.raises(GanzooError, match="choose fewer --dims"):
        extractor("inception")


def test_the_whole_network_has_94_convolutions_and_2048_dimensions():
    shapes = inception_layers.shapes(2048)
    assert sum(name.endswith("conv/weights") or "conv_" in name for name in shapes) > 94
    assert len([name for name in shapes if name.endswith("/bias")]) == 94
    found, logits = inception.forward(tf.zeros((1, 299, 299, 3)), random_weights(2048), 2048)
    assert found.shape == (1, 2048)
    assert logits.shape == (1, 1008)


def test_bfloat16_begins_behind_the_layers_that_it_would_harm():
    x = tf.random.stateless_uniform((1, 299, 299, 3), (0, 0), -1, 1)
    weights = random_weights(768)
    (exact,), (low,) = (inception.forward(x, weights, 768, p) for p in ("float32", "bfloat16"))
    assert low.dtype == tf.float32
    assert 0 < np.abs(low - exact).max() < 0.02 * np.abs(exact).max()
    exact, low = (inception.forward(x, weights, 192, p)[0] for p in ("float32", "bfloat16"))
    assert np.array_equal(exact, low)


def test_bfloat16_is_a_protocol_of_its_own_and_needs_its_hardware(monkeypatch):
    monkeypatch.setattr(inception, "find", lambda *_: Path("w"))
    monkeypatch.setattr(inception, "read", lambda _: random_weights(768))
    monkeypatch.setattr(inception, "has_bfloat16", lambda: True)
    names = [inception.Inception(768, None, p).preprocessing for p in ("float32", "bfloat16")]
    assert names[1] == f"{names[0]}, bfloat16 from mixed_3 on"
    monkeypatch.setattr(inception, "has_bfloat16", lambda: False)
    with pytest.raises(UsageError, match="leave --precision out"):
        inception.Inception(768, None, "bfloat16")


NORM = ("gamma", "moving_mean", "moving_variance", "beta")
PARTS = ("weight", "running_mean", "running_var", "bias")


def unfolded(name: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A kernel of the network as it was published: with the batch norm behind it."""
    bits = np.random.default_rng(len(name))
    shape = inception_layers.shapes(2048)[f"{name}/weights"]
    kernel = bits.normal(0, 1, shape).astype(np.float32)
    return kernel, {k: bits.uniform(0.5, 2, shape[-1]).astype(np.float32) for k in NORM}


def write_graph(path: Path, *nodes: str) -> None:
    """A frozen graph with these convolutions, named as the graph names them."""
    with tf.Graph().as_default() as graph:
        for node in nodes:
            kernel, norm = unfolded(node.replace("/", "_"))
            tf.constant(kernel, name=f"{node}/conv2d_params")
            for name, value in norm.items():
                tf.constant(value, name=f"{node}/batchnorm/{name}")
    path.write_bytes(graph.as_graph_def().SerializeToString())


def test_weights_are_read_from_a_frozen_graph(tmp_path):
    path = tmp_path / inception_weights.GRAPH
    write_graph(path, "mixed_9/tower/conv")
    found = inception_weights.from_graph(path)
    kernel, norm = unfolded("mixed_9_tower_conv")
    x = np.random.default_rng(0).normal(0, 1, (1, 9, 9, kernel.shape[2])).astype(np.float32)
    plain = tf.nn.conv2d(x, kernel, 1, "VALID").numpy()
    deviation = np.sqrt(norm["moving_variance"] + 1e-3)
    expected = (plain - norm["moving_mean"]) / deviation + norm["beta"]  # gamma is not used
    came = tf.nn.conv2d(x, found["mixed_9_tower_conv/weights"], 1, "VALID").numpy()
    assert np.allclose(came + found["mixed_9_tower_conv/bias"], expected, atol=1e-3)
    with tarfile.open(tmp_path / inception_weights.ARCHIVE, "w:gz") as archive:
        archive.add(path, inception_weights.GRAPH)
    packed = inception_weights.from_graph(tmp_path / inception_weights.ARCHIVE)
    assert hash_arrays(packed) == hash_arrays(found)


def test_the_port_to_pytorch_gives_the_same_bits_as_the_graph(tmp_path, monkeypatch):
    names = ["conv", "conv_1", "conv_2", "conv_3", "conv_4", "mixed_conv", "mixed_tower_conv"]
    write_graph(tmp_path / "graph.pb", *(n.replace("mixed_", "mixed/") for n in names[:-1]))
    stored = {"fc.weight": np.ones((1008, 2048), np.float32)}
    for name in names[:-1]:
        kernel, norm = unfolded(name)
        norm["gamma"][:] = 1
        stored[f"layer {name}.conv.weight"] = kernel.transpose(3, 2, 0, 1)
        for theirs, value in zip(PARTS, norm.values(), strict=True):
            stored[f"layer {name}.bn.{theirs}"] = value
    monkeypatch.setattr(torch_file, "read", lambda _: stored)
    found = inception_weights.from_torch(Path("x.pth"))
    assert found.pop("softmax/weights").shape == (2048, 1008)
    assert hash_arrays(found) == hash_arrays(inception_weights.from_graph(tmp_path / "graph.pb"))


def test_a_state_dict_of_another_network_is_refused(monkeypatch):
    for stored in ({"a.conv.weight": np.ones((2, 3, 3))}, {"a.conv.weight": np.ones((2, 3, 1, 1))}):
        monkeypatch.setattr(torch_file, "read", lambda _, stored=stored: stored)
        with pytest.raises(GanzooError, match="another network"):
            inception_weights.from_torch(Path("x.pth"))


def test_the_order_of_the_port_is_the_order_of_the_layers():
    """torchvision defines its blocks in this order; the sizes would tell most mistakes."""
    names = list(inception_layers.shapes(2048))
    block = [n for n in names if n.startswith("mixed_9_") and n.endswith("weights")]
    towers = ["conv", "tower_conv", "tower_mixed_conv", "tower_mixed_conv_1", "tower_1_conv"]
    towers += ["tower_1_conv_1", "tower_1_mixed_conv", "tower_1_mixed_conv_1", "tower_2_conv"]
    assert block == [f"mixed_9_{tower}/weights" for tower in towers]


def test_weights_are_looked_for_where_others_keep_them(monkeypatch, tmp_path):
    held = {tmp_path / "hub/checkpoints/weights-inception-2015-12-05-6726825d.pth": 2048}
    held[tmp_path / "data/inception_2015/a.npz"] = 768
    for path in held:
        path.parent.mkdir(parents=True)
        path.touch()
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(inception_weights, "serves", held.get)
    assert inception_weights.find(192) == tmp_path / "data/inception_2015/a.npz"
    assert [inception_weights.find(dims) for dims in (2048, 768)] == list(held)
    assert features.largest_dims() == 2048


def test_weights_are_downloaded_once_where_there_are_none(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(inception_weights, "serves", lambda _: 2048)
    asked = []

    def serve(remotes, folder):
        asked.append([remote.checksum[:8] for remote in remotes])
        (tmp_path / folder).mkdir()
        (tmp_path / folder / remotes[0].file).touch()
        return tmp_path / folder

    monkeypatch.setattr(inception_weights.download, "fetch", serve)
    monkeypatch.delenv("GANZOO_DATA", raising=False)
    for _ in range(2):
        assert inception_weights.find() == tmp_path / "models" / inception_weights.REMOTE.file
    assert asked == [["6726825d"]]


class Module(tf.Module):
    """What TF-GAN's module looks like from outside."""

    def __init__(self, size: int):
        self.call = tf.function(
            self.outputs, input_signature=[tf.TensorSpec((None, size, size, 3), tf.float32)]
        )
        self.__call__ = self.call

    def outputs(self, images):
        """The lightest pixel and the darkest."""
        x = tf.reshape(images, [tf.shape(images)[0], -1])
        low, high = tf.reduce_min(x, 1)[:, None], tf.reduce_max(x, 1)[:, None]
        return {
            "pool_3": tf.tile(low[:, None, None], [1, 1, 1, 2048]),
            "logits": tf.tile(high, [1, 1008]),
        }


def test_the_module_of_tf_gan_is_called_as_it_is(tmp_path):
    tf.saved_model.save(Module(299), tmp_path)
    network = extractor("inception", weights=tmp_path)
    x = np.full((3, 32, 32, 1), 255, np.uint8)
    x[1:, :16] = 0
    found, logits = network(x)
    assert found.shape == (3, 2048)
    assert np.allclose(found[:, 5], [127 / 128, -1, -1])
    assert np.allclose(logits[:, 1000], 127 / 128)
    assert network.label.startswith("inception ")
    assert network.label != extractor_of_copy(tmp_path).label
    with pytest.raises(UsageError, match="2,048 dimensions in float32"):
        extractor("inception", dims=768, weights=tmp_path)


def extractor_of_copy(folder: Path):
    """The same module with one more byte."""
    (folder / "assets" / "more").write_bytes(b"1")
    return extractor("inception", weights=folder)


def test_the_module_is_downloaded_once_and_kept_only_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kept = tmp_path / "cache" / "ganzoo" / "inception_2015"
    tf.saved_model.save(Module(299), tmp_path / "module")
    archive = tmp_path / "module.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tmp_path / "module", ".")
    whole = archive.read_bytes()
    monkeypatch.setattr(inception_hub, "HUB", archive.as_uri())
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(GanzooError, match=r"the download from tfhub\.dev failed"):
        extractor("inception", weights="tfgan")
    assert not list(kept.iterdir())
    archive.write_bytes(whole)
    label = extractor("inception", weights="tfgan").label
    archive.unlink()
    assert extractor("inception", weights="tfgan").label == label
    assert [path.name for path in kept.iterdir()] == ["tfgan"]


def test_without_a_network_the_module_is_missed_in_one_sentence():
    with pytest.raises(GanzooError, match=r"not at .*tfgan, and the download .* unpack it there"):
        extractor("inception", weights="tfgan")


def test_another_module_is_refused(tmp_path):
    tf.saved_model.save(Module(28), tmp_path)
    with pytest.raises(GanzooError, match="another module than TF-GAN's"):
        extractor("inception", weights=tmp_path)
    (tmp_path / inception_weights.SAVED_MODEL).write_bytes(b"1")
    with pytest.raises(GanzooError, match="no SavedModel that loads"):
        extractor("inception", weights=tmp_path)


def test_other_weights_than_inceptions_are_refused(tmp_path):
    path = tmp_path / "w.npz"
    np.savez(path, **random_weights(192))
    with pytest.raises(GanzooError, match="not hold the published weights"):
        inception.Inception(64, path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(GanzooError, match="truncated"):
        inception.Inception(64, path)
    (tmp_path / "x.pb").write_bytes(b"\x0a\xff\xff")
    with pytest.raises(GanzooError, match="truncated or no frozen graph"):
        inception.Inception(64, tmp_path / "x.pb")


def test_without_weights_it_is_said_what_to_put_where(monkeypatch, tmp_path):
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path))
    assert features.largest_dims() is None
    with pytest.raises(GanzooError, match=r"put classify_image_graph_def\.pb .* into"):
        extractor("inception")
