"""An example of every operation that a run's graph may hold, as small as it can be."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import tensorflow as tf

raw = tf.raw_ops


def x(*shape: int, dtype: str = "float32") -> tf.Tensor:
    """An input of the graph."""
    return tf.compat.v1.placeholder(dtype, shape)


def c(value: Any, dtype: Any = None) -> tf.Tensor:
    """A constant of the graph."""
    return tf.constant(value, dtype)


UNARY = """
    Identity StopGradient Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Digamma Erf Erfc Erfinv
    Exp Expm1 Floor Inv Lgamma Log Log1p Ndtri Neg Reciprocal Rint Round Rsqrt Sign Sin Sinh Sqrt
    Square Tan IsFinite IsInf IsNan OnesLike ZerosLike Sigmoid Tanh Elu LeakyRelu Relu Relu6 Selu
    Softplus Softsign LogSoftmax Softmax L2Loss
"""
BINARY = """
    Add AddV2 Atan2 Div DivNoNan FloorDiv FloorMod Maximum Minimum Mul MulNoNan Pow RealDiv
    SquaredDifference Sub TruncateDiv Xdivy Xlog1py Xlogy Equal Greater GreaterEqual Less LessEqual
    NotEqual Complex
"""
OF = {
    "complex64": "Angle ComplexAbs Conj Imag Real",
    "int32": "BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift",
    "bool": "LogicalAnd LogicalOr LogicalNot",
}
REDUCE = {"float32": "Max Mean Min Prod Sum", "bool": "All Any"}


def _plain(name: str, inputs: int, kind: str = "float32") -> Callable[[], Any]:
    """An operation of one or two tensors of one shape and nothing else."""
    function = getattr(raw, name)
    names = list(inspect.signature(function).parameters)[:inputs]
    return lambda: function(**{one: x(2, 3, dtype=kind) for one in names})


def _reduce(name: str, kind: str) -> Callable[[], Any]:
    return lambda: getattr(raw, name)(input=x(2, 3, 4, dtype=kind), axis=c([1]), keep_dims=False)


def _fourier(name: str) -> Callable[[], Any]:
    return lambda: getattr(raw, name)(input=x(4, 4, 4, dtype="complex64"))


def _random(name: str, **more: int) -> Callable[[], Any]:
    key, counter = [1], [1, 2]
    return lambda: getattr(raw, name)(
        shape=c([2, 3]),
        key=c(key, "uint64"),
        counter=c(counter, "uint64"),
        alg=c(1),
        **{one: c(value) for one, value in more.items()},
    )


def image(channels: int = 4) -> tf.Tensor:
    return x(2, 8, 8, channels)


EXAMPLES: dict[str, Callable[[], Any]] = {
    **{name: _plain(name, 1) for name in UNARY.split()},
    **{name: _plain(name, 2) for name in BINARY.split()},
    **{
        name: _plain(name, 1 if kind == "complex64" or name == "LogicalNot" else 2, kind)
        for kind, names in OF.items()
        for name in names.split()
    },
    **{name: _reduce(name, kind) for kind, names in REDUCE.items() for name in names.split()},
    **{name: _fourier(name) for name in ("FFT", "FFT2D", "FFT3D", "IFFT", "IFFT2D", "IFFT3D")},
    "StatelessRandomNormalV2": _random("StatelessRandomNormalV2"),
    "StatelessRandomUniformV2": _random("StatelessRandomUniformV2"),
    "StatelessRandomUniformIntV2": _random("StatelessRandomUniformIntV2", minval=0, maxval=9),
    "IdentityN": lambda: raw.IdentityN(input=[x(2), x(2)])[1],
    "EnsureShape": lambda: raw.EnsureShape(input=x(2, 3), shape=[2, None]),
    "AddN": lambda: raw.AddN(inputs=[x(2), x(2), x(2)]),
    "ClipByValue": lambda: raw.ClipByValue(
        t=x(2, 3), clip_value_min=c(-1.0), clip_value_max=c(1.0)
    ),
    "Cumprod": lambda: raw.Cumprod(x=x(2, 3), axis=c(1)),
    "Cumsum": lambda: raw.Cumsum(x=x(2, 3), axis=c(1), exclusive=True, reverse=True),
    "ArgMax": lambda: raw.ArgMax(input=x(2, 3), dimension=c(1)),
    "ArgMin": lambda: raw.ArgMin(input=x(2, 3), dimension=c(1), output_type=tf.int32),
    "TopKV2": lambda: raw.TopKV2(input=x(2, 5), k=c(3)),
    "Select": lambda: raw.Select(condition=x(2, dtype="bool"), x=x(2, 3), y=x(2, 3)),
    "SelectV2": lambda: raw.SelectV2(condition=x(2, 1, dtype="bool"), t=x(2, 3), e=x(3)),
    "Bitcast": lambda: raw.Bitcast(input=x(2, 3), type=tf.uint8),
    "BroadcastArgs": lambda: raw.BroadcastTo(
        input=x(1, 3), shape=raw.BroadcastArgs(s0=c([2, 1]), s1=c([1, 3]))
    ),
    "BroadcastTo": lambda: raw.BroadcastTo(input=x(1, 3), shape=c([2, 3])),
    "Cast": lambda: raw.Cast(x=x(2, 3), DstT=tf.int32),
    "Concat": lambda: raw.Concat(concat_dim=c(1), values=[x(2, 3), x(2, 1)]),
    "ConcatV2": lambda: raw.ConcatV2(values=[x(2, 3), x(2, 1)], axis=c(1)),
    "DepthToSpace": lambda: raw.DepthToSpace(input=image(), block_size=2),
    "SpaceToDepth": lambda: raw.SpaceToDepth(input=image(), block_size=2),
    "ExpandDims": lambda: raw.ExpandDims(input=x(2, 3), axis=c(1)),
    "Fill": lambda: raw.Fill(dims=c([2, 3]), value=x()),
    "Gather": lambda: raw.Gather(params=x(5, 3), indices=c([1, 2])),
    "GatherNd": lambda: raw.GatherNd(params=x(5, 3), indices=c([[1, 2], [0, 0]])),
    "GatherV2": lambda: raw.GatherV2(params=x(2, 5, 3), indices=c([1, 2]), axis=c(1)),
    "InvertPermutation": lambda: raw.InvertPermutation(x=c([2, 0, 1])),
    "LinSpace": lambda: raw.LinSpace(start=c(0.0), stop=x(), num=c(5)),
    "MatrixBandPart": lambda: raw.MatrixBandPart(input=x(3, 4), num_lower=c(1), num_upper=c(-1)),
    "MatrixDiag": lambda: raw.MatrixDiag(diagonal=x(2, 3)),
    "MatrixDiagPart": lambda: raw.MatrixDiagPart(input=x(2, 3, 3)),
    "MatrixDiagPartV3": lambda: raw.MatrixDiagPartV3(
        input=x(2, 3, 4), k=c([-1, 1]), padding_value=c(0.0)
    ),
    "MatrixDiagV3": lambda: raw.MatrixDiagV3(
        diagonal=x(2, 3, 4), k=c([-1, 1]), num_rows=c(4), num_cols=c(-1), padding_value=c(0.0)
    ),
    "MirrorPad": lambda: raw.MirrorPad(input=x(2, 3), paddings=c([[1, 1], [2, 0]]), mode="REFLECT"),
    "OneHot": lambda: raw.OneHot(
        indices=x(2, dtype="int32"), depth=c(4), on_value=c(1.0), off_value=c(0.0)
    ),
    "Pack": lambda: raw.Pack(values=[x(2), x(2)], axis=1),
    "Pad": lambda: raw.Pad(input=x(2, 3), paddings=c([[1, 1], [2, 0]])),
    "PadV2": lambda: raw.PadV2(input=x(2, 3), paddings=c([[1, 1], [2, 0]]), constant_values=c(1.0)),
    "Range": lambda: raw.Range(start=c(1), limit=c(9), delta=c(2)),
    "Rank": lambda: raw.Rank(input=x(2, 3)),
    "Reshape": lambda: raw.Reshape(tensor=x(2, 3), shape=c([3, -1])),
    "ReverseV2": lambda: raw.ReverseV2(tensor=x(2, 3), axis=c([1])),
    "Roll": lambda: raw.Roll(input=x(2, 3), shift=c([1]), axis=c([1])),
    "ScatterNd": lambda: raw.ScatterNd(indices=c([[1], [3]]), updates=x(2, 3), shape=c([5, 3])),
    "Shape": lambda: raw.Shape(input=x(2, 3)),
    "ShapeN": lambda: raw.ShapeN(input=[x(2, 3), x(4)])[1],
    "Size": lambda: raw.Size(input=x(2, 3)),
    "Slice": lambda: raw.Slice(input=x(4, 5), begin=c([1, 2]), size=c([2, -1])),
    "Split": lambda: raw.Split(axis=c(1), value=x(2, 4), num_split=2)[1],
    "SplitV": lambda: raw.SplitV(value=x(2, 4), size_splits=c([1, -1]), axis=c(1), num_split=2)[1],
    "Squeeze": lambda: raw.Squeeze(input=x(2, 1, 3), axis=[1]),
    "StridedSlice": lambda: raw.StridedSlice(
        input=x(4, 5), begin=c([0, 4]), end=c([4, 0]), strides=c([2, -1]), begin_mask=1, end_mask=2
    ),
    "TensorScatterAdd": lambda: raw.TensorScatterAdd(
        tensor=x(5, 3), indices=c([[1], [3]]), updates=x(2, 3)
    ),
    "TensorScatterUpdate": lambda: raw.TensorScatterUpdate(
        tensor=x(5, 3), indices=c([[1], [3]]), updates=x(2, 3)
    ),
    "Tile": lambda: raw.Tile(input=x(2, 3), multiples=c([2, 1])),
    "Transpose": lambda: raw.Transpose(x=x(2, 3, 4), perm=c([2, 0, 1])),
    "Unpack": lambda: raw.Unpack(value=x(2, 3), num=2)[1],
    "BatchMatMul": lambda: raw.BatchMatMul(x=x(2, 3, 4), y=x(2, 4, 5)),
    "BatchMatMulV2": lambda: raw.BatchMatMulV2(x=x(2, 3, 4), y=x(1, 4, 5)),
    "BatchMatMulV3": lambda: raw.BatchMatMulV3(
        x=x(2, 4, 3), y=x(1, 4, 5), Tout=tf.float32, adj_x=True
    ),
    "Cholesky": lambda: raw.Cholesky(input=x(2, 3, 3)),
    "Einsum": lambda: raw.Einsum(inputs=[x(2, 3, 4), x(4, 5)], equation="...ij,jk->...ik"),
    "MatMul": lambda: raw.MatMul(a=x(2, 3), b=x(3, 4)),
    "MatrixDeterminant": lambda: raw.MatrixDeterminant(input=x(2, 3, 3)),
    "MatrixInverse": lambda: raw.MatrixInverse(input=x(2, 3, 3)),
    "MatrixSolve": lambda: raw.MatrixSolve(matrix=x(2, 3, 3), rhs=x(2, 3, 1)),
    "MatrixTriangularSolve": lambda: raw.MatrixTriangularSolve(matrix=x(2, 3, 3), rhs=x(2, 3, 1)),
    "Qr": lambda: raw.Qr(input=x(2, 3, 3))[1],
    "AvgPool": lambda: raw.AvgPool(
        value=image(), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME"
    ),
    "AvgPool3D": lambda: raw.AvgPool3D(
        input=x(2, 4, 4, 4, 2), ksize=[1, 2, 2, 2, 1], strides=[1, 2, 2, 2, 1], padding="SAME"
    ),
    "MaxPool": lambda: raw.MaxPool(
        input=image(), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME"
    ),
    "MaxPool3D": lambda: raw.MaxPool3D(
        input=x(2, 4, 4, 4, 2), ksize=[1, 2, 2, 2, 1], strides=[1, 2, 2, 2, 1], padding="SAME"
    ),
    "BatchToSpaceND": lambda: raw.BatchToSpaceND(
        input=x(8, 3, 3, 2), block_shape=c([2, 2]), crops=c([[0, 1], [1, 0]])
    ),
    "SpaceToBatchND": lambda: raw.SpaceToBatchND(
        input=x(2, 4, 4, 2), block_shape=c([2, 2]), paddings=c([[0, 0], [1, 1]])
    ),
    "BiasAdd": lambda: raw.BiasAdd(value=image(), bias=x(4)),
    "Conv2D": lambda: raw.Conv2D(
        input=image(), filter=x(3, 3, 4, 2), strides=[1, 2, 2, 1], padding="SAME"
    ),
    "Conv2DBackpropInput": lambda: raw.Conv2DBackpropInput(
        input_sizes=c([2, 16, 16, 3]),
        filter=x(4, 4, 3, 4),
        out_backprop=image(),
        strides=[1, 2, 2, 1],
        padding="SAME",
    ),
    "Conv3D": lambda: raw.Conv3D(
        input=x(2, 4, 4, 4, 2), filter=x(3, 3, 3, 2, 3), strides=[1, 1, 1, 1, 1], padding="SAME"
    ),
    "Conv3DBackpropInputV2": lambda: raw.Conv3DBackpropInputV2(
        input_sizes=c([2, 8, 8, 8, 3]),
        filter=x(4, 4, 4, 3, 2),
        out_backprop=x(2, 4, 4, 4, 2),
        strides=[1, 2, 2, 2, 1],
        padding="SAME",
    ),
    "DepthwiseConv2dNative": lambda: raw.DepthwiseConv2dNative(
        input=image(), filter=x(3, 3, 4, 2), strides=[1, 1, 1, 1], padding="SAME"
    ),
    "DepthwiseConv2dNativeBackpropInput": lambda: raw.DepthwiseConv2dNativeBackpropInput(
        input_sizes=c([2, 8, 8, 2]),
        filter=x(3, 3, 2, 2),
        out_backprop=image(),
        strides=[1, 1, 1, 1],
        padding="SAME",
    ),
    "ExtractImagePatches": lambda: raw.ExtractImagePatches(
        images=image(),
        ksizes=[1, 3, 3, 1],
        strides=[1, 2, 2, 1],
        rates=[1, 1, 1, 1],
        padding="SAME",
    ),
    "FusedBatchNorm": lambda: raw.FusedBatchNorm(
        x=image(), scale=x(4), offset=x(4), mean=x(4), variance=x(4), is_training=False
    )[0],
    "FusedBatchNormV2": lambda: raw.FusedBatchNormV2(
        x=image(), scale=x(4), offset=x(4), mean=x(4), variance=x(4), is_training=False
    )[0],
    "FusedBatchNormV3": lambda: raw.FusedBatchNormV3(
        x=image(), scale=x(4), offset=x(4), mean=x(4), variance=x(4), is_training=False
    )[0],
    "LRN": lambda: raw.LRN(input=image()),
    "ResizeBicubic": lambda: raw.ResizeBicubic(images=image(), size=c([5, 9])),
    "ResizeBilinear": lambda: raw.ResizeBilinear(images=image(), size=c([5, 9])),
    "ResizeNearestNeighbor": lambda: raw.ResizeNearestNeighbor(images=image(), size=c([5, 9])),
    "IRFFT": lambda: raw.IRFFT(input=x(2, 3, dtype="complex64"), fft_length=c([4])),
    "IRFFT2D": lambda: raw.IRFFT2D(input=x(2, 4, 3, dtype="complex64"), fft_length=c([4, 4])),
    "RFFT": lambda: raw.RFFT(input=x(2, 4), fft_length=c([4])),
    "RFFT2D": lambda: raw.RFFT2D(input=x(2, 4, 4), fft_length=c([4, 4])),
    "StatelessRandomGetKeyCounter": lambda: raw.StatelessRandomGetKeyCounter(seed=c([1, 2]))[0],
}
NO_EXAMPLES = {"Placeholder", "Const", "NoOp"}
"""What a graph is fed, what it holds, and what does nothing."""


def graph(name: str) -> tuple[Any, list[str], str]:
    """The example as a graph: what it is, what it is fed, and its result."""
    with tf.Graph().as_default() as made:
        result = EXAMPLES[name]()
    definition = made.as_graph_def()
    return definition, feeds(definition), tf.nest.flatten(result)[0].name


def feeds(definition: Any) -> list[str]:
    """What a graph is fed."""
    return [f"{node.name}:0" for node in definition.node if node.op == "Placeholder"]
