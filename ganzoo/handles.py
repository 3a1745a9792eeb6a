"""Plugins and data that Python gives as objects, and not by a name.

Each gets a name in angle brackets, which settings and records can hold like any other, and which
leads back to the object for as long as somebody keeps it. In another process the name leads
nowhere, and whoever looks it up says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from ganzoo.errors import UsageError

_alive: WeakValueDictionary[str, Any] = WeakValueDictionary()
TOLD = {
    "plugin": "its plugin {name} is a class of a notebook or script",
    "data": "its data {name} was an object in memory",
}
GIVEN = {"plugin": "plugin={plain}", "data": "data=array"}


def hold(name: str, thing: Any) -> str:
    """`<name>`, by which `find` has the object while the caller keeps it; the newest wins.

    >>> class MyGAN: pass
    >>> hold("MyGAN", MyGAN), is_name("<MyGAN>"), find("<MyGAN>") is MyGAN
    ('<MyGAN>', True, True)
    """
    held = f"<{name}>"
    _alive[held] = thing
    return held


def is_name(name: Any) -> bool:
    """Whether it was `hold`, in whatever process, that made this name."""
    return isinstance(name, str) and name.startswith("<") and name.endswith(">")


def find(name: str) -> Any:
    """The object; UsageError where this process does not have it."""
    thing = _alive.get(name)
    if thing is None:
        raise UsageError(
            f"{name} was an object in the memory of the Python that began the run, and is in no "
            "file: give it again in Python, as in ganzoo.load(RUN, data=array) or "
            "ganzoo.load(RUN, plugin=MyGAN)."
        )
    return thing


def needs(config: Mapping[str, Any]) -> list[str]:
    """Which of plugin and data a run folder with this configuration does not lead to by itself."""
    return [name for name in TOLD if is_name(config.get(name))]


def require(run: object, config: Mapping[str, Any]) -> None:
    """UsageError with what to do, where a run can only be resumed by what is not there any more."""
    missing = [name for name in needs(config) if config[name] not in _alive]
    if missing:
        why = " and ".join(TOLD[name].format(name=config[name]) for name in missing)
        given = ", ".join(GIVEN[name].format(plain=config[name].strip("<>")) for name in missing)
        raise UsageError(
            f"{run} cannot be resumed from its folder alone, because {why}: "
            f"say ganzoo.load({str(run)!r}).resume({given}) in Python."
        )
