"""One byte of a run is another one: a command refuses it, tells it, or is not moved by it."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from faults import alike, outside, warm
from faults.ledger import Case, Outcome, plainly
from faults.made import GAMES, Made, copied

COUNT, RESUMED, REAL = 10_000, 200, 50
"""All flips, those before a resume, and one in so many is followed by a real command."""
COMMANDS = {
    "runs": ("runs", "."),
    "sample": ("sample", "run", "-n", "16", "--out", "made.npz"),
    "best": ("sample", "run", "-n", "4", "--checkpoint", "best", "--out", "made.npz"),
    "eval": ("eval", "run", "METRIC", "--samples", "50", "--checkpoint", "last", "--json"),
    "diagnose": ("diagnose", "run", "--json"),
    "compare": ("compare", "run", "--json"),
    "report": ("report", "run", "--out", "made.html"),
    "animate": ("animate", "run", "--out", "made.gif", "--seconds", "1"),
}
READERS = {
    "config.yaml": "runs sample eval diagnose compare report",
    "metrics.jsonl": "runs best diagnose compare report",
    "findings.jsonl": "runs report diagnose",
    "game.json": "diagnose compare report",
    "status.json": "runs report",
    "checkpoints/*": "runs sample best eval",
    "sampler.*": "sample eval",
    "samples/*": "report report animate",
    "fields/*": "report report report animate",
    "eval/*": "compare report",
    "*": "runs report",
}
"""Who reads a file; the first pattern that fits."""
TELLS = re.compile(r"damaged|unreadable|cannot be read|warning:|left out|note:", re.I)


def cases(made: Made) -> Iterator[Case]:
    """Flips in finished runs and in one that was killed half-way, in a fixed order."""
    bits = random.Random("flips")
    finished = [("mlp_gan", made.judged("mlp_gan")), ("dcgan", made.judged("dcgan"))]
    half, straight = made.half("mlp_gan"), made.straight("mlp_gan")
    references = {game: _references(made, game, run) for game, run in finished}
    for number in range(COUNT):
        real = number % REAL == REAL - 1
        if number % (COUNT // RESUMED) == 0:
            flip = _flip(bits, half)
            play = partial(_resumed, half, straight, flip, real)
            yield Case(
                f"{number:05} mlp_gan {flip}: resume{', really' if real else ''}", play, real
            )
            continue
        game, run = bits.choice(finished)
        flip = _flip(bits, run)
        command = bits.choice(_readers(flip.file))
        play = partial(_read, run, flip, command, references[game][command], game, real)
        yield Case(f"{number:05} {game} {flip}: {command}{', really' if real else ''}", play, real)


def _readers(file: str) -> list[str]:
    return next(who for what, who in READERS.items() if fnmatch.fnmatch(file, what)).split()


@dataclass(frozen=True)
class Flip:
    """One byte of a file turned by XOR; of an empty file, one byte written."""

    file: str
    place: int
    by: int

    def __str__(self) -> str:
        name = re.sub(r"tfevents\.\S+", "tfevents", self.file)
        return f"{name}[{self.place}] ^ {self.by:#04x}"

    def done_to(self, run: Path) -> bytes:
        """Flip it, and leave the file's times as they are; its new content."""
        path = run / self.file
        found, content = path.stat(), bytearray(path.read_bytes() or b"\0")
        content[self.place] ^= self.by
        path.write_bytes(content)
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
        return bytes(content)


def _flip(bits: random.Random, run: Path) -> Flip:
    """Any file, as often a small one as a large; often its head or its end, which rule the rest."""
    files = sorted(str(path.relative_to(run)) for path in run.rglob("*") if path.is_file())
    file = bits.choice(files)
    size = max(1, (run / file).stat().st_size)
    edge = bits.choice((size, size, size, 128, 128))
    place = bits.randrange(min(edge, size))
    by = 1 << bits.randrange(8) if bits.random() < 0.5 else bits.randrange(1, 256)
    return Flip(file, place if bits.random() < 0.7 else size - 1 - place, by)


# -- reading --------------------------------------------------------------------------------------


def _words(command: str, game: str) -> list[str]:
    metric = "--modes" if GAMES[game].data == "ring" else "--swd"
    return [metric if word == "METRIC" else word for word in COMMANDS[command]]


def _references(made: Made, game: str, run: Path) -> dict[str, dict[str, str]]:
    """What each command says of the run as it is, and a digest of what it makes."""

    def make(place: Path) -> None:
        found = {}
        for command in COMMANDS:
            folder = place / command
            folder.mkdir()
            copied(run, folder)
            done = warm.ganzoo(*_words(command, game), folder=folder)
            assert done.code == 0, done
            found[command] = {"said": done.out, "told": done.err, **_made(folder)}
        (place / "references.json").write_text(json.dumps(found))

    place = made._once(f"references-{game}", make)
    return json.loads((place / "references.json").read_text())


def _made(folder: Path) -> dict[str, str]:
    """A digest of the file that a command made, and what it tells of damage."""
    for path in folder.glob("made.*"):
        content = path.read_bytes()
        notes = " ".join(TELLS.findall(content.decode("latin-1"))) if path.suffix == ".html" else ""
        if path.suffix == ".npz":
            with np.load(path) as arrays:
                content = b"".join(arrays[name].tobytes() for name in sorted(arrays.files))
        return {"made": hashlib.sha256(content).hexdigest(), "notes": notes}
    return {"made": "", "notes": ""}


def _read(
    run: Path, flip: Flip, command: str, reference: dict, game: str, real: bool, folder: Path
) -> Outcome:
    flip.done_to(copied(run, folder))
    done, touched = _watched(folder, _words(command, game), real)
    if touched or done.fault or done.refused:
        return plainly(done, touched)
    made = _made(folder)
    if done.code == 0 and done.out == reference["said"] and made["made"] == reference["made"]:
        return Outcome("survived")
    told = set((done.err + done.out).splitlines()) - set(reference["said"].splitlines())
    name = Path(flip.file).name
    if any(TELLS.search(line) or name in line for line in told):
        return Outcome("told", done.last)
    if made["notes"] != reference["notes"]:
        return Outcome("told", made["notes"])
    return Outcome("other", f"exit {done.code}: {sorted(told)[:3] or 'another file'}")


def _watched(folder: Path, words: list[str], real: bool) -> tuple[warm.Done, str]:
    outside.lay_out(folder)
    return outside.watched(folder, *words, real=real)


# -- resuming -------------------------------------------------------------------------------------


def _resumed(half: Path, straight: Path, flip: Flip, real: bool, folder: Path) -> Outcome:
    """A picture or an old checkpoint that a resume neither reads nor writes stays as it was."""
    run = copied(half, folder)
    content = flip.done_to(run)
    done, touched = _watched(folder, ["train", "--resume", "run", "--quiet"], real)
    if touched or done.fault or done.refused:
        return plainly(done, touched)
    path = run / flip.file
    kept = path.exists() and path.read_bytes() == content and flip.file not in DECIDING
    found = alike.difference(straight, run, [flip.file] if kept else [])
    if not found:
        return Outcome("survived")
    if TELLS.search(done.err + done.out) or Path(flip.file).name in done.err + done.out:
        return Outcome("told", f"{done.err.strip()[-300:]}; {found}")
    return Outcome("other", str(found), found.rows, found.bits)


DECIDING = ("config.yaml", "metrics.jsonl", "findings.jsonl", "sampler.pb", "sampler.json")
