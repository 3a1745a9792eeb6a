"""The IDX format of MNIST: a magic number, the sides, then raw bytes; plain or gzipped."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np

from ganzoo import reading
from ganzoo.errors import GanzooError

UNSIGNED_BYTE = 0x08
LARGEST = 2**30
"""Bytes of a file, and of what it unpacks to; MNIST's images have 47 million."""


def read(path: Path, md5: str | None = None) -> np.ndarray:
    """The array in an IDX file of unsigned bytes, checked against its published MD5 if given.

    Raises GanzooError, naming the file, when it cannot be read, differs from its checksum, is cut
    off, is not IDX, or goes on after its last value.
    """
    with reading.told(path):
        content = reading.content(path, LARGEST, follow=True)
    if md5 and (came := hashlib.md5(content, usedforsecurity=False).hexdigest()) != md5:
        raise GanzooError(
            f"{path} is damaged: expected MD5 {md5}, not {came}; delete it or fetch it again."
        )
    if content[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(content)) as unpacked:
                content = unpacked.read(LARGEST)
                if unpacked.read(1):
                    raise OSError(f"it unpacks to more than {LARGEST:,} bytes")
        except (OSError, EOFError, zlib.error) as error:
            raise GanzooError(
                f"{path} is damaged: its gzip stream is cut off or altered ({error}); "
                "fetch it again."
            ) from error
    return parse(content, str(path))


def parse(content: bytes, name: str) -> np.ndarray:
    """The array in the bytes of an IDX file; `name` is for the error."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTE or not content[3]:
        raise GanzooError(
            f"{name} is not an IDX file of unsigned bytes: expected it to start with "
            f"00 00 08 and the number of axes, not {content[:4].hex(' ') or 'nothing'}."
        )
    axes = content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise GanzooError(
            f"{name} is truncated: its header of {start} bytes ends at {len(content)}."
        )
    shape = struct.unpack(f">{axes}I", content[4:start])
    expected = start + int(np.prod(shape, dtype=object))
    if len(content) != expected:
        what = "is truncated" if len(content) < expected else "has bytes after its last value"
        sides = "x".join(map(str, shape))
        raise GanzooError(
            f"{name} {what}: expected {expected} bytes for {sides} values, "
            f"found {len(content)}; fetch it again."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
