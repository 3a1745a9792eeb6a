"""Images and arrays by strangers: bombs, halves, pipes, lies about their size, code in pickles."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from faults import outside
from faults.hostile_folders import stand
from faults.ledger import Case, Outcome
from faults.made import Made, copied

NAME, LARGE = "data", "13 GB of zeros"


def cases(made: Made) -> Iterator[Case]:
    """Every folder, then every file, looked at, trained on, judged and fed."""
    judged = made.judged("dcgan")
    for name, make in FOLDERS.items():
        yield Case(f"a folder with {name}", partial(_folder, judged, make))
    for name, (ending, make) in ARRAYS.items():
        yield Case(f"{ending} with {name}", partial(_array, judged, ending, make), name == LARGE)


def _commands(place: str, size: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [
        ("data", "info", place, *size),
        ("data", "info", place, "--split", "test", "--picture", "made.png"),
        ("train", "mlp_gan", "--data", place, *size, "--dry-run"),
        ("train", "mlp_gan", "--data", place, "--steps", "2", "--outdir", "made-run", "--quiet"),
        ("eval", place, "digits", "--swd", "--samples", "20"),
        ("eval", "run", place, "--swd", "--samples", "20"),
        ("sample", "run", "--input", f"z={place}", "-n", "4", "--out", "made.npz"),
    ]


def _folder(judged: Path, make: Callable[[Path], None], folder: Path) -> Outcome:
    outside.lay_out(folder)
    copied(judged, folder)
    place = folder / NAME
    place.mkdir()
    for number in range(12):
        _picture(number).save(place / f"{number:02}.png")
    make(place)
    return stand(folder, _commands(NAME, ("--size", "16")))


def _array(judged: Path, ending: str, make: Callable[[Path], None], folder: Path) -> Outcome:
    outside.lay_out(folder)
    copied(judged, folder)
    make(folder / f"{NAME}{ending}")
    return stand(folder, _commands(f"{NAME}{ending}", ()))


def _picture(number: int, mode: str = "L", side: int = 16) -> Image.Image:
    values = np.random.default_rng(number).integers(0, 256, (side, side, 3)).astype(np.uint8)
    return Image.fromarray(values).convert(mode)


# -- folders of images ----------------------------------------------------------------------------


def _png(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG that claims to be so large, and holds so much."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


def _writes(name: str, content: Callable[[], bytes]) -> Callable[[Path], None]:
    return lambda place: (place / name).write_bytes(content()) and None


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n"


def _encoded(kind: str, mode: str = "RGB", side: int = 16) -> bytes:
    buffer = io.BytesIO()
    _picture(7, mode, side).save(buffer, kind)
    return buffer.getvalue()


def _frames() -> bytes:
    buffer = io.BytesIO()
    frames = [_picture(n) for n in range(50)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def _many_kinds(place: Path) -> None:
    for number, mode in enumerate(("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "F")):
        name = {"CMYK": "x.jpg", "F": "x.tiff"}.get(mode, "x.png")
        _picture(number, mode).save(place / f"{number}-{name}")


def _fifo(place: Path) -> None:
    os.mkfifo(place / "pipe.png")


def _closed(place: Path) -> None:
    (place / "closed.png").write_bytes(_png(1, 1))
    (place / "closed.png").chmod(0)


def _loop(place: Path) -> None:
    (place / "again").symlink_to(".")
    (place / "up").symlink_to("..")
    (place / "self.png").symlink_to("self.png")


def _zero(place: Path) -> None:
    (place / "zero.png").symlink_to("/dev/zero")


def _names(place: Path) -> None:
    for name in (b"caf\xe9.png", b"\x1b[31m.png", b"a\nb.png", b" .png", b"-rf.png"):
        (place / os.fsdecode(name)).write_bytes(_encoded("PNG", "L"))


def _none(place: Path) -> None:
    for path in place.iterdir():
        path.unlink()


def _folders(place: Path) -> None:
    (place / "folder.png").mkdir()
    (place / "folder.png" / "one.png").write_bytes(_encoded("PNG"))


def _deep(place: Path) -> None:
    for _ in range(200):
        place = place / "d"
        place.mkdir()
    (place / "deep.png").write_bytes(_encoded("PNG", "L"))


def _attributes(place: Path) -> None:
    (place / "labels.csv").write_bytes(b"file,label\n\xff\xfe,x\n" * 50)


def _sparse(place: Path) -> None:
    with (place / "huge.png").open("wb") as file:
        file.truncate(1 << 40)


FOLDERS: dict[str, Callable[[Path], None]] = {
    "nothing odd": lambda place: None,
    "no image": _none,
    "a PNG of 4 gigapixels": _writes("x.png", lambda: _png(65_000, 65_000)),
    "a PNG of 100 megapixels": _writes("x.png", lambda: _png(10_000, 10_000, bytes(12_510_000))),
    "a PNG of 2^31 by 2^31": _writes("x.png", lambda: _png(2**31 - 1, 2**31 - 1)),
    "a PNG of no pixel": _writes("x.png", lambda: _png(0, 0)),
    "a PNG without an end": _writes("x.png", lambda: _encoded("PNG")[:-100]),
    "half a JPEG": _writes("x.jpg", lambda: _encoded("JPEG", "RGB", 64)[:600]),
    "text that is called .png": _writes("x.png", lambda: b"no picture"),
    "an empty .png": _writes("x.png", lambda: b""),
    "a .png that is a GIF": _writes("x.png", lambda: _encoded("GIF")),
    "a GIF of 50 frames": _writes("x.gif", _frames),
    "an SVG": _writes("x.svg", lambda: b"<svg><image href='file:///etc/passwd'/></svg>"),
    "PostScript that is called .png": _writes("x.png", lambda: POSTSCRIPT),
    "a TIFF that lies": _writes("x.tiff", lambda: _encoded("TIFF")[:60] + b"\xff" * 200),
    "a BMP that lies": _writes("x.bmp", lambda: _encoded("BMP")[:18] + b"\xff\xff\xff\x7f" * 20),
    "an image of another size": _writes("x.png", lambda: _encoded("PNG", "L", 33)),
    "images of every kind": _many_kinds,
    "a pipe": _fifo,
    "an image that is closed": _closed,
    "links in a circle": _loop,
    "a link to /dev/zero": _zero,
    "names that are no UTF-8": _names,
    "a folder called .png": _folders,
    "200 folders in each other": _deep,
    "labels that are no text": _attributes,
    "a terabyte": _sparse,
}  # fmt: skip


# -- arrays ---------------------------------------------------------------------------------------


class _Evil:
    """What a pickle may run."""

    def __reduce__(self) -> tuple:
        return os.system, ("touch evil",)


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _pickle() -> bytes:
    return _npy(np.array([_Evil()], object))


def _header(text: str, content: bytes = b"") -> bytes:
    """An .npy file with a header of one's own."""
    head = text.encode("latin-1").ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + content


def _claims(shape: str, kind: str = "'<f4'") -> bytes:
    return _header(f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}", bytes(400))


def _zip(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _bomb(gigabytes: int) -> bytes:
    """An array of zeros, as a member of a zip: a thousandth of its size."""
    sides = f"({gigabytes << 20}, 32, 32)"
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("x.npy", "w", force_zip64=True) as member,
    ):
        member.write(_claims(sides, "'|u1'")[:-400])
        for _ in range(gigabytes << 6):
            member.write(bytes(1 << 24))
    return buffer.getvalue()


def _values(*sides: int, kind: str = "f4") -> np.ndarray:
    return np.random.default_rng(0).normal(size=sides).astype(kind)


def _npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _as_link(place: Path) -> None:
    place.symlink_to("/dev/zero")


def _as_pipe(place: Path) -> None:
    os.mkfifo(place)


def _as_folder(place: Path) -> None:
    place.mkdir()


def _as_sparse(place: Path) -> None:
    with place.open("wb") as file:
        file.write(_claims(f"({1 << 38},)"))
        file.truncate(1 << 40)


def _of(content: Callable[[], bytes]) -> Callable[[Path], None]:
    return lambda place: place.write_bytes(content()) and None


Ending = tuple[str, Callable[[Path], None]]
NPY: dict[str, Callable[[Path], None]] = {
    "points": _of(lambda: _npy(_values(64, 2))),
    "a pickle in it": _of(lambda: _pickle()),
    "a claim of a terabyte": _of(lambda: _claims(f"({1 << 38},)")),
    "a claim of 2^80": _of(lambda: _claims(f"({1 << 80}, 2)")),
    "a product that overflows": _of(lambda: _claims(f"({1 << 33}, {1 << 33})")),
    "a negative side": _of(lambda: _claims("(-1, 2)")),
    "a side that is text": _of(lambda: _claims("('a', 2)")),
    "code for a header": _of(lambda: _header("__import__('os').system('touch evil')")),
    "a header of brackets": _of(lambda: _header("(" * 100)),
    "no header": _of(lambda: b"\x93NUMPY"),
    "another version": _of(lambda: b"\x93NUMPY\x09\x00" + bytes(100)),
    "an object for a type": _of(lambda: _claims("(10,)", "'|O'")),
    "no such type": _of(lambda: _claims("(10,)", "'<q9'")),
    "records": _of(lambda: _npy(np.zeros(64, [("a", "f4"), ("b", "i4")]))),
    "text in it": _of(lambda: _npy(np.array(["a", "b"] * 32))),
    "dates": _of(lambda: _npy(np.zeros((64, 2), "datetime64[s]"))),
    "complex numbers": _of(lambda: _npy(_values(64, 2, kind="c8"))),
    "NaN": _of(lambda: _npy(np.full((64, 2), np.nan, "f4"))),
    "infinities": _of(lambda: _npy(np.full((64, 2), np.inf, "f4"))),
    "the largest numbers": _of(lambda: _npy(np.full((64, 2), 3e38, "f4"))),
    "one number": _of(lambda: _npy(np.float32(1))),
    "no row": _of(lambda: _npy(_values(0, 2))),
    "one row": _of(lambda: _npy(_values(1, 2))),
    "no column": _of(lambda: _npy(_values(64, 0))),
    "seven axes": _of(lambda: _npy(_values(8, 1, 1, 1, 1, 1, 2))),
    "images of one pixel": _of(lambda: _npy(_values(64, 1, 1, 1))),
    "images of 7 channels": _of(lambda: _npy(_values(64, 8, 8, 7))),
    "truth values": _of(lambda: _npy(np.ones((64, 2), bool))),
    "big-endian numbers": _of(lambda: _npy(_values(64, 2).astype(">f4"))),
    "columns first": _of(lambda: _npy(np.asfortranarray(_values(64, 2)))),
    "half of its rows": _of(lambda: _npy(_values(64, 2))[:-200]),
    "nothing": _of(lambda: b""),
    "a link to /dev/zero": _as_link,
    "a pipe for a file": _as_pipe,
    "a folder for a file": _as_folder,
    "a terabyte of nothing": _as_sparse,
}
NPZ: dict[str, Callable[[Path], None]] = {
    "images": _of(lambda: _npz(x=np.zeros((64, 8, 8), np.uint8))),
    "a pickle in it": _of(lambda: _zip(**{"x.npy": _pickle()})),
    "a member that is no array": _of(lambda: _zip(**{"x.npy": b"no array"})),
    "a member that is text": _of(lambda: _zip(**{"readme.txt": b"no array"})),
    "an array and text": _of(lambda: _zip(**{"x.npy": _npy(_values(64, 2)), "readme.txt": b"x"})),
    "names that lead out": _of(lambda: _zip(**{"../outside/empty.npy": _npy(_values(64, 2))})),
    "odd names": _of(lambda: _zip(**{"\x1b[31m.npy": _npy(_values(9)), ".npy": _npy(_values(9))})),
    "a claim of a terabyte": _of(lambda: _zip(**{"x.npy": _claims(f"({1 << 38},)")})),
    LARGE: _of(lambda: _bomb(13)),
    "20,000 members": _of(lambda: _zip(**{f"a{n}.npy": b"" for n in range(20_000)})),
    "no member": _of(lambda: _zip()),
    "other lengths": _of(lambda: _npz(x=_values(64, 2), y=np.zeros(63, np.int32))),
    "labels that are negative": _of(lambda: _npz(x=_values(64, 2), y=np.full(64, -1))),
    "labels of a billion classes": _of(lambda: _npz(x=_values(64, 2), y=np.arange(64) * 10**9)),
    "labels that are text": _of(lambda: _npz(x=_values(64, 2), y=np.array(["a", "b"] * 32))),
    "no row": _of(lambda: _npz(x=_values(0, 2))),
    "a half": _of(lambda: _npz(x=_values(64, 2))[:200]),
    "a flipped length": _of(lambda: _npz(x=_values(64, 2)).replace(b"PK\x01\x02", b"PK\x01\x03")),
    "an array called .npz": _of(lambda: _npy(_values(64, 2))),
    "a pipe for a file": _as_pipe,
    "a link to /dev/zero": _as_link,
    "a folder for a file": _as_folder,
}
ARRAYS: dict[str, Ending] = {
    **{f"{name} ": (".npy", make) for name, make in NPY.items()},
    **{name: (".npz", make) for name, make in NPZ.items()},
}
