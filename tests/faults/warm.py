"""Commands in forked processes: warm, each with a time limit, what they say kept.

The process that forks has imported TensorFlow and ganzoo and has run no operation of TensorFlow's:
its children start threads and contexts of their own. So a command costs what it does, not the five
seconds of a start. A real one, through `exec`, differs in nothing but that.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from faults import ROOT

LIMIT, IDLE = 60.0, 45.0
"""Seconds of work that a command may take, and seconds that it may wait without any: what hangs is
told from what has to share its machine. A small training takes 3."""
MEMORY = 12 << 30
"""Bytes that a command may ask for: a bomb is to be refused, and must not take the machine."""
FILE = 1 << 30
"""Bytes that a file of a command's may have."""
KEPT = 200_000
"""Bytes of what a command said that are looked at, from its end."""
CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int | None
    """The exit code, minus a signal's number, or None where the time ran out."""
    out: str
    err: str
    seconds: float

    @property
    def fault(self) -> str:
        """`hang`, `traceback`, or nothing: what no command may do, whatever it is given."""
        if self.code is None:
            return "hang"
        if -self.code in CRASHES or (self.code not in (0, 1, 2, 130) and self.code > 0):
            return "traceback"
        told = self.err + self.out
        signs = ("Traceback (most recent", "ganzoo: unexpected", "please report it")
        return "traceback" if any(sign in told for sign in signs) else ""

    @property
    def refused(self) -> bool:
        """Whether it failed with a sentence."""
        return self.code in (1, 2, 130) and bool(self.err.strip())

    @property
    def last(self) -> str:
        """The last lines that it said, for a person."""
        return (self.err.strip() or self.out.strip())[-600:]


class Started:
    """A command on its way."""

    def __init__(self, pid: int, out: BinaryIO, err: BinaryIO):
        self.pid, self._out, self._err = pid, out, err
        self._began = time.monotonic()
        self._watch = os.pidfd_open(pid)
        self._status: int | None = None

    def ended(self, within: float = 0.0) -> bool:
        """Whether it has ended, after waiting for so many seconds at most."""
        if self._status is None and select.select([self._watch], [], [], max(within, 0.0))[0]:
            self._status = os.waitpid(self.pid, 0)[1]
        return self._status is not None

    def send(self, number: int) -> None:
        """Send a signal, if it is still there."""
        if not self.ended():
            os.kill(self.pid, number)

    def wait(self, limit: float = LIMIT, idle: float = IDLE) -> Done:
        """How it ended; it is killed where it worked, or waited, for longer than it may."""
        spent, since = 0.0, time.monotonic()
        while not self.ended(1.0):
            now, work = time.monotonic(), _work(self.pid)
            if work > spent:
                spent, since = work, now
            if work > limit or now - since > idle:
                break
        in_time = self.ended()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)  # and what it may have started
        self.ended(10.0)
        os.close(self._watch)
        code = os.waitstatus_to_exitcode(self._status) if in_time else None
        return Done(code, _text(self._out), _text(self._err), time.monotonic() - self._began)


def _work(session: int) -> float:
    """Seconds of the processor that the processes of a session have had."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            told = path.read_text().rpartition(")")[2].split()  # from the third field on
            if int(told[3]) == session:
                ticks += int(told[11]) + int(told[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _text(file: BinaryIO) -> str:
    with file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - KEPT))
        return file.read().decode("utf-8", "backslashreplace")


def start(
    words: Sequence[str],
    folder: Path,
    *,
    real: bool = False,
    first: Callable[[], object] | None = None,
    std: Sequence[str | None] = ("/dev/null", "", ""),
) -> Started:
    """Start `ganzoo *words` in `folder`: forked, or `real`ly, as a shell would.

    `first` is called in the child before anything else. `std` are files for its standard input,
    output and error; "" is a file that is read afterwards, None is closed.
    """
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - closed in wait
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Started(pid, out, err)
    try:
        os.setsid()
        os.chdir(folder)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _connect(std, (None, out, err))
        if first:
            first()
        if real:
            raw = [os.fsencode(word) for word in words]
            os.execv(sys.executable, [os.fsencode(sys.executable), b"-m", b"ganzoo", *raw])
        os._exit(_run(list(words)))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(99)  # whatever happens: a child never goes on as its parent


def _connect(std: Sequence[str | None], kept: Sequence[BinaryIO | None]) -> None:
    for number, (name, file) in enumerate(zip(std, kept, strict=True)):
        if name is None:
            os.close(number)
        elif name:
            opened = os.open(name, os.O_RDWR if number else os.O_RDONLY)
            os.dup2(opened, number)
        else:
            os.dup2(file.fileno(), number)


def _run(words: list[str]) -> int:
    """What a new interpreter would make of these words: its exit code."""
    from ganzoo import cli

    try:
        cli.main(words)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    return code & 0xFF


def ganzoo(
    *words: str, folder: Path, limit: float = LIMIT, idle: float = IDLE, **how: object
) -> Done:
    """Run `ganzoo *words` in `folder` to its end; `how` is `start`'s."""
    return start(words, folder, **how).wait(limit, idle)


# -- the process that forks -----------------------------------------------------------------------


def surroundings(home: Path) -> None:
    """Let commands find this checkout, a home of their own and no network."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    for name in ("GANZOO_DATA", "XDG_CACHE_HOME", "HOME", "MPLCONFIGDIR", "TMPDIR"):
        os.environ[name] = str(home / name.lower())
        (home / name.lower()).mkdir(exist_ok=True)
    tempfile.tempdir = os.environ["TMPDIR"]  # where killed ones leave what TensorFlow traces
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"  # several commands at once: each waits in one thread, not in many
    os.environ["PYTHONPATH"] = str(ROOT)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["COLUMNS"] = "200"
    for name in ("http_proxy", "https_proxy", "ftp_proxy", "HTTPS_PROXY", "HTTP_PROXY"):
        os.environ[name] = "http://127.0.0.1:9"


IMPORTED = ("contourpy", "jinja2", "matplotlib.pyplot", "rich.progress", "sklearn.datasets",
            "sklearn.neighbors", "tensorflow")  # fmt: skip


def warm_up() -> None:
    """Import what commands import, and start nothing."""
    import matplotlib

    matplotlib.use("agg")
    for name in IMPORTED:
        importlib.import_module(name)
    Image.init()

    gc.collect()
    gc.freeze()
