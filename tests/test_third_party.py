"""What other distributions do wrong: a clear line in the list or one sentence, no broken neighbour.

Distributions are faked as pip would leave them: modules beside their metadata, on sys.path.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import textwrap
from pathlib import Path

import pytest
from test_cli import SMALL, call

PLUGIN = textwrap.dedent('''
    from dataclasses import dataclass
    import keras
    from keras import layers
    from ganzoo import losses
    from ganzoo.plugin import Plugin

    @dataclass(frozen=True)
    class Theirs(Plugin):
        """An idea of others."""

        def generator(self, spec):
            return keras.Sequential(
                [keras.Input((self.z_dim,)), layers.Dense(spec.size), layers.Reshape(spec.shape)]
            )

        def discriminator(self, spec):
            return keras.Sequential(
                [keras.Input(spec.shape), layers.Flatten(), layers.Dense(1)]
            )

        def d_loss(self, real_logits, fake_logits):
            return losses.minimax_d(real_logits, fake_logits)

        def g_loss(self, fake_logits):
            return losses.nonsaturating_g(fake_logits)
''')

LIGHT = textwrap.dedent('''
    from dataclasses import dataclass
    from ganzoo.plugin import Plugin

    @dataclass(frozen=True)
    class Theirs(Plugin):
        """An idea of others."""
''')
"""A plugin without networks: enough to be listed, and quick to import."""


def install(site: Path, dist: str, group: str, name: str, text: str, target: str = "") -> str:
    """A distribution of one module that claims `name`; returns the module's name."""
    module = f"{dist.replace('-', '_')}_module"
    (site / f"{module}.py").write_text(text)
    info = site / f"{dist}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {module}:{target or 'Theirs'}\n")
    importlib.invalidate_caches()
    return module


BROKEN = {
    "raises on import": (
        LIGHT + "raise RuntimeError('no licence')\n",
        "fails to import: RuntimeError: no licence",
    ),
    "ends the process": (LIGHT + "raise SystemExit(3)\n", "fails to import: SystemExit: 3"),
    "newer contract": (
        LIGHT.replace("of others.", 'of others."""\n    contract = 99\n    """'),
        "was written for contract version 99; this ganzoo has",
    ),
    "no plugin": ("Theirs = 3\n", "expected theirs_module:Theirs to define one Plugin subclass"),
    "not a dataclass": (LIGHT.replace("@dataclass(frozen=True)", ""), "lacks @dataclass"),
}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_a_line_in_the_list_and_a_sentence_elsewhere(site, capsys, text, words):
    install(site, "theirs", "ganzoo.plugins", "theirs", text)
    code, out, err = call(capsys, "list")
    (line,) = [line for line in out.splitlines() if line.startswith("broken:")]
    assert (code, err) == (0, "")
    assert line.startswith("broken: theirs (theirs 1.0): ")
    assert words in line
    assert "dcgan" in out
    for command in (["train", "theirs", *SMALL], ["plugin", "check", "theirs"]):
        code, _, err = call(capsys, *command)
        assert (code, err.count("\n")) == (1, 1)
        assert words in err


@pytest.fixture
def _importable(monkeypatch):
    """Spare the import in a process of its own, which TensorFlow makes slow."""
    monkeypatch.setattr("ganzoo.registry._tried", lambda entries: entries)


@pytest.mark.usefixtures("_importable")
def test_a_generator_of_the_wrong_shape_is_one_sentence(site, capsys):
    wrong = PLUGIN.replace("layers.Reshape(spec.shape)", "layers.Reshape((4, -1))")
    install(site, "theirs", "ganzoo.plugins", "theirs", wrong)
    code, _, err = call(capsys, "train", "theirs", *SMALL)
    assert (code, err.count("\n")) == (1, 1)
    assert "Theirs's sampler makes (4, 64) where the data has (16, 16, 1)" in err
    code, out, err = call(capsys, "plugin", "check", "theirs")
    assert code == 1
    assert "failed  shapes: GanzooError: Theirs's sampler makes (4, 64)" in out
    assert "breaks the contract" in err


@pytest.mark.usefixtures("_importable")
def test_an_error_in_a_loss_is_one_sentence_with_the_line_it_came_from(site, capsys):
    wrong = PLUGIN.replace("losses.nonsaturating_g(fake_logits)", "fake_logits @ fake_logits")
    module = install(site, "theirs", "ganzoo.plugins", "theirs", wrong)
    line = 1 + wrong.splitlines().index("        return fake_logits @ fake_logits")
    code, _, err = call(capsys, "train", "theirs", *SMALL)
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith(f"ganzoo: ValueError at {module}.py:{line}: Dimensions must be equal")
    assert "report it" not in err


def test_two_that_clash_are_both_named_and_either_can_be_had(site, capsys):
    for dist, idea in (("one", "Ours"), ("two", "Another")):
        install(site, dist, "ganzoo.plugins", "same", LIGHT.replace("An idea", f"{idea}, one"))
    _, out, _ = call(capsys, "list")
    lines = [line for line in out.splitlines() if line.startswith("broken: same")]
    assert len(lines) == 2
    assert all("claimed by one 1.0 and by two 1.0: say one:same or two:same" in x for x in lines)
    code, _, err = call(capsys, "train", "same", *SMALL)
    assert (code, "claimed by one 1.0 and by two 1.0" in err) == (2, True)
    code, out, _ = call(capsys, "info", "two:same")
    assert (code, "Another, one of others." in out) == (0, True)


@pytest.mark.usefixtures("_importable")
def test_without_its_plugin_a_run_is_still_sampled_and_resuming_says_what_is_missing(site, capsys):
    module = install(site, "theirs", "ganzoo.plugins", "theirs", PLUGIN)
    assert call(capsys, "train", "theirs", *SMALL, "--outdir", "run", "--quiet")[0] == 0
    for path in (site / "theirs-1.0.dist-info").iterdir():
        path.unlink()
    (site / "theirs-1.0.dist-info").rmdir()
    (site / f"{module}.py").unlink()
    del sys.modules[module]
    importlib.invalidate_caches()
    assert "theirs" not in call(capsys, "list")[1]
    assert call(capsys, "sample", "run", "-n", "4", "--out", "grid.png")[0] == 0
    code, _, err = call(capsys, "train", "--resume", "run", "--steps", "8")
    assert (code, err.count("\n")) == (2, 1)
    assert "unknown plugin 'theirs'" in err


@pytest.mark.usefixtures("_importable")
def test_one_that_an_import_hook_finds_is_listed(tmp_path, site, monkeypatch, capsys):
    """Editable installs of a flat layout work through such a hook."""
    module = install(site, "theirs", "ganzoo.plugins", "theirs", "")
    (site / f"{module}.py").unlink()
    elsewhere = tmp_path / "checkout.py"
    elsewhere.write_text(PLUGIN)

    class Hook:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == module:
                return importlib.util.spec_from_file_location(name, elsewhere)
            return None

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Hook])
    _, out, _ = call(capsys, "list")
    assert "An idea of others." in out
    assert "broken" not in out


WRONG_DATA = {
    "raises": ("raise OSError('no disk')", "is broken: OSError: no disk"),
    "no data set": ("def Theirs(size, split): return 3", "expected a ganzoo.data.Dataset"),
    "not called so": ("def Theirs(): pass", "is broken: TypeError"),
}


@pytest.mark.parametrize(("text", "words"), WRONG_DATA.values(), ids=WRONG_DATA)
def test_a_broken_data_set_is_one_sentence_and_listed_all_the_same(site, capsys, text, words):
    install(site, "theirs", "ganzoo.datasets", "blobs", text)
    assert "blobs" in call(capsys, "data", "list")[1]
    code, _, err = call(capsys, "data", "info", "blobs")
    assert (code, err.count("\n")) == (1, 1)
    assert "'blobs' of theirs 1.0" in err
    assert words in err
    assert call(capsys, "data", "info", "ring")[0] == 0


WRONG_METRICS = {
    "raises on import": ("raise OSError('no disk')", "is broken: OSError: no disk"),
    "raises when called": (
        "def Theirs(real, fake, *, rng): return 1 / 0",
        "is broken: ZeroDivisionError",
    ),
    "no number": ("def Theirs(real, fake, *, rng): return 'good'", "expected a number"),
}


@pytest.mark.parametrize(("text", "words"), WRONG_METRICS.values(), ids=WRONG_METRICS)
def test_a_broken_metric_is_one_sentence(site, capsys, text, words):
    import numpy as np

    install(site, "theirs", "ganzoo.metrics", "taste", text)
    np.save("points.npy", np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32))
    code, _, err = call(capsys, "eval", "points.npy", "ring", "--metric", "taste")
    assert (code, err.strip().count("\n")) == (1, 0)
    assert "'taste' of theirs 1.0" in err
    assert words in err


@pytest.fixture
def site_packages(site, monkeypatch):
    """A folder of installed packages that is called so."""
    folder = site / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


@pytest.mark.usefixtures("_importable")
@pytest.mark.parametrize("recorded", [False, True], ids=["in its package", "by its list of files"])
def test_an_error_of_an_installed_plugin_names_its_file_and_is_not_ours(
    site_packages, capsys, recorded
):
    wrong = PLUGIN.replace(
        "        return losses.nonsat", "        return parts.wrong()\n        #"
    )
    more = "\n" * recorded  # AutoGraph takes functions of the same code and line for the same
    wrong = wrong.replace("from ganzoo import losses", f"from ganzoo import losses\nPARTS{more}")
    where = "their_parts" if recorded else "theirs_module.parts"
    module = install(site_packages, "theirs", "ganzoo.plugins", "theirs", "")
    (site_packages / f"{module}.py").unlink()
    package = site_packages / module
    package.mkdir()
    (package / "__init__.py").write_text(wrong.replace("PARTS", f"import {where} as parts"))
    parts = site_packages / ("their_parts.py" if recorded else "theirs_module/parts.py")
    parts.write_text(f"{more}def wrong():\n    return {{}}['depth']\n")
    if recorded:
        (site_packages / "theirs-1.0.dist-info/RECORD").write_text("their_parts.py,,\n")
    importlib.invalidate_caches()
    code, _, err = call(capsys, "train", "theirs", *SMALL)
    assert (code, err.count("\n")) == (1, 1)
    place = "their_parts.py:3" if recorded else "theirs_module/parts.py:2"
    assert err == f"ganzoo: KeyError at {place}: 'depth' (--debug shows all of it).\n"
    for name in ("their_parts", "theirs_module.parts"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("_importable")
def test_an_error_in_what_a_plugin_uses_is_the_plugins(site_packages, capsys):
    (site_packages / "library.py").write_text("def mean(x):\n    return x.no_such_thing\n")
    wrong = PLUGIN.replace(
        "        return losses.nonsat", "        return library.mean(1)\n        #"
    )
    wrong = wrong.replace("from ganzoo import losses", "import library\nfrom ganzoo import losses")
    module = install(site_packages, "theirs", "ganzoo.plugins", "theirs", wrong)
    line = 1 + wrong.splitlines().index("        return library.mean(1)")
    code, _, err = call(capsys, "train", "theirs", *SMALL)
    assert code == 1
    assert err.startswith(f"ganzoo: AttributeError at {module}.py:{line}: 'int' object has no")
    assert "report it" not in err
    sys.modules.pop("library")
