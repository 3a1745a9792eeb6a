"""A stranger's graph is read if all that it can do is compute; else it is an error.

A run's `sampler.pb` may come from anybody. What is not known to be harmless is refused: only
operations of `COMPUTES` may stand in it, on numbers alone, without loops, and no more than a
generator needs. What they would take of memory and time is for `ganzoo.bounds` to say; where and
how they run (devices, compiler settings, internal attributes) is no matter of the graph's, since
`ganzoo.program` calls each by its name.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ganzoo.errors import GanzooError

_COMPUTES = """
    Placeholder Const Identity IdentityN StopGradient EnsureShape NoOp

    Abs Acos Acosh Add AddN AddV2 Asin Asinh Atan Atan2 Atanh Ceil ClipByValue Cos Cosh Cumprod
    Cumsum Digamma Div DivNoNan Erf Erfc Erfinv Exp Expm1 Floor FloorDiv FloorMod Inv Lgamma Log
    Log1p Maximum Minimum Mul MulNoNan Ndtri Neg Pow RealDiv Reciprocal Rint Round Rsqrt Sign
    Sin Sinh Sqrt Square SquaredDifference Sub Tan TruncateDiv Xdivy Xlog1py Xlogy

    Elu LeakyRelu LogSoftmax Relu Relu6 Selu Sigmoid Softmax Softplus Softsign Tanh

    All Any ArgMax ArgMin L2Loss Max Mean Min Prod Sum TopKV2

    BitwiseAnd BitwiseOr BitwiseXor Equal Greater GreaterEqual IsFinite IsInf IsNan LeftShift Less
    LessEqual LogicalAnd LogicalNot LogicalOr NotEqual RightShift Select SelectV2

    Bitcast BroadcastArgs BroadcastTo Cast Concat ConcatV2 DepthToSpace ExpandDims Fill Gather
    GatherNd GatherV2 InvertPermutation LinSpace MatrixBandPart MatrixDiag MatrixDiagPart
    MatrixDiagPartV3 MatrixDiagV3 MirrorPad OneHot OnesLike Pack Pad PadV2 Range Rank Reshape
    ReverseV2 Roll ScatterNd Shape ShapeN Size Slice SpaceToDepth Split SplitV Squeeze StridedSlice
    TensorScatterAdd TensorScatterUpdate Tile Transpose Unpack ZerosLike

    BatchMatMul BatchMatMulV2 BatchMatMulV3 Cholesky Einsum MatMul MatrixDeterminant MatrixInverse
    MatrixSolve MatrixTriangularSolve Qr

    AvgPool AvgPool3D BatchToSpaceND BiasAdd Conv2D Conv2DBackpropInput Conv3D
    Conv3DBackpropInputV2 DepthwiseConv2dNative DepthwiseConv2dNativeBackpropInput
    ExtractImagePatches FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 LRN MaxPool MaxPool3D
    ResizeBicubic ResizeBilinear ResizeNearestNeighbor SpaceToBatchND

    Angle Complex ComplexAbs Conj FFT FFT2D FFT3D IFFT IFFT2D IFFT3D IRFFT IRFFT2D Imag RFFT RFFT2D
    Real

    StatelessRandomGetKeyCounter StatelessRandomNormalV2 StatelessRandomUniformIntV2
    StatelessRandomUniformV2
"""
COMPUTES = frozenset(_COMPUTES.split())
"""Operations that turn numbers into numbers and do nothing else."""
CALLS = {"PartitionedCall": "f", "StatefulPartitionedCall": "f"}
"""Operations that run a function of the same graph, and the attribute that names it."""

BYTES = 2**25
"""Of the file; an ordinary one has less than 5 MB. To read one takes up to 40 times the memory."""
NODES = 50_000
"""Operations, where every call counts as what it calls."""
DEEP = 20
"""Calls within each other."""
CONSTANTS = 2**28
"""Bytes of all constants together, as they are in memory and not as they are stored."""
WHOLE = 4_096
"""The largest whole number that an operation is set to: a stride, a dilation, a number of parts."""


def read(graph: bytes) -> Any:
    """The GraphDef in these bytes; GanzooError where it is none, or can do more than compute."""
    from tensorflow.core.framework import graph_pb2

    if len(graph) > BYTES:
        raise refused(f"more than {BYTES // 2**20} MiB")
    try:
        definition = graph_pb2.GraphDef.FromString(graph)
    except Exception as error:  # protobuf's own, which differs from version to version
        raise GanzooError(f"the run's sampler.pb is damaged ({error}).") from error
    check(definition)
    return definition


def check(definition: Any) -> None:
    """Raise GanzooError with the first thing in a GraphDef that a generator does not need."""
    functions = {function.signature.name: function for function in definition.library.function}
    if len(functions) != len(definition.library.function) or functions.keys() & {"", *COMPUTES}:
        raise refused("two functions of one name, or one that is named like an operation")
    places = {"": definition.node}
    places |= {name: function.node_def for name, function in functions.items()}
    if len(places) + sum(map(len, places.values())) > NODES:
        raise refused(f"more than {NODES:,} operations")
    for nodes in places.values():
        if len({node.name for node in nodes}) != len(nodes):
            raise refused("two operations of one name")
        for node in nodes:
            _check(node, functions)
    _check_calls(places)
    _check_constants([node for nodes in places.values() for node in nodes])


LAYERS = (
    "build the generator of layers that compute in one go (unroll=True for recurrent ones), "
    "without loops, text or files"
)


def one_line(text: str) -> str:
    """What holds names of a stranger's, as part of a sentence."""
    return " ".join(text.split())


def refused(what: str, todo: str = LAYERS) -> GanzooError:
    """The error about a graph that holds something which is not let through."""
    return GanzooError(
        f"the run's sampler.pb holds {one_line(what)}, which a generator does not need: not run. "
        f"Of a run of yours: {todo}."
    )


# -- operations -----------------------------------------------------------------------------------


def _check(node: Any, functions: Mapping[str, Any]) -> None:
    """One operation: that it is known, on numbers, with no function but one of the graph's own."""
    if node.op not in COMPUTES and node.op not in CALLS:
        raise refused(f"the operation {node.op[:60]!r} ({node.name[:60]})")
    if node.op in CALLS and node.attr[CALLS[node.op]].func.name not in functions:
        raise refused(f"a call of no function of its own ({node.name[:60]})")
    for name, value in node.attr.items():
        _check_attribute(node.op, name, value)


def _check_attribute(operation: str, name: str, value: Any) -> None:
    kind = value.WhichOneof("value")
    if value.func.attr or value.list.func or (kind == "func" and CALLS.get(operation) != name):
        raise refused(f"the operation {operation!r} with a function of its own")
    kinds = [*value.list.type, *([value.type] if kind == "type" else [])]
    kinds += [value.tensor.dtype] if kind == "tensor" else []
    if not _numbers().issuperset(kinds) or value.list.tensor:
        raise refused(f"the operation {operation!r} on something other than numbers")
    if any(abs(number) > WHOLE for number in [value.i, *value.list.i]):
        raise refused(f"the operation {operation!r} with {name[:60]!r} of more than {WHOLE:,}")


@functools.cache
def _numbers() -> frozenset[int]:
    """The types that are numbers."""
    import tensorflow as tf

    kinds = (
        "float16 bfloat16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool "
        "complex64 complex128"
    )
    return frozenset(getattr(tf, name).as_datatype_enum for name in kinds.split())


def _check_calls(places: Mapping[str, Any]) -> None:
    """No function that calls itself, and not too much work by calls of calls."""
    called = {
        place: [node.attr[CALLS[node.op]].func.name for node in nodes if node.op in CALLS]
        for place, nodes in places.items()
    }
    whole: dict[str, int] = {}
    for _ in range(DEEP):  # each round settles the functions that call settled ones
        ready = [p for p in called if p not in whole and all(c in whole for c in called[p])]
        for place in ready:
            whole[place] = len(places[place]) + sum(whole[name] for name in called[place])
            if whole[place] > NODES:
                raise refused(f"more than {NODES:,} operations by calls of calls")
    if len(whole) < len(called):
        raise refused(f"a function that calls itself, or calls more than {DEEP} deep")


def _check_constants(nodes: Sequence[Any]) -> None:
    import tensorflow as tf

    total = 0
    for value in (value for node in nodes for value in node.attr.values()):
        if value.WhichOneof("value") == "tensor":
            sides = [side.size for side in value.tensor.tensor_shape.dim]
            if value.tensor.tensor_shape.unknown_rank or min(sides, default=0) < 0:
                raise refused("a constant without a shape")
            total += math.prod(sides) * tf.dtypes.as_dtype(value.tensor.dtype).size
            if total > CONSTANTS:
                raise refused(f"constants of more than {CONSTANTS // 2**20} MiB")
