"""A disk that is full from one write on: a sentence, and a resume makes up for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from faults import kills, places, warm
from faults.ledger import Case, Outcome
from faults.made import GAMES, Made, copied

GAME = "mlp_gan"
OUT = {
    "sample": ("sample", "run", "--out"),
    "report": ("report", "run", "--out"),
    "animate": ("animate", "run", "--out"),
    "info": ("data", "info", "digits", "--picture"),
}
SAYS = ("runs .", "diagnose run", "compare run", "eval run --modes --samples 50", "list", "--help")


def cases(made: Made) -> Iterator[Case]:
    """Every write of a training, then /dev/full as what commands write into."""
    for number, what in enumerate(made.listed(GAME), 1):
        kind = what.split()[0]
        if kind in places.Full.ROOM:
            yield _write(made, number, what, half=False)
        if kind == "write":
            yield _write(made, number, what, half=True)
    for name, words in OUT.items():
        yield _device(made, f"{name} into /dev/full", (*words, "/dev/full"))
    for words in SAYS:
        yield _device(made, f"{words} > /dev/full", tuple(words.split()), std="/dev/full")
        yield _device(made, f"{words} >&-", tuple(words.split()), std=None)


def _write(made: Made, number: int, what: str, half: bool) -> Case:
    reference = made.straight(GAME)

    def play(folder: Path) -> Outcome:
        first = places.Full(folder / "run", number, half).begin
        done = warm.ganzoo(*GAMES[GAME].words("run"), folder=folder, first=first)
        if done.fault:
            return Outcome(done.fault, done.last)
        if done.code and "disk is full" not in done.err:
            return Outcome("other", f"does not say that the disk is full: {done.last}")
        return kills.completed(GAME, folder, reference)

    name = places.timeless(what)
    return Case(f"full {number:03}: {'behind half of ' if half else 'at '}{name}", play)


def _device(made: Made, name: str, words: tuple[str, ...], std: str | None = "") -> Case:
    """Really: what an interpreter says at its end counts."""
    judged = made.judged(GAME)

    def play(folder: Path) -> Outcome:
        copied(judged, folder)
        done = warm.ganzoo(*words, folder=folder, real=True, std=("/dev/null", std, ""))
        if done.fault or "Exception ignored" in done.err:
            return Outcome(done.fault or "traceback", done.last)
        if not Path("/dev/full").is_char_device():
            return Outcome("touched", "/dev/full is no device any more")
        if done.code == 0:
            return Outcome("survived" if std is None else "other", "all well, it says")
        return Outcome("refused" if done.err.strip() else "other", done.last)

    return Case(name, play, slow=True)
