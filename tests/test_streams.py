"""Closed, full and abandoned outputs of the real program: no traceback, nothing in their place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "import sys; from ganzoo.cli import main; main(sys.argv[1:])"


def shell(line: str, *arguments: str, **told: str) -> subprocess.CompletedProcess[str]:
    """What a shell makes of a line in which `ganzoo` is the program."""
    script = f'ganzoo() {{ "$PYTHON" -c "$PROGRAM" "$@"; }}; {line}'
    known = {"PYTHON": sys.executable, "PROGRAM": PROGRAM, "LC_ALL": "C.UTF-8"} | told
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", script, "bash", *arguments],
        env=os.environ | known,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


CLOSED = ["list >&-", "data list >&-", "runs >&- 2>&- <&-", "info dcgan <&-", "--help >&- <&-"]


@pytest.mark.parametrize("line", CLOSED)
def test_what_is_closed_is_passed_over(line):
    done = shell(f"ganzoo {line}")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_refusal_without_a_place_to_say_it_keeps_its_exit_code():
    for line in ("trian 2>&-", "trian 2> /dev/full", "list --nope 2> /dev/full"):
        assert shell(f"ganzoo {line}").returncode == 2


def test_no_file_is_opened_in_the_place_of_what_is_closed():
    opens = "from ganzoo.cli import streams; streams.prepare(); import os, sys\n"
    opens += "sys.exit(0 if os.open(os.devnull, os.O_RDONLY) > 2 and sys.stdout else 3)"
    for closed in (">&-", "2>&-", "<&-", "<&- >&- 2>&-"):
        assert shell(f"ganzoo {closed}", PROGRAM=opens).returncode == 0


FULL = ["list", "list --json", "--help", "info dcgan", "--version"]


@pytest.mark.parametrize("buffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("line", FULL)
def test_a_full_output_is_one_sentence_and_exit_code_1(line, buffered):
    done = shell(f"ganzoo {line} > /dev/full", PYTHONUNBUFFERED=buffered)
    assert done.returncode == 1
    assert done.stderr == "ganzoo: cannot write the output: No space left on device.\n"


@pytest.mark.parametrize("buffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_an_output_that_nobody_reads_any_more_is_no_error(buffered):
    done = shell("ganzoo list | head -1", PYTHONUNBUFFERED=buffered)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict", ""])
def test_a_name_that_is_no_text_is_printed_as_its_bytes(tmp_path, encoding):
    name = os.fsdecode(b"caf\xe9 \xff")
    picture = tmp_path / name / "x.png"
    done = shell('ganzoo data info ring --picture "$1"', str(picture), PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert picture.is_file()
    assert (str(picture) if "ascii" not in encoding else "/x.png") in done.stdout
    done = shell('ganzoo data info "$1" --json', str(tmp_path / name), PYTHONIOENCODING=encoding)
    assert done.returncode == 0
    assert json.loads(done.stdout)["name"] == str(tmp_path / name)
    done = shell('ganzoo data info "$1"', str(tmp_path / "no" / name), PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert r"\xe9" in done.stderr or r"\udce9" in done.stderr


def test_a_shell_that_completes_into_nothing_hears_nothing():
    told = {"_GANZOO_COMPLETE": "bash_complete", "COMP_WORDS": "ganzoo tr", "COMP_CWORD": "1"}
    program = PROGRAM.replace("main(sys.argv[1:])", "main()")
    done = shell("ganzoo > /dev/full", PROGRAM=program, **told)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert shell("ganzoo", PROGRAM=program, **told).stdout == "plain,train\n"
    assert Path(sys.executable).is_file()
