"""Where a command writes about a run if nobody says where: into the run, as far as that is safe."""

from __future__ import annotations

import os
from pathlib import Path

from ganzoo import reading
from ganzoo.errors import UsageError
from ganzoo.run import RunDir


def in_run(run: RunDir, path: Path) -> Path:
    """`path`, which lies in the run; UsageError where it is a link or the run is read-only."""
    why = ""
    if os.path.lexists(path) and not reading.is_regular(path):
        why = f"{path} is no regular file"
    elif not os.access(run.path, os.W_OK):
        why = f"{run} cannot be written in"
    if why:
        raise UsageError(f"{why}: say with --out where to write.")
    return path
