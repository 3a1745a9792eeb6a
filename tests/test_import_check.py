"""Imports of strangers' plugins: tried elsewhere, once, together; none for another's name."""

from __future__ import annotations

import os
import textwrap
import time
from pathlib import Path

import pytest
from test_cli import call
from test_third_party import LIGHT, install

from ganzoo import data, distributions, import_check, registry
from ganzoo.errors import GanzooError
from ganzoo.eval import installed

TRACE = textwrap.dedent("""
    import os, pathlib
    with (pathlib.Path(__file__).parent / "imported.txt").open("a") as file:
        file.write(f"{__name__} {os.getpid()}\\n")
""")
"""Leaves a line for each import."""


def imports(site: Path) -> list[str]:
    """Who was imported, each time."""
    file = site / "imported.txt"
    return [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []


def put(site: Path, dist: str, text: str, group: str = "ganzoo.plugins") -> str:
    return install(site, dist, group, dist, TRACE + text)


@pytest.fixture(autouse=True)
def _own_memory(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def errors(capsys) -> dict[str, str]:
    """Name -> what `ganzoo list` says of it."""
    code, out, err = call(capsys, "list")
    assert (code, err) == (0, "")
    lines = [line for line in out.splitlines() if line.startswith("broken: ")]
    return {line.split()[1]: line.partition("): ")[2] for line in lines}


OUTCOMES = {
    "ends": ("import os; os._exit(0)", "importing it ended the process, with exit code 0."),
    "dies": ("import os; os.kill(os.getpid(), 11)", "ended the process, with signal 11."),
    "raises": ("raise ValueError('no\\nlicence')", "fails to import: ValueError: no licence."),
    "prints": ("print('ERROR no licence')", None),
    "stays": ("from threading import Timer\nTimer(99, print).start()", None),
    "asks": ("import sys; assert sys.stdin.read() == ''", None),
}


@pytest.mark.parametrize(("text", "words"), OUTCOMES.values(), ids=OUTCOMES)
def test_the_outcome_of_an_import_is_told_apart_from_what_it_prints(site, capsys, text, words):
    put(site, "theirs", f"{LIGHT}\n{text}\n")
    began = time.monotonic()
    for _ in range(2):
        told = errors(capsys)
        assert list(told) == ([] if words is None else ["theirs"])
        assert words is None or words in told["theirs"]
    assert len(imports(site)) == 1
    assert time.monotonic() - began < 30


def test_those_that_wait_for_ever_cost_the_limit_once_together(site, capsys, monkeypatch):
    for dist in ("one", "two", "three"):
        put(site, dist, f"{LIGHT}\nimport subprocess\nsubprocess.run(['sleep', '98.76'])\n")
    put(site, "fine", LIGHT)
    monkeypatch.setattr(import_check, "LIMIT", 10.0)
    began = time.monotonic()
    told = errors(capsys)
    assert set(told) == {"one", "two", "three"}
    assert all("importing it takes more than" in words for words in told.values())
    assert time.monotonic() - began < 20
    assert errors(capsys) == told
    assert sorted(imports(site)) == ["fine_module", "one_module", "three_module", "two_module"]
    assert time.monotonic() - began < 22
    assert not os.popen("pgrep -f '[s]leep 98.76'").read()
    code, _, err = call(capsys, "train", "one")
    assert (code, err.count("\n")) == (1, 1)
    assert "plugin 'one' (one 1.0): importing it takes more than" in err


def test_a_name_imports_nobody_but_who_claims_it(site, capsys):
    put(site, "other", f"{LIGHT}\nraise RuntimeError\n")
    put(site, "metric", "raise RuntimeError", "ganzoo.metrics")
    put(site, "data", "raise RuntimeError", "ganzoo.datasets")
    put(site, "theirs", LIGHT)
    assert registry.find("dcgan").error is None
    assert call(capsys, "info", "dcgan")[0] == 0
    assert call(capsys, "train", "dcgan", "--data", "digits", "--dry-run")[0] == 0
    assert call(capsys, "train", "dcgam")[0] == 2
    assert call(capsys, "plugin", "new", "dcgan")[0] == 2
    assert call(capsys, "data", "info", "ring")[0] == 0
    assert imports(site) == []
    assert registry.find("theirs").error is None
    assert registry.find("theirs:theirs").error is None
    assert imports(site) == ["theirs_module"]


def test_a_failure_is_tried_again_when_something_changes(site, monkeypatch):
    module = put(site, "theirs", f"{LIGHT}\nraise RuntimeError('no licence')\n")
    told = [registry.find("theirs").error for _ in range(2)]
    assert told[0] == told[1]
    assert len(imports(site)) == 1
    monkeypatch.setattr(import_check, "_beside", lambda: [7])  # something was installed
    assert "no licence" in registry.find("theirs").error
    assert len(imports(site)) == 2
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + import_check.KEPT + 1)
    assert "no licence" in registry.find("theirs").error
    assert len(imports(site)) == 3
    (site / f"{module}.py").write_text(TRACE + LIGHT)
    assert registry.find("theirs").error is None


def test_a_module_beside_the_plugin_counts_as_a_change(site):
    package = site / "theirs_module"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "parts.py").write_text("raise RuntimeError('no licence')\n")
    module = put(site, "theirs", "")
    (site / f"{module}.py").unlink()
    (package / "plugin.py").write_text(f"from theirs_module import parts\n{LIGHT}")
    points = site / "theirs-1.0.dist-info/entry_points.txt"
    points.write_text("[ganzoo.plugins]\ntheirs = theirs_module.plugin:Theirs\n")
    assert "no licence" in registry.find("theirs").error
    (package / "parts.py").write_text("fine = True  # now\n")
    assert registry.find("theirs").error is None


METADATA = {
    "no encoding": (b"[ganzoo.plugins]\ntheirs = theirs_module:Th\xff\n", "UnicodeDecodeError"),
    "no entry": (b"[ganzoo.plugins]\ntheirs theirs_module\n", "TypeError"),
    "no module": (b"[ganzoo.plugins]\ntheirs = nowhere:X\n", "its module 'nowhere:X' does not"),
    "nothing": (b"[ganzoo.plugins]\ntheirs =\n", "its module '' does not exist"),
    "no name": (b"[ganzoo.plugins]\ntheirs = !!! ? :\n", "its module '!!! ? :' does not exist"),
}


@pytest.mark.parametrize(("content", "words"), METADATA.values(), ids=METADATA)
def test_broken_metadata_is_a_line_in_the_list_and_nothing_elsewhere(site, capsys, content, words):
    put(site, "theirs", LIGHT)
    (site / "theirs-1.0.dist-info/entry_points.txt").write_bytes(content)
    told = errors(capsys)
    assert list(told) == ["theirs"]
    assert words in told["theirs"]
    assert call(capsys, "info", "dcgan")[0] == 0
    assert call(capsys, "data", "list")[0] == 0


@pytest.mark.parametrize("content", [None, b"Name: \xff\n", b""], ids=["none", "bytes", "empty"])
def test_a_distribution_without_a_readable_name_is_called_as_its_folder(site, capsys, content):
    put(site, "theirs", "raise RuntimeError('no licence')\n")
    metadata = site / "theirs-1.0.dist-info/METADATA"
    metadata.unlink() if content is None else metadata.write_bytes(content)
    code, out, _ = call(capsys, "list")
    assert code == 0
    assert "broken: theirs (theirs 1.0): plugin 'theirs' (theirs 1.0) fails to import" in out


def test_a_broken_distribution_that_is_not_about_ganzoo_is_not_mentioned(site, capsys):
    put(site, "theirs", "", "pytest11")
    (site / "theirs-1.0.dist-info/entry_points.txt").write_bytes(b"[other]\n\xff\n")
    assert errors(capsys) == {}
    assert distributions.broken() == {}


@pytest.mark.parametrize(
    ("group", "find"), [("ganzoo.metrics", installed.find), ("ganzoo.datasets", data.load)]
)
def test_a_metric_or_data_set_that_ends_the_process_ends_another(site, group, find):
    put(site, "theirs", "import os; os._exit(0)\n", group)
    with pytest.raises(GanzooError, match=r"'theirs' of theirs 1.0 is broken: importing it ended"):
        find("theirs")
    assert group == "ganzoo.datasets" or installed.metric_names() == ["theirs"]
    assert len(imports(site)) == 1
