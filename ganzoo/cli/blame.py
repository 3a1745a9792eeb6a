"""One sentence about an error that nobody expected: what went wrong, where, and whose it is."""

from __future__ import annotations

import os
import re
import sysconfig
import traceback
from collections.abc import Sequence
from pathlib import Path

from ganzoo import distributions

Place = tuple[str, int]
WHOLE = 8
"""Lines of a plugin's error that are shown all."""


def sentence(error: BaseException) -> str:
    """What went wrong, and where. The last place that is a plugin's is where, and then nothing is
    to be reported to us.

    TensorFlow tells the places of traced code in the text of its errors.
    """
    kind, text = type(error).__name__, _text(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    reason = lines[-1].removeprefix(f"{kind}: ") if lines else "no reason was given"
    if isinstance(error, MemoryError) or kind == "ResourceExhaustedError":
        return (
            f"there is not enough memory ({_of_what(text)}): choose a smaller batch, smaller "
            "images or smaller networks."
        )
    places = [(f.filename, f.lineno or 0) for f in traceback.extract_tb(error.__traceback__)]
    places += [(file, int(line)) for file, line in re.findall(r'File "([^"]+)", line (\d+)', text)]
    theirs = [place for place in places if _is_a_plugins(place[0])]
    if theirs:
        whole = " ".join(lines) if 0 < len(lines) < WHOLE else reason
        return f"{kind} at {_shown(theirs[-1])}: {whole} (--debug shows all of it)."
    if isinstance(error, OSError) and error.filename is not None:
        return f"cannot use {os.fsdecode(error.filename)}: {error.strerror or error}."
    whose = _plugin_within(error)
    if whose:
        return f"{kind} in what {whose} gives: {reason} (--debug shows all of it)."
    where = _where(places)
    return f"unexpected {kind}{where}: {reason} (please report it; --debug shows all of it)."


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # a stranger's error may be broken itself
        return ""


def _plugin_within(error: BaseException) -> str | None:
    """The stranger's plugin whose networks or losses ganzoo was working with, as the innermost of
    its own functions knows it; None for a plugin that ganzoo brings.
    """
    from ganzoo.plugin import Plugin

    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        for thing in (frame.f_locals.get("plugin"), frame.f_locals.get("self")):
            plugin = thing if isinstance(thing, Plugin) else getattr(thing, "plugin", None)
            if isinstance(plugin, Plugin):
                cls = type(plugin)
                return None if cls.__module__.startswith("ganzoo.plugins.") else cls.__name__
    return None


def _of_what(text: str) -> str:
    """Of TensorFlow's long text, which tensor there was no room for."""
    shape = re.search(r"shape ?\[([\d,]+)\]", text)
    if shape:
        return f"for a tensor of {shape.group(1).replace(',', 'x')}"
    return (text.splitlines() or ["the system said no more"])[0].rstrip(".") or "none is left"


def _where(places: Sequence[Place]) -> str:
    told = [place for place in places if os.path.isabs(place[0])][-1:]
    return f" at {os.path.basename(told[0][0])}:{told[0][1]}" if told else ""


def _shown(place: Place) -> str:
    """A plugin's file, with the folders of its package."""
    file = Path(place[0])
    return f"{file.relative_to(distributions.package(file).parent)}:{place[1]}"


def _is_a_plugins(file: str) -> bool:
    """Whether a file is neither ganzoo's, nor Python's, nor of an installed package that registers
    nothing with ganzoo."""
    if not os.path.isabs(file) or "__autograph_generated_file" in file:
        return False
    place = Path(file).resolve()
    own = Path(__file__).resolve().parents[1]
    rooms = [own, own.parent / "eval", Path(sysconfig.get_paths()["stdlib"]).resolve()]
    if {"site-packages", "dist-packages"} & set(place.parts):
        return not place.is_relative_to(own) and distributions.brings(place)
    return not any(place.is_relative_to(room) for room in rooms)
