"""Files of a user that are no files, or claim more than there is: one sentence each, at once."""

from __future__ import annotations

import io
import os
import signal
import socket
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganzoo import data, feeding, memory, registry
from ganzoo.cli import main
from ganzoo.data import array_file, cifar, idx, images
from ganzoo.errors import GanzooError, UsageError
from ganzoo.eval import sources
from ganzoo.eval.features import inception_weights, torch_file
from ganzoo.eval.features.inception_hub import HubInception
from ganzoo.inputs import Input
from ganzoo.plugin import Frozen
from ganzoo.priors import Label
from ganzoo.training import networks


@contextmanager
def soon(seconds: int = 20) -> Iterator[None]:
    """What waits for ever fails."""

    def late(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def as_pipe(path: Path) -> None:
    os.mkfifo(path)


def as_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def as_socket(path: Path) -> None:
    here = os.open(path.parent, os.O_RDONLY)  # the path itself may be longer than sockets allow
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)


KINDS = {
    "it is a pipe": as_pipe,
    "it is a device": as_device,
    "it is a socket": as_socket,
}
kinds = pytest.mark.parametrize(("words", "make"), KINDS.items(), ids=["pipe", "device", "socket"])


def photos(folder: Path, count: int = 20) -> Path:
    folder.mkdir(exist_ok=True)
    for shade in range(count):
        Image.fromarray(np.full((8, 8), 10 * shade, np.uint8)).save(folder / f"{shade}.png")
    return folder


READERS = {
    "array file": ("x.npz", lambda path: data.load(str(path))),
    "array": ("x.npy", lambda path: data.load(str(path))),
    "samples": ("s.npz", lambda path: sources.stored(str(path))),
    "only image": ("photos/x.png", lambda path: data.load(str(path.parent))),
    "idx": ("train-images-idx3-ubyte.gz", idx.read),
    "cifar archive": ("cifar-10-python.tar.gz", lambda path: cifar.read_batches(path, "train")),
    "cifar batch": ("data_batch_1", lambda path: cifar.read_batches(path.parent, "train")),
    "graph": ("classify_image_graph_def.pb", lambda p: inception_weights.read(_found(p))),
    "weights": ("weights.npz", lambda path: inception_weights.read(_found(path))),
    "torch file": ("weights.pth", lambda path: inception_weights.read(_found(path))),
    "module": ("saved_model.pb", lambda path: HubInception(path.parent)),
    "frozen": ("n.npz", lambda path: networks._frozen("judge", Frozen(str(path), build=list))),
    "frozen model": ("n.keras", lambda path: networks._frozen("judge", Frozen(str(path)))),
    "plugin": ("mygan.py", lambda path: registry.load(str(path))),
}


def _found(path: Path) -> Path:
    return inception_weights.find(weights=path)


@kinds
@pytest.mark.parametrize(("name", "read"), READERS.values(), ids=READERS)
def test_what_is_no_file_is_told_and_not_read(tmp_path, words, make, name, read):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    make(path)
    with soon(), pytest.raises(GanzooError, match=words) as told:
        read(path)
    assert "\n" not in str(told.value)


@kinds
@pytest.mark.parametrize("table", ["attributes.csv", "list_attr_celeba.txt"])
def test_a_table_that_is_no_file_is_not_passed_over(tmp_path, words, make, table):
    make(photos(tmp_path / "photos") / table)
    with soon(), pytest.raises(GanzooError, match=f"{table}: {words}"):
        data.load(str(tmp_path / "photos"))


@kinds
def test_a_member_of_a_folder_that_is_no_file_is_skipped_and_named(tmp_path, words, make):
    make(photos(tmp_path / "photos") / "odd.png")
    with soon():
        assert images.decode(tmp_path / "photos/odd.png", 8).startswith(words)
        found = [data.load(str(tmp_path / "photos"), split=split) for split in ("train", "test")]
    assert [one.note for one in found if one.note] == ["1 broken image skipped: odd.png"]


# -- sizes that are claimed -----------------------------------------------------------------------


def npy(shape: tuple[int, ...], content: bytes = b"") -> bytes:
    """An array file whose head claims this shape."""
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + content


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return path


def test_a_head_that_claims_more_than_there_is_is_refused_with_the_figure(tmp_path):
    plain, packed = tmp_path / "x.npy", tmp_path / "x.npz"
    plain.write_bytes(npy((10**12, 8, 8), bytes(100)))
    zipped(packed, image_npy=npy((10**12, 8, 8), bytes(100)))
    with pytest.raises(GanzooError, match=r"claims 1000000000000x8x8 .* 58.21 TiB, and has 1.. by"):
        data.load(str(plain))
    with pytest.raises(GanzooError, match=r"member 'image.npy' claims .* 58.21 TiB"):
        data.load(str(packed))


def test_an_archive_that_unpacks_to_more_than_is_free_is_not_unpacked(tmp_path, monkeypatch):
    path = zipped(tmp_path / "x.npz", image_npy=npy((1000, 100, 100), bytes(10**7)))
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(memory, "free", lambda: 2**20)
    with pytest.raises(UsageError, match=r"x.npz needs at least 9.53\d* MiB .* 1 MiB are free"):
        data.load(str(path))


def test_a_member_that_is_no_array_is_named(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, image=np.zeros((20, 8, 8), np.uint8))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("readme.txt", "taken in May")
    with pytest.raises(GanzooError, match=r"x.npz .*its member 'readme.txt' is no array"):
        data.load(str(path))


def test_arrays_come_as_numpy_would_read_them(tmp_path):
    arrays = {"a/image": np.arange(6).reshape(2, 3).T, "y": np.float32([1, 2]), "n": np.array(3)}
    np.savez_compressed(tmp_path / "x.npz", **arrays)
    np.save(tmp_path / "x.npy", arrays["a/image"])
    found = array_file.read(tmp_path / "x.npz") | array_file.read(tmp_path / "x.npy")
    assert list(found) == [*arrays, "arr_0"]
    for name, array in (arrays | {"arr_0": arrays["a/image"]}).items():
        assert np.array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def png(side: int) -> bytes:
    """A few bytes that are a picture of side x side black pixels."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(side + 1)) for _ in range(side)) + packer.flush()
    parts = (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)), (b"IDAT", rows)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in (*parts, (b"IEND", b""))
    )


def test_an_image_that_unpacks_to_too_much_is_broken(tmp_path):
    photos(tmp_path / "photos")
    (tmp_path / "photos/bomb.png").write_bytes(png(14_000))
    notes = [data.load(str(tmp_path / "photos"), split=split).note for split in ("train", "test")]
    assert "1 broken image skipped: bomb.png" in notes
    assert "exceeds limit" in images.decode(tmp_path / "photos/bomb.png", 8)


def test_a_picture_of_a_kind_that_runs_a_program_is_no_image(tmp_path):
    (tmp_path / "x.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EOF\n")
    assert images.decode(tmp_path / "x.png", 8) == "it is no image, or of a kind that is not read"


def test_stored_images_that_do_not_fit_are_told_by_their_heads(tmp_path, monkeypatch):
    (photos(tmp_path / "photos") / "large.png").write_bytes(png(2000))
    monkeypatch.setattr(memory, "free", lambda: 2**20)
    with pytest.raises(UsageError, match=r"the 21 images of .* needs at least 3.816 MiB"):
        sources.stored(str(tmp_path / "photos"))


def test_an_idx_file_and_an_archive_that_unpack_to_too_much_are_refused(tmp_path, monkeypatch):
    packed = zlib.compressobj(wbits=31)
    (tmp_path / "x.gz").write_bytes(packed.compress(bytes(10**6)) + packed.flush())
    monkeypatch.setattr(idx, "LARGEST", 10**5)
    with pytest.raises(GanzooError, match="unpacks to more than 100,000 bytes"):
        idx.read(tmp_path / "x.gz")
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("data_batch_1")
        member.size = 10**6
        archive.addfile(member, io.BytesIO(bytes(10**6)))
    for module, read in (
        (cifar, lambda path: cifar.read_batches(path, "train")),
        (inception_weights, inception_weights.from_graph),
    ):
        monkeypatch.setattr(module, "LARGEST", 10**5)
        with pytest.raises(GanzooError, match="unpacks to more than 100,000 bytes"):
            read(tmp_path / "x.tar.gz")


def test_a_constant_that_stands_for_too_many_values_is_refused(tmp_path):
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef()
    tensor = graph.node.add(name="c", op="Const").attr["value"].tensor
    tensor.dtype, tensor.float_val[:] = 1, [0.5]
    for side in (10**6, 10**6):
        tensor.tensor_shape.dim.add(size=side)
    (tmp_path / "x.pb").write_bytes(graph.SerializeToString())
    with pytest.raises(GanzooError, match="a constant of 1,000,000,000,000 values"):
        inception_weights.from_graph(tmp_path / "x.pb")


def test_a_torch_file_whose_pickle_asks_for_room_gets_none(tmp_path):
    names_the_billionth = b"\x80\x02Nr\xff\xff\xff\x7f."  # None, remembered at place 2^31 - 1
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("x/data.pkl", names_the_billionth)
    with soon(), pytest.raises(GanzooError, match="something else than tensors"):
        torch_file.read(tmp_path / "x.pth")


def test_the_shape_of_a_torch_tensor_is_few_numbers():
    storage = torch_file.Storage("0", np.dtype("<f4"))
    for shape in (("a" * 9, 9), (1,) * 9):
        with pytest.raises(ValueError, match=r"invalid literal|has 9 axes"):
            torch_file._view(storage, 0, shape, (1,) * len(shape))


# -- what may not be read -------------------------------------------------------------------------


def as_nobody(do: Callable[[], object], told: Path) -> str:
    """The error that somebody without rights meets, from a process of theirs."""
    child = os.fork()
    if child == 0:
        if os.getuid() == 0:
            os.setgroups([])
            os.setuid(65534)
        try:
            told.write_text(str(do()))
        except GanzooError as error:
            told.write_text(f"GanzooError: {error}")
        except BaseException as error:
            told.write_text(f"{type(error).__name__}: {error}")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return told.read_text()


LOCKED = {
    "folder": lambda path: data.load(str(path / "photos")),
    "below": lambda path: data.load(str(path / "photos/x.npz")),
    "inner": lambda path: data.load(str(path / "open")),
    "samples": lambda path: sources.stored(str(path / "photos")),
    "samples file": lambda path: sources.stored(str(path / "photos/x.npz")),
    "array file": lambda path: data.load(str(path / "locked.npz")),
    "plugin": lambda path: registry.load(str(path / "locked.py")),
    "plugin below": lambda path: registry.load(str(path / "photos/locked.py")),
    "weights": lambda path: inception_weights.find(weights=path / "photos/x.npz"),
    "rows": lambda path: feeding._rows(None, FED, str(path / "photos/x.png")),
}
FED = Input("a", (8, 8, 1), "float32", Label(3))


@pytest.mark.parametrize("read", LOCKED.values(), ids=LOCKED)
def test_what_may_not_be_read_is_a_sentence(tmp_path, read):
    os.chmod(tmp_path, 0o777)
    for above in tmp_path.parents[:3]:
        os.chmod(above, os.stat(above).st_mode | 0o011)
    photos(tmp_path / "photos")
    photos(tmp_path / "open")
    photos(tmp_path / "open/locked")
    for name in ("locked.npz", "locked.py"):
        (tmp_path / name).write_bytes(b"x")
        os.chmod(tmp_path / name, 0)
    for name in ("photos", "open/locked"):
        os.chmod(tmp_path / name, 0)
    told = as_nobody(lambda: read(tmp_path), tmp_path / "told.txt")
    for name in ("photos", "open/locked"):
        os.chmod(tmp_path / name, 0o755)
    assert told.startswith("GanzooError: ")
    assert told.count("Permission denied") == 1
    assert "\n" not in told


NAME = os.fsdecode(b"caf\xe9 \xff")
"""What is no UTF-8."""


def test_folders_and_images_whose_names_are_no_utf8_are_data(tmp_path, capsysbinary):
    folder = photos(tmp_path / NAME)
    (folder / "3.png").rename(folder / f"{NAME}.png")
    (folder / f"broken {NAME}.png").write_bytes(b"")
    code = 0
    try:
        main(["data", "info", str(folder)])
    except SystemExit as done:
        code = done.code
    out, err = capsysbinary.readouterr()
    assert (code or 0, err) == (0, b"")
    assert os.fsencode(folder) in out


def test_a_plugin_file_whose_name_is_no_utf8_is_refused(tmp_path):
    (tmp_path / f"{NAME}.py").write_text("")
    with pytest.raises(UsageError, match="is no UTF-8, which TensorFlow cannot read"):
        registry.load(str(tmp_path / f"{NAME}.py"))
