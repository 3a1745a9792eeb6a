"""Find the name and the source text of a plugin's class."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import inspect
import linecache
import sys
import types
from pathlib import Path

from ganzoo import registry
from ganzoo.plugin import Plugin


def name_of(cls: type) -> str | None:
    """The name by which another process finds this class, or None where it can not.

    It is the registered name, or the path of the file where the class is alone in a module of its
    own; a class of a notebook or of the script that runs has none.
    """
    for entry in registry.registered():
        module, _, wanted = entry.target.partition(":")
        if module.strip() == cls.__module__ and wanted.strip() in ("", cls.__name__):
            clash = entry.error and "claimed by" in entry.error
            return f"{entry.origin.split()[0]}:{entry.name}" if clash else entry.name
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None)
    if file and cls.__module__ != "__main__" and not module.__package__ and _alone(cls, module):
        return str(Path(file).resolve())
    return None


def _alone(cls: type, module: types.ModuleType) -> bool:
    own = [c for c in vars(module).values() if inspect.isclass(c) and issubclass(c, Plugin)]
    return [c for c in own if c.__module__ == cls.__module__] == [cls]


def digest(cls: type) -> str | None:
    """SHA-256 of the file that the class stands in, of its text in a notebook; None: unknown."""
    with contextlib.suppress(OSError, TypeError):
        return hashlib.sha256(Path(inspect.getfile(cls)).read_bytes()).hexdigest()
    text = text_of(cls)
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def text_of(cls: type) -> str | None:
    """The text of the class as it was written; None where nothing kept it, as in `python -c`.

    A notebook's cells are in no file, which `inspect` wants for a class; the methods know theirs.
    """
    with contextlib.suppress(OSError, TypeError):
        return inspect.getsource(cls)
    for method in vars(cls).values():
        if inspect.isfunction(method):
            cell = "".join(linecache.getlines(method.__code__.co_filename))
            found = _class_in(cell, cls.__name__)
            if found:
                return found
    return None


def _class_in(cell: str, name: str) -> str | None:
    """The definition of the class with its decorators."""
    with contextlib.suppress(SyntaxError):
        for node in ast.walk(ast.parse(cell)):
            if isinstance(node, ast.ClassDef) and node.name == name:
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                return "\n".join(cell.splitlines()[first - 1 : node.end_lineno]) + "\n"
    return None
