"""The documentation is so: the tutorial's files and commands work as they are printed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from test_cli import call

DOCS = Path(__file__).parent.parent / "docs"
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


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.stem)
def test_commands_that_pages_name_exist(path):
    from ganzoo.cli import cli

    page = path.read_text()
    code = [text for _, text in blocks(page)] + re.findall(r"`([^`\n]+)`", page)
    named = re.findall(r"(?:^|\s)ganzoo ([a-z]+)(?: ([a-z]+))?", "\n".join(code))
    for first, second in set(named):
        command = cli.commands.get(first)
        assert command is not None, f"{path.name}: no command {first!r}"
        if hasattr(command, "commands") and second:
            assert second in command.commands, f"{path.name}: no command {first} {second}"
