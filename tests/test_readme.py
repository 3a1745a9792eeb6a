"""What the README says is so."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

from ganzoo import registry, training

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_table_of_plugins_is_the_registrys():
    ours = [e for e in registry.entries() if e.origin.startswith("ganzoo ")]
    rows = [f"| {e.name} | {e.summary} | {e.paper} |" for e in ours]
    printed = [line for line in README.splitlines() if re.match(r"\| [a-z0-9_]+ \|.*https", line)]
    assert printed == rows, "expected:\n" + "\n".join(rows)


def test_the_plugin_in_the_readme_trains(tmp_path):
    path = tmp_path / "mygan.py"
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    path.write_text(next(block for block in blocks if "class " in block))
    request = training.prepare({"plugin": str(path), "data": "digits", "fields": {"steps": 2}})
    run = training.start(request, tmp_path / "run")
    assert run.checkpoints() == [2]
    assert registry.static_fields(registry.find(str(path)))[-1].reason.startswith("fields are")


def test_the_licence_is_the_one_that_the_package_names():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    metadata = config["metadata"]
    text = (ROOT / metadata["license_files"]).read_text()
    assert metadata["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
