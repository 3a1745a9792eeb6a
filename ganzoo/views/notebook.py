"""How a training and a run look in a notebook; elsewhere they look as in the terminal."""

from __future__ import annotations

import base64
import contextlib
import html as markup
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ganzoo.errors import GanzooError
from ganzoo.run import RunDir
from ganzoo.untrusted import text, visible
from ganzoo.views import terminal

MOST_FINDINGS = 50


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
    """A picture as an element that carries its bytes: the notebook needs no folder to show it.

    What is no picture that can be read is not shown.
    """
    from ganzoo.eval.report import stored_pictures

    content = stored_pictures.bytes_of(path) if path else None
    if content is None or stored_pictures.decoded(content) is None:
        return ""
    return f'<img src="data:image/png;base64,{base64.b64encode(content).decode()}">'


def html(run: RunDir) -> str:
    """A run as a notebook shows it: what it is, what the monitor found, its newest samples.

    What cannot be read is told there too: a notebook makes a traceback of an error.
    """
    lines = markup.escape("\n".join(_lines(run)))
    newest = ""
    with contextlib.suppress(GanzooError):
        newest = picture(run.newest_picture())
    return f"<pre>{lines}</pre>{newest}"


def _lines(run: RunDir) -> Iterator[str]:
    try:
        config, step = run.config(), max(run.checkpoints(), default=0)
        plugin, data = text(config.get("plugin")), text(config.get("data"))
        yield f"{text(run.path)}: {plugin} on {data}, step {step}, {run.state()}"
        for found in run.findings()[:MOST_FINDINGS]:
            yield ": ".join(text(found.get(name)) for name in ("severity", "name", "message"))
    except GanzooError as error:
        yield text(error)


def show(run: RunDir) -> None:
    """The newest grid here, in a notebook; its path elsewhere."""
    if running():
        from IPython.display import HTML, display

        display(HTML(html(run)))
    else:
        print(visible(str(run.newest_picture() or f"{run.path} has no picture yet.")))
