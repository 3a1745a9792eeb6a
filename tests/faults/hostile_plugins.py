"""Plugins by strangers: what they do when they are imported, and what their methods give back."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from faults import outside, warm
from faults.ledger import Case, Outcome, plainly
from faults.made import Made

HEAD = """
from dataclasses import dataclass
import keras
from keras import layers
from ganzoo import losses
from ganzoo.plugin import DataSpec, Plugin
"""
G, D = "def generator(self, spec):", "def discriminator(self, spec):"
D_LOSS, G_LOSS = "def d_loss(self, real_logits, fake_logits):", "def g_loss(self, fake_logits):"
PARTS = {
    "above": "@dataclass(frozen=True)",
    "class": "class Mine(Plugin):",
    "fields": "steps: int = 2; width: int = 4",
    G: """
        z = keras.Input((self.z_dim,), name="z")
        return keras.Model(z, layers.Reshape(spec.shape)(layers.Dense(spec.size)(z)))""",
    D: """
        x = keras.Input(spec.shape, name=spec.key)
        return keras.Model(x, layers.Dense(1)(layers.Flatten()(x)))""",
    D_LOSS: "return losses.minimax_d(real_logits, fake_logits)",
    G_LOSS: "return losses.nonsaturating_g(fake_logits)",
    "more": "",
}
"""A plugin that works, part by part."""
RAISES = "raise KeyError('mine')"
FAKE_G = "z = keras.Input((self.z_dim,), name='z'); return keras.Model(z, {})"
FAKE_D = "x = keras.Input(spec.shape, name=spec.key); return keras.Model(x, {})"
ODD = {
    "generator raises": {G: RAISES},
    "generator gives None": {G: "return None"},
    "generator gives text": {G: "return 'model'"},
    "generator is the identity": {G: FAKE_G.format("z")},
    "generator of another shape": {G: FAKE_G.format("layers.Dense(7)(z)")},
    "generator of whole numbers": {G: FAKE_G.format("keras.ops.cast(z[:, :2], 'int32')")},
    "generator of NaN": {G: FAKE_G.format("layers.Dense(2)(z) * float('nan')")},
    "discriminator raises": {D: RAISES},
    "discriminator gives None": {D: "return None"},
    "discriminator gives an image": {D: FAKE_D.format("x")},
    "discriminator of NaN": {D: FAKE_D.format("layers.Dense(1)(x) * float('nan')")},
    "discriminator wants another": {D: "x = keras.Input((77,)); return keras.Model(x, x)"},
    "d_loss raises": {D_LOSS: RAISES},
    "d_loss raises BaseException": {D_LOSS: "raise BaseException('mine')"},
    "d_loss gives None": {D_LOSS: "return None"},
    "d_loss gives text": {D_LOSS: "return 'loss'"},
    "d_loss gives a row": {D_LOSS: "return real_logits"},
    "d_loss gives NaN": {D_LOSS: "return fake_logits[0, 0] * float('nan')"},
    "d_loss gives a constant": {D_LOSS: "return 1.0"},
    "d_loss names what is not there": {D_LOSS: "return losses.no_such_loss(real_logits)"},
    "g_loss gives a dictionary": {G_LOSS: "return {'loss': fake_logits}"},
    "a field of text": {"fields": "width: int = 'four'"},
    "a field of a list": {"fields": "width: list = None"},
    "a field of an object": {"fields": "width: object = object()"},
    "a field without a default": {"fields": "width: int"},
    "a field called like a method": {"fields": "players: int = 4"},
    "steps that are negative": {"fields": "steps: int = -2"},
    "steps that are text": {"fields": "steps: str = 'two'"},
    "another contract": {"fields": "contract = 99"},
    "a contract of text": {"fields": "contract = 'two'"},
    "no dataclass": {"above": ""},
    "a thawed dataclass": {"above": "@dataclass"},
    "no plugin": {"class": "class Mine:"},
    "two plugins": {"more": "@dataclass(frozen=True)\nclass Other(Plugin): pass"},
    "an attribute that raises": {"more": "    def __getattr__(self, name): raise OSError(name)"},
    "an end that raises": {"more": f"    def __post_init__(self): {RAISES}"},
    "players raise": {"more": f"    def players(self, *_): {RAISES}"},
    "players are text": {"more": "    def players(self, *_): return 'players'"},
    "its text raises": {"more": f"    def __repr__(self): {RAISES}"},
}
"""What is wrong with it, and what stands there in the place of its parts."""


def _plugin(**changed: str) -> str:
    """The text of a plugin in which some parts are others."""
    parts = PARTS | changed
    methods = [f"    {name}\n        {parts[name].strip()}" for name in (G, D, D_LOSS, G_LOSS)]
    lines = [parts["above"], parts["class"], f"    {parts['fields']}", *methods, parts["more"]]
    return HEAD + "\n".join(line for line in lines if line) + "\n"


WORKS = _plugin()
IMPORTS = {
    "does nothing": "",
    "raises": "raise RuntimeError('mine')\n",
    "raises without a word": "raise ValueError\n",
    "raises an error of many lines": "raise RuntimeError('a\\nb\\nc')\n",
    "raises BaseException": "raise BaseException('mine')\n",
    "raises KeyboardInterrupt": "raise KeyboardInterrupt\n",
    "raises what has no text": "class E(Exception):\n    def __str__(self): raise E\nraise E\n",
    "exits": "import sys; sys.exit(0)\n",
    "exits with text": "import sys; sys.exit('bye')\n",
    "prints": "print('hello')\nimport sys; print('hello', file=sys.stderr)\n",
    "prints 100 MB": "for _ in range(1000): print('x' * 10**5)\n",
    "recurses": "def f(): f()\nf()\n",
    "imports what is missing": "import no_such_module_at_all\n",
    "is no Python": "this is not Python\n",
    "holds a NUL": "x = 'a\0b'\n",
    "is nested too deep": "x = " + "(" * 500 + ")" * 500 + "\n",
    "leaves a thread": "import threading\nthreading.Timer(2, print).start()\n",
}
"""What a module does before it defines a plugin."""
HANGS = {
    "closes its output": "import os; os.close(1); os.close(2)\n",
    "changes folder": "import os; os.chdir('/')\n",
    "sleeps": "import time\nwhile True: time.sleep(1)\n",
    "ends the process": "import os; os._exit(0)\n",
    "kills the process": "import os; os.kill(os.getpid(), 9)\n",
    "waits for input": "input()\n",
}
"""What only a process of its own survives: tried where a distribution brings it."""
OWN = re.compile(r"mine\.py:\d+|fails to import")
"""A sentence that says where a plugin's own error is."""


def cases(made: Made) -> Iterator[Case]:
    """A file by its path, then what a distribution registers, then what is no file at all."""
    for name, text in IMPORTS.items():
        yield Case(f"a file that {name} at import", partial(_file, text + WORKS))
    for name, changed in ODD.items():
        yield Case(f"a file: {name}", partial(_file, _plugin(**changed)))
    for name, text in {**IMPORTS, **HANGS}.items():
        yield Case(f"a distribution that {name} at import", partial(_installed, text + WORKS), True)
    for name, make in PLACES.items():
        yield Case(f"a file that is {name}", partial(_place, make))


def _file(text: str, folder: Path) -> Outcome:
    outside.lay_out(folder)
    (folder / "mine.py").write_text(text)
    return _stands(folder, "mine.py", raises=RAISES in text)


def _stands(folder: Path, plugin: str, raises: bool = False) -> Outcome:
    """A training that says that all is well has made a run."""
    train = ("train", plugin, "--data", "ring", "--steps", "2", "--batch-size", "4", "--quiet")
    commands = [
        ("info", plugin),
        ("config", "schema", plugin),
        ("train", plugin, "--data", "ring", "--dry-run"),
        (*train, "--outdir", "made-run"),
        ("plugin", "check", plugin, "--only", "shapes"),
    ]
    kinds = []
    for words in commands:
        done, touched = outside.watched(folder, *words)
        outcome = plainly(done, touched)
        if outcome.kind not in ("refused", "survived"):
            return Outcome(outcome.kind, f"{' '.join(words[:2])}: {outcome.detail}")
        if outcome.kind == "refused" and raises and not OWN.search(done.err + done.out):
            return Outcome("other", f"{' '.join(words[:2])} does not say where: {done.last}")
        kinds.append(outcome.kind)
        made = (folder / "made-run" / "status.json").exists()
        if words[-1] == "made-run" and done.code == 0 and not made:
            return Outcome("other", "a training that ends well and has made no run")
    return Outcome("refused" if "refused" in kinds else "survived")


# -- distributions --------------------------------------------------------------------------------


def _installed(text: str, folder: Path) -> Outcome:
    """As it is when a distribution is there from the start.

    No command that is about something else imports it, or waits for it a second time.
    """
    site = folder / "site"
    info = site / "mine-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "mine.py").write_text(text)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ganzoo.plugins]\nmine = mine:Mine\n")
    outside.lay_out(folder)

    def first() -> None:
        sys.path.append(str(site))
        os.environ["PYTHONPATH"] += f"{os.pathsep}{site}"
        os.environ["XDG_CACHE_HOME"] = str(folder / "made-cache")

    for words, idle in (
        (("info", "mlp_gan"), 5.0),
        (("train", "mlp_gan", "--data", "ring", "--dry-run"), 5.0),
        (("list",), warm.IDLE),
        (("list",), 5.0),
        (("info", "mine"), warm.IDLE),
    ):
        done, touched = outside.watched(folder, *words, first=first, idle=idle)
        outcome = plainly(done, touched)
        if outcome.kind not in ("refused", "survived"):
            return Outcome(outcome.kind, f"{' '.join(words)}: {outcome.detail}")
        if words[-1] != "mine" and done.code:
            return Outcome("other", f"{' '.join(words)}: exit {done.code}: {done.last}")
    return Outcome("survived")


# -- places ---------------------------------------------------------------------------------------


def _zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _bytes(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 100)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _itself(path: Path) -> None:
    path.symlink_to(path.name)


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


PLACES = {
    "/dev/zero": _zero, "a pipe": _pipe, "a folder": _folder, "random bytes": _bytes,
    "empty": _empty, "a link to itself": _itself, "a terabyte": _large,
}  # fmt: skip


def _place(make: object, folder: Path) -> Outcome:
    outside.lay_out(folder)
    make(folder / "mine.py")
    return _stands(folder, "mine.py")
