"""Kills and stops at random moments and at every place between two writes, then a resume.

The folder must be what an uninterrupted training's is.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from faults import alike, places, warm
from faults.ledger import Case, Outcome
from faults.made import GAMES, Made

SHARES = {
    "mlp_gan": 30, "dcgan": 20, "wgan": 18, "three_players": 12, "unrolled": 8, "sagan": 6,
    "progan": 6,
}  # fmt: skip
"""How many of the 100 kills go to whom: the more, the cheaper it is."""
STOPS = 30
STOPPED = ("SIGTERM", "SIGINT", "SIGHUP")
REAL = 10
"""One in so many is a real command."""


def cases(made: Made) -> Iterator[Case]:
    """Random kills, random stops, and a kill at every place of one game's training."""
    yield from _random(made)
    yield from _stops(made)
    yield from _places(made)


@dataclass(frozen=True)
class Moment:
    """When a training is interrupted: at a share of the time before its first rows, or behind."""

    signal: str
    early: bool
    share: float

    def __str__(self) -> str:
        return f"{self.signal} at {self.share:.3f} {'before' if self.early else 'behind'} its rows"


def _moment(bits: random.Random, signals: tuple[str, ...]) -> Moment:
    return Moment(bits.choice(signals), bits.random() < 0.3, round(bits.random(), 3))


def _random(made: Made) -> Iterator[Case]:
    """100 kills; every fifth training is killed again, while it is resumed."""
    kills = [game for game, count in SHARES.items() for _ in range(count)]
    bits, number = random.Random("kills"), 0
    bits.shuffle(kills)
    while kills:
        game = kills.pop()
        again = 2 if number % 5 == 4 and game in kills else 1
        if again == 2:
            kills.remove(game)
        moments = [_moment(bits, ("SIGKILL",)) for _ in range(again)]
        yield _case(made, f"random {number:03}", game, moments, number % REAL == 0)
        number += 1


def _stops(made: Made) -> Iterator[Case]:
    """Signals that a training heeds; every third one is followed by another, or by a kill."""
    bits = random.Random("stops")
    for number in range(STOPS):
        game = ("mlp_gan", "dcgan", "three_players", "progan")[(number % 10) // 3]
        moments = [_moment(bits, STOPPED)]
        if number % 3 == 2:
            moments.append(_moment(bits, (*STOPPED, "SIGKILL")))
        yield _case(made, f"stop {number:03}", game, moments, number % REAL == 9)


def _case(made: Made, what: str, game: str, moments: list[Moment], real: bool) -> Case:
    name = f"{what} {game}: {', then '.join(map(str, moments))}{', really' if real else ''}"

    def play(folder: Path) -> Outcome:
        for moment in moments:
            done = _interrupted(game, folder, moment, made.times(game), real)
            if done.fault:
                return Outcome(done.fault, done.last)
        return completed(game, folder, made.straight(game), real)

    return Case(name, play, real or game != "mlp_gan")


def _interrupted(
    game: str, folder: Path, moment: Moment, times: dict[str, float], real: bool
) -> warm.Done:
    rows = folder / "run" / "metrics.jsonl"
    before = rows.stat().st_mtime_ns if rows.exists() else 0
    began, late = time.monotonic(), 4.0 if real else 0.0  # a real one imports TensorFlow first
    started = warm.start(_words(game, folder), folder, real=real)
    if moment.early:
        started.ended((times["picture"] + late) * moment.share)
    else:
        while not (rows.exists() and rows.stat().st_mtime_ns != before):
            if started.ended(0.005) or time.monotonic() - began > 600:
                break
        started.ended((times["end"] - times["picture"]) * moment.share)
    started.send(getattr(signal, moment.signal))
    return started.wait()


def _words(game: str, folder: Path) -> list[str]:
    """To go on with a run, or to start it where no kill has left one."""
    if (folder / "run" / "config.yaml").exists():
        return ["train", "--resume", "run", "--quiet"]
    return GAMES[game].words("run")


def completed(game: str, folder: Path, reference: Path, real: bool = False) -> Outcome:
    """Resume to the end, and compare."""
    done = warm.ganzoo(*_words(game, folder), folder=folder, real=real)
    if done.fault:
        return Outcome(done.fault, done.last)
    if done.code:
        return Outcome("other", f"no way on: {done.last}")
    found = alike.difference(reference, folder / "run")
    return Outcome("other" if found else "survived", str(found), found.rows, found.bits)


# -- every place ----------------------------------------------------------------------------------


def _places(made: Made, game: str = "mlp_gan") -> Iterator[Case]:
    """A kill before every operation on a file, behind a half of every write, and behind the last.

    Before an fsync the folder is as it is behind it, for all but the electricity.
    """
    listed = made.listed(game)
    for number, what in enumerate([*listed, "the end"], 1):
        kind = what.split()[0]
        if kind == "fsync":
            continue
        yield _place(made, game, number, what, half=False)
        if kind == "write":
            yield _place(made, game, number, what, half=True)


def _place(made: Made, game: str, number: int, what: str, half: bool) -> Case:
    def play(folder: Path) -> Outcome:
        first = places.Killing(folder / "run", number, half).begin
        done = warm.ganzoo(*_words(game, folder), folder=folder, first=first)
        if done.fault:
            return Outcome(done.fault, done.last)
        return completed(game, folder, made.straight(game))

    name = places.timeless(what)
    return Case(f"place {number:03} {game}: {'half of ' if half else 'before '}{name}", play)
