"""All runs of a folder, the damaged ones too: one bad folder never ends a list."""

from __future__ import annotations

import os
from pathlib import Path

from ganzoo.errors import UsageError
from ganzoo.run import RunDir, find_runs


def listed(root: str) -> list[RunDir]:
    """The runs directly inside `root`, newest first, then folders that nobody may look into."""
    if os.path.lexists(root) and not os.path.isdir(root):
        raise UsageError(f"{root} is no folder: expected one that holds runs.")
    runs = find_runs(root)
    folders = sorted(Path(root).iterdir()) if os.path.isdir(root) else []
    return runs + [RunDir(path) for path in folders if _is_closed(path)]


def _is_closed(path: Path) -> bool:
    return os.path.isdir(path) and not os.access(path, os.X_OK)


def unreadable(error: Exception) -> str:
    """What stands in the row of a run that cannot be read."""
    return f"unreadable ({str(error).rstrip('.') or type(error).__name__})"
