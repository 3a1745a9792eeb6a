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

import contextlib
import io
import json
import os
import re
import stat
import time
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ganzoo.errors import GanzooError, UsageError
from ganzoo.files import plain, write_atomic, write_error

CHECKPOINT = re.compile(r"step-(\d{8,})\.npz")
KEEP_LAST = 2


class RunDir:
    """The folder of one run. Creating the object touches nothing on the disk."""

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)

    def __str__(self) -> str:
        return str(self.path)

    # -- life ---------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> RunDir:
        """Make a new, empty run folder; an existing folder that holds anything is refused."""
        run = cls(path)
        if run.path.is_dir() and any(run.path.iterdir()):
            what = "already holds a run" if run.exists else "exists and is not a run folder"
            todo = f"go on with --resume {run.path}, or choose" if run.exists else "choose"
            raise UsageError(f"{run.path} {what}: {todo} another --outdir.")
        if run.path.exists() and not run.path.is_dir():
            raise UsageError(f"{run.path} is a file: expected a folder that is new or empty.")
        try:
            (run.path / "checkpoints").mkdir(parents=True, exist_ok=True)
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
        return (self.path / "config.yaml").is_file()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one writer: a second training in it is refused, not mixed in."""
        import fcntl

        lock = self._lock(os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise GanzooError(f"another process is training in {self.path}.") from error
        try:
            yield
        finally:
            os.close(lock)

    def in_use(self) -> bool:
        """Whether a training holds the folder; nothing is written to find out."""
        import fcntl

        try:
            lock = self._lock(os.O_RDONLY)
        except GanzooError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(lock)
        return False

    def _lock(self, flags: int) -> int:
        """The lock file, opened as it is: no link is followed, nothing waits, nothing is cut."""
        path = self.path / ".lock"
        try:
            lock = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise GanzooError(
                f"{path} cannot be opened as a lock ({error.strerror or error})."
            ) from error
        if not stat.S_ISREG(os.fstat(lock).st_mode):
            os.close(lock)
            raise GanzooError(f"{path} is no regular file: no lock of ganzoo's.")
        return lock

    # -- configuration --------------------------------------------------------------------------

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write the resolved settings."""
        text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
        write_atomic(self.path / "config.yaml", text.encode())

    def config(self) -> dict[str, Any]:
        """The resolved settings, and `record`: what the run met."""
        try:
            content = yaml.safe_load((self.path / "config.yaml").read_text())
        except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
            raise GanzooError(f"{self.path / 'config.yaml'} cannot be read: {error}.") from error
        if not isinstance(content, dict):
            raise GanzooError(f"{self.path / 'config.yaml'} is not a run's configuration.")
        return content

    def write_plugin(self, text: str | None) -> None:
        """Keep the text of a plugin that is nowhere else, as far as it is known."""
        if text is not None:
            write_atomic(self.path / "plugin.txt", text.encode())

    # -- rows -----------------------------------------------------------------------------------

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        """Add one row of scalars; a crash can cost the row that was being written, no other."""
        self._append("metrics.jsonl", row)

    def _append(self, name: str, row: Mapping[str, Any]) -> None:
        try:
            with (self.path / name).open("a") as file:
                file.write(json.dumps(plain(row)) + "\n")
        except OSError as error:
            raise write_error(self.path / name, error) from error

    def metrics(self) -> list[dict[str, Any]]:
        """All whole rows, in order of step; a non-finite value is a float again."""
        return self._rows("metrics.jsonl")

    def _rows(self, name: str) -> list[dict[str, Any]]:
        path = self.path / name
        rows = []
        for line in path.read_text().splitlines() if path.is_file() else ():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue  # the row that a crash cut off
            rows.append({key: _number(value) for key, value in row.items()})
        return rows

    def truncate_metrics(self, step: int) -> None:
        """Forget the rows after `step`, which a resumed run will write again."""
        rows = [row for row in self.metrics() if row["step"] <= step]
        text = "".join(json.dumps(plain(row)) + "\n" for row in rows)
        write_atomic(self.path / "metrics.jsonl", text.encode())

    # -- findings -------------------------------------------------------------------------------

    def append_finding(self, finding: Mapping[str, Any]) -> None:
        """Add one finding of the monitor's, as plain data."""
        self._append("findings.jsonl", finding)

    def findings(self) -> list[dict[str, Any]]:
        """What the monitor found, in order of step."""
        return self._rows("findings.jsonl")

    def write_findings(self, findings: Sequence[Mapping[str, Any]]) -> None:
        """Write all findings anew: those that the rows so far give rise to."""
        text = "".join(json.dumps(plain(finding)) + "\n" for finding in findings)
        write_atomic(self.path / "findings.jsonl", text.encode())

    # -- checkpoints ----------------------------------------------------------------------------

    def checkpoint_path(self, step: int) -> Path:
        """Where the checkpoint of `step` is or would be."""
        return self.path / "checkpoints" / f"step-{step:08d}.npz"

    def checkpoints(self) -> list[int]:
        """The steps of which a checkpoint exists, oldest first."""
        folder = self.path / "checkpoints"
        names = [CHECKPOINT.fullmatch(p.name) for p in folder.iterdir()] if folder.is_dir() else []
        return sorted(int(match[1]) for match in names if match)

    def save_checkpoint(
        self, step: int, arrays: Mapping[str, np.ndarray], best: int | None = None
    ) -> Path:
        """Write the state of `step`, then drop what is neither among the last two nor the best."""
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # zip: a checksum for each array
        path = self.checkpoint_path(step)
        write_atomic(path, buffer.getbuffer())
        steps = self.checkpoints()
        for old in steps[:-KEEP_LAST]:
            if old != best:
                self.checkpoint_path(old).unlink(missing_ok=True)
        return path

    def drop_checkpoints_after(self, step: int) -> None:
        """Remove the checkpoints that are newer than that of `step`."""
        for newer in self.checkpoints():
            if newer > step:
                self.checkpoint_path(newer).unlink(missing_ok=True)

    def read_checkpoint(self, step: int, prefix: str = "") -> dict[str, np.ndarray]:
        """The arrays whose name starts with `prefix`; damage is an error that names the file."""
        path = self.checkpoint_path(step)
        try:
            with np.load(path, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files if name.startswith(prefix)}
        except FileNotFoundError:
            steps = ", ".join(map(str, self.checkpoints())) or "none"
            raise UsageError(
                f"{self.path} has no checkpoint of step {step}; it has {steps}."
            ) from None
        except (
            OSError,
            ValueError,
            EOFError,
            KeyError,
            NotImplementedError,
            zipfile.BadZipFile,
            zipfile.LargeZipFile,
            MemoryError,
        ) as error:
            raise GanzooError(f"checkpoint {path} is damaged ({error}).") from error
        except Exception as error:  # zlib.error, struct.error and kin: a flipped byte reaches any
            raise GanzooError(f"checkpoint {path} is damaged ({error}).") from error

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

    def picture_of(self, step: int) -> Path:
        """Where the sample grid of `step` is or would be."""
        return self.picture(f"step-{step:08d}")

    def newest_picture(self) -> Path | None:
        """The newest sample grid, or None."""
        return max(self.pictures.glob("step-*.png"), default=None)

    def field_of(self, step: int) -> Path:
        """Where the samples and the discriminators' logits of `step` are, of a run on points."""
        return self.path / "fields" / f"step-{step:08d}.npz"

    def fields(self) -> list[tuple[int, Path]]:
        """(step, file) of all of these, in order of step."""
        found = [
            (p, re.fullmatch(r"step-(\d{8,})\.npz", p.name))
            for p in sorted((self.path / "fields").glob("step-*.npz"))
        ]
        return [(int(match[1]), path) for path, match in found if match]

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

    def leftovers(self) -> list[Path]:
        """What a killed process had begun to write beside its targets."""
        return [*self.path.glob(".*.tmp"), *self.path.glob("*/.*.tmp")]

    # -- the game -------------------------------------------------------------------------------

    def write_game(self, game: Mapping[str, Any]) -> None:
        """Say who plays against whom, phase by phase, for a diagnosis without the plugin."""
        write_atomic(self.path / "game.json", (json.dumps(plain(game), indent=1) + "\n").encode())

    def game(self) -> dict[str, Any]:
        """`milestones` and `phases`; empty for a run that never said, or whose file is damaged."""
        try:
            content = json.loads((self.path / "game.json").read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}

    def write_sampler(self, graph: bytes, signature: Mapping[str, Any]) -> None:
        """Store the exported generator and what it takes and makes."""
        write_atomic(self.path / "sampler.pb", graph)
        write_atomic(self.path / "sampler.json", json.dumps(signature, indent=1).encode())

    def sampler(self) -> tuple[bytes, dict[str, Any]]:
        """The exported generator's graph and signature."""
        try:
            graph = (self.path / "sampler.pb").read_bytes()
            return graph, json.loads((self.path / "sampler.json").read_text())
        except (OSError, ValueError) as error:
            raise GanzooError(f"{self.path} has no readable sampler ({error}).") from error

    def state(self) -> str:
        """`finished`, `stopped` or `running`, or `interrupted` where a crash left no word."""
        try:
            return str(json.loads((self.path / "status.json").read_text())["state"])
        except (OSError, ValueError, KeyError, TypeError):
            return "interrupted"

    def write_state(self, state: str, **details: Any) -> None:
        """Say how the run stands."""
        write_atomic(self.path / "status.json", json.dumps({"state": state, **details}).encode())


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
    runs = [RunDir(path) for path in folder.iterdir()] if folder.is_dir() else []
    runs = [run for run in runs if run.exists]
    return sorted(runs, key=lambda run: (run.path / "config.yaml").stat().st_mtime, reverse=True)


def newest(root: str | os.PathLike[str] = "runs") -> RunDir:
    """The newest run inside `root`; UsageError where there is none."""
    found = find_runs(root)
    if not found:
        raise UsageError(f"no run in {root}/: name one, or make one with `ganzoo train dcgan`.")
    return found[0]


def _number(value: Any) -> Any:
    return float(value) if value in ("nan", "inf", "-inf") else value
