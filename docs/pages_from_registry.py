"""MkDocs hook: a page for each built-in plugin, and the modules in the map of the code.

It also lays out `build/api`, where the packages lie as they do once installed: the API pages are
read from there.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from pathlib import Path

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from ganzoo import registry  # noqa: E402

RECORDS = Path(__file__).parent / "zoo"
FOLDERS = {"ganzoo": "ganzoo", "ganzoo.eval": "eval", "ganzoo.plugins": "plugins"}
EVERY_MODULE = "<!-- every module"


def _lay_out() -> None:
    """Make `build/api/ganzoo` of links, `ganzoo.eval` and `ganzoo.plugins` included."""
    package = ROOT / "build" / "api" / "ganzoo"
    package.mkdir(parents=True, exist_ok=True)
    parts = [*(ROOT / "ganzoo").iterdir(), ROOT / "eval", ROOT / "plugins"]
    for part in parts:
        link = package / part.name
        if not link.is_symlink():
            link.symlink_to(part)


_lay_out()  # at import: mkdocstrings looks for the folder before any event


def on_files(files: Files, config: object) -> Files:
    """Add `plugins/index.md` and `plugins/NAME.md`."""
    entries = [e for e in registry.entries() if e.origin.startswith("ganzoo ")]
    rows = [f"| [{e.name}]({e.name}.md) | {e.summary} | {_first_score(e.name)} |" for e in entries]
    index = "# Plugins\n\n| plugin | idea | measured once |\n|---|---|---|\n" + "\n".join(rows)
    index += "\n\nWhat each was trained on, and for how long, is on its page"
    index += " ([how it was measured](../benchmarks.md#the-zoo))."
    index += "\n\nPackages of others bring more: `ganzoo list` shows what is installed.\n"
    files.append(File.generated(config, "plugins/index.md", content=index))
    for entry in entries:
        page = File.generated(config, f"plugins/{entry.name}.md", content=_page(entry))
        files.append(page)
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put the list of modules where the map of the code asks for it."""
    head, mark, _ = markdown.partition(EVERY_MODULE)
    return head + _modules() if mark else markdown


def _modules() -> str:
    """A table of every module, from the ground up: its room, and the start of its docstring."""
    rooms = _rooms()
    rows = []
    for package, folder in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            name = ".".join([package, *(part for part in parts if part != "__init__")])
            first = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n\n")[0]
            inside = max((n for n in rooms if f"{name}.".startswith(f"{n}.")), key=len, default="")
            floor, room = rooms.get(inside, (len(rooms), "all"))
            rows.append((floor, f"| {room} | `{name}` | {' '.join(first.split())} |"))
    table = [row for _, row in sorted(rows)]
    return "| room | module | what it is |\n|---|---|---|\n" + "\n".join(table) + "\n"


def _rooms() -> dict[str, tuple[int, str]]:
    """Module -> floor and name of its room, read from the test that holds them."""
    tree = ast.parse((ROOT / "tests" / "test_house.py").read_text())
    table = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ROOMS"
    )
    return {
        f"ganzoo.{name}": (floor, room)
        for floor, (room, names) in enumerate(table)
        for name in names.split()
    }


def _page(entry: registry.Entry) -> str:
    source = entry.source.read_text() if entry.source else ""
    doc = inspect.cleandoc(_class_docstring(source))
    fields = [
        f"| `{f.name}` | {f.type} | `{f.default!r}` | {f.reason} |"
        for f in registry.static_fields(entry) or ()
    ]
    return (
        f"# {entry.name}\n\n{doc}\n\n[The paper]({entry.paper}). `ganzoo train {entry.name}`\n\n"
        f"{_measured(entry.name)}## Fields\n\n"
        "| field | type | default | reason |\n|---|---|---|---|\n" + "\n".join(fields) + "\n\n"
        f"## Source\n\n```python\n{source}```\n"
    )


def _class_docstring(source: str) -> str:
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return next((ast.get_docstring(node) or "" for node in classes), "")


def _first_score(name: str) -> str:
    path = RECORDS / f"{name}.json"
    if not path.exists():
        return ""
    label, value = next(iter(json.loads(path.read_text())["scores"].items()))
    return f"{label.partition(' (')[0]} {value}"


def _measured(name: str) -> str:
    """What `benchmarks/zoo.py` has recorded of the plugin, each with its grid."""
    first = RECORDS / f"{name}.json"
    found = [path for path in (first, *sorted(RECORDS.glob(f"{name}-*.json"))) if path.exists()]
    if not found:
        return "It has not been measured yet.\n\n"
    return "## Measured\n\n" + "".join(_record(path) for path in found)


def _record(path: Path) -> str:
    one = json.loads(path.read_text())
    rows = [f"| {label} | {value} |" for label, value in one["scores"].items()]
    threads = f"{one['cores']} thread{'s' * (one['cores'] > 1)}"
    used = one.get("processor_minutes")
    cost = f", {used} of them on a processor" if used else ""
    spent = f" in {one['minutes']} minutes{cost} ({threads})" if one["minutes"] else ""
    told = f"; its findings: {', '.join(one['findings'])}" if one["findings"] else ""
    return (
        f"`{one['command']}`: {one['steps']:,} steps{spent}, one run{told}. By "
        f"`{one['scored']}`, at step {one['step']:,}:\n\n"
        "| score | value |\n|---|---|\n" + "\n".join(rows) + "\n\n"
        f"![Samples](../pictures/zoo-{path.stem}.png)\n\n{one['seen']}\n\n"
    )
