"""The contract: every registered plugin keeps it, and each check can tell one that does not."""

from __future__ import annotations

import pytest

from ganzoo import registry
from ganzoo.fields import make
from ganzoo.spec import ArraySpec, DataSpec
from ganzoo.testing import CHECKS, check_plugin, registered_names

POINTS = DataSpec((2,), range=None, key="point")
NUMBERS = DataSpec((1,), range=None, key="point")
IMAGES = DataSpec((16, 16, 1), classes=3)
DOMAINS = DataSpec(
    (16, 16, 1), key="a", others={"b": ArraySpec((16, 16, 1), (-1.0, 1.0), group="b")}, group="a"
)
LABELLED = DataSpec((8, 8, 1), classes=3)

SMALLEST = {
    "acgan": ({"width": 2, "z_dim": 4}, (LABELLED,)),
    "biggan": ({"width": 2, "z_dim": 6, "shared": 4}, (IMAGES,)),
    "cgan": ({"hidden": 24, "z_dim": 4}, (LABELLED,)),
    "cogan": ({"width": 2, "z_dim": 4}, (DOMAINS,)),
    "cyclegan": ({"width": 2, "blocks": 1}, (DOMAINS,)),
    "dcgan_upsample": ({"width": 2, "d_width": 2, "z_dim": 4}, (IMAGES,)),
    "dragan": ({"width": 2, "z_dim": 4}, (POINTS, IMAGES)),
    "infogan": ({"width": 2, "z_dim": 4}, (LABELLED,)),
    "lapgan": ({"hidden": 8, "width": 2, "z_dim": 4, "levels": 2}, (LABELLED,)),
    "line_gan": ({"jit_compile": False, "d_steps": 2}, (NUMBERS,)),
    "lsgan": ({"width": 2, "z_dim": 4}, (POINTS, IMAGES)),
    "pacgan": ({"g_hidden": 8, "d_hidden": 4}, (POINTS,)),
    "progan": ({"width": 2, "widest": 4, "z_dim": 4, "grow": (1,)}, (IMAGES,)),
    "projection_gan": ({"width": 2, "z_dim": 4}, (LABELLED,)),
    "r3gan": ({"width": 8, "blocks": 1, "z_dim": 4, "burn_in": 16}, (POINTS, IMAGES)),
    "sagan": ({"width": 2, "z_dim": 4}, (IMAGES,)),
    "sngan": ({"width": 2, "z_dim": 4}, (IMAGES,)),
    "srgan": ({"width": 2, "blocks": 1, "pretrain": 2}, (LABELLED,)),
    "stylegan": ({"width": 2, "widest": 4, "z_dim": 4, "mapping": 1}, (LABELLED,)),
    "stylegan2": ({"width": 2, "widest": 4, "z_dim": 4, "mapping": 1}, (LABELLED,)),
    "unrolled": ({"hidden": 8, "z_dim": 4, "unroll": 2}, (POINTS,)),
    "wgan_gp": ({"width": 2, "z_dim": 4, "d_steps": 2}, (POINTS, IMAGES)),
}
"""Name -> fields by which it is small, and the data that it is tried on, the first most closely.

`ganzoo plugin check NAME` tries it as it is, on all data.
"""


@pytest.mark.slow
@pytest.mark.ganzoo_plugins(*(name for name in registered_names() if name not in SMALLEST))
def test_every_registered_plugin_keeps_the_contract(ganzoo_check):
    ganzoo_check()


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALLEST)
def test_a_small_one_of_many_keeps_the_contract(name):
    fields, specs = SMALLEST[name]
    check_plugin(make(registry.load(name), fields), specs=specs, only=QUICK)


QUICK = [name for name in CHECKS if name not in ("speed", "losses", "precisions", "repeats")]
"""What is left out is seen in the others: a resume on the same bits repeats, with finite losses."""
