"""What the machine is said to multiply fast, and what follows for the precision."""

from __future__ import annotations

import pytest
import tensorflow as tf

from ganzoo import hardware
from ganzoo.training import resolve_precision


@pytest.mark.parametrize(
    ("flags", "expected"),
    [({"avx512_bf16", "fma"}, True), ({"amx_bf16"}, True), ({"avx512f", "fma"}, False)],
)
def test_a_cpu_has_bfloat16_by_amx_or_avx512(monkeypatch, flags, expected):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])
    monkeypatch.setattr(hardware, "_cpu_flags", lambda: flags)
    assert hardware.has_bfloat16() is expected


@pytest.mark.parametrize(("capability", "expected"), [((9, 0), True), ((7, 5), False)])
def test_a_gpu_has_bfloat16_from_ampere_on(monkeypatch, capability, expected):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: ["gpu"])
    details = {"compute_capability": capability}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    assert hardware.has_bfloat16() is expected


def test_auto_takes_bfloat16_where_hardware_and_plugin_allow_it(monkeypatch):
    monkeypatch.setattr("ganzoo.training.request.has_bfloat16", lambda: True)
    assert resolve_precision("auto") == "bfloat16"
    assert resolve_precision("auto", low=False) == "float32"
    assert resolve_precision("bfloat16", low=False) == "bfloat16"
    monkeypatch.setattr("ganzoo.training.request.has_bfloat16", lambda: False)
    assert resolve_precision("auto") == "float32"
