"""Every operation of Python's on the files of a folder, in order: counted, killed at, or refused.

What TensorFlow writes by itself, its events, is not seen here: random moments meet it.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

TEMPORARY = re.compile(r"\.[0-9a-f]{8}\.tmp")
NAMED = ("replace", "rename", "unlink", "remove", "mkdir", "rmdir", "link", "symlink", "truncate")
HELD = ("fsync", "ftruncate")
"""Functions of `os` that take a path first, and those that take a descriptor."""


class Watched:
    """Meets every operation inside `folder` before it is done; `begin` starts it in a child."""

    def __init__(self, folder: Path):
        self.folder, self.number = os.path.abspath(folder), 0

    def meet(self, what: str, half: Callable[[], object] | None = None) -> None:
        """`half` does a half of it: of a write only."""

    def begin(self) -> None:
        """Put this between the program and the disk."""
        self._os_open, self._os_write, self._open = os.open, os.write, io.open
        os.open, os.write = self._opened_low, self._written_low
        io.open = builtins.open = self._opened
        for name in (*NAMED, *HELD):
            setattr(os, name, self._before(name, getattr(os, name)))

    def inside(self, path: Any, folder: int | None = None) -> str:
        """The name inside the folder, or nothing; of a descriptor, that of what is open there."""
        try:
            if isinstance(path, int):
                path = os.readlink(f"/proc/self/fd/{path}")
            elif folder is not None:
                path = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), os.fspath(path))
            path = os.path.abspath(os.fsdecode(path))
        except (OSError, TypeError, ValueError):
            return ""
        if path != self.folder and not path.startswith(self.folder + "/"):
            return ""
        return TEMPORARY.sub(".tmp", os.path.relpath(path, self.folder))

    def _meet(self, what: str, half: Callable[[], object] | None = None) -> None:
        self.number += 1
        self.meet(what, half)

    def _before(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(path: Any, *others: Any, **how: Any) -> Any:
            there = others[0] if name in ("replace", "rename", "link", "symlink") else path
            found = self.inside(there, how.get("dst_dir_fd", how.get("dir_fd")))
            if found:
                self._meet(f"{name} {found}")
            return real(path, *others, **how)

        return called

    def _opened_low(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: Any = None) -> int:
        found = self.inside(path, dir_fd)
        if found and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            self._meet(f"open {found}")
        return self._os_open(path, flags, mode, dir_fd=dir_fd)

    def _written_low(self, file: int, content: Any) -> int:
        found = self.inside(file)
        if found:
            part = bytes(content)[: len(content) // 2]
            self._meet(f"write {found}", lambda: self._os_write(file, part))
        return self._os_write(file, content)

    def _opened(
        self, file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None,
        errors: Any = None, newline: Any = None, closefd: bool = True, opener: Any = None,
    ) -> Any:  # fmt: skip
        found = self.inside(file)
        if not found or not set(mode) & set("wax+"):
            return self._open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        if not isinstance(file, int):
            self._meet(f"open {found}")
        raw = _File(self, found, file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if buffering == 0:
            return raw
        kept = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return kept if "b" in mode else io.TextIOWrapper(kept, encoding, errors, newline)


class _File(io.FileIO):
    """A file whose writes are met."""

    def __init__(self, watched: Watched, found: str, *how: Any):
        super().__init__(*how)
        self._watched, self._found = watched, found

    def write(self, content: Any) -> int:
        view = memoryview(content).cast("B")
        half = super().write
        self._watched._meet(f"write {self._found}", lambda: half(view[: len(view) // 2]))
        return super().write(content)


class Counting(Watched):
    """Writes down every operation."""

    def __init__(self, folder: Path, log: Path):
        super().__init__(folder)
        self.log = str(log)

    def meet(self, what: str, half: Callable[[], object] | None = None) -> None:
        file = self._os_open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._os_write(file, f"{what}\n".encode())
        os.close(file)


class Killing(Watched):
    """Ends the process as kill -9 does, before operation `number`, or behind a half of it."""

    def __init__(self, folder: Path, at: int, half: bool = False):
        super().__init__(folder)
        self.at, self.half = at, half

    def meet(self, what: str, half: Callable[[], object] | None = None) -> None:
        if self.number == self.at:
            if self.half and half:
                half()
            os.kill(os.getpid(), signal.SIGKILL)


class Full(Watched):
    """A disk without room, from operation `at` on; a write may still find room for a half."""

    ROOM = ("open", "write", "mkdir", "fsync", "symlink", "link")

    def __init__(self, folder: Path, at: int, half: bool = False):
        super().__init__(folder)
        self.at, self.half = at, half

    def meet(self, what: str, half: Callable[[], object] | None = None) -> None:
        if self.number < self.at or what.split()[0] not in self.ROOM:
            return
        if self.half and half and self.number == self.at:
            half()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def timeless(what: str) -> str:
    """The description of an operation without the hour in the name of an events' file."""
    return re.sub(r"tfevents\.\S+", "tfevents", what)
