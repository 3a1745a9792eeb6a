"""The Python API: `train`, `load` and `Run`, which do what the commands do.

>>> import ganzoo
>>> run = ganzoo.train("dcgan", data="digits", steps=500)  # doctest: +SKIP
>>> run.sample(16).shape  # doctest: +SKIP
(16, 16, 16, 1)
"""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganzoo import handles, plugin_source, registry, settings
from ganzoo.data.memory import Held
from ganzoo.errors import UsageError, unknown
from ganzoo.plugin import Plugin
from ganzoo.run import RunDir, new_path
from ganzoo.views import notebook
from ganzoo.views.terminal import headline

if TYPE_CHECKING:
    from ganzoo.eval.scores import Score

__all__ = ["Run", "Scores", "load", "train"]


def train(
    plugin: str | os.PathLike[str] | Plugin | type[Plugin],
    data: Any = "auto",
    *,
    steps: int | None = None,
    epochs: float | None = None,
    outdir: str | os.PathLike[str] | None = None,
    size: int | None = None,
    seed: int = 0,
    precision: str = "auto",
    device: str = "auto",
    quiet: bool = False,
    fields: dict[str, Any] | None = None,
    **options: Any,
) -> Run:
    """Train in a new run folder, as `ganzoo train` does: the same settings give the same bits.

    `plugin` is a name, the path of a `.py` file, or a Plugin, defined wherever you are. `data` is a
    name, a path, or what could stand in an `.npz` file: an array, (values, labels) or a dict of
    arrays. Images are (n, h, w) or (n, h, w, 1 or 3), as uint8 or as floats that fill [-1, 1] or
    [0, 1]; points are floats (n, d). The last 10 % are held out, unless the dict has x_test. A
    `ganzoo.data.Dataset` is trained on whole.

    `options` are the other settings (`log_every`, `on_failure`, ...) and fields of the plugin
    (`z_dim`, `g_lr`, ...); `fields` takes fields too. `outdir` is runs/PLUGIN-DATA-TIME if None.

    Raises UsageError for what cannot be trained as asked, GanzooError where the training fails.
    """
    if steps is not None and epochs is not None:
        raise UsageError("say steps or epochs, not both.")
    _start_tensorflow()
    from ganzoo import training

    cls, name, given = _plugin(plugin)
    held = None if isinstance(data, (str, os.PathLike)) else Held(data)
    values = {"data": held.name if held else os.fspath(data), "size": size, "seed": seed}
    values |= {"plugin": name, "precision": precision, "device": device}
    set_here, more = _sorted_out(options, cls)
    given |= (fields or {}) | more | ({} if steps is None else {"steps": steps})
    request = training.prepare(values | set_here | {"fields": given}, epochs)
    path = outdir or new_path(request.settings.plugin, request.settings.data)
    with notebook.view(path, quiet) as view:
        view.say(headline(request, path))
        training.start(request, path, view)
    return Run(path, data=held, plugin=cls if handles.is_name(name) else None)


def load(
    path: str | os.PathLike[str], *, data: Any = None, plugin: Plugin | type[Plugin] | None = None
) -> Run:
    """Open a run folder. `data` and `plugin` give it again what was only in memory."""
    return Run(path, data=data, plugin=None if plugin is None else _class(plugin))


class Run:
    """A run folder, and what can be done with it. In a notebook it shows its newest samples."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        data: Any = None,
        plugin: Plugin | type[Plugin] | None = None,
    ):
        self.folder = RunDir.open(path)
        self._data = _held(data)  # kept alive: config.yaml may name them
        self._plugin = plugin

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path

    @property
    def config(self) -> dict[str, Any]:
        """Every resolved setting, and under `record` what the run met."""
        return self.folder.config()

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The rows of the record: named scalars by step."""
        return self.folder.metrics()

    @property
    def step(self) -> int:
        """The step of the newest checkpoint, 0 before the first."""
        return max(self.folder.checkpoints(), default=0)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What the monitor found while it trained, each with its evidence and remedy."""
        return self.folder.findings()

    def sample(
        self,
        n: int = 64,
        *,
        seed: int = 0,
        label: int | None = None,
        checkpoint: str | int = "last",
        settings: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        output: str | None = None,
    ) -> np.ndarray:
        """`n` samples as float32: images (n, h, w, c) in [-1, 1], or points (n, d).

        Sample i depends on the seed and i alone. `label` asks for one class of a conditional run,
        `checkpoint` is last, best or a step. `settings` hold inputs at values, `{"psi": 0.5}`,
        `{"code.0": 1.0}`, or cut a prior, `{"z.threshold": 0.5}`. `inputs` are rows for inputs
        that the data feeds: an array, a file, a folder, "test" or "train". `output` is one of
        several.
        """
        if not isinstance(n, (int, np.integer)) or n < 1:
            raise UsageError(f"n must be a whole number of at least 1, not {n!r}.")
        _start_tensorflow()
        from ganzoo import feeding
        from ganzoo.eval import sources
        from ganzoo.sampling import Sampler

        one = _one(checkpoint)
        sampler = Sampler(
            self.folder, None if one == "last" else sources.steps(self.folder, one)[0]
        )
        given = feeding.given(self.folder, sampler, inputs or {})
        feeding.check_fits(sampler, int(n), output)
        drawn = sampler.batches(
            int(n), seed=seed, label=label, settings=settings, given=given, output=output
        )
        return np.concatenate(list(drawn))

    def evaluate(
        self, *metrics: str, checkpoint: str | int = "best", against: Any = None, **terms: Any
    ) -> Scores:
        """Score the run by `metrics`, as `ganzoo eval` does; RUN/eval keeps them.

        Without `metrics`: FID of images, of points what sees modes. `against` is a data set by
        name, a file, a folder or data as `train` takes it; by default what the run was
        trained on. `terms` are those of `ganzoo.eval.evaluation.Terms`: samples, split, ...
        """
        _start_tensorflow()
        from ganzoo.eval.evaluation import evaluate

        one = _one(checkpoint)
        held = None if isinstance(against, (str, os.PathLike)) else _held(against)
        real = held.name if held else against and os.fspath(against)
        found = evaluate(self.path, metrics, against=real, checkpoint=one, **terms)
        return Scores({score.metric: score for score in found})

    def resume(
        self,
        steps: int | None = None,
        *,
        data: Any = None,
        plugin: Plugin | type[Plugin] | None = None,
        quiet: bool = False,
    ) -> Run:
        """Go on to the run's last step, or to `steps`: on the same bits as without the pause.

        `data` and `plugin` are needed where they were objects in another Python's memory.
        """
        self._data = _held(data) or self._data
        self._plugin = self._plugin if plugin is None else _class(plugin)
        changes = {} if self._data is None else {"data": self._data.name}
        if self._plugin is not None:
            changes["plugin"] = _name(self._plugin)
        _start_tensorflow()
        from ganzoo import training

        with notebook.view(self.path, quiet) as view:
            training.resume(self.path, changes, steps, view)
        return self

    def show(self) -> None:
        """Show the newest grid of samples: here in a notebook, else by saying where it is."""
        notebook.show(self.folder)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, step {self.step}, {self.folder.state()})"

    def _repr_html_(self) -> str:
        return notebook.html(self.folder)


class Scores(dict[str, "Score"]):
    """Metric -> Score, whose `value` is the number; printed with each number's protocol."""

    def __repr__(self) -> str:
        return "\n".join(
            f"{score.label}: {score.value:.5g}"
            + ("" if score.perfect is None else f" (perfect: {score.perfect:.5g})")
            for score in self.values()
        )


def _start_tensorflow() -> None:
    from ganzoo.quiet import quiet_start

    quiet_start()


def _one(checkpoint: str | int) -> str:
    if checkpoint == "every":
        raise UsageError("one checkpoint at a time: best, last or a step.")
    return str(checkpoint)


def _held(data: Any) -> Held | None:
    return data if data is None or isinstance(data, Held) else Held(data)


def _class(plugin: object) -> type[Plugin]:
    cls = plugin if inspect.isclass(plugin) else type(plugin)
    if not issubclass(cls, Plugin):
        raise UsageError(f"expected a plugin's name, path, class or object, not {plugin!r}.")
    return registry.checked(cls, cls.__name__)


def _name(cls: type[Plugin]) -> str:
    return plugin_source.name_of(cls) or handles.hold(cls.__name__, cls)


def _plugin(plugin: object) -> tuple[type[Plugin], str, dict[str, Any]]:
    """The class, the name by which a run records it, and the fields that an object was given."""
    if isinstance(plugin, (str, os.PathLike)):
        return registry.load(os.fspath(plugin)), os.fspath(plugin), {}
    cls = _class(plugin)
    return cls, _name(cls), {} if inspect.isclass(plugin) else settings.field_values(plugin)


def _sorted_out(
    options: dict[str, Any], cls: type[Plugin]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings and fields, which may stand side by side; an unknown one is a UsageError."""
    general = {f.name for f in dataclasses.fields(settings.Settings)}
    fields = {f.name for f in dataclasses.fields(cls)}
    for name in options:
        if name not in general | fields:
            own = set(inspect.signature(train).parameters) - {"options"}
            raise unknown("keyword", name, general | fields | own)
    here = {name: value for name, value in options.items() if name in general}
    return here, {name: value for name, value in options.items() if name not in general}
