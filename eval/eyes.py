"""Through what samples are looked at: as the user says, else as the data set wants, else by shape.

Built-in networks and installed ones are named alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ganzoo.errors import UsageError
from ganzoo.eval import features, installed
from ganzoo.eval.extractor import Extractor
from ganzoo.eval.features.simple import Negative, PerChannel, RawValues
from ganzoo.eval.sources import Stored


class Eyes(NamedTuple):
    """An extractor, and what its classes are."""

    extractor: Extractor
    classified: bool = False
    """Whether they are the labels of the reference."""


def choose(
    real: Stored,
    wanted: str | None,
    *,
    dims: int | None = None,
    weights: str | None = None,
    precision: str | None = None,
    say: Callable[[str], None],
) -> Eyes:
    """The extractor called `wanted`, or the one that suits `real`.

    `dims`, `weights` and `precision` are Inception's alone. Raises UsageError for a name that
    nothing brings and for features of points.
    """
    if len(real.shape) == 1:
        if wanted is not None:
            raise UsageError("points are their own features: leave --features out.")
        return Eyes(RawValues(real.shape[0]))
    suited = _suited(real)
    name = wanted or suited
    if wanted is None and not _is_known(name):
        raise UsageError(
            f"{real.name} wants to be judged by the features {name!r}, which are not installed: "
            "install the package that brings them, or choose others with --features."
        )
    found = _loaded(name, dims, weights, precision, say)
    judging = real.judging
    if judging.negative and name == suited:
        found = Negative(found)
    if not judging.per_channel:
        return Eyes(found, judging.classifier and name == suited)
    if wanted is not None:  # at the whole image, which no classifier of channels knows
        return Eyes(found)
    return Eyes(PerChannel(found, real.shape[-1]), judging.classifier)


def _suited(real: Stored) -> str:
    """What the data set wants, or what suits its shape."""
    height, width, channels = real.shape
    seen = (height, width, 1 if real.judging.per_channel else channels)
    return real.judging.extractor or features.default_for(seen)


def _is_known(name: str) -> bool:
    return name in features.names() or isinstance(installed.find(name), Extractor)


def _loaded(
    name: str,
    dims: int | None,
    weights: str | None,
    precision: str | None,
    say: Callable[[str], None],
) -> Extractor:
    """A built-in network, or an installed one."""
    found = None if name in features.names() else installed.find(name)
    if isinstance(found, Extractor):
        return found
    if name == "inception" and dims is None:
        dims = features.largest_dims(weights)
        if dims not in (None, 2048):
            say(f"the Inception weights found here serve {dims} dimensions: no FID of 2,048.")
    return features.extractor(name, dims=dims, weights=weights, precision=precision)
