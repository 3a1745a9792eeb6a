"""A folder that may be a stranger's: nothing read in it waits or leads out, nothing written leaks.

Every file is reached by names within the folder. A link at any of them, a pipe or a device is an
error and not followed; a write is whole or not there; and whoever holds the lock is told when the
folder is deleted or replaced under its feet.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path

from ganzoo import reading
from ganzoo.errors import GanzooError
from ganzoo.files import is_full, replace_file, write_error

LEFTOVER = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")
"""What a killed process had begun to write beside its target."""


class OwnFolder:
    """A folder and the files that belong to it. Creating the object touches nothing on the disk."""

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)
        self._lock_seen: tuple[int, int] | None = None

    def __str__(self) -> str:
        return str(self.path)

    # -- reading --------------------------------------------------------------------------------

    def at(self, *names: str) -> Path:
        """The place of a file; GanzooError where a link stands on the way to it."""
        place = self.path
        for name in names[:-1]:
            place = place / name
            if place.is_symlink():
                raise GanzooError(
                    f"{place} is a link: a run folder holds its own files, and none is followed "
                    "out of it."
                )
        return place / names[-1]

    def has(self, *names: str) -> bool:
        """Whether there is anything of that name, whatever it is."""
        return os.path.lexists(self.path.joinpath(*names))

    def read(self, *names: str, limit: int) -> bytes:
        """The bytes of a file, of which there are at most `limit`."""
        path = self.at(*names)
        try:
            return reading.content(path, limit, follow=False)
        except OSError as error:
            raise GanzooError(f"{path} cannot be read: {error.strerror or error}.") from error

    def read_lines(self, name: str, limit: int, longest: int) -> Iterator[bytes]:
        """The lines of a file, with their ends; of one that is too long the beginning alone."""
        path = self.at(name)
        try:
            with reading.opened(path, limit, follow=False) as file:
                while line := file.readline(longest + 1):
                    rest = line
                    while len(rest) > longest and not rest.endswith(b"\n"):
                        rest = file.readline(longest + 1)
                    yield line
        except OSError as error:
            raise GanzooError(f"{path} cannot be read: {error.strerror or error}.") from error

    def listing(self, folder: str, pattern: re.Pattern[str]) -> list[Path]:
        """The regular files in a subfolder whose name fits as a whole, by name.

        Whatever else has such a name is named in a warning.
        """
        place = self.path / folder
        if not reading.real_folder(place):
            return []
        try:
            found = [p for p in place.iterdir() if pattern.fullmatch(p.name)]
        except OSError as error:
            raise GanzooError(f"{place} cannot be read: {error.strerror or error}.") from error
        files = {path for path in found if reading.is_regular(path)}
        for path in sorted(set(found) - files):
            warnings.warn(f"{path} is no regular file, and is left out.", stacklevel=2)
        return sorted(files)

    # -- writing --------------------------------------------------------------------------------

    def write(self, *names: str, content: bytes | memoryview) -> Path:
        """Write a whole file or none of it; a subfolder that is missing is made."""
        self.check()
        path = self.at(*names)
        try:
            if path.parent != self.path:
                path.parent.mkdir(exist_ok=True)
            replace_file(path, content)
        except OSError as error:
            raise write_error(path, error) from error
        return path

    def append(self, *names: str, line: bytes) -> None:
        """Add a line or a record; a crash can cost what was being written, nothing before it."""
        self.check()
        path = self.at(*names)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        try:
            if path.parent != self.path:
                path.parent.mkdir(exist_ok=True)
            file = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
            with open(file, "ab", buffering=0) as out:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    raise OSError("it is no regular file")
                left = memoryview(line)
                while left:
                    left = left[out.write(left) :]
        except OSError as error:
            raise write_error(path, error) from error

    def remove(self, *paths: Path) -> None:
        """Delete files of the folder; one that is gone already is no error."""
        for path in paths:
            place = self.at(*path.relative_to(self.path).parts)
            try:
                place.unlink(missing_ok=True)
            except OSError as error:
                raise write_error(place, error) from error

    def leftovers(self) -> list[Path]:
        """What a killed process had begun to write beside its targets."""
        folders = [self.path, *(p for p in self.path.iterdir() if reading.real_folder(p))]
        return [
            path
            for folder in folders
            for path in folder.iterdir()
            if LEFTOVER.fullmatch(path.name) and reading.is_regular(path)
        ]

    # -- holding --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one writer: a second training in it is refused, not mixed in."""
        import fcntl

        lock = self._lock(os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise GanzooError(f"another process is training in {self.path}.") from error
        self._lock_seen = _identity(os.fstat(lock))
        try:
            yield
        finally:
            self._lock_seen = None
            os.close(lock)

    def check(self) -> None:
        """GanzooError where this process holds the folder, and it is not the same any more."""
        if self._lock_seen is None:
            return
        try:
            same = _identity(os.lstat(self.path / ".lock")) == self._lock_seen
        except OSError:
            same = False
        if not same:
            raise GanzooError(
                f"{self.path} was deleted, moved or replaced while it was trained in: the training "
                "ends here, and writes nothing more."
            )

    def in_use(self) -> bool:
        """Whether a training holds the folder; nothing is written to find out."""
        import fcntl

        try:
            lock = self._lock(os.O_RDONLY)
        except GanzooError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(lock)
        return False

    def _lock(self, flags: int) -> int:
        """The lock file, opened as it is: no link is followed, nothing waits, nothing is cut."""
        path = self.path / ".lock"
        try:
            lock = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
        except OSError as error:
            if is_full(error):
                raise write_error(path, error) from error
            raise GanzooError(
                f"{path} cannot be opened as a lock ({error.strerror or error})."
            ) from error
        if not stat.S_ISREG(os.fstat(lock).st_mode):
            os.close(lock)
            raise GanzooError(f"{path} is no regular file: no lock of ganzoo's.")
        return lock


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
