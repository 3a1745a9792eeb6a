"""The runs that the cases begin with, each made once: trained, killed half-way, judged."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faults import ROOT, places, warm

GAMES_FOLDER = ROOT / "tests" / "games"


@dataclass(frozen=True)
class Game:
    """A small training: its plugin, its data, its settings."""

    plugin: str
    data: str
    more: tuple[str, ...] = ()
    steps: int = 24

    def words(self, place: str) -> list[str]:
        """`ganzoo train` from step 0 into `place`: rows, pictures and checkpoints out of step."""
        cadence = "--log-every 4 --picture-every 6 --checkpoint-every 10 --batch-size 8"
        steps = ["--steps", str(self.steps)]
        data = ["--data", self.data, *self.more, *cadence.split(), *steps]
        return ["train", self.plugin, *data, "--outdir", place, "--quiet"]


GAMES = {
    "mlp_gan": Game("mlp_gan", "ring"),
    "dcgan": Game("dcgan", "digits"),
    "wgan": Game("wgan", "digits"),
    "sagan": Game("sagan", "digits"),
    "three_players": Game(str(GAMES_FOLDER / "three_players.py"), "ring"),
    "unrolled": Game("unrolled", "ring", ("--set", "hidden=32", "--set", "z_dim=16")),
    "progan": Game("progan", "digits", ("--set", "grow=[8, 16]", "--set", "width=4")),
}
"""progan has milestones; every row of a game on points brings a field beside its picture."""


def code() -> str:
    """A digest of the program that is tested: what is made by one is not another's."""
    found = hashlib.sha256()
    for folder in ("ganzoo", "eval", "plugins"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return found.hexdigest()[:10]


class Made:
    """The runs under one folder; what is asked for and missing is made."""

    def __init__(self, folder: Path):
        self.folder = folder

    def _once(self, name: str, make: Callable[[Path], None]) -> Path:
        place = self.folder / name
        if not place.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            begun = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=self.folder))
            make(begun)
            with contextlib.suppress(OSError):  # another suite was faster
                begun.rename(place)
        return place

    def straight(self, game: str) -> Path:
        """The folder of an uninterrupted training."""

        def make(place: Path) -> None:
            began = time.time()
            _run(place, *GAMES[game].words("run"))
            times = {"end": time.time() - began}
            first = {"config": "config.yaml", "picture": "samples/step-00000006.png"}
            for what, name in first.items():
                times[what] = (place / "run" / name).stat().st_mtime - began
            (place / "times.json").write_text(json.dumps(times))

        return self._once(f"straight-{game}", make) / "run"

    def times(self, game: str) -> dict[str, float]:
        """Seconds from its start to its configuration, its first picture and its end."""
        return json.loads((self.straight(game).parent / "times.json").read_bytes())

    def listed(self, game: str) -> list[str]:
        """Every operation on a file of an uninterrupted training, in order."""

        def make(place: Path) -> None:
            log = place / "places.txt"
            first = places.Counting(place / "run", log).begin
            _run(place, *GAMES[game].words("run"), first=first)

        return (self._once(f"places-{game}", make) / "places.txt").read_text().splitlines()

    def half(self, game: str) -> Path:
        """A training that was killed behind its second checkpoint, of step 20 of 24."""
        number = next(
            i for i, what in enumerate(self.listed(game)) if what.endswith("step-00000020.npz")
            and what.startswith("replace")
        )  # fmt: skip

        def make(place: Path) -> None:
            first = places.Killing(place / "run", number + 3).begin
            warm.ganzoo(*GAMES[game].words("run"), folder=place, first=first)
            assert (place / "run" / "checkpoints" / "step-00000020.npz").exists()

        return self._once(f"half-{game}", make) / "run"

    def judged(self, game: str) -> Path:
        """A finished run with scores, a report and an animation."""
        straight = self.straight(game)

        def make(place: Path) -> None:
            shutil.copytree(straight, place / "run")
            metric = "--modes" if GAMES[game].data == "ring" else "--swd"
            _run(place, "eval", "run", metric, "--samples", "100")
            _run(place, "report", "run", "--out", "run/report.html")
            _run(place, "animate", "run", "--out", "run/samples.gif", "--seconds", "1")

        return self._once(f"judged-{game}", make) / "run"


def copied(run: Path, folder: Path) -> Path:
    """A copy of a run as `folder/run`, with its times."""
    return Path(shutil.copytree(run, folder / "run", symlinks=True))


def socket_at(path: Path) -> None:
    """Leave a socket there, however long its path is."""
    here = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)


def _run(folder: Path, *words: str, **how: object) -> warm.Done:
    done = warm.ganzoo(*words, folder=folder, limit=240.0, **how)
    if done.code:
        raise RuntimeError(f"ganzoo {' '.join(words)}: {done.last}")
    return done
