"""The contract as an exported check: `check_plugin(MyGAN)` in a test, or the fixture of pytest.

With ganzoo installed, pytest knows the fixture `ganzoo_check`: a test that asks for it runs once
for each check of each registered plugin, or of those that `@pytest.mark.ganzoo_plugins("name")`
names. Nothing here imports TensorFlow before a check runs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ganzoo import registry
from ganzoo.errors import GanzooError, unknown
from ganzoo.testing import checks
from ganzoo.testing.result import Result, raised

if TYPE_CHECKING:
    from ganzoo.plugin import Plugin
    from ganzoo.spec import DataSpec
    from ganzoo.testing.trial import Trial

__all__ = [
    "CHECKS",
    "ContractError",
    "Result",
    "check_plugin",
    "check_registered",
    "registered_names",
    "results",
]

CHECKS: dict[str, Callable[[Trial], Iterator[Result]]] = {
    check.__name__: check
    for check in (
        checks.fields,
        checks.shapes,
        checks.ranges,
        checks.losses,
        checks.gradients,
        checks.precisions,
        checks.export,
        checks.repeats,
        checks.resumes,
        checks.replicas,
        checks.speed,
    )
}
"""Name -> check, in the order in which they are made. `speed` only informs."""


class ContractError(AssertionError):
    """A plugin breaks the contract; one line for each failed check."""


def check_plugin(
    plugin: Plugin | type[Plugin],
    *,
    specs: Sequence[DataSpec] | None = None,
    only: Sequence[str] | None = None,
) -> list[Result]:
    """Hold a plugin to the contract; raise ContractError with a line for each check that fails.

    `plugin` is a class, tried with its defaults, or an instance. `specs` is the data to try it on,
    by default images of several sides and channels and points, as far as it supports them. `only`
    names the checks to make, by default all but `speed`. Returns what was found.
    """
    return _held(results(plugin, specs=specs, only=only or [n for n in CHECKS if n != "speed"]))


def results(
    plugin: Plugin | type[Plugin],
    *,
    specs: Sequence[DataSpec] | None = None,
    only: Sequence[str] | None = None,
) -> Iterator[Result]:
    """The results one by one, as they come; once a game cannot be built, the rest is left out."""
    for name in only or CHECKS:
        if name not in CHECKS:
            raise unknown("check", name, CHECKS)
    cls = plugin if isinstance(plugin, type) else type(plugin)
    try:
        from ganzoo.testing.trial import Trial

        trial = Trial(plugin() if isinstance(plugin, type) else plugin, specs)
    except Exception as error:  # a stranger's code: whatever it raises is the result
        yield raised("fields", cls, error)
        return
    for name in only or CHECKS:
        found = list(_made(name, trial))
        yield from found
        if name == "shapes" and any(result.status == "failed" for result in found):
            yield Result(
                "the rest", "", "skipped", "without the right shapes nothing can be played"
            )
            return


def _made(name: str, trial: Trial) -> Iterator[Result]:
    try:
        yield from CHECKS[name](trial)
    except Exception as error:  # a stranger's code: whatever it raises is the result
        yield raised(name, type(trial.plugin), error)


def registered_names() -> list[str]:
    """Every registered plugin, broken ones too; `DIST:NAME` where two claim a name."""
    found = registry.registered()
    names = [entry.name for entry in found]
    return [
        entry.name if names.count(entry.name) == 1 else f"{entry.origin.split()[0]}:{entry.name}"
        for entry in found
    ]


def check_registered(name: str, check: str) -> list[Result]:
    """Make one check of the plugin `name` or at the path `name`; ContractError where it fails."""
    try:
        trial = _trial(name)
    except GanzooError as error:
        raise ContractError(str(error)) from error
    return _held(_made(check, trial))


@functools.lru_cache(maxsize=1)  # one plugin's checks follow each other
def _trial(name: str) -> Trial:
    from ganzoo.testing.trial import Trial

    return Trial(registry.load(name)())


def _held(found: Iterable[Result]) -> list[Result]:
    kept = list(found)
    failed = [str(result) for result in kept if result.status == "failed"]
    if failed:
        raise ContractError("\n".join(failed))
    return kept
