"""Values that no program of ours would write, under digests that fit: a stranger can seal too."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from faults import outside
from faults.ledger import Case, Outcome, plainly
from faults.made import Made, copied

COUNT = 400
SCRIPT = "<script>alert(1)</script>"
VALUES: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 3, 0.5, -0.0, 1e308, 1e-320, 2**31, 2**63, 2**70, 10**400,
    math.nan, math.inf, "nan", "-inf", "", "x", " ", "1", "x" * 10_000, SCRIPT, "\0", "\ud800",
    "\u202e", "../../outside/precious.txt", "/dev/zero", "{{7*7}}", "%s", [], [[]], [None],
    [1] * 1000, [1, "a"], {}, {"a": 1}, {"": None}, [-1], [0, 0], [1 << 40, 1 << 40],
    "float64", "string", "resource",
)  # fmt: skip
READERS = {
    "sampler.json": ("sample", "eval"),
    "game.json": ("diagnose", "report", "compare", "resume"),
    "status.json": ("runs", "report", "resume"),
    "eval/*.json": ("compare", "report"),
    "metrics.jsonl": ("runs", "diagnose", "compare", "report", "best", "resume"),
    "findings.jsonl": ("report", "diagnose", "resume"),
    "checkpoints/*24.npz": ("sample", "best", "eval", "runs", "resume"),
    "fields/*24.npz": ("report", "animate"),
}
WORDS = {
    "runs": ("runs", "."),
    "sample": ("sample", "run", "-n", "4", "--out", "made.npz"),
    "best": ("sample", "run", "-n", "4", "--checkpoint", "best", "--out", "made.npz"),
    "eval": ("eval", "run", "--swd", "--samples", "20"),
    "diagnose": ("diagnose", "run"),
    "compare": ("compare", "run"),
    "report": ("report", "run", "--out", "made.html"),
    "animate": ("animate", "run", "--out", "made.gif", "--seconds", "1"),
    "resume": ("train", "--resume", "run", "--steps", "24", "--quiet"),
}


def cases(made: Made) -> Iterator[Case]:
    """One or two odd places in one file, then a command that reads it."""
    bits = random.Random("values")
    runs = {game: made.judged(game) for game in ("mlp_gan", "dcgan")}
    for number in range(COUNT):
        game, pattern = bits.choice(list(runs)), bits.choice(list(READERS))
        if not list(runs[game].glob(pattern)):
            pattern = "sampler.json"
        command, seed = bits.choice(READERS[pattern]), f"value {number}"
        play = partial(_play, runs[game], pattern, command, seed)
        yield Case(f"{number:03} {game} {pattern}: {command}", play)


def _play(run: Path, pattern: str, command: str, seed: str, folder: Path) -> Outcome:
    outside.lay_out(folder)
    place, bits = copied(run, folder), random.Random(seed)
    path = bits.choice(sorted(place.glob(pattern)))
    change: Callable[[random.Random, Path], str]
    change = {".npz": _arrays, ".jsonl": _line, ".json": _object}[path.suffix]
    told = change(bits, path)
    outcome = plainly(*outside.watched(folder, *WORDS[command]))
    html = folder / "made.html"
    if html.exists() and SCRIPT in html.read_text(errors="replace"):
        return Outcome("touched", f"{told}: the report runs a script")
    return Outcome(outcome.kind, f"{told}: {outcome.detail}")


def _object(bits: random.Random, path: Path) -> str:
    from ganzoo import sealing

    content = json.loads(path.read_bytes())
    told = " and ".join(_odd(bits, content) for _ in range(bits.choice((1, 1, 2))))
    path.write_text(json.dumps(sealing.sealed(_unsealed(content)), indent=1) + "\n")
    return told


def _line(bits: random.Random, path: Path) -> str:
    from ganzoo import sealing

    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    place = bits.randrange(len(rows))
    told = _odd(bits, rows[place])
    lines = [sealing.sealed_line(_unsealed(row)) for row in rows]
    if bits.random() < 0.2:
        bits.shuffle(lines)
        told += ", in another order"
    path.write_bytes(b"".join(lines))
    return f"line {place + 1}, {told}"


def _unsealed(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in ("sha256", "crc32")}


def _odd(bits: random.Random, content: dict[str, Any]) -> str:
    """Another value, a missing one, or one more, somewhere in the tree; in words."""
    inner, way = content, []
    while True:
        if not inner:
            return "nothing"
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        key = bits.choice(keys)
        way.append(key)
        deeper = isinstance(inner[key], (dict, list)) and inner[key] and bits.random() < 0.8
        if not deeper:
            break
        inner = inner[key]
    what = bits.random()
    if what < 0.75:
        inner[key] = bits.choice(VALUES)
    elif what < 0.9:
        del inner[key]
    elif isinstance(inner, dict):
        inner[bits.choice(("", "x", "step", SCRIPT))] = bits.choice(VALUES)
    else:
        inner.append(bits.choice(VALUES))
    now = inner.get(key, "gone") if isinstance(inner, dict) else inner
    return f"{way} is {ascii(now)[:80]}"


# -- arrays ---------------------------------------------------------------------------------------


def _arrays(bits: random.Random, path: Path) -> str:
    """One array of another shape, type or content, a missing one, or one more."""
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    name = bits.choice(sorted(arrays))
    what = bits.choice(sorted(CHANGES))
    changed = CHANGES[what](arrays[name])
    if changed is None:
        del arrays[name]
    else:
        arrays[name] = changed
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return f"{name} {what}"


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray | None]] = {
    "is gone": lambda _: None,
    "is larger": lambda a: np.zeros((*a.shape, 3), a.dtype),
    "is empty": lambda a: np.zeros((0, *a.shape), a.dtype),
    "is a number": lambda _: np.float32(1.0),
    "is text": lambda _: np.array(["a", "b"]),
    "is bytes": lambda _: np.array([b"a"]),
    "is an object": lambda _: np.array([{}], object),
    "is complex": lambda a: a.astype(complex),
    "is another float": lambda a: a.astype(np.float64),
    "is NaN": lambda a: np.full(a.shape, np.nan, np.float32),
    "is a date": lambda a: np.zeros(a.shape, "datetime64[s]"),
    "is a record": lambda a: np.zeros(a.shape, [("a", "f4"), ("b", "i4")]),
    "is backwards": lambda a: np.flip(a).copy(),
    "is big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
}
