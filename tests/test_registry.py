"""Names to plugins: static listing, honest errors, third parties without privilege or harm."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ganzoo import registry, settings
from ganzoo.errors import GanzooError, UsageError
from ganzoo.fields import Field, described, make
from ganzoo.plugins.dcgan import DCGAN

PLUGIN = textwrap.dedent('''
    """A module."""
    from dataclasses import dataclass
    from ganzoo.plugin import Plugin

    @dataclass(frozen=True)
    class Mine(Plugin):
        """My idea in a line."""
        paper = "https://example.org/mine"
        depth: int = 3  # deeper is slower
''')


def install(site: Path, name: str, modules: dict[str, str], points: dict[str, str]) -> None:
    """A distribution as pip would leave it: modules beside their metadata."""
    for module, text in modules.items():
        (site / f"{module}.py").write_text(text)
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "\n".join(f"{key} = {value}" for key, value in points.items())
    (info / "entry_points.txt").write_text(f"[ganzoo.plugins]\n{lines}\n")


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def test_the_four_built_ins_are_listed_with_idea_and_paper():
    found = {entry.name: entry for entry in registry.entries()}
    assert {"mlp_gan", "dcgan", "wgan", "sagan"} <= set(found)
    for entry in found.values():
        assert entry.error is None
        assert entry.summary
        assert entry.paper.startswith("https://")


def test_listing_and_help_import_no_tensorflow():
    for arguments in (["list"], ["--help"], ["info", "sagan"], ["runs"], ["data", "list"]):
        code = (
            "import sys\nfrom ganzoo.cli import main\n"
            f"try: main({arguments!r})\nexcept SystemExit: pass\n"
            "assert not {'tensorflow', 'keras'} & set(sys.modules), 'TensorFlow was imported'"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_third_party_plugin_is_found_by_its_entry_point(site):
    install(site, "minepkg", {"mine_module": PLUGIN}, {"mine": "mine_module:Mine"})
    entry = registry.find("mine")
    assert (entry.origin, entry.summary, entry.error) == ("minepkg 1.0", "My idea in a line.", None)
    assert registry.load("mine")().depth == 3
    assert registry.find("minepkg:mine") == entry


def test_one_that_raises_on_import_is_listed_with_its_error_and_breaks_nothing(site):
    install(
        site,
        "badpkg",
        {"bad_module": PLUGIN + "\nraise RuntimeError('no licence')\n"},
        {"bad": "bad_module:Mine"},
    )
    found = {entry.name: entry for entry in registry.entries()}
    assert "RuntimeError: no licence" in found["bad"].error
    assert found["dcgan"].error is None
    with pytest.raises(GanzooError, match="fails to import: RuntimeError: no licence"):
        registry.load("bad")


def test_one_with_a_syntax_error_and_one_without_module_are_listed_as_broken(site):
    install(site, "oddpkg", {"odd_module": "def ("}, {"odd": "odd_module:X", "gone": "nowhere:X"})
    found = {entry.name: entry.error for entry in registry.entries()}
    assert "cannot be read" in found["odd"]
    assert "does not exist" in found["gone"]


def test_two_that_claim_a_name_are_both_named_and_either_can_be_chosen(site):
    install(site, "onepkg", {"one_module": PLUGIN}, {"dcgan": "one_module:Mine"})
    with pytest.raises(UsageError, match=r"claimed by ganzoo \S+ and by onepkg 1.0"):
        registry.load("dcgan")
    assert registry.load("ganzoo:dcgan") is DCGAN
    assert registry.load("onepkg:dcgan").__name__ == "Mine"


def test_one_for_a_newer_contract_is_refused(site):
    newer = PLUGIN.replace("    depth", "    contract = 99\n    depth")
    install(site, "newpkg", {"new_module": newer}, {"new": "new_module"})
    with pytest.raises(GanzooError, match="contract version 99"):
        registry.load("new")


def test_a_file_on_disk_is_a_plugin(tmp_path):
    path = tmp_path / "mygan.py"
    path.write_text(PLUGIN)
    assert registry.load(str(path))().depth == 3
    with pytest.raises(UsageError, match="no plugin file"):
        registry.load(str(tmp_path / "absent.py"))


def test_a_file_without_a_plugin_says_what_was_expected(tmp_path):
    path = tmp_path / "empty.py"
    path.write_text("x = 1")
    with pytest.raises(GanzooError, match="one Plugin subclass, found none"):
        registry.load(str(path))


def test_a_class_without_dataclass_is_named(tmp_path):
    path = tmp_path / "plain.py"
    path.write_text(PLUGIN.replace("@dataclass(frozen=True)\n", ""))
    with pytest.raises(GanzooError, match="lacks @dataclass"):
        registry.load(str(path))


def test_the_nearest_name_is_offered():
    with pytest.raises(UsageError, match="did you mean 'dcgan'"):
        registry.load("dcgam")
    with pytest.raises(UsageError, match="did you mean 'g_lr'"):
        make(DCGAN, {"glr": 1})


def test_fields_carry_type_default_and_reason(tmp_path):
    path = tmp_path / "mygan.py"
    path.write_text(PLUGIN)
    by_import = described(registry.load(str(path)))
    by_reading = registry.static_fields(registry.find(str(path)))
    assert by_import == by_reading
    assert Field("depth", "int", 3, "deeper is slower") in by_reading


@pytest.mark.parametrize("name", ["mlp_gan", "dcgan", "wgan", "sagan"])
def test_reading_a_built_in_tells_the_same_fields_as_importing_it(name):
    assert registry.static_fields(registry.find(name)) == described(registry.load(name))


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [("g_lr", 1, 1.0), ("g_lr", "1e-4", 1e-4), ("steps", 7, 7), ("simultaneous", False, False)],
)
def test_values_take_their_fields_type(name, value, stored):
    made = getattr(make(DCGAN, {name: value}), name)
    assert (made, type(made)) == (stored, type(stored))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("g_lr", "fast"),
        ("g_lr", True),
        ("steps", 1.5),
        ("steps", True),
        ("steps", "9"),
        ("simultaneous", 1),
        ("z_prior", "cauchy"),
        ("batch_size", 0),
        ("ema", 1.0),
        ("steps", None),
    ],
)
def test_values_of_another_type_or_range_are_refused(name, value):
    with pytest.raises(UsageError, match=name):
        make(DCGAN, {name: value})


def test_settings_come_from_a_file_and_name_what_they_do_not_know(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("plugin: dcgan\nfields: {g_lr: 1e-4}\nseed: 3\nrecord: {tensorflow: old}\n")
    chosen, plugin = settings.resolve(settings.read_config(path))
    assert (chosen.seed, plugin.g_lr, chosen.fields["g_lr"]) == (3, 1e-4, 1e-4)
    with pytest.raises(UsageError, match="did you mean 'seed'"):
        settings.resolve({"plugin": "dcgan", "sead": 1})
    with pytest.raises(UsageError, match="seed must be int"):
        settings.resolve({"plugin": "dcgan", "seed": "one"})


@pytest.mark.parametrize(
    "text",
    [
        "plugin: !!python/object/apply:os.system ['true']",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]",
        "plugin: [unclosed",
        "- a\n- b",
        "[" * 5000,
    ],
)
def test_yaml_that_is_no_plain_mapping_is_refused(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(UsageError):
        settings.read_config(path)
