"""A stranger's graph can compute and do nothing else."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from tensorflow.core.framework import attr_value_pb2, graph_pb2, op_def_pb2
from tensorflow.python.client import pywrap_tf_session
from tensorflow.python.framework import op_def_registry, ops

from ganzoo import layers as own
from ganzoo import registry, vetting
from ganzoo.errors import GanzooError
from ganzoo.run import RunDir
from ganzoo.sampling import Sampler


def graph_of(function, *signature: tf.TensorSpec) -> graph_pb2.GraphDef:
    return tf.function(function).get_concrete_function(*signature).graph.as_graph_def()


X = tf.TensorSpec([None, 4])


def refused(definition: graph_pb2.GraphDef) -> str:
    with pytest.raises(GanzooError, match="not run") as error:
        vetting.vetted(definition)
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


LAYERS = {
    "convolution": lambda: layers.Conv2D(4, 3),
    "groups": lambda: layers.Conv2D(4, 3, groups=2),
    "dilated": lambda: layers.Conv2D(4, 3, dilation_rate=2),
    "transposed": lambda: layers.Conv2DTranspose(4, 4, 2, "same"),
    "separable": lambda: layers.SeparableConv2D(4, 3),
    "batch norm": lambda: layers.BatchNormalization(),
    "group norm": lambda: layers.GroupNormalization(2),
    "layer norm": lambda: layers.LayerNormalization(),
    "upsampling": lambda: layers.UpSampling2D(interpolation="bilinear"),
    "pooling": lambda: layers.AveragePooling2D(2),
    "attention": lambda: own.SelfAttention(),
    "spectral": lambda: own.SpectralConv2D(4, 3),
    "fourier": lambda: own.Conv2DTranspose(64, 5, 2, "same"),
    "gelu": lambda: layers.Activation("gelu"),
    "dropout": lambda: layers.Dropout(0.5),
}


@pytest.mark.parametrize("name", LAYERS)
def test_what_keras_layers_export_is_let_through_and_means_the_same(name):
    image = keras.Input((8, 8, 4))
    model = keras.Model(image, LAYERS[name]()(image))
    trainable, fixed = model.trainable_variables, model.non_trainable_variables

    def call(x, *weights):
        split = weights[: len(trainable)], weights[len(trainable) :]
        return model.stateless_call(*split, x, training=False)[0]

    concrete = tf.function(call).get_concrete_function(
        tf.TensorSpec([None, 8, 8, 4]),
        *[tf.TensorSpec(w.shape, w.dtype) for w in [*trainable, *fixed]],
    )
    clean = vetting.vetted(concrete.graph.as_graph_def())
    wrapped = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(clean, name=""), [])
    vetting.check_sizes(wrapped.graph)
    again = wrapped.prune([t.name for t in concrete.inputs], [concrete.outputs[0].name])
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype(np.float32))
    values = [tf.constant(w.numpy()) for w in [*trainable, *fixed]]
    np.testing.assert_allclose(
        again(x, *values)[0].numpy(), model(x, training=False).numpy(), atol=1e-5
    )


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


def test_functions_that_call_themselves_or_too_much_are_refused():
    definition = graph_pb2.GraphDef()

    def function(name: str, *called: str) -> None:
        made = definition.library.function.add()
        made.signature.name = name
        for i, inner in enumerate(called):
            node = made.node_def.add(name=f"call{i}", op="PartitionedCall")
            node.attr["f"].func.name = inner

    function("one", "one")
    assert "calls itself" in refused(definition)
    del definition.library.function[:]
    function("f0")
    for i in range(40):
        function(f"f{i + 1}", f"f{i}", f"f{i}")
    assert "calls of calls" in refused(definition)
    del definition.library.function[:]
    function("Relu")
    assert "named like an operation" in refused(definition)


def test_sizes_are_limited_as_they_are_in_memory():
    definition = graph_pb2.GraphDef()
    node = definition.node.add(name="c", op="Const")
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    tensor = node.attr["value"].tensor
    tensor.dtype = tf.float32.as_datatype_enum
    tensor.float_val.append(1.0)  # one stored number
    tensor.tensor_shape.dim.add(size=10**12)
    assert "constants" in refused(definition)
    large = graph_of(lambda x: tf.fill([2**15, 2**15], 1.0) + tf.reduce_sum(x), X)
    wrapped = tf.compat.v1.wrap_function(
        lambda: tf.compat.v1.import_graph_def(vetting.vetted(large), name=""), []
    )
    with pytest.raises(GanzooError, match="a tensor of"):
        vetting.check_sizes(wrapped.graph)
    many = graph_pb2.GraphDef()
    for i in range(vetting.NODES + 1):
        many.node.add(name=f"n{i}", op="NoOp")
    assert "more than 50,000" in refused(many)


def test_where_and_how_it_runs_is_not_taken_over():
    definition = graph_of(lambda x: tf.nn.relu(x), X)
    node = next(n for n in definition.node if n.op == "Relu")
    node.device = "/job:elsewhere"
    node.attr["_kernel"].CopyFrom(attr_value_pb2.AttrValue(s=b"other"))
    clean = next(n for n in vetting.vetted(definition).node if n.op == "Relu")
    assert not clean.device
    assert "_kernel" not in clean.attr


def test_a_run_with_such_a_graph_is_not_sampled(tmp_path):
    import ganzoo

    run = ganzoo.train("mlp_gan", "ring", outdir=tmp_path / "run", steps=2, quiet=True)
    folder = RunDir.open(run.path)
    graph, _ = folder.sampler()
    definition = graph_pb2.GraphDef.FromString(graph)
    definition.node.add(name="extra", op="DatasetFromGraph")
    (run.path / "sampler.pb").write_bytes(definition.SerializeToString())
    with pytest.raises(GanzooError, match="'DatasetFromGraph'"):
        Sampler(folder)


@pytest.mark.parametrize("name", ["dcgan", "sagan", "wgan", "mlp_gan"])
def test_every_built_in_sampler_passes(name):
    from conftest import images

    from ganzoo import exporting
    from ganzoo.training.game import Game

    plugin, data = registry.load(name)(), images(64, classes=3)
    game = (
        Game(plugin, data, seed=0, precision="float32", chunk_steps=1)
        if (plugin.batch_size <= 64)
        else Game(type(plugin)(batch_size=8), data, seed=0, precision="float32", chunk_steps=1)
    )
    graph, _ = exporting.export(game.average, plugin, data.spec)
    vetting.vetted(graph_pb2.GraphDef.FromString(graph))
