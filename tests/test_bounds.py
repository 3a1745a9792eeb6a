"""What a graph would take is known before it runs, and limited: sizes, memory, work."""

from __future__ import annotations

import operations
import pytest
import tensorflow as tf

from ganzoo import bounds, operands
from ganzoo.errors import GanzooError
from ganzoo.program import Program


def needs(function, *shapes: tuple[int, ...], samples: int = 1) -> bounds.Needs:
    """What a function of tensors of these shapes needs."""
    names = [f"x{i}" for i in range(len(shapes))]
    specs = [
        tf.TensorSpec((None, *shape[1:]), name=name)
        for name, shape in zip(names, shapes, strict=True)
    ]
    concrete = tf.function(function).get_concrete_function(*specs)
    feeds, fetch = [one.name for one in concrete.inputs], concrete.outputs[0].name
    program = Program(concrete.graph.as_graph_def(), feeds, [fetch])
    return bounds.needs(program, [tf.TensorSpec(shape) for shape in shapes], samples)


def refused(function, *shapes: tuple[int, ...], samples: int = 1) -> str:
    with pytest.raises(GanzooError, match="not run") as error:
        needs(function, *shapes, samples=samples)
    return str(error.value)


# -- sizes ----------------------------------------------------------------------------------------


def deciding() -> list[tuple[str, str]]:
    """Each operation with each of its inputs that decides a size, in its example a constant."""
    found = []
    for name in operations.EXAMPLES:
        definition, feeds, fetch = operations.graph(name)
        (step,) = [s for s in Program(definition, feeds, [fetch]).steps if s.operation == name]
        found += [(name, one) for one in step.takes if one in operands.DECIDE]
    return found


@pytest.mark.parametrize(("name", "decides"), deciding())
def test_what_decides_a_size_is_not_known_at_run_time_only(name, decides):
    definition, feeds, fetch = operations.graph(name)
    program = Program(definition, feeds, [fetch])
    (step,) = [one for one in program.steps if one.operation == name]
    constant = program.steps[step.named(step.inputs)[decides].step]
    node = next(one for one in definition.node if one.name == constant.name)
    node.op = "Placeholder"  # the same numbers, from outside
    node.attr["shape"].shape.CopyFrom(node.attr["value"].tensor.tensor_shape)
    program = Program(definition, operations.feeds(definition), [fetch])
    with pytest.raises(GanzooError, match="not known beforehand"):
        bounds.needs(program, program.fed, 1)


RUN_TIME = {
    "fill": lambda x, n: tf.fill([n, n], 1.0),
    "tile": lambda x, n: tf.tile(x, [n, 1]),
    "broadcast": lambda x, n: tf.broadcast_to(x[:1], [n, 4]),
    "range": lambda x, n: tf.range(n),
    "pad": lambda x, n: tf.pad(x, [[n, 0], [0, 0]]),
    "resize": lambda x, n: tf.image.resize(x[None, :, :, None], [n, n]),
    "one hot": lambda x, n: tf.one_hot([1, 2], n),
    "diagonal": lambda x, n: tf.linalg.diag(x, num_cols=n),
    "reshape": lambda x, n: tf.reshape(x, [n, -1]),
    "scatter": lambda x, n: tf.scatter_nd([[0]], [1.0], [n]),
    "transposed": lambda x, n: tf.nn.conv2d_transpose(
        x[None, :, :, None], tf.ones((2, 2, 1, 1)), [1, n, n, 1], 2
    ),
}


@pytest.mark.parametrize("name", RUN_TIME)
def test_a_size_out_of_numbers_is_refused_and_the_same_out_of_sizes_is_not(name):
    def of_numbers(x):
        return RUN_TIME[name](x, tf.cast(tf.reduce_max(x) * 1e6, tf.int32))

    def of_sizes(x):
        return RUN_TIME[name](x, tf.shape(x)[1] * 2 // 1)

    assert "not known beforehand" in refused(of_numbers, (4, 4))
    needs(of_sizes, (4, 4))


def test_doublings_are_counted():
    def doubled(x):
        for _ in range(40):
            x = tf.concat([x, x], 0)  # 16 TiB in 40 operations
        return tf.reduce_sum(x)

    assert "GiB at once" in refused(doubled, (1, 4))


def test_an_empty_tensor_of_several_axes_is_refused():
    assert "an empty tensor" in refused(lambda x: tf.reduce_sum(x[:, 4:]), (2, 4))
    needs(lambda x: tf.reshape(tf.reduce_sum(x), tf.shape(x)[2:]), (2, 4))


# -- memory and work ------------------------------------------------------------------------------


def test_memory_is_that_of_the_fullest_moment():
    def many(x):
        parts = [x * float(i) for i in range(80)]
        return tf.add_n(parts)

    def one_by_one(x):
        made = x
        for i in range(80):
            made = made + x * float(i)
        return made

    side = (1, 2**23)  # 32 MiB
    assert "GiB at once" in refused(many, side)
    assert needs(one_by_one, side).memory < 2**29


def test_fewer_samples_at_once_may_fit():
    def heavy(x):
        return tf.tile(x[:, :, None], [1, 1, 2**14])

    with pytest.raises(bounds.TooLargeError):
        needs(heavy, (500, 2**9), samples=500)
    needs(heavy, (4, 2**9), samples=4)


def test_work_is_limited_and_that_of_products_is_theirs():
    product = needs(lambda a, b: a @ b, (300, 400), (400, 500))
    assert 300 * 400 * 500 <= product.work < 1.5 * 300 * 400 * 500 + 64 * 500_000
    einsum = needs(lambda a, b: tf.einsum("bij,bjk->bik", a, b), (8, 30, 40), (8, 40, 50))
    assert einsum.work >= 8 * 30 * 40 * 50

    def products(x):
        for _ in range(400):
            x = x @ x
        return x

    assert "more work" in refused(products, (8000, 8000))


def test_what_follows_from_constants_is_not_computed_to_find_out_its_size(monkeypatch):
    multiply, eagerly = tf.raw_ops.MatMul, []

    def watched(**inputs):
        eagerly.append(tf.executing_eagerly())
        return multiply(**inputs)

    monkeypatch.setattr(tf.raw_ops, "MatMul", watched)

    def of_constants(x):
        large = tf.ones((100, 100))
        return x + tf.reduce_sum(large @ large @ large)

    needs(of_constants, (1, 4))
    assert eagerly == [False]  # two of the same sizes are asked once


def test_a_generator_of_512_pixels_is_far_below_the_limits():
    def convolved(x):
        for side, channels in ((64, 512), (128, 256), (256, 128), (512, 64)):
            x = tf.image.resize(x, [side, side])
            kernel = tf.ones((3, 3, x.shape[-1], channels))
            for _ in range(2):
                x = tf.nn.leaky_relu(tf.nn.conv2d(x, kernel, 1, "SAME") * 2 + 1)
                kernel = tf.ones((3, 3, channels, channels))
        return x

    found = needs(convolved, (1, 32, 32, 512))
    assert found.work < bounds.WORK / 6
    assert found.memory < bounds.MEMORY / 2


# -- what ends a process --------------------------------------------------------------------------


@pytest.mark.parametrize("divide", [tf.math.floordiv, tf.math.floormod, tf.truncatediv])
def test_whole_numbers_are_divided_by_what_is_known_and_harmless(divide):
    def whole(x):
        return tf.cast(x, tf.int32)

    assert "may be 0 or -1" in refused(lambda x: divide(whole(x), whole(x)), (2, 4))
    assert "may be 0 or -1" in refused(lambda x: divide(whole(x), 0), (2, 4))
    assert "may be 0 or -1" in refused(lambda x: divide(whole(x), -1), (2, 4))
    needs(lambda x: divide(whole(x), 3), (2, 4))


def changed(name: str, change) -> str:
    """Why an example is refused when it is changed."""
    definition, _, fetch = operations.graph(name)
    nodes = {node.op: node for node in definition.node}
    change(nodes[name], [node for node in definition.node if node.op == "Const"])
    program = Program(definition, operations.feeds(definition), [fetch])
    with pytest.raises(GanzooError) as error:
        bounds.needs(program, program.fed, 1)
    return str(error.value)


def hold(node, value) -> None:
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, tf.int32))


def test_what_ends_a_process_is_refused():
    """Each ended the process in a check of C++, some of them when only their size was asked."""

    def batch_dims(node, constants):
        node.attr["batch_dims"].i = 8

    def strides(node, constants):
        node.attr["strides"].list.i.pop()

    def splits(node, constants):
        hold(constants[0], [[1, 3]])

    def negative(node, constants):
        hold(constants[0], [-2, 9])

    def diagonals(node, constants):
        node.input[0] = constants[-1].name  # one row, and three diagonals

    assert "batch_dims" in changed("GatherV2", batch_dims)
    assert "strides" in changed("DepthwiseConv2dNativeBackpropInput", strides)
    assert "no list" in changed("SplitV", splits)
    assert "cannot be run" in changed("ResizeBilinear", negative)
    assert "diagonals" in changed("MatrixDiagV3", diagonals)
