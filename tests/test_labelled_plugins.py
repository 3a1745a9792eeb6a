"""The plugins that know classes or find codes: their contract when small, their papers' sums."""

from __future__ import annotations

import numpy as np
import pytest

from ganzoo import registry
from ganzoo.fields import make
from ganzoo.spec import DataSpec
from ganzoo.testing import check_plugin
from ganzoo.testing.trial import eagerly

SMALLEST = {
    "cgan": {"hidden": 24, "z_dim": 4},
}
"""Fields that make a plugin quick enough for a test."""
CHECKS = ("fields", "shapes", "ranges", "gradients", "precisions", "export", "resumes")
SMALL = DataSpec((16, 16, 1), classes=3)
MNIST = DataSpec((28, 28, 1), classes=10, samples=60_000)


def built(name: str, spec: DataSpec = SMALL, **fields):
    """A plugin, small unless told otherwise, and its networks."""
    plugin = make(registry.load(name), fields or SMALLEST[name])
    return plugin, plugin.networks(spec)


@pytest.mark.parametrize("name", SMALLEST)
def test_the_smallest_preset_keeps_the_contract_and_resumes_to_the_bit(name):
    with eagerly():
        found = check_plugin(make(registry.load(name), SMALLEST[name]), specs=[SMALL], only=CHECKS)
    assert {result.check for result in found} == set(CHECKS)
    assert {result.status for result in found} == {"ok"}


@pytest.mark.parametrize("name", ["cgan"])
def test_data_without_labels_is_refused_in_a_sentence(name):
    plugin = make(registry.load(name), {})
    assert plugin.unsupported(SMALL) is None
    assert "labels" in plugin.unsupported(DataSpec((16, 16, 1)))


# -- cgan ----------------------------------------------------------------------------------------


def test_cgan_has_the_layers_of_its_section_4_1():
    _, networks = built("cgan", MNIST, z_dim=100)
    g = (100 + 1) * 200 + (10 + 1) * 1000 + (1200 + 1) * 1200 + (1200 + 1) * 784
    d = (784 + 1) * 240 * 5 + (10 + 1) * 50 * 5 + (240 + 50 + 1) * 240 * 4 + (240 + 1)
    assert networks["generator"].count_params() == g
    assert networks["discriminator"].count_params() == d


def test_cgans_rate_is_divided_at_every_step():
    rule = make(registry.load("cgan"), {}).optimizers()["generator"]
    weight = rule.iterations
    assert float(rule.learning_rate) == pytest.approx(0.1)
    weight.assign(20_000)
    assert float(rule.learning_rate) == pytest.approx(0.1 / 1.00004**20_000, rel=1e-3)


def test_cgan_makes_another_sample_of_the_same_z_for_another_class():
    _, networks = built("cgan")
    z = np.ones((3, 4), np.float32)
    made = np.asarray(networks["generator"]([z, np.array([0, 1, 1])]))
    np.testing.assert_allclose(made[1], made[2], atol=1e-6)
    assert np.abs(made[0] - made[1]).max() > 1e-3
