"""How a training and a run look in a notebook; elsewhere they look as in the terminal."""

from __future__ import annotations

import base64
import html as markup
import sys
from pathlib import Path
from typing import Any

from ganzoo.run import RunDir
from ganzoo.views import terminal


def running() -> bool:
    """Whether a notebook's kernel runs this Python."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def view(path: Any, quiet: bool) -> terminal.Plain:
    """The view of the training in the folder `path`."""
    return Notebook(Path(path)) if running() and not quiet else terminal.for_terminal(quiet)


class Notebook(terminal.Plain):
    """A line that is drawn over itself, and below it the newest grid of samples."""

    seconds = 0.5

    def __init__(self, folder: Path):
        self.folder = folder
        self._place: Any = None

    def show(self, line: str) -> None:
        """Draw the line, and the newest grid, where the last ones stood."""
        from IPython.display import HTML, display

        newest = picture(RunDir(self.folder).newest_picture())
        shown = HTML(f"<pre>{markup.escape(line)}</pre>{newest}")
        if self._place is None:
            self._place = display(shown, display_id=True)
        else:
            self._place.update(shown)


def picture(path: Path | None) -> str:
    """A picture as an element that carries its bytes: the notebook needs no folder to show it."""
    if path is None:
        return ""
    return f'<img src="data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}">'


def html(run: RunDir) -> str:
    """A run as a notebook shows it: what it is, what the monitor found, its newest samples."""
    config = run.config()
    step = max(run.checkpoints(), default=0)
    lines = [
        f"{run.path}: {config.get('plugin')} on {config.get('data')}, step {step}, {run.state()}"
    ]
    lines += [f"{f.get('severity')}: {f.get('name')}: {f.get('message')}" for f in run.findings()]
    text = markup.escape("\n".join(lines))
    return f"<pre>{text}</pre>{picture(run.newest_picture())}"


def show(run: RunDir) -> None:
    """The newest grid here, in a notebook; its path elsewhere."""
    if running():
        from IPython.display import HTML, display

        display(HTML(html(run)))
    else:
        print(run.newest_picture() or f"{run.path} has no picture yet.")
