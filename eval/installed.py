"""Metrics and extractors of other distributions, by the entry-point group `ganzoo.metrics`.

An entry point is an `Extractor`, or a metric: something that is called as
`metric(real, fake, *, rng)` with images (n, h, w, c) uint8 or points (n, d) float32 of both sides,
and returns a number, or a dictionary whose first value is the score and whose rest are details.
It may say in `better` whether `lower` or `higher` is. A class is called without arguments first.
What more it wants, it names among its arguments: the keys of `GIVEN`.
"""

from __future__ import annotations

import functools
import inspect
import numbers
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint
from typing import Any

from ganzoo import distributions, import_check
from ganzoo.errors import GanzooError
from ganzoo.eval.extractor import Extractor
from ganzoo.eval.metrics import METRICS, Metric, Sides, Value
from ganzoo.eval.summary import Pair

GROUP = "ganzoo.metrics"

GIVEN: dict[str, Callable[[Sides], Any]] = {
    "rng": lambda sides: sides.rng,
    "features": lambda sides: _pair(sides, "features"),
    "logits": lambda sides: None if sides.fake.logits is None else _pair(sides, "logits"),
    "labels": lambda sides: _pair(sides, "labels"),
    "train": lambda sides: lambda: sides.train().rows(),
    "extractor": lambda sides: sides.extractor,
    "judging": lambda sides: sides.judging,
}
"""What a metric may name among its arguments, beside both sides' samples -> what it gets then.

Row i of an array is about row i of the samples. `train` is a function, since not every reference
has training samples and not every call needs them.
"""
LOOKING = {"features", "logits", "train", "extractor"}
"""Those that need the extractor; the score then names it."""


class BrokenError(GanzooError):
    """What another distribution brings does not work; nothing of ours depends on it."""


def names() -> dict[str, str]:
    """Name -> which distribution it comes from; metrics and extractors."""
    return distributions.names(GROUP)


def metric_names() -> list[str]:
    """Those that are no extractors; a broken one is among them, and `find` says what it has."""
    return [name for name in names() if not _is_extractor(name)]


def _is_extractor(name: str) -> bool:
    try:
        return isinstance(find(name), Extractor)
    except GanzooError:
        return False


def find(name: str) -> Metric | Extractor | None:
    """What an installed distribution brings under `name`, imported; None if nothing does."""
    claims = distributions.find(GROUP, name)
    if not claims:
        return None
    distributions.refuse_clash("metric", name, claims, built_in=name in METRICS)
    point = claims[0]
    found = _loaded(point)
    if isinstance(found, Extractor):
        return found
    if not callable(found):
        raise _broken(point, f"expected an Extractor or something to call, not {type(found)}")
    help = (found.__doc__ or "").strip().partition("\n")[0]
    wanted = _wanted(point, found)
    return Metric(
        name,
        help,
        lambda sides: _computed(point, found, wanted, sides),
        features=not LOOKING.isdisjoint(wanted),
    )


def _loaded(point: EntryPoint) -> Any:
    outcome = import_check.of_point(point)
    if outcome.fatal:
        raise _broken(point, str(outcome.error).rstrip("."))
    try:
        found = point.load()
        return found() if isinstance(found, type) else found
    except GanzooError:
        raise
    except (Exception, SystemExit) as error:
        raise _broken(point, f"{type(error).__name__}: {error}") from error


def _wanted(point: EntryPoint, metric: Callable[..., Any]) -> list[str]:
    """The keys of `GIVEN` that its signature names; `**kwargs` means `rng`, and no more."""
    try:
        arguments = inspect.signature(functools.partial(metric, None, None)).parameters
    except (TypeError, ValueError):  # it has none, as functions written in C; or the call will say
        return ["rng"]
    anything = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    for name, argument in arguments.items():
        needed = argument.default is argument.empty and argument.kind not in anything
        if needed and name not in GIVEN:
            raise _broken(
                point,
                f"it asks for {name!r}, which is nothing that a metric is given; besides the real "
                f"and the generated samples it may ask for {', '.join(GIVEN)}",
            )
    takes_any = any(a.kind is a.VAR_KEYWORD for a in arguments.values())
    return [name for name in GIVEN if name in arguments or (takes_any and name == "rng")]


def _pair(sides: Sides, name: str) -> Pair:
    return Pair(getattr(sides.real.rows(), name), getattr(sides.fake.rows(), name))


def _computed(point: EntryPoint, metric: Any, wanted: list[str], sides: Sides) -> Iterator[Value]:
    arguments = {name: GIVEN[name](sides) for name in wanted}
    try:
        found = metric(sides.real.samples, sides.fake.samples, **arguments)
    except GanzooError:
        raise
    except Exception as error:
        raise _broken(point, f"{type(error).__name__}: {error}") from error
    details = dict(found) if isinstance(found, Mapping) else {}
    value = next(iter(details.values()), None) if isinstance(found, Mapping) else found
    if not isinstance(value, numbers.Real):
        raise _broken(
            point, f"expected a number, or a dictionary that begins with one, not {found!r}"
        )
    title = f"{point.name} of {distributions.origin(point)}"
    better = str(getattr(metric, "better", ""))
    yield Value(point.name, title, float(value), better=better, details=details)


def _broken(point: EntryPoint, reason: str) -> BrokenError:
    origin = distributions.origin(point)
    return BrokenError(f"the metric {point.name!r} of {origin} is broken: {reason}.")
