"""Atomic file writes, the cache folder, and plain values for JSON."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganzoo.errors import GanzooError, UsageError


def write_atomic(path: Path, content: bytes) -> None:
    """Write a whole file or none of it: beside the target, flushed to the disk, then renamed.

    A device, such as /dev/null or /dev/stdout, is written into as it is; a pipe or a socket is
    refused.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        _write_into(path, content)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)
    except OSError as error:
        raise write_error(path, error) from error


def replace_file(path: Path, content: bytes | memoryview) -> None:
    """Put a whole file in the place of whatever is at `path`, a link too; OSError as it comes."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_into(path: Path, content: bytes) -> None:
    if not path.is_char_device():
        raise UsageError(f"{path} is no file: name one, or a new place.")
    try:
        with path.open("wb") as device:
            device.write(content)
    except OSError as error:
        raise write_error(path, error) from error


def is_full(error: OSError) -> bool:
    """Whether it says that there is no room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def write_error(path: Path, error: OSError) -> GanzooError:
    if is_full(error):
        return GanzooError(
            f"the disk is full: {path} was not written; what was saved before it is "
            "untouched. Free some space and run it again (a training: with --resume)."
        )
    return GanzooError(f"cannot write {path}: {error.strerror or error}.")


def cache_dir() -> Path:
    """Where ganzoo remembers what it can find out again: `$XDG_CACHE_HOME/ganzoo`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganzoo"


def plain(value: Any) -> Any:
    """JSON's own types: NumPy's numbers and arrays are turned, infinities and NaN are named.

    >>> plain({"loss": float("nan"), "shape": (2, 3)})
    {'loss': 'nan', 'shape': [2, 3]}
    """
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return str(value)
