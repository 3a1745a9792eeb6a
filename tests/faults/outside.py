"""What lies beside a run and must stay as it is: files, a folder, links, and their times."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

State = dict[str, tuple]


def lay_out(folder: Path) -> Path:
    """Make `folder/outside` with what a hostile run may try to reach; its path."""
    place = folder / "outside"
    (place / "photos").mkdir(parents=True)
    (place / "photos" / ".one.tmp").write_text("not ganzoo's")
    (place / "checkpoints").mkdir()
    (place / "checkpoints" / "step-00000001.npz").write_text("another's")
    (place / "precious.txt").write_text("mine\n")
    (place / "empty").write_text("")
    (place / "link").symlink_to("precious.txt")
    return place


def state(folder: Path) -> State:
    """Every path under `folder` with its kind, size, times and content."""
    return {str(path.relative_to(folder)): _one(path) for path in sorted(folder.rglob("*"))} | {
        ".": _one(folder)
    }


def _one(path: Path) -> tuple:
    found = path.lstat()
    content = ""
    if stat.S_ISREG(found.st_mode) and found.st_size < 1 << 24:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    elif stat.S_ISLNK(found.st_mode):
        content = os.readlink(path)
    return (found.st_mode, found.st_size, found.st_mtime_ns, found.st_uid, content)


def touched(before: State, after: State) -> str:
    """Which paths differ, or nothing."""
    names = sorted(name for name in before | after if before.get(name) != after.get(name))
    return ", ".join(names[:5])
