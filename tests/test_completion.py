"""What the shell offers: names of plugins, data sets, runs and metrics, quickly and quietly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from test_third_party import LIGHT, install

from ganzoo.cli import COMPLETE, cli


def offered(line: str, *, kind: str = "plain") -> list[str]:
    """What is offered for the last word of the line, which may be empty."""
    *words, incomplete = line.split(" ")
    found = ShellComplete(cli, {}, "ganzoo", COMPLETE).get_completions(words, incomplete)
    return [item.value for item in found if item.type == kind]


@pytest.fixture
def _runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for age, name in enumerate(("runs/old", "runs/new", "elsewhere/mine")):
        Path(name).mkdir(parents=True)
        Path(name, "config.yaml").write_text("plugin: dcgan\n")
        os.utime(Path(name, "config.yaml"), (age, age))
    Path("runs/none").mkdir()


@pytest.mark.usefixtures("_runs")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tr", ["train"]),
        ("config s", ["schema", "show"]),
        ("train dcgan_", ["dcgan_upsample"]),
        ("train wgan --data fashion", ["fashion_mnist"]),
        ("train --resume ", ["runs/new", "runs/old"]),
        ("train --resume elsewhere/", ["elsewhere/mine"]),
        ("sample runs/o", ["runs/old"]),
        ("compare runs/old runs/n", ["runs/new"]),
        ("report r", ["runs/new", "runs/old"]),
        ("animate runs/n", ["runs/new"]),
        ("diagnose runs/o", ["runs/old"]),
        ("eval runs/new ri", ["ring"]),
        ("info sa", ["sagan"]),
        ("info sagan --data st", ["stacked_mnist", "stacked_mnist_pacgan"]),
        ("data info digits_c", ["digits_coloured"]),
        ("plugin check m", ["mlp_gan"]),
        ("config schema wgan", ["wgan", "wgan_gp"]),
        ("config show dcgan --precision b", ["bfloat16"]),
        ("config show mlp", ["mlp_gan"]),
        ("nonsense tr", ["train"]),
    ],
)
def test_what_begins_so_is_offered(line, expected):
    assert offered(line) == expected


@pytest.mark.usefixtures("_runs")
@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("train ./my", "file"),
        ("train dcgan --data ph", "file"),
        ("sample /da", "dir"),
        ("eval sam", "file"),
    ],
)
def test_what_is_no_name_is_left_to_the_shell_as_a_path(line, kind):
    assert offered(line) == []
    assert offered(line, kind=kind) == [line.rpartition(" ")[2]]


def test_what_others_bring_is_offered_without_trying_it(site):
    broken = LIGHT + "raise RuntimeError('no licence')\n"
    install(site, "one", "ganzoo.plugins", "theirs", broken)
    install(site, "two", "ganzoo.datasets", "their_data", "raise OSError")
    install(site, "three", "ganzoo.metrics", "their_metric", "raise OSError")
    assert offered("train the") == ["theirs"]
    assert offered("train dcgan --data the") == ["their_data"]
    assert offered("eval --metric ") == ["their_metric"]


def test_a_shell_gets_its_words_and_no_tensorflow_is_imported():
    code = "import sys\nfrom ganzoo.cli import main\ntry: main()\nfinally: print(*sys.modules)"
    told = {COMPLETE: "bash_complete", "COMP_WORDS": "ganzoo train sa", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | told, capture_output=True, text=True
    )
    words, modules = done.stdout.splitlines()
    assert words == "plain,sagan"
    assert not {"tensorflow", "keras"} & set(modules.split())
    assert done.stderr == ""
