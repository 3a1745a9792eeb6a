"""The documentation is so: the tutorial's files and commands work as they are printed."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml
from test_cli import call
from test_house import MODULES, ROOMS, ROOT

DOCS = ROOT / "docs"
PATH = re.compile(r"(?<![\w/.-])(?:ganzoo|eval|plugins|tests|docs|benchmarks|examples)/[\w/.-]*\w")
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
SAVED = re.compile(r"[Ss]ave(?:d| this) as `(\w+\.py)`")


def blocks(page: str) -> list[tuple[str, str]]:
    """(language, text) of the fenced blocks."""
    return re.findall(r"^```(\w+)\n(.*?)^```", page, re.S | re.M)


def test_the_tutorial_works_as_printed(tmp_path, monkeypatch, capsys):
    page = (DOCS / "write-a-plugin.md").read_text()
    sources = [text for language, text in blocks(page) if language == "python"]
    for name, source in zip(SAVED.findall(page), sources, strict=True):
        (tmp_path / name).write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    lines = [
        line for language, text in blocks(page) if language == "bash" for line in text.split("\n")
    ]
    commands = [line.removeprefix("PYTHONPATH=. ") for line in lines]
    commands = [line.partition("#")[0] for line in commands if line.startswith("ganzoo ")]
    assert len(commands) >= 8
    for command in commands:
        code, _, err = call(capsys, *shlex.split(command)[1:])
        assert code == 0, f"{command}\n{err}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_commands_that_pages_name_exist(path):
    from ganzoo.cli import cli

    page = path.read_text()
    code = [text for language, text in blocks(page) if language != "python"]
    code += re.findall(r"`([^`\n]+)`", page)
    named = re.findall(r"(?:^|\s)ganzoo ([a-z]+)(?: ([a-z]+))?", "\n".join(code))
    for first, second in set(named):
        command = cli.commands.get(first)
        assert command is not None, f"{path.name}: no command {first!r}"
        if hasattr(command, "commands") and second:
            assert second in command.commands, f"{path.name}: no command {first} {second}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_files_and_modules_that_pages_name_exist(path):
    page = path.read_text()
    named = PATH.findall(page)
    for name in set(named):
        assert (ROOT / name).exists(), f"{path.name} names {name}: it moved, or is no more"
    for name in set(re.findall(r"^::: (ganzoo[\w.]*)", page, re.M)):
        inside = name.rpartition(".")[0]
        assert name in MODULES or inside in MODULES, f"{path.name}: no module {name}"


def test_the_map_of_the_code_has_every_room_in_its_order():
    page = (DOCS / "code-map.md").read_text()
    table = page[page.index("| room |") :].partition("\n\n")[0].splitlines()[2:]
    assert [row.split("|")[1].strip() for row in table] == [room for room, _ in ROOMS]


def test_every_page_is_in_the_navigation():
    text = (ROOT / "mkdocs.yml").read_text()
    groups = yaml.safe_load(text[text.index("nav:") :])["nav"]
    assert [name for group in groups for name in group] == ["Start", "Use", "Extend", "Reference"]
    pages = [page for group in groups for entries in group.values() for page in entries]
    listed = [file for page in pages for file in page.values()]
    assert sorted({*listed} - {"plugins/index.md"}) == sorted(p.name for p in DOCS.glob("*.md"))


def test_every_failure_that_has_a_picture_has_a_section():
    page = (DOCS / "diagnosis.md").read_text()
    drawn = {p.stem.partition("-")[2] for p in DOCS.glob("pictures/failure-*.png")}
    assert set(re.findall(r"^### `(\w+)`$", page, re.M)) == drawn


def test_the_page_of_the_diagnosis_gives_the_monitors_remedies():
    from ganzoo.eval.diagnosis.monitor import NON_FINITE, RULES

    page = (DOCS / "diagnosis.md").read_text()
    told = re.findall(r"^### `(\w+)`\n.*?^- \*\*Try\.\*\* (.*?)$", page, re.M | re.S)
    texts = {rule.name: rule.remedy.text for rule in RULES} | {"non_finite": NON_FINITE.text}
    assert {name: text.replace("`", "") for name, text in told} == texts
