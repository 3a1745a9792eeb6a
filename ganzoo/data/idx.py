"""IDX, the file format of MNIST: a header with the shape, then bytes; plain or gzipped.

Source: "THE IDX FILE FORMAT" on the MNIST page of Y. LeCun. Only unsigned bytes are read, which is
all that MNIST and its relatives use.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from ganzoo.errors import GanzooError


def read(path: Path, *, md5: str | None = None) -> np.ndarray:
    """The uint8 array of an IDX file.

    Raises GanzooError for a file that is unreadable, truncated, longer than its header says, no
    IDX file at all, or whose MD5 (of the file as it lies there) is not the expected one.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise GanzooError(f"{path} cannot be read: {error.strerror}.") from error
    if md5:
        check(path, raw, "md5", md5)
    return parse(_unpacked(path, raw), str(path))


def check(path: Path, raw: bytes, algorithm: str, expected: str) -> None:
    """Raise GanzooError unless these bytes have the published checksum."""
    came = hashlib.new(algorithm, raw, usedforsecurity=False).hexdigest()
    if came != expected:
        raise GanzooError(f"{path} is damaged or incomplete: expected {algorithm.upper()} "
                          f"{expected}, got {came} ({len(raw):,} bytes): replace or delete it.")


def parse(content: bytes, name: str) -> np.ndarray:
    """The array in the bytes of an unpacked IDX file; `name` is for the errors."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != 8 or content[3] == 0:
        raise GanzooError(f"{name} is not an IDX file of bytes: expected it to begin with "
                          f"00 00 08 and the number of axes, got {content[:4].hex(' ') or 'nothing'}.")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise GanzooError(f"{name} is truncated: it ends inside its header, after "
                          f"{len(content)} bytes: replace it.")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    expected, came = start + math.prod(shape), len(content)
    if came != expected:
        fault = "truncated" if came < expected else "followed by something else"
        raise GanzooError(f"{name} is {fault}: its header promises {expected:,} bytes for shape "
                          f"{shape}, it has {came:,}: replace it.")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _unpacked(path: Path, raw: bytes) -> bytes:
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, OSError, zlib.error) as error:
        raise GanzooError(f"{path} is truncated or damaged: {error}: replace it.") from error
