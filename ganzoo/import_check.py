"""Whether what other distributions register can be imported: tried elsewhere, and remembered.

Only an import shows whether a module raises, waits for ever or ends its process. So it is tried in
a process of its own, which tells the outcome through a pipe of its own: what the module prints is
nobody's concern, and who ends without a word has ended the process.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import signal
import site
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path

from ganzoo import distributions, files, plain_text, reading
from ganzoo.errors import GanzooError

LIMIT = 60.0
"""Seconds for all that are tried together."""
AT_ONCE = 8
KEPT = 24 * 3600.0
"""Seconds for which a failure is believed: what it lacked may be there by then."""
LARGEST = 10 * 2**20
"""Bytes of a source file."""
TOLD = 2000
"""Characters of an error."""
CHILD = "from ganzoo.import_check import _told; _told()"


@dataclass(frozen=True)
class Try:
    """What is tried: a function, `module:name`, of some texts; it imports the file `source`."""

    function: str
    arguments: tuple[str, ...]
    source: Path


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    error: str | None
    fatal: bool = False
    """Whether to do it here would never end, or end this process."""


SLOW = Outcome(
    f"importing it takes more than {LIMIT:.0f} seconds (it is tried again when it changes, when "
    "something is installed, or tomorrow).",
    fatal=True,
)
UNTRIED = Outcome("there was no time to try its import, since others took it: ask again.")


def of_point(point: EntryPoint) -> Outcome:
    """The outcome of importing what an entry point names; of a module without a file, none."""
    source = distributions.source(point.value)
    if source is None:
        return Outcome(None)
    told = (distributions.origin(point), point.value)
    return outcomes([Try("ganzoo.import_check:load", told, source)])[0]


def load(_: str, value: str) -> None:
    """Import what an entry point names."""
    EntryPoint("", value, "").load()


def outcomes(tries: Sequence[Try]) -> list[Outcome]:
    """The outcome of each, all unknown ones being tried at the same time."""
    stamps = [_stamp(one) for one in tries]
    known = {stamp: _remembered(stamp) for stamp in stamps}
    new = {stamp: one for stamp, one in zip(stamps, tries, strict=True) if known[stamp] is None}
    for stamp, outcome in _tried(new).items():
        known[stamp] = outcome
    return [known[stamp] for stamp in stamps]


# -- what is remembered ---------------------------------------------------------------------------


def _stamp(one: Try) -> str:
    """What the outcome depends on, as far as that can be seen: the Python, the files."""
    digest = hashlib.sha256(repr((sys.executable, sys.version, one)).encode(errors="replace"))
    with contextlib.suppress(OSError):
        digest.update(reading.content(one.source, LARGEST, follow=True))
    package = distributions.package(one.source)
    for path in sorted(package.rglob("*.py"))[:1000] if package != one.source else ():
        with contextlib.suppress(OSError):
            found = path.stat()
            digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode(errors="replace"))
    return digest.hexdigest()[:32]


def _note(stamp: str) -> Path:
    return files.cache_dir() / "imports" / f"{stamp}.json"


def _remembered(stamp: str) -> Outcome | None:
    try:
        note = plain_text.json_object(reading.content(_note(stamp), LARGEST, follow=True))
        error, fatal = note["error"], bool(note["fatal"])
        if error is None:
            return Outcome(None)
        fresh = 0 <= time.time() - note["when"] < KEPT and note["beside"] == _beside()
        return Outcome(str(error), fatal) if fresh else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(stamp: str, outcome: Outcome) -> None:
    """Best effort: without it the next one tries again."""
    told = {"error": outcome.error, "fatal": outcome.fatal}
    content = json.dumps({**told, "when": time.time(), "beside": _beside()})
    with contextlib.suppress(GanzooError):
        files.write_atomic(_note(stamp), content.encode())


def _beside() -> list[int]:
    """When something was last installed or removed: a failure may be over then."""
    found = []
    for folder in [*site.getsitepackages(), site.getusersitepackages()]:
        with contextlib.suppress(OSError):
            found.append(os.stat(folder).st_mtime_ns)
    return found


# -- trying ---------------------------------------------------------------------------------------


@dataclass
class _Running:
    """A process that tries one, and the pipe through which it tells."""

    stamp: str
    process: subprocess.Popen[bytes]
    pipe: int
    began: float = field(default_factory=time.monotonic)

    def ended(self) -> bool:
        """Whether it has; until `outcome` it stays a process, and its group keeps its number."""
        found = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return found is not None

    def outcome(self) -> Outcome:
        """What it told, when it has ended; whatever it started ends with it."""
        code = self._end()
        with contextlib.suppress(OSError, ValueError, KeyError):
            note = json.loads(os.read(self.pipe, 2**16))
            return Outcome(note["error"])
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return Outcome(f"importing it ended the process, with {how}.", fatal=True)

    def close(self) -> None:
        """End it, whatever it does."""
        self._end()
        os.close(self.pipe)

    def _end(self) -> int:
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait()


def _tried(new: dict[str, Try]) -> dict[str, Outcome]:
    waiting, running = deque(new.items()), []
    found: dict[str, Outcome] = {}
    end = time.monotonic() + LIMIT
    try:
        while (waiting or running) and time.monotonic() < end:
            while waiting and len(running) < AT_ONCE:
                running.append(_begun(*waiting.popleft()))
            for one in [one for one in running if one.ended()]:
                found[one.stamp] = one.outcome()
                _remember(one.stamp, found[one.stamp])
                running.remove(one)
                one.close()
            time.sleep(0.01)
        for one in running:
            late = one.began > end - LIMIT / 2
            found[one.stamp] = UNTRIED if late else SLOW
            if not late:
                _remember(one.stamp, SLOW)
    finally:
        for one in running:
            one.close()
    return found | {stamp: UNTRIED for stamp, _ in waiting}


def _begun(stamp: str, one: Try) -> _Running:
    told, tell = os.pipe()
    os.set_blocking(told, False)
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tell), one.function, *one.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[tell],
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONSAFEPATH": "1"},
        )
    except BaseException:
        os.close(told)
        raise
    finally:
        os.close(tell)
    return _Running(stamp, process, told)


def _told() -> None:
    """In the process: try, tell, and end, whatever the module has left running."""
    pipe, function, *arguments = sys.argv[1:]
    error = None
    try:
        module, _, name = function.partition(":")
        getattr(importlib.import_module(module), name)(*arguments)
    except BaseException as raised:  # SystemExit is an outcome like any other
        error = _sentence(raised)
    os.write(int(pipe), json.dumps({"error": error}).encode())
    os._exit(0)


def _sentence(error: BaseException) -> str:
    try:
        told = str(error) if isinstance(error, GanzooError) else f"{type(error).__name__}: {error}."
    except Exception:  # of a stranger's own __str__
        told = f"{type(error).__name__}."
    told = " ".join(told.split())
    return told if len(told) < TOLD else f"{told[:TOLD]} ..."
