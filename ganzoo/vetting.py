"""A stranger's graph -> the same graph, if all that it can do is compute; else an error.

A run's `sampler.pb` may come from anybody. What is not known to be harmless is refused: only
operations of `COMPUTES` may stand in it, on numbers alone, without loops, and no larger than a
generator's graph gets. What decides where and how an operation runs (devices, compiler settings,
internal attributes) is not taken over.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Mapping
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
    MatrixSolve MatrixTriangularSolve Qr SelfAdjointEigV2 Svd

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
KEPT = {"_XlaMustCompile"}
"""Internal attributes of functions and calls that are taken over; grouped convolutions need it."""
HOW = ("config", "config_proto", "executor_type")
"""Attributes of a call that say how it runs: not taken over."""

NODES = 50_000
EXPANDED = 1_000_000
"""Operations, where every call counts as what it calls."""
CONSTANTS = 2**28
"""Bytes of all constants together, as they are in memory and not as they are stored."""
LARGEST = 2**27
"""Numbers in one tensor that one sample needs."""


def read(graph: bytes) -> Any:
    """The vetted GraphDef in these bytes; GanzooError where they are none."""
    from tensorflow.core.framework import graph_pb2

    try:
        definition = graph_pb2.GraphDef.FromString(graph)
    except Exception as error:  # protobuf's own, which differs from version to version
        raise GanzooError(f"the run's sampler.pb is damaged ({error}).") from error
    return vetted(definition)


def vetted(definition: Any) -> Any:
    """A GraphDef that can only compute: `definition` without what says where and how it runs.

    Raises GanzooError with the first thing that a generator does not need.
    """
    from tensorflow.core.framework import graph_pb2

    functions = {function.signature.name: function for function in definition.library.function}
    if len(functions) != len(definition.library.function) or functions.keys() & COMPUTES:
        raise _refused("two functions of one name, or one that is named like an operation")
    places = [("", definition.node)]
    places += [(name, function.node_def) for name, function in functions.items()]
    if sum(len(nodes) for _, nodes in places) > NODES:
        raise _refused(f"more than {NODES:,} operations")
    for _, nodes in places:
        for node in nodes:
            _check(node, functions)
    _check_calls(places, functions)
    _check_constants(places)
    # names of its own: a process that traced the same function holds another of its name
    mark = hashlib.sha256(definition.SerializeToString(deterministic=True)).hexdigest()[:12]
    clean = graph_pb2.GraphDef(versions=definition.versions)
    clean.node.extend(_plain_node(node, mark) for node in definition.node)
    for function in functions.values():
        clean.library.function.append(_plain_function(function, mark))
    return clean


def _refused(what: str) -> GanzooError:
    return GanzooError(
        f"the run's sampler.pb holds {what}, which a generator does not need: not run. Of a run of "
        "yours: build the generator of layers that compute in one go (unroll=True for recurrent "
        "ones), without loops, text or files."
    )


# -- operations -----------------------------------------------------------------------------------


def _check(node: Any, functions: Mapping[str, Any]) -> None:
    """One operation: that it is known, on numbers, with no function but one of the graph's own."""
    if node.op not in COMPUTES and node.op not in CALLS:
        raise _refused(f"the operation {node.op[:60]!r} ({node.name[:60]})")
    for name, value in node.attr.items():
        kind = value.WhichOneof("value")
        called = value.func if kind == "func" else None
        if called is not None and (
            CALLS.get(node.op) != name or called.name not in functions or called.attr
        ):
            raise _refused(f"the operation {node.op!r} with a function {called.name[:60]!r}")
        if kind == "list" and value.list.func:
            raise _refused(f"the operation {node.op!r} with functions")
        kinds = [value.type] if kind == "type" else value.list.type if kind == "list" else []
        kinds = [*kinds, *([value.tensor.dtype] if kind == "tensor" else [])]
        for number in kinds:
            if number not in _numbers():
                raise _refused(f"the operation {node.op!r} on something other than numbers")


@functools.cache
def _numbers() -> set[int]:
    """The types that are numbers."""
    import tensorflow as tf

    kinds = (
        "float16 bfloat16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool "
        "complex64 complex128"
    )
    return {getattr(tf, name).as_datatype_enum for name in kinds.split()}


def _check_calls(places: list[tuple[str, Any]], functions: Mapping[str, Any]) -> None:
    """No function that calls itself, and not too much work by calls of calls."""
    called = {
        place: [node.attr[CALLS[node.op]].func.name for node in nodes if node.op in CALLS]
        for place, nodes in places
    }
    size = {place: len(nodes) for place, nodes in places}
    whole: dict[str, int] = {}
    for _ in range(len(functions) + 1):  # each round settles the functions that call settled ones
        ready = [p for p in called if p not in whole and all(c in whole for c in called[p])]
        for place in ready:
            whole[place] = size[place] + sum(whole[name] for name in called[place])
            if whole[place] > EXPANDED:
                raise _refused(f"more than {EXPANDED:,} operations by calls of calls")
    if len(whole) < len(called):
        raise _refused("a function that calls itself")


def _check_constants(places: list[tuple[str, Any]]) -> None:
    import tensorflow as tf

    total = 0
    for _, nodes in places:
        for node in nodes:
            for value in node.attr.values():
                if value.WhichOneof("value") == "tensor":
                    sides = [side.size for side in value.tensor.tensor_shape.dim]
                    if value.tensor.tensor_shape.unknown_rank or min(sides, default=0) < 0:
                        raise _refused("a constant without a shape")
                    total += math.prod(sides) * tf.dtypes.as_dtype(value.tensor.dtype).size
            if total > CONSTANTS:
                raise _refused(f"constants of more than {CONSTANTS // 2**20} MiB")


# -- what is taken over ---------------------------------------------------------------------------


def _plain_node(node: Any, mark: str) -> Any:
    from tensorflow.core.framework import node_def_pb2

    plain = node_def_pb2.NodeDef(name=node.name, op=node.op, input=node.input)
    for name, value in node.attr.items():
        if name in HOW:
            plain.attr[name].s = b""
        elif not name.startswith("_") or name in KEPT:
            plain.attr[name].CopyFrom(value)
    if node.op in CALLS:
        plain.attr[CALLS[node.op]].func.name += f"_{mark}"
    return plain


def _plain_function(function: Any, mark: str) -> Any:
    from tensorflow.core.framework import function_pb2

    plain = function_pb2.FunctionDef(signature=function.signature)
    plain.signature.name += f"_{mark}"
    plain.signature.is_stateful = False
    for name in KEPT & set(function.attr):
        plain.attr[name].CopyFrom(function.attr[name])
    plain.node_def.extend(_plain_node(node, mark) for node in function.node_def)
    for name, value in function.ret.items():
        plain.ret[name] = value
    return plain


# -- sizes ----------------------------------------------------------------------------------------


def check_sizes(graph: Any) -> None:
    """No tensor of the imported graph that is too large for one sample.

    A side that is not known beforehand counts as one: it is the batch.
    """
    for operation in graph.get_operations():
        for tensor in operation.outputs:
            sides = tensor.shape.as_list() if tensor.shape.rank is not None else []
            if math.prod(side for side in sides if side) > LARGEST:
                raise _refused(f"a tensor of {'x'.join(map(str, sides))} ({operation.name[:60]})")
