"""Find plugins by name. Listing them reads source text; only loading one imports it.

A plugin is found in three places, and none is privileged: a file in ganzoo's own `plugins/`
folder, an entry point of the group `ganzoo.plugins` in any installed distribution, and a path to
a `.py` file. Two distributions that claim one name are both refused until `DIST:NAME` chooses.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import hashlib
import importlib
import importlib.machinery
import importlib.util
import inspect
import json
import subprocess
import sys
import textwrap
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ganzoo import distributions, files, handles
from ganzoo.errors import GanzooError, UsageError, unknown
from ganzoo.fields import Field, comments, described

GROUP = "ganzoo.plugins"


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


# -- listing: no plugin is imported -------------------------------------------------------------


def entries() -> list[Entry]:
    """All registered plugins by name; clashes and broken ones carry their error."""
    found = [*_builtin(), *_installed()]
    claims: dict[str, list[Entry]] = {}
    for entry in found:
        claims.setdefault(entry.name, []).append(entry)
    return sorted(
        (_with_clash(entry, claims[entry.name]) for entry in found),
        key=lambda entry: (entry.name, entry.origin),
    )


def names() -> dict[str, str]:
    """Every registered name and its idea, at once: nobody's import is tried."""
    return {entry.name: entry.summary for entry in [*_builtin(), *_claimed()]}


def _with_clash(entry: Entry, claims: list[Entry]) -> Entry:
    if len(claims) == 1:
        return entry
    return dataclasses.replace(entry, error=_clash(entry.name, claims))


def _clash(name: str, claims: Iterable[Entry]) -> str:
    origins = sorted(claim.origin for claim in claims)
    choices = " or ".join(f"{origin.split()[0]}:{name}" for origin in origins)
    return (
        f"the name {name!r} is claimed by {' and by '.join(origins)}: "
        f"say {choices}, or uninstall one."
    )


def _builtin() -> list[Entry]:
    version = f"ganzoo {sys.modules['ganzoo'].__version__}"
    folder = Path(importlib.util.find_spec("ganzoo.plugins").origin).parent
    files = sorted(folder.glob("[!_]*.py"))
    return [
        _described(Entry(path.stem, version, f"ganzoo.plugins.{path.stem}", path)) for path in files
    ]


def _installed() -> list[Entry]:
    return [
        entry if entry.error else dataclasses.replace(entry, error=_import_error(entry))
        for entry in _claimed()
    ]


def _claimed() -> Iterator[Entry]:
    """What other distributions register, whether or not it can be imported."""
    for point in distributions.points(GROUP):
        source = _find_source(point.value.split(":")[0].strip())
        yield _described(Entry(point.name, distributions.origin(point), point.value, source))


def _find_source(module: str) -> Path | None:
    """The file of a module, found without importing it or its parents."""
    where: list[str] | None = None
    spec = None
    parts = module.split(".")
    for depth in range(len(parts)):
        with contextlib.suppress(ImportError, ValueError):
            name = ".".join(parts[: depth + 1])
            spec = (
                importlib.machinery.PathFinder.find_spec(name, where)
                if depth
                else importlib.util.find_spec(name)  # asks the hooks of editable installs too
            )
        if spec is None:
            return None
        where = list(spec.submodule_search_locations or ())
    return Path(spec.origin) if spec and spec.origin and spec.has_location else None


def _described(entry: Entry) -> Entry:
    """The entry with the first line of its docstring and its paper, read from the source."""
    if entry.source is None:
        return dataclasses.replace(entry, error=f"its module {entry.target!r} does not exist.")
    try:
        tree = ast.parse(entry.source.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        return dataclasses.replace(entry, error=f"{entry.source} cannot be read: {error}.")
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
    return dataclasses.replace(
        entry, summary=doc.strip().split("\n")[0], paper=str(papers[0]) if papers else ""
    )


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


def _import_error(entry: Entry) -> str | None:
    """The error of importing a third party's plugin: tried once, elsewhere, and remembered.

    Only an import shows whether a module raises. It runs in a process of its own, so that it can
    break nothing here, and its outcome is kept for as long as the file and the Python are the same.
    """
    stamp = f"{sys.executable} {sys.version} {entry.origin} {entry.target} {entry.source}"
    digest = hashlib.sha256(stamp.encode() + entry.source.read_bytes()).hexdigest()[:32]
    note = files.cache_dir() / "imports" / f"{digest}.json"
    with contextlib.suppress(OSError, ValueError):
        return json.loads(note.read_text())["error"]
    code = (
        "import sys; from ganzoo.registry import Entry, _import_class\n"
        "from ganzoo.errors import GanzooError\n"
        "try: _import_class(Entry(*sys.argv[1:4], None))\n"
        "except GanzooError as error: sys.stdout.write('ERROR ' + str(error))"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, entry.name, entry.origin, entry.target],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "importing it takes more than two minutes."
    if done.returncode:
        error = f"importing it ended the process with exit code {done.returncode}."
    else:
        error = done.stdout.partition("ERROR ")[2] or None
    with contextlib.suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({"error": error}))
    return error


# -- loading ------------------------------------------------------------------------------------


def find(name: str) -> Entry:
    """The entry called `name`, `DIST:NAME`, or at the path `name` of a `.py` file."""
    if handles.is_name(name):
        cls = handles.find(name)
        return Entry(name, "memory", name, None, (cls.__doc__ or "").split("\n")[0], cls.paper)
    if name.endswith(".py"):
        path = Path(name)
        if not path.is_file():
            raise UsageError(
                f"no plugin file at {name}: expected a .py file that defines a Plugin."
            )
        return _described(Entry(path.stem, str(path), str(path.resolve()), path))
    known = entries()
    distribution, _, plain = name.rpartition(":")
    claims = [
        entry
        for entry in known
        if entry.name == plain and distribution in ("", entry.origin.split()[0])
    ]
    if not claims:
        raise unknown("plugin", name, {entry.name for entry in known})
    if len(claims) > 1:
        raise UsageError(_clash(plain, claims))
    return claims[0]


def load(name: str) -> type:
    """Import the plugin called `name` and return its class, a subclass of Plugin."""
    return handles.find(name) if handles.is_name(name) else _import_class(find(name))


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
    from ganzoo.plugin import CONTRACT

    if cls.contract > CONTRACT:
        raise GanzooError(
            f"plugin {what} was written for contract version {cls.contract}; this ganzoo has "
            f"{CONTRACT}: upgrade ganzoo."
        )
    if "__dataclass_fields__" not in vars(cls):
        raise GanzooError(f"plugin {what}: {cls.__name__} lacks @dataclass(frozen=True) above it.")
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
            f"{type(error).__name__}: {error}."
        ) from error


# -- fields, from the source alone ----------------------------------------------------------------


def static_fields(entry: Entry) -> list[Field] | None:
    """As `described`, read from the source alone; None where only an import can tell.

    It can where the class stands in the file and derives from Plugin and nothing else.
    """
    from ganzoo.plugin import Plugin

    if entry.source is None or entry.error:
        return None
    text = entry.source.read_text(encoding="utf-8")
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
