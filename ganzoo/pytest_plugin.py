"""The pytest plugin: a fixture `ganzoo_check`, one test for each plugin and check.

    @pytest.mark.ganzoo_plugins("mygan")      # without it: every registered plugin
    def test_contract(ganzoo_check):
        ganzoo_check()

This module is imported by every pytest of an environment: it imports nothing but pytest.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

MARK = "ganzoo_plugins"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", f"{MARK}(*names): hold these plugins, by name or path, to ganzoo's contract"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Spread a test that asks for `ganzoo_check` over plugins and checks."""
    if "ganzoo_check" not in metafunc.fixturenames:
        return
    from ganzoo.testing import CHECKS, registered_names

    mark = metafunc.definition.get_closest_marker(MARK)
    names = mark.args if mark else registered_names()
    cases = [(name, check) for name in names for check in CHECKS if check != "speed"]
    metafunc.parametrize(
        "ganzoo_check", cases, indirect=True, ids=["-".join(case) for case in cases]
    )


@pytest.fixture
def ganzoo_check(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Call it to make one check of one plugin; it raises with one line for each failure."""
    name, check = request.param

    def made() -> None:
        from ganzoo.testing import check_registered

        found = check_registered(name, check)
        if all(result.status == "skipped" for result in found):
            pytest.skip("; ".join(result.message for result in found))

    return made
