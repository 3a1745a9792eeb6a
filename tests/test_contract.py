"""The contract: every registered plugin keeps it, and each check can tell one that does not."""

from __future__ import annotations


def test_every_registered_plugin_keeps_the_contract(ganzoo_check):
    ganzoo_check()
