"""What must stay as it is: what lies beside a run, and a run that is read; times too."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from faults import warm

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


def watched(folder: Path, *words: str, **how: object) -> tuple[warm.Done, str]:
    """Run a command in `folder`, and see what changed there that it may not change.

    Only a training writes into a run, and an evaluation into its `eval`. `made*` is anybody's.
    """
    before = state(folder)
    done = warm.ganzoo(*words, folder=folder, **how)
    return done, touched(_kept(before, words), _kept(state(folder), words))


def _kept(found: State, words: Sequence[str]) -> State:
    free = {"train": ("run",), "eval": ("run/eval",)}.get(words[0] if words else "", ())
    whole = {".", *(("run",) if free else ())}  # a new entry gives a folder a new time
    return {
        name: one
        for name, one in found.items()
        if not name.startswith("made")
        and name not in whole
        and not any(name == place or name.startswith(f"{place}/") for place in free)
    }


def touched(before: State, after: State) -> str:
    """Which paths differ, or nothing."""
    names = sorted(name for name in before | after if before.get(name) != after.get(name))
    return ", ".join(names[:5])
