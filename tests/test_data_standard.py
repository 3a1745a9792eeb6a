"""MNIST and its kin: checksums, where they are looked for, and what stands in for them."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import socket
import struct
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest

from ganzoo import data
from ganzoo.data import Judging, cifar, download, idx, standard
from ganzoo.errors import GanzooError

REAL = os.environ.get("GANZOO_DATA")
needs_real = pytest.mark.skipif(
    not REAL or not Path(REAL, "mnist").is_dir(), reason="needs MNIST under GANZOO_DATA"
)


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """No network, no cache, no data of the user."""

    def refuse(*_args, **_kwargs):
        raise OSError("the tests do not go out")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    download.failure.cache_clear()
    monkeypatch.delenv("GANZOO_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


def idx_bytes(values: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.tobytes()


def write_set(folder: Path, n: int = 6) -> dict[str, str]:
    """A tiny MNIST in a folder; the MD5 of its files."""
    folder.mkdir(parents=True, exist_ok=True)
    images = np.arange(n * 784, dtype=np.uint32).astype(np.uint8).reshape(n, 28, 28)
    checksums = {}
    for pair in standard.FILES.values():
        for file, values in zip(pair, (images, np.arange(n, dtype=np.uint8)), strict=True):
            content = gzip.compress(idx_bytes(values), mtime=0)
            (folder / file).write_bytes(content)
            checksums[file] = hashlib.md5(content).hexdigest()
    return checksums


@pytest.fixture
def tiny_mnist(monkeypatch, tmp_path):
    """A tiny MNIST under GANZOO_DATA that counts as the published one."""
    for file, md5 in write_set(tmp_path / "data" / "mnist").items():
        monkeypatch.setitem(standard.MNIST_MD5, file, md5)
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "mnist"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_idx_files_are_read_plain_and_gzipped(tmp_path, pack):
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "a").write_bytes(pack(idx_bytes(values)))
    np.testing.assert_array_equal(idx.read(tmp_path / "a"), values)


CONTENT = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        CONTENT[:3],
        CONTENT[:9],
        CONTENT[:-1],
        CONTENT + b"\0",
        b"\x89PNG" + CONTENT,
        b"\0\0\x0d" + CONTENT[3:],
        gzip.compress(CONTENT)[:-12],
        gzip.compress(CONTENT[:-1]),
        CONTENT[:4] + b"\xff" * 12 + CONTENT[16:],
    ],
    ids=["empty", "no magic", "half a header", "cut", "goes on", "png", "floats", "cut gzip",
         "cut inside gzip", "vast sides"],
)  # fmt: skip
def test_a_damaged_idx_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "damaged.gz"
    path.write_bytes(content)
    with pytest.raises(GanzooError, match=r"damaged\.gz"):
        idx.read(path)


def test_auto_and_mnist_take_the_local_files(tiny_mnist):
    for name in ("auto", "mnist"):
        found = data.load(name)
        assert (found.name, found.note, len(found)) == ("mnist", None, 6)
        assert found.spec.shape == (28, 28, 1)
        assert found.source == str(tiny_mnist)


def test_auto_is_judged_like_what_it_stands_for(tiny_mnist):
    mnist = Judging(extractor="mnist", classifier=True)
    assert data.load("mnist").judging == data.load("auto").judging == mnist
    (tiny_mnist / "train-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    assert data.load("auto").judging == data.load("digits").judging


def test_stacked_digits_are_judged_by_26000_samples_channel_by_channel(tiny_mnist):
    assert len(list(tiny_mnist.iterdir())) == 4
    judging = data.load("stacked_mnist").judging
    assert (judging.samples, judging.extractor) == (26_000, "mnist")
    assert judging.per_channel
    assert judging.classifier
    assert "Lin et al. 2018" in judging.protocol


def test_fashion_has_a_network_of_its_own_and_photographs_have_none():
    fashion = Judging(extractor="fashion", classifier=True)
    assert standard.SETS["fashion_mnist"].judging == fashion
    assert standard.SETS["cifar10"].judging == Judging()


def test_a_wrong_checksum_is_an_error_for_mnist_and_a_note_for_auto(tiny_mnist):
    path = tiny_mnist / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(idx_bytes(np.zeros(6, np.uint8))))
    with pytest.raises(GanzooError, match=path.name):
        data.load("mnist")
    found = data.load("auto")
    assert found.name == "digits"
    assert path.name in found.note
    assert "\n" not in found.note


def test_a_file_in_the_cache_that_is_not_the_published_one_is_refused(tmp_path):
    cache = tmp_path / "keras" / "datasets"
    cache.mkdir(parents=True)
    images, labels = np.zeros((6, 28, 28), np.uint8), np.zeros(6, np.uint8)
    np.savez(cache / "mnist.npz", x_train=images, y_train=labels)
    with pytest.raises(GanzooError, match="SHA-256"):
        data.load("mnist")


def test_a_bare_machine_gets_the_digits_and_is_told_so():
    found = data.load("auto")
    assert (found.name, found.spec.shape) == ("digits", (16, 16, 1))
    assert "scikit-learn" in found.note
    assert "MNIST" in found.note
    assert "\n" not in found.note


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_a_set_that_is_nowhere_lists_the_places(name, monkeypatch, tmp_path):
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "data"))
    with pytest.raises(GanzooError) as caught:
        data.load(name)
    message = str(caught.value)
    assert caught.value.exit_code == 1
    assert str(tmp_path / "data" / name) in message
    assert str(tmp_path / "keras") in message
    assert "the tests do not go out" in message


def test_a_server_that_never_answers_costs_no_more_than_the_patience(monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: time.sleep(3))
    with pytest.raises(GanzooError, match="no answer"):
        download.fetch((standard.MNIST_NPZ,), "datasets")


def test_a_download_that_fails_leaves_nothing_that_could_be_taken_for_whole(monkeypatch, tmp_path):
    def corrupted(file, *, cache_dir, cache_subdir, **_):
        (tmp_path / cache_subdir).mkdir(exist_ok=True)
        (tmp_path / cache_subdir / file).write_bytes(b"half")
        raise ValueError("corrupted")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(download, "failure", lambda _: None)
    monkeypatch.setattr("keras.utils.get_file", corrupted)
    for left in ([], ["mnist.npz"]):
        for name in left:
            (tmp_path / "models" / name).write_bytes(b"a file that was there before")
        with pytest.raises(GanzooError, match="corrupted"):
            download.fetch((standard.MNIST_NPZ,), "models")
        assert [path.name for path in (tmp_path / "models").iterdir()] == left


def test_what_is_downloaded_is_read_from_the_cache(monkeypatch, tmp_path):
    content = io.BytesIO()
    images, labels = np.zeros((3, 28, 28), np.uint8), np.arange(3, dtype=np.uint8)
    np.savez(content, x_train=images, y_train=labels, x_test=images, y_test=labels)

    def serve(remotes, folder):
        target = download.keras_home() / folder
        target.mkdir(parents=True)
        (target / remotes[0].file).write_bytes(content.getvalue())
        return target

    monkeypatch.setattr(download, "fetch", serve)
    sha = hashlib.sha256(content.getvalue()).hexdigest()
    monkeypatch.setattr(standard, "MNIST_NPZ", standard.MNIST_NPZ._replace(checksum=sha))
    assert "downloaded" in data.load("mnist").source
    monkeypatch.setattr(download, "fetch", None)
    again = data.load("mnist", split="test")
    assert again.source == str(tmp_path / "keras" / "datasets" / "mnist.npz")
    assert again.arrays["label"].tolist() == [0, 1, 2]


def write_cifar(folder: Path, monkeypatch, n: int = 4) -> np.ndarray:
    folder.mkdir(parents=True)
    images = np.random.Generator(np.random.Philox(0)).integers(0, 256, (n, 32, 32, 3), np.uint8)
    planes = images.transpose(0, 3, 1, 2).reshape(n, -1)
    batch = {b"data": np.ascontiguousarray(planes), b"labels": list(range(n))}
    content = pickle.dumps(batch, protocol=3)
    for split, files in cifar.BATCHES.items():
        for name in files:
            (folder / name).write_bytes(content)
        md5 = hashlib.md5(content).hexdigest()
        monkeypatch.setitem(cifar.BATCHES, split, dict.fromkeys(files, md5))
    return images


def test_cifar10_is_read_from_a_folder_and_from_an_archive(monkeypatch, tmp_path):
    folder = tmp_path / "data" / "cifar10" / "cifar-10-batches-py"
    images = write_cifar(folder, monkeypatch)
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "data"))
    found = data.load("cifar10")
    np.testing.assert_array_equal(found.arrays["image"], np.concatenate([images] * 5))
    with tarfile.open(folder.parent / "cifar-10-python.tar.gz", "w:gz") as archive:
        archive.add(folder, folder.name)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    archived = data.load("cifar10")
    assert archived.fingerprint == found.fingerprint
    assert archived.source.endswith(".tar.gz")
    path = folder.parent / "cifar-10-python.tar.gz"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(GanzooError, match=path.name):
        data.load("cifar10")


def test_a_part_of_cifar10_says_that_it_is_a_part(monkeypatch, tmp_path):
    folder = tmp_path / "data" / "cifar10"
    folder.mkdir(parents=True)
    stored = {f"x_{split}": np.zeros((4, 32, 32, 3), np.uint8) for split in ("train", "test")}
    stored |= {f"y_{split}": np.arange(4) for split in ("train", "test")}
    np.savez(folder / "cifar10_lossless_subset.npz", **stored)
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "data"))
    assert "4 of 50,000" in data.load("cifar10").note
    assert "4 of 10,000" in data.load("cifar10", split="test").note


def test_a_batch_that_would_run_code_is_refused():
    class Payload:
        def __reduce__(self):
            return (os.getcwd, ())

    with pytest.raises(GanzooError, match="getcwd"):
        cifar.unpickle(pickle.dumps(Payload()), "data_batch_1")


@needs_real
@pytest.mark.parametrize(("split", "count"), [("train", 60_000), ("test", 10_000)])
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_real_sets_have_their_published_checksums_and_counts(monkeypatch, name, split, count):
    monkeypatch.setenv("GANZOO_DATA", REAL)
    found = data.load(name, split=split)
    assert found.arrays["image"].shape == (count, 28, 28, 1)
    assert np.bincount(found.arrays["label"]).sum() == count
    assert found.spec.classes == 10


@needs_real
def test_the_first_mnist_digits_are_5_0_4_1_9(monkeypatch):
    monkeypatch.setenv("GANZOO_DATA", REAL)
    found = data.load("mnist")
    assert found.arrays["label"][:5].tolist() == [5, 0, 4, 1, 9]
    mean = found.arrays["image"].mean() / 255
    assert abs(mean - 0.1307) < 1e-4  # the mean that everybody normalises by
