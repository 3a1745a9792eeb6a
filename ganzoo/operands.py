"""What an operation may be given: what decides a size is known beforehand, and nothing is given
that ends the process.

TensorFlow checks most of this itself, and some of it only with an assertion of C++, which no `try`
survives. Each rule below was found by `tests/hostile_graphs.py`, which tries such operands by the
thousand; what it does not find is in `SECURITY.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from ganzoo.errors import GanzooError
from ganzoo.program import Step
from ganzoo.vetting import refused

_DECIDE = """
    axis block_shape concat_dim crops delta depth dimension dims end fft_length input_sizes k limit
    multiples num num_cols num_rows paddings perm shape size size_splits start strides
"""
DECIDE = frozenset(_DECIDE.split())
"""What operations call the inputs that say how large their results are, or along which axis."""
DIVISIONS = {"Div", "FloorDiv", "FloorMod", "RealDiv", "TruncateDiv"}
PER_AXIS = {"dilations", "ksize", "ksizes", "rates", "strides"}
"""Settings with one number for each axis of an image."""


def check(step: Step, values: Sequence[Any]) -> None:
    """Raise GanzooError where these values are nothing to give this operation.

    A value is a TensorSpec where it is not known before the graph runs.
    """
    given = step.named(values)
    for name in DECIDE & given.keys():
        if isinstance(given[name], tf.TensorSpec):
            raise unknown(f"{step.name[:60]}, {name}")
    if step.operation in DIVISIONS:
        _check_divisor(step, given["y"])
    for name in PER_AXIS & step.arguments.keys():
        rank = values[-1].shape.rank  # of the image, or of the kernel, which has as many axes
        if len(step.arguments[name]) != rank or min(step.arguments[name]) < 1:
            raise refused(f"{name} that fit no image ({step.name[:60]})")
    if step.arguments.get("batch_dims"):
        _check_batch(step, given["indices"], given.get("axis"))
    if (
        step.operation == "MatrixDiagV3"
        and given["diagonal"].shape.rank < 2
        and len(set(_list(given["k"]))) > 1
    ):
        raise refused(f"several diagonals in one ({step.name[:60]})")
    if "size_splits" in given and given["size_splits"].shape.rank != 1:
        raise refused(f"a division into parts that are no list ({step.name[:60]})")


def unknown(where: str) -> GanzooError:
    """The error about a size that only shows when the graph runs."""
    todo = "let every size follow from the sizes of its inputs, not from their numbers"
    return refused(f"a size that is not known beforehand ({where})", todo)


def _check_divisor(step: Step, by: Any) -> None:
    """Whole numbers are divided by what is known: by 0, or the least by -1, the process ends."""
    if not by.dtype.is_integer:
        return
    if isinstance(by, tf.TensorSpec) or not tf.reduce_all((by > 0) | (by < -1)):
        raise refused(f"a division of whole numbers by what may be 0 or -1 ({step.name[:60]})")


def _check_batch(step: Step, indices: Any, axis: Any) -> None:
    """Axes that are gathered one by one lie before the axis, and the indices have them too."""
    most = min([indices.shape.rank, *(_list(axis) if axis is not None else [])])
    if not 0 <= step.arguments["batch_dims"] <= most:
        raise refused(f"batch_dims that fit no tensor ({step.name[:60]})")


def _list(known: tf.Tensor) -> list[int]:
    return tf.reshape(known, [-1]).numpy().tolist()
