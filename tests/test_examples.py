"""The examples stand as their README says; .ci/examples installs and uses the packages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ganzoo import settings

EXAMPLES = Path(__file__).parent.parent / "examples"
CONFIGS = sorted((EXAMPLES / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_configuration_resolves_and_names_its_own_command(path):
    asked = settings.read_config(path)
    chosen, plugin = settings.resolve(asked)
    assert chosen.plugin == asked["plugin"]
    assert {name: getattr(plugin, name) for name in asked["fields"]} == {
        name: float(value) if isinstance(value, float) else value
        for name, value in asked["fields"].items()
    }
    assert f"ganzoo train --config examples/configs/{path.name}" in path.read_text()


def test_the_readme_lists_every_example():
    listed = set(re.findall(r"\]\((\w+)\)", (EXAMPLES / "README.md").read_text()))
    assert listed == {path.name for path in EXAMPLES.iterdir() if path.is_dir()}


@pytest.mark.parametrize("folder", ["lsgan_dense", "bigan_dense", "shapes", "edges"])
def test_every_package_has_what_it_tells_others_to_have(folder):
    package = EXAMPLES / folder
    (module,) = (package / "src").glob("*.py")
    assert (package / "tests" / f"test_{module.stem}.py").is_file()
    assert f'= "{module.stem}:' in (package / "pyproject.toml").read_text()
    assert "pip install ." in (package / "README.md").read_text()
