"""Two processes at once on one run, for each pair of commands."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from faults import alike, warm
from faults.ledger import Case, Outcome
from faults.made import Made, copied

COMMANDS = {
    "resume": ("train", "--resume", "run", "--quiet"),
    "sample": ("sample", "run", "-n", "4", "--out", "{}.npz"),
    "eval": ("eval", "run", "--modes", "--samples", "50"),
    "runs": ("runs", "."),
    "diagnose": ("diagnose", "run"),
    "compare": ("compare", "run"),
    "report": ("report", "run"),
    "animate": ("animate", "run", "--seconds", "1"),
}
"""Report and animate write where they do by default: the same file."""
SECONDS = 3.0
"""A pair without a training is started again and again for so long."""


def cases(made: Made) -> Iterator[Case]:
    """Each pair, also of a command with itself."""
    half, straight = made.half("mlp_gan"), made.straight("mlp_gan")
    for one, other in itertools.combinations_with_replacement(COMMANDS, 2):
        play = partial(_play, half, straight, one, other)
        yield Case(f"{one} and {other}", play)


def _play(half: Path, straight: Path, one: str, other: str, folder: Path) -> Outcome:
    """The first is started when the second is; both anew until a training, or the time, is over."""
    run = copied(half, folder)
    _scores(folder)
    began, refused = time.monotonic(), 0
    while True:
        first, second = _start(one, folder, "a"), _start(other, folder, "b")
        while one == "resume" != other and not first.ended():
            done = second.wait()
            if done.fault or done.code:
                return Outcome(done.fault or "other", f"{other}: {done.last}")
            second = _start(other, folder, "b")
        ends = [first.wait(), second.wait()]
        for done, name in zip(ends, (one, other), strict=True):
            if done.fault or (done.code and not name == one == other == "resume"):
                return Outcome(done.fault or "other", f"{name}: exit {done.code}: {done.last}")
            refused += done.refused
        if one == "resume" or time.monotonic() - began > SECONDS:
            break
    if one == other == "resume" and refused != 1:
        return Outcome("other", f"{refused} of two trainings were refused")
    return _whole(run, straight, one)


def _start(name: str, folder: Path, place: str) -> warm.Started:
    return warm.start([word.format(f"made-{place}") for word in COMMANDS[name]], folder)


def _scores(folder: Path) -> None:
    """A first score, so that there is something to compare."""
    done = warm.ganzoo("eval", "run", "--modes", "--samples", "20", folder=folder)
    assert done.code == 0, done


def _whole(run: Path, straight: Path, one: str) -> Outcome:
    """Every file can be read, no half one is left, and a training's are the ones of another."""
    left = [str(path.relative_to(run)) for path in run.rglob(".*.tmp")]
    if left:
        return Outcome("other", f"left: {left}")
    for path in (run / "eval").glob("*.json"):
        json.loads(path.read_bytes())
    if one != "resume":
        return Outcome("survived")
    made_by_others = [
        str(path.relative_to(run))
        for path in [*run.glob("eval/*"), run / "report.html", run / "samples.gif"]
    ]
    found = alike.difference(straight, run, made_by_others)
    return Outcome("other" if found else "survived", str(found), found.rows, found.bits)
