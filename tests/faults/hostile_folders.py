"""Run folders by strangers: links, pipes, devices and worse in the place of a run's files."""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from faults import flips, outside, warm
from faults.ledger import Case, Outcome, plainly
from faults.made import GAMES, Made, copied, socket_at

ENTRIES = (
    "config.yaml", "metrics.jsonl", "findings.jsonl", "game.json", "status.json", "sampler.pb",
    "sampler.json", "plugin.txt", ".lock", "checkpoints", "checkpoints/*24.npz", "samples",
    "samples/*24.png", "samples/real.png", "fields", "fields/*24.npz", "tensorboard",
    "tensorboard/*", "eval", "eval/*.json", "report.html", "samples.gif",
)  # fmt: skip
"""What stands in a run, by patterns."""
READING = (
    ("runs", "."),
    ("sample", "run", "-n", "4", "--out", "made.npz"),
    ("diagnose", "run"),
    ("compare", "run"),
    ("report", "run", "--out", "made.html"),
    ("animate", "run", "--out", "made.gif", "--seconds", "1"),
    ("eval", "run", "--modes", "--samples", "20"),
)
RESUME = ("train", "--resume", "run", "--quiet")


def cases(made: Made) -> Iterator[Case]:
    """Every entry as every kind of thing; then what happens to a folder while it is trained in."""
    judged, half = made.judged("mlp_gan"), made.half("mlp_gan")
    for entry in ENTRIES:
        for kind, make in KINDS.items():
            yield Case(f"{entry} is {kind}: read", partial(_read, judged, entry, make))
            yield Case(f"{entry} is {kind}: resume", partial(_resume, half, entry, make), True)
        yield Case(f"{entry} is a link: not followed", partial(_followed, judged, entry), True)
        for mode in (0, 0o222):
            play = partial(_locked, judged, entry, mode)
            yield Case(f"{entry} has mode {mode:o} and another reads", play)
    for name in LEFT:
        yield Case(f"{name} is left by a kill as a link: resume", partial(_left, half, name))
    yield Case("a run that is read-only: read", partial(_locked, judged, ".", 0o555))
    yield Case("a run that is read-only: resume", partial(_locked_resume, half))
    yield Case("a run whose folder is closed", partial(_locked, judged, ".", 0))
    for name, change in MEANWHILE.items():
        yield Case(
            f"a run that is {name} while it is trained in", partial(_meanwhile, change), True
        )
    for name, make in LISTS.items():
        yield Case(f"a list of runs with {name}", partial(_listed, judged, make))


def stand(folder: Path, commands: Sequence[Sequence[str]], **how: object) -> Outcome:
    """Run the commands: each ends with a sentence or well; the first that does not counts."""
    kinds = []
    for words in commands:
        done, touched = outside.watched(folder, *words, **how)
        outcome = plainly(done, touched)
        if outcome.kind not in ("refused", "survived"):
            return Outcome(outcome.kind, f"{' '.join(words)}: {outcome.detail}")
        kinds.append(outcome.kind)
    return Outcome("refused" if "refused" in kinds else "survived")


# -- kinds of things ------------------------------------------------------------------------------


def _gone(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _moved_out(path: Path) -> None:
    """A link to the same thing outside: as if nothing were."""
    target = (
        path.parents[len(path.parts) - path.parts.index("run") - 1]
        / "outside"
        / f"moved-{path.name}"
    )
    if path.exists():
        path.rename(target)
    else:
        target.write_text("")
    path.symlink_to(target)


def _beside(path: Path, name: str) -> str:
    """`outside/name` as seen from where `path` is."""
    depth = len(path.parts) - path.parts.index("run") - 1
    return "/".join([".."] * depth + ["outside", name])


def _to_file(path: Path) -> None:
    _gone(path)
    path.symlink_to(_beside(path, "precious.txt"))


def _to_folder(path: Path) -> None:
    _gone(path)
    path.symlink_to(_beside(path, "photos"))


def _to_nothing(path: Path) -> None:
    _gone(path)
    path.symlink_to(_beside(path, "not-there-yet"))


def _to_itself(path: Path) -> None:
    _gone(path)
    path.symlink_to(path.name)


def _pipe(path: Path) -> None:
    _gone(path)
    os.mkfifo(path)


def _socket(path: Path) -> None:
    _gone(path)
    socket_at(path)


def _device(path: Path) -> None:
    """/dev/zero: a node where that is allowed, else a link to it."""
    _gone(path)
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        path.symlink_to("/dev/zero")


def _folder(path: Path) -> None:
    """A folder that holds something, or a file where a folder was."""
    was_folder = path.is_dir()
    _gone(path)
    if was_folder:
        path.write_text("a file\n")
    else:
        path.mkdir()
        (path / "inside").write_text("x")


def _sparse(path: Path) -> None:
    """A file of a terabyte, of which nothing is on the disk."""
    _gone(path)
    with path.open("wb") as file:
        file.truncate(1 << 40)


def _empty(path: Path) -> None:
    _gone(path)
    path.write_bytes(b"")


KINDS: dict[str, Callable[[Path], None]] = {
    "missing": _gone,
    "a link to the same outside": _moved_out,
    "a link to a file": _to_file,
    "a link to a folder": _to_folder,
    "a link to nothing": _to_nothing,
    "a link to itself": _to_itself,
    "a pipe": _pipe,
    "a socket": _socket,
    "a device": _device,
    "the other kind": _folder,
    "a terabyte": _sparse,
    "empty": _empty,
}


def _at(run: Path, entry: str) -> Path:
    """Where the entry is, or would be."""
    if entry == ".":
        return run
    return next(iter(sorted(run.glob(entry))), run / entry.replace("*", "x"))


def _read(judged: Path, entry: str, make: Callable[[Path], None], folder: Path) -> Outcome:
    outside.lay_out(folder)
    make(_at(copied(judged, folder), entry))
    return stand(folder, READING)


def _resume(half: Path, entry: str, make: Callable[[Path], None], folder: Path) -> Outcome:
    """A training that writes into the folder; nothing outside of it may change."""
    beside = outside.lay_out(folder)
    path = _at(copied(half, folder), entry)
    path.parent.mkdir(exist_ok=True)
    make(path)
    before = outside.state(beside)
    done = warm.ganzoo(*RESUME, folder=folder)
    return plainly(done, outside.touched(before, outside.state(beside)))


def _followed(judged: Path, entry: str, folder: Path) -> Outcome:
    """A command that says the same through a link, and another thing when what the link leads to
    is another, followed."""
    run, command = copied(judged, folder), None
    outside.lay_out(folder)
    path = _at(run, entry)
    name = str(path.relative_to(run))
    commands = [flips.COMMANDS[one] for one in flips._readers(name)]
    commands = [["--modes" if word == "METRIC" else word for word in one] for one in commands]
    whole = [_result(folder, words) for words in commands]
    _moved_out(path)
    linked = [_result(folder, words) for words in commands]
    target = path.resolve()
    if target.is_dir():
        target.rename(target.with_name("another"))
    else:
        target.write_bytes(b"another")
    other = [_result(folder, words) for words in commands]
    for command, one, two, three in zip(commands, whole, linked, other, strict=True):
        if one == two != three:
            return Outcome("touched", f"{' '.join(command)} follows the link")
    return Outcome("survived")


def _result(folder: Path, words: Sequence[str]) -> tuple:
    for old in folder.glob("made.*"):
        old.unlink()
    done = warm.ganzoo(*words, folder=folder)
    return done.code, done.out, done.err, flips._made(folder)["made"]


# -- permissions ----------------------------------------------------------------------------------


def _heed_modes() -> None:
    """Let the modes of files count for root too: drop the two capabilities that pass over them."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; low, then high
    if libc.capget(header, sets) == 0:
        for place in range(3):
            sets[place] &= ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.capset(header, sets)


def _locked(judged: Path, entry: str, mode: int, folder: Path) -> Outcome:
    run = copied(judged, folder)
    outside.lay_out(folder)
    path = _at(run, entry)
    if path.exists():
        path.chmod(mode)
    try:
        return stand(folder, READING, first=_heed_modes)
    finally:
        path.chmod(0o700) if path.exists() else None


def _locked_resume(half: Path, folder: Path) -> Outcome:
    run = copied(half, folder)
    for path in [run, *run.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = outside.state(run)
    done = warm.ganzoo(*RESUME, folder=folder, first=_heed_modes)
    return plainly(done, outside.touched(before, outside.state(run)))


# -- a kill's leftovers, and changes while a run is trained in ------------------------------------

LEFT = (".config.yaml.0123abcd.tmp", "checkpoints/.x.tmp", "samples/.x.tmp", "eval/.x.tmp")


def _left(half: Path, name: str, folder: Path) -> Outcome:
    run = copied(half, folder)
    (run / "eval").mkdir(exist_ok=True)
    return _resume_linked(run, run / name, folder)


def _resume_linked(run: Path, path: Path, folder: Path) -> Outcome:
    beside = outside.lay_out(folder)
    _to_file(path)
    (run / "linked").symlink_to("../outside/photos")  # a folder with a .one.tmp of its own
    before = outside.state(beside)
    done = warm.ganzoo(*RESUME, folder=folder)
    return plainly(done, outside.touched(before, outside.state(beside)))


def _replaced(run: Path) -> None:
    run.rename(run.with_name("elsewhere"))
    run.mkdir()
    (run / "mine.txt").write_text("mine")


def _linked(run: Path) -> None:
    run.rename(run.with_name("elsewhere"))
    run.symlink_to("outside")


def _renamed(run: Path) -> None:
    run.rename(run.with_name("elsewhere"))


def _emptied(run: Path) -> None:
    for path in list(run.iterdir()):
        _gone(path)


def _broken(name: str, make: Callable[[Path], None], run: Path) -> None:
    make(run / name)


MEANWHILE: dict[str, Callable[[Path], None]] = {
    "deleted": _gone,
    "replaced": _replaced,
    "replaced by a link": _linked,
    "renamed": _renamed,
    "emptied": _emptied,
    "without checkpoints": functools.partial(_broken, "checkpoints", _gone),
    "with a file for checkpoints": functools.partial(_broken, "checkpoints", _folder),
    "with a link for checkpoints": functools.partial(_broken, "checkpoints", _to_folder),
    "with a link for samples": functools.partial(_broken, "samples", _to_folder),
    "with a link for metrics.jsonl": functools.partial(_broken, "metrics.jsonl", _to_file),
    "with a pipe for metrics.jsonl": functools.partial(_broken, "metrics.jsonl", _pipe),
    "with a link for tensorboard": functools.partial(_broken, "tensorboard", _to_folder),
}


def _meanwhile(change: Callable[[Path], None], folder: Path) -> Outcome:
    """A training of a million steps: it ends by itself, soon, where its folder is gone."""
    beside, run = outside.lay_out(folder), folder / "run"
    words = GAMES["mlp_gan"].words("run")
    words[words.index("--steps") + 1] = "1000000"
    started = warm.start(words, folder)
    while not (run / "metrics.jsonl").exists() and not started.ended(0.01):
        pass
    before = outside.state(beside)
    change(run)
    held = outside.state(run) if (run / "mine.txt").exists() else {}
    if not started.ended(30.0) and (run / "config.yaml").exists():
        started.send(15)  # it may go on where it still has its folder
    done = started.wait(60.0)
    touched = outside.touched(before, outside.state(beside))
    if held and not touched:
        touched = outside.touched(held, outside.state(run))
    return plainly(done, touched)


# -- lists ----------------------------------------------------------------------------------------


def _many(folder: Path) -> None:
    for number in range(300):
        (folder / f"r{number}").mkdir()
        (folder / f"r{number}" / "config.yaml").write_text("plugin: [")


def _odd_name(folder: Path) -> None:
    shutil.copytree(folder / "run", folder / os.fsdecode(b"caf\xe9\x1b[31m\n"))


def _itself(folder: Path) -> None:
    (folder / "again").symlink_to(".")


def _closed(folder: Path) -> None:
    shutil.copytree(folder / "run", folder / "closed")
    (folder / "closed").chmod(0)


def _metrics_alone(folder: Path) -> None:
    shutil.copytree(folder / "run", folder / "other")
    (folder / "other" / "metrics.jsonl").write_bytes(b'{"step": "x"}\n{}\n\xff\n[1]\n7\n')


LISTS = {
    "300 broken ones": _many,
    "a name that is no UTF-8": _odd_name,
    "a link to itself": _itself,
    "one that is closed": _closed,
    "odd rows": _metrics_alone,
}


def _listed(judged: Path, make: Callable[[Path], None], folder: Path) -> Outcome:
    """The list is whole: it names the good run, whatever lies beside it."""
    copied(judged, folder)
    make(folder)
    began = time.monotonic()
    done = warm.ganzoo("runs", ".", folder=folder, first=_heed_modes)
    if (folder / "closed").exists():
        (folder / "closed").chmod(0o700)
    if done.code == 0 and "finished" not in done.out:
        return Outcome("other", f"the good run is not in the list: {done.last}")
    if time.monotonic() - began > 20:
        return Outcome("hang", "a list took more than 20 seconds")
    return plainly(done)
