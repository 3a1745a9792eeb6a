"""A run folder: every name and format inside it, and writes that are never half a file.

    config.yaml                  every resolved setting, and under `record` what the run met
    metrics.jsonl                one row of named scalars for each logging interval
    findings.jsonl               what the monitor found in them, one finding a line
    plugin.txt                   the text of a plugin that was in no file, to be read by people
    game.json                    who plays against whom, from which step on
    checkpoints/step-00000500.npz   all state; the last two and the best are kept
    sampler.pb, sampler.json     the exported generator: a graph, and what it takes and makes
    samples/step-00000500.png    grids from fixed inputs, beside samples/real.png
    fields/step-00000500.npz     of points: samples, and what every discriminator says of a grid
    tensorboard/                 the same scalars and pictures as events
    eval/*.json                  scores, each with its protocol
    report.html, samples.gif     what `ganzoo report` and `ganzoo animate` write by default

The folder is the only bridge between training and everything after it. Nothing here needs
TensorFlow, and nothing here is unpickled.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import time
import warnings
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ganzoo import plain_text, reading, sealing
from ganzoo.errors import GanzooError, UsageError
from ganzoo.files import write_error
from ganzoo.own_folder import LEFTOVER, OwnFolder

CHECKPOINT = re.compile(r"step-(\d{8,15})\.npz")
PICTURE = re.compile(r"step-(\d{8,15})\.png")
FOLDERS = ("checkpoints", "samples", "fields", "tensorboard", "eval")
KEEP_LAST = 2
STATES = ("running", "finished", "stopped", "failed")
MOST_STEPS = 10**15
STEP, PENDING = "step", "pending/"
"""In a checkpoint: its step; and of one that a stop made, the row that was begun."""

CONFIG_BYTES, RECORD_BYTES, JSON_BYTES = 2**20, 2**30, 2**22
GRAPH_BYTES, CHECKPOINT_BYTES = 2**28, 2**40
"""The most that is read of each kind of file: far more than any run of ours needs."""
NAMED = 3
"""Damaged lines of a record that are named one by one."""


class RunDir(OwnFolder):
    """The folder of one run. Creating the object touches nothing on the disk."""

    # -- life ---------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> RunDir:
        """Make a new, empty run folder; an existing folder that holds anything is refused."""
        run = cls(path)
        try:
            if run.path.is_dir() and any(not _is_scaffold(p) for p in run.path.iterdir()):
                what = "already holds a run" if run.exists else "exists and is not a run folder"
                todo = f"go on with --resume {run.path}, or choose" if run.exists else "choose"
                raise UsageError(f"{run.path} {what}: {todo} another --outdir.")
            if run.path.exists() and not run.path.is_dir():
                raise UsageError(f"{run.path} is a file: expected a folder that is new or empty.")
            run.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(run.path, error) from error
        return run

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> RunDir:
        """An existing run folder, or one sentence that says why it is none."""
        run = cls(path)
        if not run.path.is_dir():
            raise UsageError(
                f"no run at {run.path}: expected a folder that `ganzoo train` wrote "
                "(`ganzoo runs` lists them)."
            )
        if not run.exists:
            raise UsageError(f"{run.path} is not a run folder: it holds no config.yaml.")
        return run

    @property
    def exists(self) -> bool:
        """Whether the folder holds a run's configuration."""
        return self.has("config.yaml")

    def undo(self) -> None:
        """Remove what was written into a folder in which no step has been played."""
        for folder in map(self.path.joinpath, FOLDERS):
            if reading.real_folder(folder):
                self.remove(*folder.iterdir())
                folder.rmdir()
        self.remove(*(path for path in self.path.iterdir() if path.name != ".lock"))
        self.remove(self.path / ".lock")

    # -- configuration --------------------------------------------------------------------------

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write the resolved settings, and a digest of them under them."""
        text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
        try:
            self.write("config.yaml", content=sealing.sealed_text(text))
        except UnicodeEncodeError as error:
            raise UsageError(
                f"a setting is no UTF-8 text ({error.object[error.start - 20 : error.end]!r}): "
                "rename the file or the folder."
            ) from error

    def config(self) -> dict[str, Any]:
        """The resolved settings, and `record`: what the run met.

        `plugin` and `data` are texts, `fields` and `record` mappings, where they are there.
        """
        path = self.path / "config.yaml"
        content = self.read("config.yaml", limit=CONFIG_BYTES)
        if not sealing.is_as_sealed(content):
            raise GanzooError(
                f"{path} was damaged or edited: its lines do not fit the SHA-256 under them. If it "
                "was you who edited it, delete its last line."
            )
        try:
            found = plain_text.from_yaml(content.decode("utf-8"))
        except ValueError as error:
            raise GanzooError(f"{path} cannot be read: {error}.") from error
        wanted = {"plugin": str, "data": str, "fields": dict, "record": dict}
        if not isinstance(found, dict):
            raise GanzooError(f"{path} is not a run's configuration: it has no names and values.")
        for name, kind in wanted.items():
            if name in found and not isinstance(found[name], kind):
                raise GanzooError(
                    f"{path} is not a run's configuration: its {name!r} is "
                    f"{type(found[name]).__name__}, expected {kind.__name__}."
                )
        return found

    def write_plugin(self, text: str | None) -> None:
        """Keep the text of a plugin that is nowhere else, as far as it is known."""
        if text is not None:
            self.write("plugin.txt", content=text.encode(errors="backslashreplace"))

    # -- rows -----------------------------------------------------------------------------------

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        """Add one row of scalars; a crash can cost the row that was being written, no other."""
        self.append("metrics.jsonl", line=sealing.sealed_line(row))

    def metrics(self) -> list[dict[str, Any]]:
        """All whole rows, in order of step; a non-finite value is a float again.

        A row has its `step`, a whole number, and values that are numbers or lists of numbers. A
        damaged line is named in a warning and left out.
        """
        return self._rows("metrics.jsonl", _check_row)

    def _rows(
        self, name: str, check: Callable[[Mapping[str, Any]], None] | None = None
    ) -> list[dict[str, Any]]:
        if not self.has(name):
            return []
        rows, damaged = [], []
        lines = self.read_lines(name, RECORD_BYTES, plain_text.LINE)
        for number, found in plain_text.json_lines(lines):
            try:
                if isinstance(found, ValueError):
                    raise found
                row = {key: _number(value) for key, value in sealing.unsealed_line(found).items()}
                if check:
                    check(row)
                rows.append(row)
            except ValueError as error:
                damaged.append(f"line {number} ({error})")
        if damaged:
            more = f" and {len(damaged) - NAMED} more" if len(damaged) > NAMED else ""
            warnings.warn(
                f"{self.path / name} is damaged and read without {', '.join(damaged[:NAMED])}"
                f"{more}.",
                stacklevel=3,
            )
        return rows

    def scored(self) -> dict[int, float]:
        """Step -> score, of the looks at samples; the lowest is the best."""
        rows = [(row["step"], row.get("score")) for row in self.metrics()]
        return {step: score for step, score in rows if isinstance(score, (int, float))}

    def write_metrics(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write all rows anew: those that a resumed run has behind it."""
        self.write("metrics.jsonl", content=b"".join(map(sealing.sealed_line, rows)))

    # -- findings -------------------------------------------------------------------------------

    def append_finding(self, finding: Mapping[str, Any]) -> None:
        """Add one finding of the monitor's, as plain data."""
        self.append("findings.jsonl", line=sealing.sealed_line(finding))

    def findings(self) -> list[dict[str, Any]]:
        """What the monitor found, in order of step; a damaged line is named and left out."""
        return self._rows("findings.jsonl")

    def write_findings(self, findings: Sequence[Mapping[str, Any]]) -> None:
        """Write all findings anew: those that the rows so far give rise to."""
        self.write("findings.jsonl", content=b"".join(map(sealing.sealed_line, findings)))

    # -- checkpoints ----------------------------------------------------------------------------

    def checkpoint_path(self, step: int) -> Path:
        """Where the checkpoint of `step` is or would be."""
        return self.path / "checkpoints" / f"step-{step:08d}.npz"

    def checkpoints(self) -> list[int]:
        """The steps of which a checkpoint exists, oldest first."""
        return [step for step, _ in self._numbered("checkpoints", CHECKPOINT)]

    def _numbered(self, folder: str, pattern: re.Pattern[str]) -> list[tuple[int, Path]]:
        """(step, file) of what fits the pattern, in order of step."""
        found = [(pattern.fullmatch(p.name), p) for p in self.listing(folder, pattern)]
        return sorted((int(match[1]), path) for match, path in found if match)

    def save_checkpoint(self, step: int, arrays: Mapping[str, np.ndarray]) -> Path:
        """Write the state of `step`, with its step in it."""
        buffer = io.BytesIO()
        np.savez(buffer, **arrays, **{STEP: np.int64(step)})  # zip: a checksum for each array
        name = self.checkpoint_path(step).name
        return self.write("checkpoints", name, content=buffer.getbuffer())

    def prune_checkpoints(self, scores: Mapping[int, float]) -> None:
        """Drop all but the last two, the best, and where somebody stopped after these."""
        steps = self.checkpoints()
        regular = [step for step in steps if not self.is_stop(step)]
        kept = {max(steps, default=0), *regular[-KEEP_LAST:]}
        kept.add(min(regular, key=lambda step: scores.get(step, math.inf), default=0))
        self.drop_checkpoints(set(steps) - kept)

    def is_stop(self, step: int) -> bool:
        """Whether the checkpoint of `step` is where somebody stopped, between two that are due."""
        try:
            return bool(self.read_checkpoint(step, PENDING))
        except GanzooError:
            return False

    def drop_checkpoints(self, steps: Collection[int]) -> None:
        """Remove the checkpoints of these steps."""
        self.remove(*map(self.checkpoint_path, sorted(steps)))

    def read_checkpoint(self, step: int, prefix: str = "") -> dict[str, np.ndarray]:
        """The arrays whose name starts with `prefix`; damage is an error that names the file."""
        path = self.checkpoint_path(step)
        if not self.has("checkpoints", path.name):
            steps = ", ".join(map(str, self.checkpoints())) or "none"
            raise UsageError(f"{self.path} has no checkpoint of step {step}; it has {steps}.")
        self.at("checkpoints", path.name)
        try:
            with (
                reading.opened(path, CHECKPOINT_BYTES, follow=False) as file,
                np.load(file, allow_pickle=False) as archive,
            ):
                _check_archive(archive, os.fstat(file.fileno()).st_size)
                if STEP in archive.files and archive[STEP].tolist() != step:
                    raise ValueError(f"it holds step {archive[STEP]}: was it renamed?")
                names = [n for n in archive.files if n != STEP and n.startswith(prefix)]
                return {name: archive[name] for name in names}
        except Exception as error:  # zipfile, zlib, struct, NumPy: a flipped byte reaches any
            what = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise GanzooError(f"checkpoint {path} is damaged ({what}).") from error

    def latest(self, prefix: str = "") -> tuple[int, dict[str, np.ndarray]]:
        """The newest checkpoint that can be read, with a warning for each that cannot."""
        steps = self.checkpoints()
        for step in reversed(steps):
            try:
                return step, self.read_checkpoint(step, prefix)
            except GanzooError as error:
                warnings.warn(f"{error} Falling back to the one before it.", stacklevel=2)
        if steps:
            raise GanzooError(
                f"no checkpoint of {self.path} can be read: all {len(steps)} are damaged."
            )
        raise GanzooError(f"{self.path} has no checkpoint yet: nothing to sample or to resume.")

    # -- pictures, sampler, scores --------------------------------------------------------------

    def picture(self, name: str) -> Path:
        """Where the sample grid called `name` is."""
        return self.pictures / f"{name}.png"

    @property
    def pictures(self) -> Path:
        """The folder of the sample grids."""
        return self.path / "samples"

    def write_picture(self, name: str, png: bytes) -> Path:
        """Store a sample grid."""
        return self.write("samples", self.picture(name).name, content=png)

    def picture_of(self, step: int) -> Path:
        """Where the sample grid of `step` is or would be."""
        return self.picture(f"step-{step:08d}")

    def newest_picture(self) -> Path | None:
        """The newest sample grid, or None."""
        found = self._numbered("samples", PICTURE)
        return found[-1][1] if found else None

    def field_of(self, step: int) -> Path:
        """Where the samples and the discriminators' logits of `step` are, of a run on points."""
        return self.path / "fields" / f"step-{step:08d}.npz"

    def fields(self) -> list[tuple[int, Path]]:
        """(step, file) of all of these, in order of step."""
        return self._numbered("fields", CHECKPOINT)

    def forget_after(self, step: int) -> None:
        """Remove the pictures, fields and checkpoints of later steps, which will be made again."""
        for folder, pattern in (
            ("samples", PICTURE),
            ("fields", CHECKPOINT),
            ("checkpoints", CHECKPOINT),
        ):
            later = [path for number, path in self._numbered(folder, pattern) if number > step]
            self.remove(*later)

    @property
    def events(self) -> Path:
        """The folder of TensorBoard's events."""
        return self.path / "tensorboard"

    @property
    def scores(self) -> Path:
        """The folder of the scores, each a JSON file, with pictures beside them."""
        return self.path / "eval"

    @property
    def report(self) -> Path:
        """Where `ganzoo report` writes unless it is told otherwise."""
        return self.path / "report.html"

    @property
    def animation(self) -> Path:
        """Where `ganzoo animate` writes unless it is told otherwise."""
        return self.path / "samples.gif"

    # -- the game -------------------------------------------------------------------------------

    def write_game(self, game: Mapping[str, Any]) -> None:
        """Say who plays against whom, phase by phase, for a diagnosis without the plugin."""
        self._write_json("game.json", game)

    def game(self) -> dict[str, Any]:
        """`milestones` and `phases`; empty for a run that never said, or whose file is damaged,
        which a warning tells.
        """
        if not self.has("game.json"):
            return {}
        try:
            return self._read_json("game.json")
        except GanzooError as error:
            warnings.warn(f"{error} Its phases and pairs are not known.", stacklevel=2)
            return {}

    def write_sampler(self, graph: bytes, signature: Mapping[str, Any]) -> None:
        """Store the exported generator and what it takes and makes."""
        self.write("sampler.pb", content=graph)
        self.write("sampler.json", content=json.dumps(signature, indent=1).encode())

    def sampler(self) -> tuple[bytes, dict[str, Any]]:
        """The exported generator's graph and signature, as they stand there."""
        graph = self.read("sampler.pb", limit=GRAPH_BYTES)
        try:
            return graph, plain_text.json_object(self.read("sampler.json", limit=JSON_BYTES))
        except ValueError as error:
            raise GanzooError(f"{self.path / 'sampler.json'} is damaged ({error}).") from error

    def state(self) -> str:
        """One of STATES, or `interrupted` where a crash or damage left no word of it."""
        if not self.has("status.json"):
            return "interrupted"
        try:
            state = self._read_json("status.json").get("state")
        except GanzooError as error:
            warnings.warn(f"{error} How the run ended is not known.", stacklevel=2)
            return "interrupted"
        return state if state in STATES else "interrupted"

    def write_state(self, state: str, **details: Any) -> None:
        """Say how the run stands."""
        self._write_json("status.json", {"state": state, **details})

    def _write_json(self, name: str, values: Mapping[str, Any]) -> None:
        text = json.dumps(sealing.sealed(values), indent=1) + "\n"
        self.write(name, content=text.encode())

    def _read_json(self, name: str) -> dict[str, Any]:
        try:
            return sealing.unsealed(plain_text.json_object(self.read(name, limit=JSON_BYTES)))
        except ValueError as error:
            raise GanzooError(f"{self.path / name} is damaged ({error}).") from error


def new_path(plugin: str, data: str, root: str | os.PathLike[str] = "runs") -> Path:
    """ROOT/PLUGIN-DATA-TIME for a run that is about to start; a second one within the second gets
    a number.
    """
    names = (Path(name).stem.strip("<>") for name in (plugin.rpartition(":")[2], data))
    stem = "-".join([*names, time.strftime("%Y%m%d-%H%M%S")])
    path, number = Path(root) / stem, 2
    while path.exists():
        path, number = Path(root) / f"{stem}-{number}", number + 1
    return path


def find_runs(root: str | os.PathLike[str]) -> list[RunDir]:
    """The runs directly inside `root`, newest first."""
    folder = Path(root)
    try:
        runs = [RunDir(path) for path in folder.iterdir()] if folder.is_dir() else []
    except OSError as error:
        raise UsageError(f"{root} cannot be read: {error.strerror or error}.") from error
    return sorted((run for run in runs if run.exists), key=_written, reverse=True)


def _written(run: RunDir) -> float:
    try:
        return os.lstat(run.path / "config.yaml").st_mtime
    except OSError:  # deleted since, or not for us to see
        return 0.0


def newest(root: str | os.PathLike[str] = "runs") -> RunDir:
    """The newest run inside `root`; UsageError where there is none."""
    found = find_runs(root)
    if not found:
        raise UsageError(f"no run in {root}/: name one, or make one with `ganzoo train dcgan`.")
    return found[0]


def _is_scaffold(path: Path) -> bool:
    """What a process that was killed before its first word leaves behind."""
    return path.name == ".lock" or LEFTOVER.fullmatch(path.name) is not None


def _check_archive(archive: Any, size: int) -> None:
    """ValueError for an archive that NumPy's `savez` did not make: one that unpacks to more."""
    infos = archive.zip.infolist()
    reading.check_entries(archive.zip)
    whole = sum(info.file_size for info in infos)
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
        raise ValueError("its arrays are compressed")
    if len({info.filename for info in infos}) < len(infos):
        raise ValueError("it holds two arrays of one name")
    if whole > size:
        raise ValueError(f"it claims to hold {whole:,} bytes")


def _check_row(row: Mapping[str, Any]) -> None:
    step = row.get("step")
    whole = isinstance(step, int) and not isinstance(step, bool)
    if not whole or not 0 <= step < MOST_STEPS:
        raise ValueError(f"its step is {step!r:.40}")
    for name, value in row.items():
        numbers = value if isinstance(value, list) else [value]
        if not all(isinstance(one, (int, float, type(None))) for one in numbers):
            raise ValueError(f"the value of {name[:40]!r} is no number")


def _number(value: Any) -> Any:
    return float(value) if value in ("nan", "inf", "-inf") else value
