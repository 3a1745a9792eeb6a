"""Find plugins by name. Listing them reads source text; only loading one imports it.

Whether a stranger's can be imported is tried in another process: all of them for the list, and for
a name only those that claim it (`ganzoo.import_check`).

A plugin is found in three places, and none is privileged: a file in ganzoo's own `plugins/`
folder, an entry point of the group `ganzoo.plugins` in any installed distribution, and a path to
a `.py` file. Two distributions that claim one name are both refused until `DIST:NAME` chooses.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import inspect
import sys
import textwrap
import types
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path

from ganzoo import distributions, handles, import_check, reading
from ganzoo.errors import GanzooError, UsageError, unknown
from ganzoo.fields import Field, comments, described, typed

GROUP = "ganzoo.plugins"
LARGEST = 10 * 2**20
"""Bytes of a plugin's source."""


@dataclass(frozen=True)
class Entry:
    """One registered plugin, as far as its source text tells."""

    name: str
    origin: str
    """The distribution that brings it, with its version, or the path of the file."""
    target: str
    """`module` or `module:Class`, or the path of a `.py` file."""
    source: Path | None
    summary: str = ""
    paper: str = ""
    error: str | None = None
    """Why it cannot be used, or None."""
    fatal: bool = False
    """Whether to import it here would never end, or end this process."""
    brought: bool = False
    """Whether another distribution brings it."""


# -- listing: no plugin is imported -------------------------------------------------------------


def entries() -> list[Entry]:
    """All registered plugins by name, each import tried; those that are broken carry their error,
    and so does a distribution whose metadata cannot be read."""
    unreadable = [
        Entry(origin.split()[0], origin, "", None, error=f"its entry points cannot be read: {why}.")
        for origin, why in distributions.broken().items()
    ]
    return _sorted([*_tried(registered()), *unreadable])


def registered() -> list[Entry]:
    """All registered plugins by name, as far as their source texts tell: no import is tried."""
    found = [*_builtin(), *_claimed()]
    claims: dict[str, list[Entry]] = {}
    for entry in found:
        claims.setdefault(entry.name, []).append(entry)
    return _sorted(_with_clash(entry, claims[entry.name]) for entry in found)


def _sorted(found: Iterable[Entry]) -> list[Entry]:
    return sorted(found, key=lambda entry: (entry.name, entry.origin))


def names() -> dict[str, str]:
    """Every registered name and its idea, at once: nobody's import is tried."""
    return {entry.name: entry.summary for entry in [*_builtin(), *_claimed()]}


def _with_clash(entry: Entry, claims: list[Entry]) -> Entry:
    if len(claims) == 1:
        return entry
    return replace(entry, error=_clash(entry.name, claims))


def _clash(name: str, claims: Iterable[Entry]) -> str:
    origins = sorted(claim.origin for claim in claims)
    choices = " or ".join(f"{origin.split()[0]}:{name}" for origin in origins)
    return (
        f"the name {name!r} is claimed by {' and by '.join(origins)}: "
        f"say {choices}, or uninstall one."
    )


def _builtin(name: str | None = None) -> list[Entry]:
    """Ganzoo's own plugins, or the one called `name`."""
    version = f"ganzoo {sys.modules['ganzoo'].__version__}"
    folder = Path(importlib.util.find_spec("ganzoo.plugins").origin).parent
    return [
        _described(Entry(path.stem, version, f"ganzoo.plugins.{path.stem}", path))
        for path in sorted(folder.glob("[!_]*.py"))
        if name in (None, path.stem)
    ]


def _claimed(name: str | None = None) -> Iterator[Entry]:
    """What other distributions register, or who of them claims `name`."""
    for point in distributions.points(GROUP):
        if name in (None, point.name):
            source = distributions.source(point.value)
            entry = Entry(point.name, distributions.origin(point), point.value, source)
            yield _described(replace(entry, brought=True))


def _described(entry: Entry) -> Entry:
    """The entry with the first line of its docstring and its paper, read from the source."""
    if entry.source is None:
        return replace(entry, error=f"its module {entry.target!r} does not exist.")
    try:
        tree = ast.parse(_text(entry.source))
    except OSError as error:
        told = f"{entry.source} cannot be read: {error.strerror or error}."
        return replace(entry, error=told, fatal=True)  # an import would wait for a pipe
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return replace(entry, error=f"{entry.source} cannot be read: {error}.")
    classes = _plugin_classes(tree, entry.target)
    if not classes:
        return entry  # made by code that only an import can run
    body = classes[0].body
    papers = [
        node.value.value
        for node in body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        and _target_name(node) == "paper"
        and isinstance(node.value, ast.Constant)
    ]
    doc = ast.get_docstring(classes[0]) or ast.get_docstring(tree) or ""
    return replace(
        entry, summary=doc.strip().split("\n")[0], paper=str(papers[0]) if papers else ""
    )


def _text(source: Path) -> str:
    return reading.content(source, LARGEST, follow=True).decode("utf-8")


def _plugin_classes(tree: ast.Module, target: str) -> list[ast.ClassDef]:
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    wanted = target.partition(":")[2]
    if wanted:
        return [node for node in classes if node.name == wanted]
    return [
        node
        for node in classes
        if any(isinstance(d, (ast.Call, ast.Name, ast.Attribute)) for d in node.decorator_list)
        and node.bases
    ]


def _target_name(node: ast.Assign | ast.AnnAssign) -> str:
    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
    return target.id if isinstance(target, ast.Name) else ""


def _tried(found: list[Entry]) -> list[Entry]:
    """The entries with what their imports say, those of ganzoo and those that are broken apart."""
    new = [entry for entry in found if entry.brought and not entry.error]
    outcomes = dict(zip(new, import_check.outcomes([_try(one) for one in new]), strict=True))
    return [
        replace(one, error=outcomes[one].error, fatal=outcomes[one].fatal)
        if one in outcomes
        else one
        for one in found
    ]


def _try(entry: Entry) -> import_check.Try:
    told = (entry.name, entry.origin, entry.target)
    return import_check.Try("ganzoo.registry:try_import", told, entry.source)


def try_import(name: str, origin: str, target: str) -> None:
    """Raise GanzooError where this is no plugin that can be used; in a process of its own."""
    _import_class(Entry(name, origin, target, None))


# -- loading ------------------------------------------------------------------------------------


def find(name: str) -> Entry:
    """The entry called `name`, `DIST:NAME`, or at the path `name` of a `.py` file."""
    if handles.is_name(name):
        cls = handles.find(name)
        return Entry(name, "memory", name, None, (cls.__doc__ or "").split("\n")[0], cls.paper)
    if name.endswith(".py"):
        return _described(_at(Path(name)))
    distribution, _, plain = name.rpartition(":")
    claims = [
        entry
        for entry in [*_builtin(plain), *_claimed(plain)]
        if distribution in ("", entry.origin.split()[0])
    ]
    if not claims:
        raise unknown("plugin", name, names())
    if len(claims) > 1:
        raise UsageError(_clash(plain, claims))
    return _tried(claims)[0]


def _at(path: Path) -> Entry:
    """The entry of a plugin's file."""
    with reading.told(path):
        here = path.exists()
    if not here:
        raise UsageError(f"no plugin file at {path}: expected a .py file that defines a Plugin.")
    target = str(path.resolve())
    if target != target.encode(errors="replace").decode():
        raise UsageError(
            f"the plugin file {target} has a name that is no UTF-8, which TensorFlow cannot read: "
            "rename it, or its folder."
        )
    return Entry(path.stem, str(path), target, path)


def load(name: str) -> type:
    """Import the plugin called `name` and return its class, a subclass of Plugin."""
    if handles.is_name(name):
        return handles.find(name)
    entry = find(name)
    if entry.fatal:
        raise GanzooError(f"plugin {entry.name!r} ({entry.origin}): {entry.error}")
    return _import_class(entry)


def _import_class(entry: Entry) -> type:
    from ganzoo.plugin import Plugin

    module, wanted = _import_module(entry), entry.target.partition(":")[2]
    if entry.target.endswith(".py"):
        wanted = ""
    own = [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Plugin)
        and value.__module__ == module.__name__
    ]
    if wanted:
        own = [
            value
            for value in [getattr(module, wanted, None)]
            if inspect.isclass(value) and issubclass(value, Plugin)
        ]
    leaves = [cls for cls in own if not any(cls in other.__bases__ for other in own)]
    if len(leaves) != 1:
        names = ", ".join(cls.__name__ for cls in leaves) or "none"
        raise GanzooError(
            f"plugin {entry.name!r} ({entry.origin}): expected {entry.target} to "
            f"define one Plugin subclass{' ' + wanted if wanted else ''}, found {names}."
        )
    return checked(leaves[0], f"{entry.name!r} ({entry.origin})")


def checked(cls: type, what: str) -> type:
    """The class of the plugin `what`, if it is one that this version can use."""
    from ganzoo.plugin import CONTRACT, Plugin

    if not isinstance(cls.contract, int) or cls.contract > CONTRACT:
        raise GanzooError(
            f"plugin {what} was written for contract version {cls.contract}; this ganzoo has "
            f"{CONTRACT}: upgrade ganzoo."
        )
    if "__dataclass_fields__" not in vars(cls):
        raise GanzooError(f"plugin {what}: {cls.__name__} lacks @dataclass(frozen=True) above it.")
    ours = {field.name for field in fields(Plugin)}
    defaults = {field.name: field.default for field in fields(cls)}
    for name in defaults:
        if name not in ours and hasattr(Plugin, name):
            raise GanzooError(
                f"plugin {what}: its field {name!r} stands in the way of Plugin.{name}: rename it."
            )
    try:
        told = {name: defaults[name] for name in ours if defaults[name] is not MISSING}
        typed(Plugin, told)
    except UsageError as error:
        raise GanzooError(f"plugin {what}: its field {error}") from error
    return cls


def _import_module(entry: Entry) -> types.ModuleType:
    try:
        if not entry.target.endswith(".py"):
            return importlib.import_module(entry.target.split(":")[0].strip())
        name = f"ganzoo_file_{hashlib.sha256(entry.target.encode()).hexdigest()[:8]}_{entry.name}"
        spec = importlib.util.spec_from_file_location(name, entry.target)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look their module up here
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # whatever a stranger's module raises is its own error, not ours
        raise GanzooError(
            f"plugin {entry.name!r} ({entry.origin}) fails to import: "
            f"{type(error).__name__}: {' '.join(str(error).split())}."
        ) from error


# -- fields, from the source alone ----------------------------------------------------------------


def static_fields(entry: Entry) -> list[Field] | None:
    """As `described`, read from the source alone; None where only an import can tell.

    It can where the class stands in the file and derives from Plugin and nothing else.
    """
    from ganzoo.plugin import Plugin

    if entry.source is None or entry.error:
        return None
    text = _text(entry.source)
    classes = _plugin_classes(ast.parse(text), entry.target)
    if len(classes) != 1 or [ast.unparse(base) for base in classes[0].bases] != ["Plugin"]:
        return None
    found = {field.name: field for field in described(Plugin)}
    lines = text.splitlines()[classes[0].lineno - 1 : classes[0].end_lineno]
    reasons = comments(textwrap.dedent("\n".join(lines)))
    for node in classes[0].body:
        if isinstance(node, ast.AnnAssign) and "ClassVar" not in ast.unparse(node.annotation):
            name = _target_name(node)
            try:
                default = ast.literal_eval(node.value)
            except (ValueError, TypeError):
                return None
            reason = reasons.get(name) or (found[name].reason if name in found else "")
            found[name] = Field(name, ast.unparse(node.annotation), default, reason)
    return list(found.values())
