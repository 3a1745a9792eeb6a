"""What the benchmarks share that train by the command line."""

from __future__ import annotations

import resource

THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
"""The environment variables by which TensorFlow's threads are counted."""


def processor() -> float:
    """Seconds of processor time, user and system, of the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
