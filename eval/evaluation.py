"""Judge samples: a run, a file or a folder against real ones; every number with its protocol."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganzoo import __version__
from ganzoo.errors import GanzooError, UsageError, unknown
from ganzoo.eval import eyes, installed, perfect, sources, summary
from ganzoo.eval.eyes import Eyes
from ganzoo.eval.features.simple import NoFeatures, PerChannel
from ganzoo.eval.metrics import METRICS, Metric, Sides, UnsuitedError, Value, suited
from ganzoo.eval.scores import Score
from ganzoo.fields import typed
from ganzoo.run import RunDir
from ganzoo.views.view import Silent, View

SAMPLES = 10_000
"""Of what can make any number, where the data set does not say another."""
MOST_SAMPLES, MOST_SEEDS = 10_000_000, 1_000
"""Of one number: far more than any protocol asks for, and still for a machine to hold."""
SEEDS = 2**31
TRAIN_VALUES = 2**26
"""Of training features held to search for neighbours in: 256 MiB."""
Told = dict[tuple[Any, ...], Mapping[str, float]]
"""A metric and all that its score of real samples depends on -> that score, by name."""


@dataclass(frozen=True)
class Terms:
    """On what terms samples are judged."""

    samples: int | None = None
    """None: what the data set says, or 10,000; of stored samples, all."""
    split: str = "test"
    features: str | None = None
    """None: what the data set says, or what suits its shape."""
    dims: int | None = None
    weights: str | None = None
    precision: str | None = None
    seed: int = 0
    pixels: str = "auto"
    size: int | None = None
    output: str | None = None
    """Of a run: which of its sampler's outputs; None: the first."""
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Of a run: inputs that are held at values, or priors that are cut: `{"psi": 0.5}`."""
    perfect: bool = True
    """Whether real samples are scored in the samples' place, to say what perfect is."""


def evaluate(
    target: str | os.PathLike[str] | sources.Stored,
    metrics: Sequence[str] = (),
    *,
    against: str | sources.Stored | None = None,
    checkpoint: str = "best",
    seeds: int = 1,
    skip_unsuited: bool = False,
    view: View | None = None,
    **terms: Any,
) -> list[Score]:
    """The scores of `target` by `metrics`, for each checkpoint and each seed that is asked for.

    Without `metrics`: FID of images; of points, whose FID sees no modes, what does see them.

    `target` is a run folder, an `.npz` or `.npy` file or a folder of images; `against` a data set,
    file or folder, and for a run by default the data set that it was trained on. `terms` are the
    fields of `Terms`. A run's scores are also written to its `eval` folder, once all are known.

    Raises UsageError for what does not fit together; a metric that has no meaning for the samples,
    or that another distribution brought broken, is only mentioned where `skip_unsuited`.
    """
    known = [f.name for f in dataclasses.fields(Terms)]
    for name in terms:
        if name not in known:
            raise unknown("keyword of evaluate", name, known)
    base = Terms(**typed(Terms, terms))
    _check_draws(base, seeds)
    view = view or Silent()
    say = functools.cache(view.say)  # what is true of every seed is said once
    asked = _chosen(metrics, skip_unsuited, view)
    scores: list[Score] = []
    told: Told = {}
    for source, run in _sources(target, checkpoint, base):
        real = _reference(source, against, base)
        for note in (getattr(source, "note", None), real.note):
            if note:
                say(note)
        chosen = asked if metrics else _chosen(suited(real.shape, real.judging), False, view)
        seen_by = _seen_by(chosen, real, base, view)
        found = []
        for seed in range(base.seed, base.seed + seeds):
            judge = Judge(
                source, real, seen_by, dataclasses.replace(base, seed=seed), view, say, told
            )
            found += judge.scores(chosen, skip_unsuited)
        if run:
            _keep(found, run)
        scores += found
    return scores


def _check_draws(terms: Terms, seeds: int) -> None:
    """Refuse counts and seeds that nothing can be drawn with."""
    if type(seeds) is not int or not 1 <= seeds <= MOST_SEEDS:
        raise UsageError(f"expected 1 to {MOST_SEEDS:,} seeds, not {seeds!r}.")
    if not 0 <= terms.seed <= SEEDS - seeds:
        raise UsageError(f"seed must lie in [0, 2^31), all {seeds} of them, not {terms.seed}.")
    if terms.samples is not None and not 2 <= terms.samples <= MOST_SAMPLES:
        raise UsageError(f"expected 2 to {MOST_SAMPLES:,} samples, not {terms.samples}.")


def _keep(found: Sequence[Score], run: RunDir) -> None:
    """Save them; what cannot be written is worth a warning, and no reason not to be told."""
    errors = []
    for score in found:
        try:
            score.save(run)
        except GanzooError as error:
            errors.append(error)
    if errors:
        what = "The score is" if len(errors) == 1 else f"{len(errors)} scores are"
        warnings.warn(f"{what} told, and not kept in {run.scores}: {errors[0]}", stacklevel=3)


class Judge:
    """One set of samples beside one reference, seen through one extractor."""

    def __init__(
        self,
        source: sources.Source,
        real: sources.Stored,
        seen_by: Eyes,
        terms: Terms,
        view: View,
        say: Callable[[str], None],
        told: Told,
    ):
        self.source, self.reference = source, real
        self.extractor, self.classified = seen_by
        self.terms, self.view, self.say, self.told = terms, view, say, told
        n = _count(source, real.judging.samples, terms)
        view.start(f"{real.name}, the reference", real.count)
        self.real = summary.summarize_stored(real, self.extractor, progress=view.advance)
        view.start(source.name, n)
        self.fake = summary.summarize(
            source, n, self.extractor, seed=terms.seed, progress=view.advance
        )
        if (self.fake.samples == self.fake.samples[0]).all():
            say(f"all samples of {source.name} are identical.")
        self.train = functools.cache(self._train)
        self.other = functools.cache(self._other)
        self.others = functools.cache(self._others)
        self.confusion = functools.cache(self._confusion)

    def scores(self, metrics: Sequence[Metric], skip_unsuited: bool) -> list[Score]:
        """All numbers of all metrics; each draws from randomness of its own."""
        found = []
        unknown: dict[str, list[str]] = {}
        for metric in metrics:
            self.view.start(metric.name, 0)
            try:
                sides = self._sides(metric, self.fake)
                values = list(metric.compute(sides))
            except (UsageError, installed.BrokenError) as error:
                if not skip_unsuited:
                    raise
                self.say(f"{metric.name} is left out: {error}")
                continue
            told_anyway = all(value.perfect is not None for value in values)
            best = self._perfect(metric, sides, {} if told_anyway else unknown)
            found += [self._score(v, metric, sides, best.get(v.name)) for v in values]
        for reason, names in unknown.items():
            self.say(f"what perfect is, is not known of {', '.join(names)}: {reason}")
        return found

    def _sides(self, metric: Metric, fake: summary.Summary) -> Sides:
        """As many samples as the metric takes of either side, and randomness of its own."""
        real = self.real
        if metric.equal:
            n = min(len(real.kept), len(fake.kept))
            real, fake = real.part(n), fake.part(n)
        return Sides(
            real,
            fake,
            self.extractor,
            self.classified,
            self.reference.judging,
            self.train,
            np.random.Generator(np.random.Philox(key=_key(self.terms.seed, metric.name))),
            self._counterparts,
            self.confusion,
        )

    def _perfect(
        self, metric: Metric, sides: Sides, unknown: dict[str, list[str]]
    ) -> Mapping[str, float]:
        """Name -> value that real samples get in the samples' place; where they cannot stand there
        the metric joins those of that reason. What another checkpoint was told is not asked again.
        """
        if not (metric.perfect and self.terms.perfect):
            return {}
        needed = _counted(metric, sides.fake)
        key = (metric.name, self.extractor.label, self.real.fingerprint, needed, self.terms.seed)
        if key not in self.told:
            try:
                self.told[key] = self._scored_in_place(metric, needed)
            except GanzooError as error:
                unknown.setdefault(str(error), []).append(metric.name)
                self.told[key] = {}
        return self.told[key]

    def _scored_in_place(self, metric: Metric, needed: int) -> Mapping[str, float]:
        """The metric's values of so many real samples; from the disk, if it is one of ours."""
        other = self.other()
        if other.count < needed:
            raise UnsuitedError(
                f"{other.name} holds {other.count:,} samples, and {needed:,} are needed."
            )
        path = perfect.place(
            metric.name,
            self.extractor,
            self.reference,
            other,
            drawn=self.fake.n,
            needed=needed,
            classified=self.classified,
            seed=self.terms.seed,
        )
        ours = METRICS.get(metric.name) is metric
        known = perfect.recalled(path) if ours else None
        if known is None:
            found = metric.compute(self._sides(metric, self.others().part(needed)))
            known = {value.name: float(value.value) for value in found}
            if ours:
                perfect.remember(path, known)
        return known

    def _other(self) -> sources.Stored:
        """The split that is not the reference, of the reference's data set."""
        real = self.reference
        if not real.data or not real.split:
            raise UnsuitedError(f"{real.name} has no other split, whose samples are real too.")
        split = "train" if real.split == "test" else "test"
        size = _size(self.source, self.terms)
        return sources.reference(real.data, split=split, size=size, array=real.array)

    def _others(self) -> summary.Summary:
        """As many of them as there are generated samples; from the disk, where it knows them."""
        drawn = self.other().drawn(self.fake.n)
        self.view.start(f"{drawn.name}, in the samples' place", drawn.count)
        return summary.summarize_stored(drawn, self.extractor, progress=self.view.advance)

    def _counterparts(self) -> np.ndarray | None:
        """The reference's rows, where sample i was made from row i of the same data."""
        if not isinstance(self.source, sources.Generated):
            return None
        found = self.source.counterparts()
        same = found is not None and np.array_equal(found, self.reference.values)
        return found if same else None

    def _confusion(self) -> np.ndarray | None:
        """How the extractor reads the real images that channels are, of both splits."""
        name = self.reference.judging.channels_of
        if not name or not isinstance(self.extractor, PerChannel):
            return None
        counts = np.zeros((self.extractor.grey.classes,) * 2, np.int64)
        for split in ("train", "test"):
            images = sources.reference(name, split=split, size=_size(self.source, self.terms))
            self.view.start(f"{images.name}, the classifier's errors", images.count)
            seen = summary.summarize_stored(images, self.extractor.grey, progress=self.view.advance)
            np.add.at(counts, (seen.labels, seen.logits.argmax(1)), 1)
        return counts

    def _score(self, value: Value, metric: Metric, sides: Sides, best: float | None) -> Score:
        for caution in value.details.get("cautions", ()):
            self.say(f"warning: {caution}")
        real, fake = (_counted(metric, side) for side in (sides.real, sides.fake))
        seen_by = [self.extractor.label] if metric.features else []
        of = f"{self.reference.split} {_short(real)}".strip()
        asked = [f"output {self.terms.output}"] if self.terms.output else []
        asked += [f"{name}={value}" for name, value in self.terms.settings.items()]
        terms = ", ".join([*seen_by, f"{_short(fake)} vs {of}", *asked])
        return Score(
            metric=value.name,
            label=f"{value.title} ({terms})",
            value=value.value,
            std=value.std,
            perfect=value.perfect if best is None else best,
            better=value.better,
            details={**value.details, **self._whose()},
            pictures=value.pictures,
            step=getattr(self.source, "step", None),
            source=self.source.name,
            protocol={
                **(self._eyes() if metric.features else {}),
                "samples": fake,
                "reference": self.reference.name,
                "reference_samples": real,
                "fingerprint": self.real.fingerprint,
                "split": self.reference.split,
                "settings": dict(value.settings),
                **self._asked(),
                "seed": self.terms.seed,
                "ganzoo": __version__,
            },
        )

    def _asked(self) -> dict[str, Any]:
        """What was asked of a run's sampler beside samples: part of what makes a column."""
        fed = self.source.fed if isinstance(self.source, sources.Generated) else {}
        asked = {"output": self.terms.output, "inputs": self.terms.settings, "test rows": fed}
        return {name: value for name, value in asked.items() if value}

    def _whose(self) -> dict[str, str]:
        """Whose protocol the data set asks for: told, and no part of what makes a column."""
        told = self.reference.judging.protocol
        return {"judging": told} if told else {}

    def _eyes(self) -> dict[str, Any]:
        names = ("name", "sha256", "dim", "preprocessing")
        name, *rest = (getattr(self.extractor, name) for name in names)
        return {"extractor": name, **dict(zip(names[1:], rest, strict=True))}

    def _train(self) -> summary.Summary:
        """The training samples, or as many as fit, of the reference's data set."""
        if not self.reference.data or self.reference.split != "test":
            raise UnsuitedError(
                "this needs a data set with a training split, its test split being the baseline: "
                f"{self.reference.name} is none."
            )
        train = self.other()
        keep = min(train.count, TRAIN_VALUES // self.extractor.dim)
        self.view.start(train.name, train.count)
        return summary.summarize_stored(
            train, self.extractor, keep=keep, progress=self.view.advance
        )


# -- what is judged, by what ----------------------------------------------------------------------


def _chosen(names: Sequence[str], skip_broken: bool, view: View) -> list[Metric]:
    chosen = []
    for name in names:
        try:
            chosen.append(_metric(name))
        except GanzooError as error:
            if not skip_broken:
                raise
            view.say(f"{name} is left out: {error}")
    return chosen


def _metric(name: str) -> Metric:
    found = METRICS.get(name) or installed.find(name)
    if not isinstance(found, Metric):
        raise unknown("metric", name, [*METRICS, *installed.names()])
    return found


def _sources(
    target: Any, checkpoint: str, terms: Terms
) -> Iterator[tuple[sources.Source, RunDir | None]]:
    if not isinstance(target, (str, os.PathLike)):
        yield target, None
    elif RunDir(target).exists:
        run = RunDir.open(target)
        for step in sources.steps(run, checkpoint):
            yield sources.Generated(run, step, output=terms.output, settings=terms.settings), run
    else:
        yield sources.stored(os.fspath(target), pixels=terms.pixels, size=terms.size), None


def _reference(
    source: sources.Source, against: str | sources.Stored | None, terms: Terms
) -> sources.Stored:
    size = _size(source, terms)
    if against is None and not source.data:
        raise UsageError(
            f"say what {source.name} is to be compared with: a data set, a file or a folder, "
            "as in `ganzoo eval SAMPLES mnist`."
        )
    if against is None and isinstance(source, sources.Generated):
        real = sources.of_run(source, split=terms.split, size=size)
    elif against is None or isinstance(against, str):
        name = against or source.data
        real = sources.reference(name, split=terms.split, pixels=terms.pixels, size=size)
    else:
        real = against
    if real.shape != source.shape:
        raise UsageError(
            f"{source.name} has samples of {_shape(source.shape)} and {real.name} of "
            f"{_shape(real.shape)}: expected the same (--size resizes what is stored)."
        )
    return real


def _size(source: sources.Source, terms: Terms) -> int | None:
    """What the reference is resized to: as asked for, or as the run's data were."""
    return getattr(source, "size", None) if terms.size is None else terms.size


def _seen_by(metrics: Sequence[Metric], real: sources.Stored, terms: Terms, view: View) -> Eyes:
    """What the metrics look through: nothing where they need nothing."""
    if not any(metric.features for metric in metrics):
        return Eyes(NoFeatures())
    return eyes.choose(
        real,
        terms.features,
        dims=terms.dims,
        weights=terms.weights,
        precision=terms.precision,
        say=view.say,
    )


def _count(source: sources.Source, suited: int | None, terms: Terms) -> int:
    """What is asked for; else all that is stored, what the data set wants, or 10,000."""
    wanted = terms.samples
    if wanted is None:
        wanted = (suited or SAMPLES) if source.count is None else source.count
    if source.count is not None and wanted > source.count:
        fed = isinstance(source, sources.Generated)
        holds = "is fed by {} test rows" if fed else "holds {} samples"
        raise UsageError(f"{source.name} {holds.format(source.count)}, {wanted} are asked for.")
    if wanted < 2:
        raise UsageError(f"expected at least 2 samples, not {wanted}.")
    return wanted


def _counted(metric: Metric, side: summary.Summary) -> int:
    """How many samples of a side the metric looks at."""
    return side.n if metric.all else len(side.kept)


def _key(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:16], "big")


def _short(n: int) -> str:
    """
    >>> _short(10_000), _short(2_500), _short(1_797)
    ('10k', '2,500', '1,797')
    """
    return f"{n // 1000}k" if n % 1000 == 0 else f"{n:,}"


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
