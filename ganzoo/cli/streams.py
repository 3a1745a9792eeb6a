"""Standard input, output and error as they must be: open, and able to show any name of a file."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
import traceback
from typing import Any

NAMES = ("stdin", "stdout", "stderr")
"""By their descriptors."""
AS_IT_IS = "ganzoo.as_it_is"
WRITERS = ("click", "rich", "cli")
"""The folders whose code writes to the standard output."""


def prepare() -> None:
    """Open what is closed as /dev/null, so that no file is opened in its place and then written
    into, and show what is no text as the bytes that it was."""
    for descriptor, name in enumerate(NAMES):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free, which is this one
        if getattr(sys, name) is None:
            mode = "w" if descriptor else "r"
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    codecs.register_error(AS_IT_IS, _as_it_is)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=AS_IT_IS)


def _as_it_is(error: UnicodeError) -> Any:
    """A byte of a name that is no UTF-8 as that byte; what the encoding lacks as an escape."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


def failed(error: Exception) -> bool:
    """Whether the error is that of writing to the standard output or error."""
    if not isinstance(error, OSError) or error.filename is not None:
        return False
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    return os.path.basename(os.path.dirname(last)) in WRITERS


def say(text: str) -> None:
    """A line for the standard error, if anybody can be told at all."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def let_go() -> None:
    """What could not be written is not tried again when Python ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
