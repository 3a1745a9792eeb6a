"""What a program needs for inputs of given sizes: found out before any of it runs, and limited.

Operation by operation, TensorFlow is asked what sizes it would make, on the sizes of what the ones
before it would make. What follows from constants and sizes alone, and is small, is computed on the
way, so that it is known where it decides a size; a size that something else decides is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from ganzoo import operands
from ganzoo.errors import GanzooError
from ganzoo.program import Program, Step, broken, said
from ganzoo.vetting import refused

LARGEST = 2**27
"""Numbers in one tensor; attention over 106x106 places, or 512 channels of 512x512 pixels."""
RANK = 8
"""Axes of one tensor."""
MEMORY = 2**31
"""Bytes of all tensors that there are at one moment, with what the operation needs meanwhile."""
WORK = 2**40
"""Multiplications for one sample; 512x512 pixels of BigGAN or StyleGAN2 take some 2**37. Measured
on one core, one takes 0.02 to 1.6 ns: minutes at most."""
NUMBER = 64
"""As many multiplications as the time to read or to write a number is worth."""
SMALL = 1_000
"""Numbers of a tensor that may decide a size; those of a larger one are not looked at."""

SMALLER = "the limits are in ganzoo/bounds.py, far above those of 512x512 pixels"
UNTOLD = "FusedBatchNormV3"
PRODUCTS = {"BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "MatMul"}
CONVOLUTIONS = {"Conv2D", "Conv3D", "DepthwiseConv2dNative"}
TRANSPOSED = {
    "Conv2DBackpropInput",
    "Conv3DBackpropInputV2",
    "DepthwiseConv2dNativeBackpropInput",
}
POOLS = {"AvgPool", "AvgPool3D", "MaxPool", "MaxPool3D"}
SOLVERS = {
    "Cholesky",
    "MatrixDeterminant",
    "MatrixInverse",
    "MatrixSolve",
    "MatrixTriangularSolve",
    "Qr",
}
SIZES: dict[str, Callable[[tf.TensorShape], Any]] = {
    "Shape": lambda shape: shape.as_list(),
    "ShapeN": lambda shape: shape.as_list(),
    "Size": lambda shape: shape.num_elements(),
    "Rank": lambda shape: shape.rank,
}
"""Operations whose results are known where the sizes of their inputs are."""


class TooLargeError(GanzooError):
    """Fewer samples at once may fit."""

    def __init__(self, what: str):
        super().__init__(str(refused(what, SMALLER)))


class Needs(NamedTuple):
    """Bytes at the fullest moment, multiplications, and what the results are."""

    memory: int
    work: int
    results: list[tf.TensorSpec]


def needs(program: Program, fed: Sequence[tf.TensorSpec], samples: int) -> Needs:
    """What the program needs to make so many samples of inputs of these sizes.

    Raises GanzooError where that is more than the limits, or cannot be told beforehand.
    """
    measure = _Measure(WORK * samples)
    for spec in fed:
        _check_size("an input", spec)
    measure.add("the inputs", fed)
    results = program.walk(fed, measure.step, measure.forget)
    return Needs(measure.most, measure.work, [_spec(one) for one in results])


class _Measure:
    """Follows a program. A tensor is itself where it is known, and else its TensorSpec."""

    def __init__(self, allowed: int):
        self.allowed = allowed
        self.memory = self.most = self.work = 0
        self._graph = tf.Graph()
        self._stand_ins: dict[Any, tf.Tensor] = {}
        self._known: dict[Any, Any] = {}

    def step(self, step: Step, values: list[Any]) -> Any:
        """What a step would make of these tensors."""
        if step.operation == "Const":
            self.add(step.name, [_spec(step.value)])
            return step.value
        _asked(step, lambda: operands.check(step, values))
        inputs = [_spec(value) for value in values]
        made = self._sizes_of(step, values)
        outputs = [one for one in tf.nest.flatten(made) if one is not None]
        for spec in outputs:
            _check_size(step.name, spec)
        self.work += _work(step, inputs, outputs)
        if self.work > self.allowed:
            raise refused("more work than one sample may take", SMALLER)
        self.add(step.name, outputs, _scratch(step, inputs, outputs))
        if step.operation in SIZES:
            told = [tf.constant(SIZES[step.operation](one.shape), outputs[0].dtype)
                    for one in inputs]  # fmt: skip
            return told if step.operation == "ShapeN" else told[0]
        unknown = any(isinstance(value, tf.TensorSpec) for value in values)
        if unknown or max(map(_count, [*inputs, *outputs])) > SMALL:
            return made
        return _asked(step, lambda: step.run(values))

    def _sizes_of(self, step: Step, values: list[Any]) -> Any:
        """The TensorSpecs of what a step would make."""

        def made() -> Any:
            found = step.run(inputs)
            if step.operation == UNTOLD:  # not what it keeps for a gradient on some hardware
                found = found._replace(reserve_space_3=None)
            return tf.nest.map_structure(lambda one: None if one is None else _spec(one), found)

        with self._graph.as_default():
            inputs = [self._stand_in(value) for value in values]
            key = (step.operation, repr(step.arguments), *(one.name for one in inputs))
            if key not in self._known:
                self._known[key] = _asked(step, made)
        return self._known[key]

    def _stand_in(self, value: Any) -> tf.Tensor:
        """A tensor of a graph with the same size, and with the same numbers where they are few."""
        spec, numbers = _spec(value), None
        if value is not spec and math.prod(spec.shape) <= SMALL:
            numbers = value.numpy()
        key = (spec, numbers if numbers is None else numbers.tobytes())
        if key not in self._stand_ins:
            self._stand_ins[key] = (
                tf.compat.v1.placeholder(spec.dtype, spec.shape)
                if numbers is None
                else tf.constant(numbers)
            )
        return self._stand_ins[key]

    def add(self, name: str, made: Sequence[tf.TensorSpec], scratch: int = 0) -> None:
        """Count tensors that there are from now on."""
        self.memory += sum(map(_bytes, made))
        self.most = max(self.most, self.memory + scratch)
        if self.most > MEMORY:
            raise TooLargeError(f"tensors of {self.most / 2**30:.3g} GiB at once ({name[:60]})")

    def forget(self, made: Any) -> None:
        """Count them no more."""
        self.memory -= sum(_bytes(_spec(one)) for one in tf.nest.flatten(made) if one is not None)


def _spec(value: Any) -> tf.TensorSpec:
    return value if isinstance(value, tf.TensorSpec) else tf.TensorSpec(value.shape, value.dtype)


def _count(spec: tf.TensorSpec) -> int:
    return math.prod(spec.shape)


def _bytes(spec: tf.TensorSpec) -> int:
    return _count(spec) * spec.dtype.size


def _asked(step: Step, made: Callable[[], Any]) -> Any:
    """What TensorFlow makes of a step, or what it says against it as an error of ours."""
    try:
        return made()
    except GanzooError:
        raise
    except Exception as error:  # of many kinds, for each of the ways to be wrong
        raise broken(f"{step.operation} ({step.name[:60]}): {said(error)}") from error


def _check_size(name: str, spec: tf.TensorSpec) -> None:
    if not spec.shape.is_fully_defined():
        raise operands.unknown(name[:60])
    sides = spec.shape.as_list()
    if math.prod(sides) > LARGEST or len(sides) > RANK:
        raise TooLargeError(f"a tensor of {'x'.join(map(str, sides))} ({name[:60]})")
    if not all(sides) and len(sides) > 1:
        raise refused(f"an empty tensor of {'x'.join(map(str, sides))} ({name[:60]})")


def _work(step: Step, inputs: Sequence[tf.TensorSpec], outputs: Sequence[tf.TensorSpec]) -> int:
    """Multiplications, from above."""
    counts, made = [_count(spec) for spec in inputs], sum(map(_count, outputs))
    operation, work = step.operation, NUMBER * (sum(counts) + made + SMALL * len(outputs))
    if operation in PRODUCTS and len(counts) == 2:
        # exact for matrices; no less for any einsum, by the inequality of Loomis and Whitney
        work += math.isqrt(counts[0] * counts[1] * made)
    elif operation in CONVOLUTIONS:
        work += made * _window(step, inputs[1])
    elif operation in TRANSPOSED:
        work += counts[2] * _window(step, inputs[1]) * (32 if "3D" in operation else 4)
    elif operation in POOLS:
        work += made * min(counts[0], math.prod(map(abs, step.arguments["ksize"]))) * NUMBER
    elif operation == "TopKV2":
        work *= 8
    elif operation in SOLVERS:
        work += counts[0] * max(inputs[0].shape.as_list(), default=1) * NUMBER
    return work


def _window(step: Step, kernel: tf.TensorSpec) -> int:
    """Multiplications of a convolution with this kernel for one number."""
    return _count(kernel) // max(1, kernel.shape[-1])


def _scratch(step: Step, inputs: Sequence[tf.TensorSpec], outputs: Sequence[tf.TensorSpec]) -> int:
    """Bytes that an operation takes and gives back, from above."""
    own = 2 * sum(map(_bytes, [*inputs, *outputs]))
    if step.operation in TRANSPOSED and inputs[2].shape.rank:
        # all patches of one sample side by side
        one = _count(inputs[2]) // max(1, inputs[2].shape[0])
        own += one * _window(step, inputs[1]) // max(1, inputs[2].shape[-1]) * 4
    return own
