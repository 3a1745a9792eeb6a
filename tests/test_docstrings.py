"""The examples in docstrings are so: a module that has some is imported by name, and they run."""

from __future__ import annotations

import doctest
import importlib
import re
from types import ModuleType

import pytest
from test_house import MODULES

EXAMPLE = re.compile(r"^\s*(?:\"\"\")?>>> ", re.M)
WITH_EXAMPLES = [name for name, path in MODULES.items() if EXAMPLE.search(path.read_text())]


def run(module) -> tuple[int, str]:
    """How many examples the module's docstrings hold, and what the wrong ones say."""
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner(verbose=False)
    said: list[str] = []
    examples = 0
    for test in finder.find(module):
        examples += len(test.examples)
        runner.run(test, out=said.append)
    return examples, "".join(said)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_module_are_so(name):
    examples, said = run(importlib.import_module(name))
    assert not said, said
    written = len(EXAMPLE.findall(MODULES[name].read_text()))
    assert examples == written, f"{name}: {written} examples are written and {examples} found"


def test_a_wrong_example_is_told():
    module = ModuleType("made_up", ">>> 1 + 1\n3\n")
    examples, said = run(module)
    assert examples == 1
    assert "Expected:\n    3\nGot:\n    2" in said
