"""`ganzoo config`: the schema says what a file may hold, `show` where each setting comes from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from test_cli import SMALL, call

from ganzoo import settings
from ganzoo.errors import UsageError
from ganzoo.schema import json_type, schema

CONFIGS = sorted((Path(__file__).parent.parent / "examples" / "configs").glob("*.yaml"))

CHOOSY = '''
from dataclasses import dataclass
from typing import Literal
from ganzoo.plugins.mlp_gan import MLPGAN

@dataclass(frozen=True)
class Choosy(MLPGAN):
    """Chooses."""

    loss: Literal["hinge", "minimax"] = "hinge"  # which of the two
    widths: tuple[int, ...] = (8, 16)
'''


def valid(content: object, plugin: str = "dcgan") -> bool:
    return jsonschema.Draft7Validator(schema(plugin)).is_valid(content)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_example_files_keep_their_schema(path):
    content = settings.read_config(path)
    found = schema(content["plugin"])
    jsonschema.Draft7Validator.check_schema(found)
    jsonschema.validate(content, found)


@pytest.mark.parametrize(
    "content",
    [
        {"sede": 1},
        {"seed": "first"},
        {"size": "large"},
        {"precision": "half"},
        {"log_every": 2.5},
        {"fields": {"glr": 1}},
        {"fields": {"g_lr": "fast"}},
        {"fields": {"simultaneous": 1}},
        {"fields": {"z_prior": "cauchy"}},
        {"fields": [1]},
        ["dcgan"],
    ],
    ids=str,
)
def test_what_training_would_refuse_breaks_the_schema(content):
    assert not valid(content)
    with pytest.raises(UsageError):
        settings.resolve({"plugin": "dcgan", **content} if isinstance(content, dict) else {})


def test_a_file_for_another_plugin_breaks_the_schema():
    assert valid({"plugin": "dcgan"})
    assert valid({})  # the command line names it
    assert not valid({"plugin": "wgan"})


def test_the_schema_carries_defaults_and_reasons():
    found = schema("sagan")["properties"]
    assert found["plugin"]["const"] == "sagan"
    assert found["on_failure"]["enum"] == ["warn", "stop", "rollback"]
    assert found["size"] == {
        "type": ["integer", "null"],
        "default": None,
        "description": "side in pixels to which images are resized; null leaves them",
    }
    assert found["fields"]["properties"]["d_lr"]["default"] == 1e-3
    assert "section 4.2" in found["fields"]["properties"]["g_lr"]["description"]
    assert all("description" in found[name] for name in found)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("float | int", {"type": ["number", "integer"]}),
        ("Optional[bool]", {"type": ["boolean", "null"]}),
        ("typing.Literal['a', 2]", {"enum": ["a", 2]}),
        ("list[str]", {"type": "array", "items": {"type": "string"}}),
        ("dict[str, Any]", {}),
        (
            "tuple[int, float]",
            {
                "type": "array",
                "items": [{"type": "integer"}, {"type": "number"}],
                "minItems": 2,
                "maxItems": 2,
            },
        ),
    ],
)
def test_a_type_becomes_what_json_calls_it(kind, expected):
    assert json_type(kind) == expected


def test_a_plugin_of_one_s_own_has_a_schema_with_its_choices(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("choosy.py").write_text(CHOOSY)
    code, out, _ = call(capsys, "config", "schema", "./choosy.py")
    found = json.loads(out)["properties"]["fields"]["properties"]
    assert code == 0
    assert found["loss"] == {
        "enum": ["hinge", "minimax"],
        "default": "hinge",
        "description": "which of the two",
    }
    assert found["widths"]["default"] == [8, 16]
    code, _, err = call(capsys, "config", "show", "./choosy.py", "--set", "loss=hing")
    assert (code, "did you mean 'hinge'" in err, err.count("\n")) == (2, True, 1)


def test_the_schema_of_a_built_in_imports_no_tensorflow():
    code = (
        "import sys; from ganzoo.cli import main\n"
        "try: main(['config', 'schema', 'dcgan'])\nexcept SystemExit: pass\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


# -- show ------------------------------------------------------------------------------------------


@pytest.fixture
def _config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(
        "plugin: mlp_gan\ndata: digits\nseed: 3\nfields: {z_dim: 5, ema: 0}\n"
    )


@pytest.mark.usefixtures("_config")
def test_every_setting_says_where_it_comes_from(capsys):
    options = ["--config", "c.yaml", "--set", "ema=0.5", "--set", "steps=7", "--steps", "9"]
    code, out, _ = call(capsys, "config", "show", "mlp_gan", *options, "--size", "8", "--json")
    found = {row["name"]: (row["value"], row["from"]) for row in json.loads(out)}
    assert code == 0
    assert found["plugin"] == ("mlp_gan", "argument")
    assert found["data"] == ("digits", "c.yaml")
    assert found["size"] == (8, "--size")
    assert found["log_every"] == (50, "default")
    assert found["fields.z_dim"] == (5, "c.yaml")
    assert found["fields.ema"] == (0.5, "--set")
    assert found["fields.steps"] == (9, "--steps")
    assert found["fields.z_prior"] == ("uniform", "default of mlp_gan")
    assert found["fields.d_steps"] == (1, "default")


@pytest.mark.usefixtures("_config")
def test_the_fields_of_another_plugin_s_file_are_not_taken(capsys):
    _, out, _ = call(capsys, "config", "show", "wgan", "--config", "c.yaml")
    assert "z_dim: 100" in out
    assert "seed: 3" in out


@pytest.mark.usefixtures("_config")
def test_what_is_shown_is_a_file_that_trains_the_same(capsys):
    options = ["mlp_gan", *SMALL, "--set", "g_lr=1e-5"]
    _, shown, _ = call(capsys, "config", "show", *options)
    Path("shown.yaml").write_text(shown)
    assert settings.read_config("shown.yaml")["fields"]["g_lr"] == 1e-5
    assert valid(yaml.safe_load(shown), "mlp_gan")
    _, ours, _ = call(capsys, "train", "--config", "shown.yaml", "--dry-run")
    _, theirs, _ = call(capsys, "train", *options, "--dry-run")
    assert ours == theirs


@pytest.mark.usefixtures("_config")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no plugin was named"),
        (["dcgam"], "did you mean 'dcgan'"),
        (["mlp_gan", "--set", "z_dim=0"], "z_dim must be at least 1"),
        (["mlp_gan", "--set", "z_dim"], "--set takes NAME=VALUE"),
        (["--config", "wrong.yaml", "--set", "z_dim=4"], "fields must be a mapping"),
        (["--config", "none.yaml"], "cannot read none.yaml"),
    ],
)
def test_a_wrong_wish_is_one_sentence(capsys, arguments, words):
    Path("wrong.yaml").write_text("plugin: mlp_gan\nfields: [1]\n")
    code, out, err = call(capsys, "config", "show", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err


@pytest.mark.parametrize("plugin", [5, None, ["mlp_gan"], {}])
def test_an_unknown_key_is_a_sentence_whatever_the_plugin_is_called(plugin):
    with pytest.raises(UsageError, match="unknown key 'hidden'"):
        settings.resolve({"plugin": plugin, "hidden": 3})
