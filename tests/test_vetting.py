"""A stranger's graph can compute and do nothing else."""

from __future__ import annotations

import pytest
import tensorflow as tf
from tensorflow.core.framework import graph_pb2, op_def_pb2
from tensorflow.python.client import pywrap_tf_session
from tensorflow.python.framework import op_def_registry, ops

from ganzoo import vetting
from ganzoo.errors import GanzooError
from ganzoo.run import RunDir
from ganzoo.sampling import Sampler
from ganzoo.signature import sealed


def graph_of(function, *signature: tf.TensorSpec) -> graph_pb2.GraphDef:
    return tf.function(function).get_concrete_function(*signature).graph.as_graph_def()


X = tf.TensorSpec([None, 4])


def refused(definition: graph_pb2.GraphDef) -> str:
    with pytest.raises(GanzooError, match="not run") as error:
        vetting.check(definition)
    return str(error.value)


def test_every_allowed_operation_is_known_harmless_and_can_be_differentiated():
    stateful, unknown, blind = [], [], []
    for name in vetting.COMPUTES:
        known = op_def_registry.get(name)
        if known is None:
            unknown.append(name)
            continue
        if known.is_stateful and name != "NoOp":
            stateful.append(name)
        try:
            ops._gradient_registry.lookup(name)
        except LookupError:
            blind.append(name)
    assert not stateful
    assert not unknown
    none = {"NoOp", "Placeholder", "Bitcast", "BroadcastArgs"}  # nothing, or whole numbers
    none |= {"All", "Any", "IsFinite", "IsInf", "IsNan"}  # truth values
    assert set(blind) <= none | {n for n in vetting.COMPUTES if n.startswith("StatelessRandom")}


# -- what acts ------------------------------------------------------------------------------------


def writes(x):
    tf.io.write_file("/tmp/never", "x")
    return x


def hides_a_graph(x):
    data = tf.data.Dataset.from_tensors(1.0)
    graph = tf.raw_ops.DatasetToGraphV2(input_dataset=data._variant_tensor)
    return tf.raw_ops.DatasetFromGraph(graph_def=graph) is not None and x


def debugs(x):
    return tf.raw_ops.DebugIdentity(input=x, debug_urls=["file:///tmp/never"])


def aborts(x):
    tf.raw_ops.Abort(error_msg="x")
    return x


def reads(x):
    return x + tf.cast(tf.strings.length(tf.io.read_file("/etc/passwd")), tf.float32)


def loops(x):
    return tf.while_loop(lambda y: True, lambda y: y + 1, [x])[0]


def calls_python(x):
    return tf.py_function(lambda y: y, [x], tf.float32)


def speaks(x):
    return tf.strings.as_string(x)


def lists(x):
    return tf.raw_ops.TensorListStack(
        input_handle=tf.raw_ops.TensorListFromTensor(tensor=x, element_shape=[4]),
        element_shape=[4],
        element_dtype=tf.float32,
    )


@pytest.mark.parametrize(
    "function",
    [writes, hides_a_graph, debugs, aborts, reads, loops, calls_python, speaks, lists],
    ids=lambda f: f.__name__,
)
def test_a_graph_that_can_act_is_refused(function):
    refused(graph_of(function, X))


def test_only_operations_of_the_list_pass_of_all_that_tensorflow_registers():
    buffer = pywrap_tf_session.TF_GetAllOpList()
    every = op_def_pb2.OpList.FromString(pywrap_tf_session.TF_GetBuffer(buffer))
    names = {operation.name for operation in every.op}
    assert len(names) > 1500
    assert {"WriteFile", "DatasetFromGraph", "DebugNanCount", "Abort"} <= names
    for name in names - vetting.COMPUTES - vetting.CALLS.keys():
        definition = graph_pb2.GraphDef()
        definition.node.add(name="x", op=name)
        assert name[:60] in refused(definition)


def function(definition: graph_pb2.GraphDef, name: str, *called: str) -> None:
    """Add a function that calls others."""
    made = definition.library.function.add()
    made.signature.name = name
    for i, inner in enumerate(called):
        node = made.node_def.add(name=f"call{i}", op="PartitionedCall")
        node.attr["f"].func.name = inner


def test_functions_that_call_themselves_or_too_much_are_refused():
    itself = graph_pb2.GraphDef()
    function(itself, "one")
    function(itself, "two", "two")
    assert "calls itself" in refused(itself)
    many = graph_pb2.GraphDef()
    function(many, "f0")
    for i in range(18):
        function(many, f"f{i + 1}", f"f{i}", f"f{i}")
    assert "calls of calls" in refused(many)
    deep = graph_pb2.GraphDef()
    function(deep, "f0")
    for i in range(30):
        function(deep, f"f{i + 1}", f"f{i}")
    assert "deep" in refused(deep)
    missing = graph_pb2.GraphDef()
    function(missing, "one", "nowhere")
    assert "no function of its own" in refused(missing)
    named = graph_pb2.GraphDef()
    function(named, "Relu")
    assert "named like an operation" in refused(named)


def test_constants_count_as_they_are_in_memory():
    definition = graph_pb2.GraphDef()
    node = definition.node.add(name="c", op="Const")
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    tensor = node.attr["value"].tensor
    tensor.dtype = tf.float32.as_datatype_enum
    tensor.float_val.append(1.0)  # one stored number
    tensor.tensor_shape.dim.add(size=10**12)
    assert "constants" in refused(definition)


def test_the_file_and_the_number_of_operations_are_limited():
    many = graph_pb2.GraphDef()
    for i in range(vetting.NODES + 1):
        many.node.add(name=f"n{i}", op="NoOp")
    assert "more than 50,000" in refused(many)
    empty = b"\x0a\x00" * (vetting.BYTES // 2 + 1)
    with pytest.raises(GanzooError, match="more than 32 MiB"):
        vetting.read(empty)


def test_an_operation_is_set_to_numbers_of_a_size_that_is_meant():
    definition = graph_of(lambda x: tf.stack(tf.split(x, 4, 1)), X)
    vetting.check(definition)
    split = next(node for node in definition.node if node.op == "Split")
    split.attr["num_split"].i = 2**30
    assert "num_split" in refused(definition)


def test_two_operations_of_one_name_are_refused():
    definition = graph_of(tf.nn.relu, X)
    definition.node.append(next(node for node in definition.node if node.op == "Relu"))
    assert "one name" in refused(definition)


def test_a_run_with_such_a_graph_is_not_sampled(tmp_path):
    import ganzoo

    run = ganzoo.train("mlp_gan", "ring", outdir=tmp_path / "run", steps=2, quiet=True)
    folder = RunDir.open(run.path)
    graph, content = folder.sampler()
    definition = graph_pb2.GraphDef.FromString(graph)
    definition.node.add(name="extra", op="DatasetFromGraph")
    graph = definition.SerializeToString()
    folder.write_sampler(graph, sealed(content, graph))
    with pytest.raises(GanzooError, match="'DatasetFromGraph'"):
        Sampler(folder)
