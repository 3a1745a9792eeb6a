"""Random command lines, drawn from the tree of commands and from what may stand in it."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click
import numpy as np

from faults import outside
from faults.ledger import Case, Outcome, plainly
from faults.made import Made, copied, socket_at

COUNT, REAL = 1_000, 50
BYTES = os.fsdecode(b"caf\xe9")
"""A name that is no UTF-8."""
ODD = (
    "", " ", "-", "--", "-x", "--nope", "0", "-1", "nan", "1e9", "'", '"', "\n", "\x1b[31m", "🦄",
    BYTES, "x" * 5000, "../..", "~", "*", "$HOME", "a=b", "=", "a=", "=b", "%s", "{}", "None",
)  # fmt: skip
PLACES = (
    "run", "run/", "./run", "run/config.yaml", "run/samples", "run/metrics.jsonl", "here",
    "nowhere", "pipe", "socket", "link", "loop", "dangling", "empty", "text.txt", BYTES,
    "/dev/zero", "/dev/null", "/dev/full", "/dev/stdin", "/proc/self/mem", ".", "..", "outside",
)  # fmt: skip
POOLS = {
    "run": ("run",) * 6 + ("damaged", "half", *PLACES, *ODD),
    "data": ("ring", "digits", "numbers.npz", "numbers.npy", "photos", "mnist", *PLACES, *ODD),
    "plugin": ("mlp_gan", "mlp_gan", "dcgan", "plugin.py", "ganzoo:mlp_gan", "no:mlp_gan",
               *PLACES, *ODD),
    "out": ("made.png", "made.npz", "made.html", "made.gif", "made.mp4", "made/", "made", "made.x",
            "here/made.npz", "made/made/made.png", "pipe", "socket", "loop/made.png", "/dev/null",
            "/dev/full", "/dev/stdout", "/nowhere/made.png", f"made-{BYTES}.npz", "here", "", " "),
    "set": ("z_dim=4", "z_dim=-1", "g_lr=nan", "g_lr=x", "hidden=1e30", "nope=1", "z.threshold=0.5",
            "z.threshold=-1", "z=0", "z.0=1", "z.9999=1", "label=3", "psi=.inf", "z=[", *ODD),
    "input": ("z=test", "z=train", "z=numbers.npy", "z=pipe", "z=/dev/zero", "nope=test", *ODD),
    "checkpoint": ("best", "last", "every", "10", "20", "24", "99", "-1", "007", "²", *ODD),
    "features": ("mnist", "fashion", "inception", "nope", *ODD),
    "weights": ("tfgan", "text.txt", "numbers.npz", *PLACES, *ODD),
    "metric": ("nope", "fid", *ODD),
    "only": ("shapes", "nope", *ODD),
    "name": ("made", "made-one", "1made", "class", "a/b", "..", BYTES, *ODD),
    "template": ("gan", "nope", *ODD),
    "config": ("run/config.yaml", "settings.yaml", *PLACES),
}  # fmt: skip
"""What a parameter may be given, by the pool that its name belongs to."""
BELONGS = {
    "runs": "run", "resume": "run", "target": "run", "root": "run", "against": "data",
    "outdir": "out", "picture": "out", "parent": "out", "assignments": "set", "rows": "input",
    "others": "metric",
}  # fmt: skip
NUMBERS = {
    int: ("0", "1", "2", "16", "-1", "-99999999999999999999", "99999999999", "1.5", "1e3", "", "x",
          "٣"),
    float: ("0", "0.5", "1", "-1", "nan", "inf", "-inf", "1e-300", "1e300", "", "x"),
}  # fmt: skip
SEVERAL = {"seeds": ("0", "-1", "1", "2", "x"), "seconds": ("0", "-1", "nan", "inf", "1e300", "1")}
"""What a command would rightly take its time for stays small."""
STREAMS = ("", "", "", "/dev/full", "/dev/null", None)


def cases(made: Made) -> Iterator[Case]:
    """Lines in a fixed order; a real one has standard streams that may be closed or full."""
    from ganzoo.cli import cli

    bits = random.Random("lines")
    commands = list(_leaves(cli))
    judged, half = made.judged("mlp_gan"), made.half("mlp_gan")
    for number in range(COUNT):
        path, command = bits.choice(commands)
        words = _line(bits, path, command)
        real = number % REAL == REAL - 1
        std = (bits.choice(("/dev/null", None)), bits.choice(STREAMS), bits.choice(STREAMS))
        play = partial(_play, judged, half, words, std if real else None)
        told = f"{number:03} {ascii(words)[1:-1][:300]}"
        yield Case(f"{told} {std}" if real else told, play, real)


# -- lines ----------------------------------------------------------------------------------------


def _leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _leaves(command, (*path, name))
        else:
            yield (*path, name), command


def _line(bits: random.Random, path: tuple[str, ...], command: click.Command) -> list[str]:
    """The command with its arguments, some of its options, and sometimes a word too many or few."""
    given, options = [], []
    for param in command.get_params(click.Context(command)):
        if isinstance(param, click.Argument):
            count = bits.choice((0, 1, 2)) if param.nargs == -1 else bits.random() < 0.9
            given += [_value(bits, param) for _ in range(int(count))]
        elif param.name not in ("debug", "help", "steps", "epochs", "dry_run"):
            share = 0.6 if param.required or param.name in ("out", "outdir", "data") else 0.12
            if bits.random() < share:
                options += _option(bits, param)
    words = [*path, *given, *options, *_length(bits, path)]
    if bits.random() < 0.08:
        words.insert(bits.randrange(len(words) + 1), bits.choice(ODD))
    if bits.random() < 0.04:
        del words[bits.randrange(len(words))]
    return [word.replace("\0", "") for word in _bounded(words)]


def _length(bits: random.Random, path: tuple[str, ...]) -> list[str]:
    """What keeps a training, or a check, short."""
    if path[-1] == "check":
        return ["--only", "shapes"]
    if path != ("train",):
        return []
    odd = bits.choice((["--steps", "0"], ["--steps", "x"], ["--epochs", "nan"], ["--epochs", "-1"]))
    return bits.choice((["--dry-run"], ["--dry-run"], ["--steps", "2"], ["--steps", "3"], odd))


def _bounded(words: list[str]) -> list[str]:
    """No training without a bound, whatever the odd words made of the line."""
    if "train" in words and not {"--steps", "--dry-run"} & set(words):
        return [*words, "--dry-run"]
    return words


def _option(bits: random.Random, param: click.Option) -> list[str]:
    name = bits.choice(param.opts)
    return [name] if param.is_flag else [name, _value(bits, param)]


def _value(bits: random.Random, param: click.Parameter) -> str:
    if param.name in SEVERAL:
        return bits.choice(SEVERAL[param.name])
    if isinstance(param.type, click.Choice):
        return bits.choice((*param.type.choices, bits.choice(ODD)))
    for kind, known in NUMBERS.items():
        if param.type.name == {int: "integer", float: "float"}[kind]:
            return bits.choice(known)
    pool = POOLS.get(BELONGS.get(param.name, param.name), (*PLACES, *ODD))
    return bits.choice(pool)


# -- playing --------------------------------------------------------------------------------------


def _play(judged: Path, half: Path, words: list[str], std: tuple | None, folder: Path) -> Outcome:
    """In a folder with everything that the line may name, and with something beside it."""
    here = folder / "here"
    _furnish(here, judged, half)
    beside = outside.lay_out(folder)
    before = outside.state(beside) | {"..": tuple(sorted(os.listdir(folder)))}
    how = {} if std is None else {"real": True, "std": std}
    done, touched = outside.watched(here, *words, **how)
    touched = touched if _reads(words) else ""
    after = outside.state(beside) | {"..": tuple(sorted(os.listdir(folder)))}
    touched = outside.touched(before, after) or touched
    if std is not None and {None, "/dev/full", "/dev/null"} & set(std[1:]):
        return Outcome(done.fault or "survived", done.last)  # nowhere to say it
    return plainly(done, touched)


def _reads(words: list[str]) -> bool:
    """Whether this command may write nowhere but into what `--out` names."""
    return bool({"runs", "diagnose", "compare"} & set(words[:1]))


def _furnish(here: Path, judged: Path, half: Path) -> None:
    copied(judged, here)
    (here / "half").mkdir()
    copied(half, here / "half").rename(here / "half-run")
    (here / "half").rmdir()
    (here / "half-run").rename(here / "half")
    (here / "damaged").mkdir()
    (here / "damaged" / "config.yaml").write_text("plugin: [")
    for name in ("here", "photos", "outside"):
        (here / name).mkdir()
    os.mkfifo(here / "pipe")
    socket_at(here / "socket")
    (here / "link").symlink_to("run")
    (here / "loop").symlink_to("loop")
    (here / "dangling").symlink_to("nowhere")
    (here / "empty").write_bytes(b"")
    (here / "text.txt").write_text("no data")
    (here / BYTES).write_text("no data")
    (here / "plugin.py").write_text("print('imported')\n")
    (here / "settings.yaml").write_text("plugin: mlp_gan\ndata: ring\nfields: {steps: 2}\n")
    values = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
    np.save(here / "numbers.npy", values)
    np.savez(here / "numbers.npz", x=values)
