"""What others build on is what `contract_surface.txt` says: a break is a decision, no accident."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

STORED = Path(__file__).with_name("contract_surface.txt")

PUBLIC = (
    "ganzoo",
    "ganzoo.plugin",
    "ganzoo.spec:DataSpec",
    "ganzoo.spec:ArraySpec",
    "ganzoo.testing",
    "ganzoo.layers",
    "ganzoo.losses",
    "ganzoo.optimizers",
    "ganzoo.augment",
    "ganzoo.errors",
    "ganzoo.data",
    "ganzoo.registry:GROUP",
    "ganzoo.data.installed:GROUP",
    "ganzoo.eval.installed:GROUP",
    "ganzoo.eval",
    "ganzoo.eval.extractor:Extractor",
    "ganzoo.eval.extractor:hash_arrays",
    "ganzoo.eval.metrics:UnsuitedError",
    "ganzoo.eval.evaluation:evaluate",
    "ganzoo.eval.evaluation:Terms",
    "ganzoo.eval.scores:Score",
)
"""Modules with all their public names, or one name of a module."""

TODO = f"""
If what is gone or changed is a break on purpose: raise CONTRACT in ganzoo/plugin.py, say in
docs/plugin-contract.md and CHANGELOG.md what others have to change, and store the new list.
If it is only an addition, store the new list:

    python tests/{Path(__file__).name}
"""


def surface() -> Iterator[str]:
    """One line for each public name: what it is called with, or what it is."""
    for place in PUBLIC:
        module_name, _, only = place.partition(":")
        module = importlib.import_module(module_name)
        for name in [only] if only else _names(module):
            yield from _described(f"{module_name}.{name}", getattr(module, name))


def _names(module: object) -> list[str]:
    """What `__all__` lists, or else what is defined here and has no underscore."""
    own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__]
    return sorted(getattr(module, "__all__", [n for n in own if not n.startswith("_")]))


def _described(path: str, thing: object) -> Iterator[str]:
    if inspect.isclass(thing):
        yield f"class {path}{_made(thing)}"
        for name, value in sorted(_members(thing).items()):
            yield from _member(f"{path}.{name}", thing, name, value)
    elif callable(thing):
        yield f"{path}{_signature(thing)}"
    else:
        yield f"{path} = {list(thing) if isinstance(thing, dict) else thing!r}"


def _made(cls: type) -> str:
    """How one is made, or what made its constructor, where that is not ganzoo's to promise."""
    if hasattr(cls, "_fields"):
        return f"{cls._fields} as a tuple"
    maker = next(base for base in cls.__mro__ if "__init__" in vars(base))
    if maker.__module__.startswith("ganzoo"):
        return _signature(cls)
    return " as " + next(base.__name__ for base in cls.__bases__ if base.__name__[0] != "_")


def _member(path: str, cls: type, name: str, value: object) -> Iterator[str]:
    if isinstance(value, property):
        yield f"{path} -> {value.fget.__annotations__.get('return')}"
    elif isinstance(value, Annotation):
        yield f"{path}: {value!r}"
    else:
        yield f"{path}{_signature(getattr(cls, name))}"


class Annotation:
    """A type as it stands in the source, without quotes."""

    def __init__(self, text: object):
        self.text = text

    def __repr__(self) -> str:
        return str(self.text)


def _members(cls: type) -> dict[str, object]:
    """Methods, properties and attributes of ganzoo's own: none that Keras or Python define too."""
    own = [base for base in reversed(cls.__mro__) if base.__module__.startswith("ganzoo")]
    others = [base for base in cls.__mro__ if base not in own]
    fields = {f.name for f in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else set()
    found: dict[str, object] = {}
    for base in own if not hasattr(cls, "_fields") else ():
        notes = vars(base).get("__annotations__", {})
        found |= {name: Annotation(text) for name, text in notes.items()}
        found |= {n: v for n, v in vars(base).items() if callable(v) or isinstance(v, property)}
    return {
        name: value
        for name, value in found.items()
        if (not name.startswith("_") or name == "__call__")
        and name not in fields  # in the signature already
        and not any(name in vars(base) for base in others)
    }


def _signature(thing: object) -> str:
    found = inspect.signature(thing)
    parameters = [
        p if p.annotation is p.empty else p.replace(annotation=Annotation(p.annotation))
        for p in found.parameters.values()
    ]
    returned = found.return_annotation
    if returned not in (found.empty, None):
        returned = Annotation(returned)
    return str(found.replace(parameters=parameters, return_annotation=returned))


def test_the_public_names_and_signatures_are_the_stored_ones():
    stored, found = STORED.read_text().splitlines(), list(surface())
    gone = [line for line in stored if line not in found]
    new = [line for line in found if line not in stored]
    told = "\n".join([f"- {line}" for line in gone] + [f"+ {line}" for line in new])
    if told:
        pytest.fail(f"the public surface is another:\n{told}\n{TODO}", pytrace=False)


def test_the_stored_list_is_of_this_contract():
    from ganzoo.plugin import CONTRACT

    assert f"ganzoo.plugin.CONTRACT = {CONTRACT}" in STORED.read_text().splitlines()
    page = (STORED.parent.parent / "docs" / "plugin-contract.md").read_text()
    assert f"This is version {CONTRACT}" in page


if __name__ == "__main__":
    STORED.write_text("\n".join(surface()) + "\n")
