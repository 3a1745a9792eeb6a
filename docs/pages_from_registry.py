"""MkDocs hook: a page for each built-in plugin, made from the registry and the pictures beside.

It also lays out `build/api`, where the packages lie as they do once installed: the API pages are
read from there.
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from ganzoo import registry  # noqa: E402

SCORES = Path(__file__).parent / "scores.json"


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
    rows = [f"| [{e.name}]({e.name}.md) | {e.summary} |" for e in entries]
    index = "# Plugins\n\n| plugin | idea |\n|---|---|\n" + "\n".join(rows)
    index += "\n\nPackages of others bring more: `ganzoo list` shows what is installed.\n"
    files.append(File.generated(config, "plugins/index.md", content=index))
    for entry in entries:
        page = File.generated(config, f"plugins/{entry.name}.md", content=_page(entry))
        files.append(page)
    return files


def _page(entry: registry.Entry) -> str:
    source = entry.source.read_text() if entry.source else ""
    doc = inspect.cleandoc(_class_docstring(source))
    fields = [
        f"| `{f.name}` | {f.type} | `{f.default!r}` | {f.reason} |"
        for f in registry.static_fields(entry) or ()
    ]
    picture = Path(__file__).parent / "pictures" / f"{entry.name}-mnist.png"
    shown = f"![samples](../pictures/{picture.name})\n\n" if picture.exists() else ""
    return (
        f"# {entry.name}\n\n{doc}\n\n[The paper]({entry.paper}). `ganzoo train {entry.name}`\n\n"
        f"{shown}{_scores(entry.name)}## Fields\n\n"
        "| field | type | default | reason |\n|---|---|---|---|\n" + "\n".join(fields) + "\n\n"
        f"## Source\n\n```python\n{source}```\n"
    )


def _class_docstring(source: str) -> str:
    import ast

    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return next((ast.get_docstring(node) or "" for node in classes), "")


def _scores(name: str) -> str:
    """The row of `ganzoo compare --json` that is stored for the plugin, if there is one."""
    rows = json.loads(SCORES.read_text())["rows"] if SCORES.exists() else []
    found = [row for row in rows if row["plugin"] == name]
    if not found:
        return ""
    stored = json.loads(SCORES.read_text())
    lines = [f"| {label} | {found[0]['scores'][key]} |" for key, label in stored["labels"].items()]
    return f"{stored['about']}\n\n| score | value |\n|---|---|\n" + "\n".join(lines) + "\n\n"
