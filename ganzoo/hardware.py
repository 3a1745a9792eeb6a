"""Whether this machine has fast bfloat16."""

from __future__ import annotations

from pathlib import Path


def has_bfloat16() -> bool:
    """Whether the GPU that TensorFlow sees, or else the CPU, multiplies bfloat16 in hardware.

    A GPU does from compute capability 8 (Ampere) on, a CPU with AMX or AVX512-BF16.
    """
    import tensorflow as tf

    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("compute_capability", (0, 0))[0] >= 8
    return bool({"amx_bf16", "avx512_bf16"} & _cpu_flags())


def _cpu_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.startswith("flags") for flag in line.split()}
