"""The settings of a run: defaults, then a YAML file, then the command line.

The same keys stand in a run's `config.yaml`, so `--config RUN/config.yaml` repeats the run.
"""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ganzoo import plain_text, reading, registry
from ganzoo.errors import GanzooError, UsageError, unknown
from ganzoo.fields import make, typed

if TYPE_CHECKING:
    from ganzoo.plugin import Plugin

MAX_CONFIG_BYTES = 1_000_000


@dataclass(frozen=True)
class Settings:
    """The settings of a run: what decides its numbers, how often it logs, what ends it early.

    The numbers are decided by plugin to precision and by `auto_balance`.
    """

    plugin: str  # a name of `ganzoo list`, DIST:NAME, or the path of a .py file
    # the plugin's hyperparameters: `ganzoo info PLUGIN` lists them
    fields: dict[str, Any] = field(default_factory=dict)
    data: str = "auto"  # a name of `ganzoo data list`, a folder of images, an .npz or .npy file
    size: int | None = None  # side in pixels to which images are resized; null leaves them
    seed: int = 0  # decides every random number
    precision: str = "auto"  # bfloat16 where the hardware multiplies it, else float32
    device: str = "auto"  # a GPU where TensorFlow sees one
    log_every: int = 50  # steps between two rows of the record
    picture_every: int = 500  # steps between two grids of samples
    checkpoint_every: int = 500  # steps between two checkpoints, each with a look at the samples
    auto_balance: bool = False  # slow a discriminator that wins too easily
    on_failure: str = "warn"  # what a failure that the monitor sees does to the run

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "on_failure": ("warn", "stop", "rollback"),
        "precision": ("auto", "float32", "bfloat16"),
        "device": ("auto", "gpu", "cpu"),
    }

    def __post_init__(self) -> None:
        for name in ("log_every", "picture_every", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, not {getattr(self, name)}.")
        for name, known in self.CHOICES.items():
            if getattr(self, name) not in known:
                raise unknown(name, getattr(self, name), known)
        if not 0 <= self.seed < 2**31:
            raise UsageError(f"seed must lie in [0, 2^31), not {self.seed}.")

    def differences(self, other: Settings) -> list[str]:
        """One line for each setting that decides numbers and is not the same."""
        ours, theirs = _deciding(self), _deciding(other)
        return [
            f"{name}: the run has {ours.get(name)!r}, you ask for {theirs.get(name)!r}"
            for name in sorted(ours | theirs)
            if ours.get(name) != theirs.get(name)
        ]


def _deciding(settings: Settings) -> dict[str, Any]:
    """All but the length, the cadences and what ends a run: they change no number of a step."""
    names = ("plugin", "data", "size", "seed", "precision", "auto_balance")
    flat = {name: getattr(settings, name) for name in names}
    flat.update(settings.fields)
    flat.pop("steps", None)
    return flat


def resolve(values: dict[str, Any]) -> tuple[Settings, Any]:
    """Settings with every field spelled out, and the plugin that they make.

    `values` holds the keys of Settings; unknown keys and wrong types are UsageErrors.
    """
    known = {f.name: f for f in dataclasses.fields(Settings)}
    values = {key: value for key, value in values.items() if key != "record"}
    for name in values:
        if name not in known:
            raise _unknown_key(str(name), values, [*known, "record"])
    if not isinstance(values.get("plugin"), str):
        raise UsageError("no plugin was named: say `ganzoo train NAME` (`ganzoo list` shows them).")
    if not isinstance(values.get("fields", {}), dict):
        raise UsageError(f"fields must be a mapping of names to values, not {values['fields']!r}.")
    plain = typed(Settings, values)
    plugin = make(registry.load(values["plugin"]), values.get("fields") or {})
    fields = field_values(plugin)
    for name, value in fields.items():
        if not _is_plain(value):
            raise GanzooError(
                f"the field {name!r} of {type(plugin).__name__} is {value!r:.60}: expected what a "
                "run can record, which is a number, a text, a truth value, None or a list of these."
            )
    return dataclasses.replace(Settings(**plain), fields=fields), plugin


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(inner) for key, inner in value.items())
    return value is None or type(value) in (str, bool, int, float)


def _unknown_key(name: str, values: dict[str, Any], known: list[str]) -> UsageError:
    """The nearest name, or where a plugin's field belongs."""
    plugin = values.get("plugin")
    with contextlib.suppress(GanzooError, TypeError):
        if isinstance(plugin, str) and name in _fields(plugin):
            return UsageError(f"{name!r} is a field of {plugin}: write it under `fields:`.")
    return unknown("key", name, known)


def _fields(plugin: str) -> set[str]:
    return {one.name for one in dataclasses.fields(registry.load(plugin))}


def field_values(plugin: Plugin) -> dict[str, Any]:
    """A plugin's hyperparameters as plain data."""
    values = dataclasses.asdict(plugin)
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
    }


def parse(text: str) -> Any:
    """Plain YAML data; anything else is a UsageError."""
    try:
        return plain_text.from_yaml(text)
    except ValueError as error:
        raise UsageError(f"not plain YAML: {error}.") from error


def read_config(path: str | Path) -> dict[str, Any]:
    """The mapping in a YAML file of settings."""
    try:
        text = reading.content(path, MAX_CONFIG_BYTES, follow=True).decode("utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}.") from error
    except ValueError as error:
        raise UsageError(f"cannot read {path}: {error}.") from error
    try:
        content = parse(text)
    except UsageError as error:
        raise UsageError(f"{path} is {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} must hold keys and values, not {type(content).__name__}.")
    return content


def parse_assignment(text: str) -> tuple[str, Any]:
    """`g_lr=1e-4` -> ("g_lr", "1e-4"): a name and a plain YAML value."""
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise UsageError(f"--set takes NAME=VALUE, not {text!r}.")
    return name.strip(), parse(value)
