"""`ganzoo plugin new`: a complete package around a plugin that works, from the files in templates/.

A template is a text file with `$name`, `$cls` and `$version` in it (string.Template);
`$$` is a dollar.
"""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import secrets
import shutil
import sys
from pathlib import Path
from string import Template

from ganzoo import __version__, registry
from ganzoo.errors import UsageError, unknown
from ganzoo.files import write_atomic

TEMPLATES = {
    "gan": "two players with the losses of Goodfellow et al. 2014",
    "wgan": "a critic with a gradient penalty (Gulrajani et al. 2017)",
    "conditional": "both networks are told the label (Mirza & Osindero 2014)",
    "players": "a list of players: a third network recovers z from the sample",
}
FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "LICENSE": "LICENSE",
    "gitignore": ".gitignore",
    "test_plugin.py": "tests/test_{name}.py",
    "ci.yml": ".github/workflows/test.yml",
}
"""Template -> where it goes in the package."""
FOLDER = Path(__file__).parent / "templates"


def create(name: str, template: str = "gan", parent: str | os.PathLike[str] = ".") -> Path:
    """Write the package `name` into a new folder of that name in `parent`; returns the folder.

    Raises UsageError for a name or a template that cannot be had, and for a folder that exists.
    """
    if template not in TEMPLATES:
        raise unknown("template", template, TEMPLATES)
    check_name(name)
    target = Path(parent) / name
    if target.exists():
        raise UsageError(f"{target} exists already: choose another name, or another --dir.")
    words = {"name": name, "cls": class_name(name), "version": __version__}
    draft = target.with_name(f".{name}.{secrets.token_hex(4)}.tmp")
    try:
        for source, place in {**FILES, f"{template}.py": "src/{name}.py"}.items():
            text = Template((FOLDER / f"{source}.txt").read_text(encoding="utf-8"))
            write_atomic(draft / place.format(name=name), text.substitute(words).encode())
        os.rename(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def check_name(name: str) -> None:
    """Raise UsageError for a name that cannot be a module and a plugin at once."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        hint = f", such as {plain!r}" if re.fullmatch(r"[a-z][a-z0-9_]*", plain) else ""
        raise UsageError(
            f"a plugin's name is a lower-case Python identifier{hint}, not {name[:80]!r}."
        )
    if keyword.iskeyword(name):
        raise UsageError(f"{name!r} is a word of Python: no module can have that name.")
    claims = [entry.origin for entry in registry.registered() if entry.name == name]
    if claims:
        raise UsageError(
            f"a plugin {name!r} exists already, from {' and from '.join(claims)}: "
            "choose another name."
        )
    if name in sys.stdlib_module_names or importlib.util.find_spec(name) is not None:
        raise UsageError(
            f"a module {name!r} exists already in this Python: choose another name, "
            "or it would hide yours."
        )


def class_name(name: str) -> str:
    """The plugin's class.

    >>> class_name("my_gan"), class_name("wgan2"), class_name("pix")
    ('MyGAN', 'Wgan2', 'Pix')
    """
    words = "".join(word[:1].upper() + word[1:] for word in name.split("_"))
    return re.sub("[Gg]an$", "GAN", words)
