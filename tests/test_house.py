"""The walls of the house: who may import whom, and that every room is packed into the wheel."""

from __future__ import annotations

import ast
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = {"ganzoo": "ganzoo", "eval": "ganzoo.eval", "plugins": "ganzoo.plugins"}

ROOMS = (
    ("ground", "errors quiet spec hardware files reading plain_text sealing distributions handles "
     "untrusted memory import_check"),
    ("contract", "losses optimizers layers fourier shrinking priors inputs turn player augment "
     "plugin"),
    ("measures", "eval.frechet eval.kernel eval.prdc eval.modes eval.memorization eval.swd "
     "eval.conditional eval.misread "
     "eval.likeness eval.ms_ssim eval.inception_score eval.arrays eval.distances eval.wasserstein"),
    ("run", "own_folder run"),
    ("data", "data pictures"),
    ("registry", "fields registry settings schema scaffold plugin_source counting"),
    ("findings", "eval.diagnosis.findings eval.diagnosis.sign eval.diagnosis.history"),
    ("views", "views.view"),
    ("sampling", "expected signature vetting program operands bounds exported exporting sampling "
     "feeding"),
    ("features", "eval.extractor eval.features"),
    ("scores", "eval.scores eval.sources eval.summary eval.labelling eval.metrics eval.installed "
     "eval.perfect eval.evaluation eval"),
    ("diagnosis", "eval.diagnosis"),
    ("report", "eval.report"),
    ("plugins", "plugins"),
    ("training", "training"),
    ("watchers", "views"),
    ("testing", "testing pytest_plugin"),
    ("doors", "api cli __main__"),
)  # fmt: skip
"""From the ground up: a room uses the rooms above it in this list, and itself. Of two entries that
fit a module the longer one is meant."""
FLOOR = {
    f"ganzoo.{name}": floor for floor, (_, names) in enumerate(ROOMS) for name in names.split()
}
PROMISED = ("augment", "errors", "spec", "losses", "optimizers", "layers", "plugin", "plugins")
"""All that a built-in plugin may use: what is promised to a stranger."""


def modules() -> dict[str, Path]:
    """Dotted name -> file, of every module in all three roots."""
    return {
        ".".join([package, *path.relative_to(ROOT / folder).with_suffix("").parts]).removesuffix(
            ".__init__"
        ): path
        for folder, package in SOURCES.items()
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


MODULES = modules()


def imports(path: Path) -> set[str]:
    """The modules of ours that a file imports anywhere: in functions and for types too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in MODULES}
        elif isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "ganzoo":
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else str(node.module) for name in full}
    return found - {"ganzoo"}


def floor(module: str) -> int:
    """The place of the room that a module is in."""
    name = module
    while name not in FLOOR:
        name, dot, _ = name.rpartition(".")
        assert dot, f"{module} is in no room: give it one in ROOMS"
    return FLOOR[name]


@pytest.mark.parametrize("module", [name for name in MODULES if name != "ganzoo"])
def test_a_room_uses_only_rooms_below_it(module):
    for target in imports(MODULES[module]):
        assert floor(target) <= floor(module), (
            f"{module} ({ROOMS[floor(module)][0]}) imports {target} ({ROOMS[floor(target)][0]})"
        )


def test_no_modules_import_each_other_in_a_circle():
    arrows = {name: imports(path) & MODULES.keys() - {name} for name, path in MODULES.items()}
    while leaves := [name for name, targets in arrows.items() if not targets & arrows.keys()]:
        for name in leaves:
            del arrows[name]
    assert not arrows, f"in a circle, or above one: {', '.join(sorted(arrows))}"


@pytest.mark.parametrize("path", sorted((ROOT / "plugins").glob("[!_]*.py")), ids=lambda p: p.stem)
def test_a_built_in_plugin_uses_what_strangers_may_use(path):
    assert {name.split(".")[1] for name in imports(path)} <= set(PROMISED)


def test_every_folder_with_code_is_packed():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    folders = {module for module, path in MODULES.items() if path.name == "__init__.py"}
    assert set(config["options"]["packages"].split()) == folders
    data = config["options.package_data"]
    for path in ROOT.glob("eval/**/*.npz"):
        assert "*.npz" in data[".".join(["ganzoo", *path.parent.relative_to(ROOT).parts])]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is(module):
    text = ast.get_docstring(ast.parse(MODULES[module].read_text()))
    assert text, f"{module} has no docstring"
