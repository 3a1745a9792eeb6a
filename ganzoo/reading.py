"""Open and read files that may be anybody's: regular ones, of a size that was agreed to.

A pipe would wait for ever, a device never ends, and a link in a stranger's folder leads out of it.
Each is an OSError here, with a `strerror` that says what was found, like a file that is missing.
"""

from __future__ import annotations

import errno
import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ganzoo.errors import GanzooError

KINDS = (
    (stat.S_ISLNK, errno.ELOOP, "it is a link, and is not followed"),
    (stat.S_ISDIR, errno.EISDIR, "it is a folder"),
    (stat.S_ISFIFO, errno.EINVAL, "it is a pipe, not a file"),
    (stat.S_ISSOCK, errno.EINVAL, "it is a socket, not a file"),
    (stat.S_ISCHR, errno.EINVAL, "it is a device, not a file"),
    (stat.S_ISBLK, errno.EINVAL, "it is a device, not a file"),
)


FULL_ZIP = 2**31
"""Bytes from which on an entry of an archive has a field of its own for its size."""


def check_entries(archive: zipfile.ZipFile) -> None:
    """ValueError where an entry may hide those behind it: a wrong length makes them its comment.

    NumPy writes no comments, and further fields for what is very large alone.
    """
    odd = [
        info.filename
        for info in archive.infolist()
        if info.comment or (info.extra and info.file_size < FULL_ZIP)
    ]
    if odd or archive.comment:
        raise ValueError(f"its list of arrays is not as NumPy writes it, at {str(odd[:1])[:60]}")


def opened(path: str | os.PathLike[str], limit: int | None = None, *, follow: bool) -> BinaryIO:
    """The file at `path`, open for reading bytes; an OSError where it is no regular file.

    `limit` is the most bytes that it may have; `follow` says whether `path` may be a link, as a
    user's own files may and a run's may not.
    """
    _check(path, os.stat(path, follow_symlinks=follow), limit)  # to open is to act, on some devices
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    file = open(os.open(path, flags), "rb")  # noqa: SIM115 - the caller closes it
    try:
        _check(path, os.fstat(file.fileno()), limit)
    except OSError:
        file.close()
        raise
    return file


def content(path: str | os.PathLike[str], limit: int, *, follow: bool) -> bytes:
    """All bytes of the file at `path`, of which there are at most `limit`; else an OSError."""
    with opened(path, limit, follow=follow) as file:
        found = file.read(limit + 1)
    if len(found) > limit:  # it has grown, or tells another size than it has
        raise _too_large(path, limit)
    return found


@contextmanager
def told(path: str | os.PathLike[str]) -> Iterator[None]:
    """Within this block an OSError becomes a GanzooError that names the file, `path` by default."""
    try:
        yield
    except OSError as error:
        name = path if error.filename is None else error.filename
        raise GanzooError(f"cannot read {os.fsdecode(name)}: {error.strerror or error}.") from error


def is_regular(path: str | os.PathLike[str]) -> bool:
    """Whether `path` itself is a regular file: no link, no pipe, no device."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def _check(path: str | os.PathLike[str], found: os.stat_result, limit: int | None) -> None:
    for is_kind, number, what in KINDS:
        if is_kind(found.st_mode):
            raise OSError(number, what, str(path))
    if limit is not None and found.st_size > limit:
        raise _too_large(path, limit)


def _too_large(path: str | os.PathLike[str], limit: int) -> OSError:
    return OSError(errno.EFBIG, f"it is larger than {limit:,} bytes", str(path))


def real_folder(path: Path) -> bool:
    """Whether `path` itself is a folder, and no link to one."""
    return path.is_dir() and not path.is_symlink()
