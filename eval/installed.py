"""Metrics and extractors of other distributions, by the entry-point group `ganzoo.metrics`.

An entry point is an `Extractor`, or a metric: something with a `name` that is called as
`metric(real, fake, *, rng)` with images (n, h, w, c) uint8 or points (n, d) float32 of both sides,
and returns a number, or a dictionary whose first value is the score and whose rest are details.
It may say in `better` whether `lower` or `higher` is. A class is called without arguments first.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint
from typing import Any

from ganzoo import distributions
from ganzoo.errors import GanzooError
from ganzoo.eval.extractor import Extractor
from ganzoo.eval.metrics import METRICS, Metric, Sides, Value

GROUP = "ganzoo.metrics"


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
    return Metric(name, help, lambda sides: _computed(point, found, sides), features=False)


def _loaded(point: EntryPoint) -> Any:
    try:
        found = point.load()
        return found() if isinstance(found, type) else found
    except GanzooError:
        raise
    except (Exception, SystemExit) as error:
        raise _broken(point, f"{type(error).__name__}: {error}") from error


def _computed(point: EntryPoint, metric: Any, sides: Sides) -> Iterator[Value]:
    try:
        found = metric(sides.real.samples, sides.fake.samples, rng=sides.rng)
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
