"""A graph's operations are called one by one, and make what TensorFlow makes of the graph."""

from __future__ import annotations

import keras
import numpy as np
import operations
import pytest
import tensorflow as tf
from keras import layers
from tensorflow.python.framework import op_def_registry

from ganzoo import bounds, vetting
from ganzoo import layers as own
from ganzoo.errors import GanzooError
from ganzoo.program import LISTS, Program


def imported(definition, feeds, fetch):
    """What TensorFlow's own importer makes of a graph."""
    wrapped = tf.compat.v1.wrap_function(
        lambda: tf.compat.v1.import_graph_def(definition, name=""), []
    )
    return wrapped.prune(feeds, [fetch])


def fed(specs):
    bits = np.random.default_rng(0)
    return [tf.cast(tf.constant(bits.uniform(0, 2, one.shape)), one.dtype) for one in specs]


def test_every_operation_of_the_list_has_an_example():
    assert operations.EXAMPLES.keys() | operations.NO_EXAMPLES == vetting.COMPUTES


@pytest.mark.parametrize("name", operations.EXAMPLES)
def test_an_operation_means_the_same_and_its_size_is_known_before(name):
    definition, feeds, fetch = operations.graph(name)
    vetting.check(definition)
    program = Program(definition, feeds, [fetch])
    told = bounds.needs(program, program.fed, 1).results[0]
    given = fed(program.fed)
    (made,) = program(*given)
    (wanted,) = imported(definition, feeds, fetch)(*given)
    assert (made.shape, made.dtype) == (told.shape, told.dtype)
    if name != "Cholesky":  # of a matrix that has none: anything
        np.testing.assert_array_equal(made.numpy(), wanted.numpy())


def test_operations_that_take_a_list_are_those_that_tensorflow_says():
    listed = set()
    for name in operations.EXAMPLES:
        arguments = op_def_registry.get(name).input_arg
        listed |= {name} if any(a.number_attr or a.type_list_attr for a in arguments) else set()
    assert listed == set(LISTS)


# -- what Keras exports ---------------------------------------------------------------------------

LAYERS = {
    "convolution": lambda: layers.Conv2D(4, 3),
    "groups": lambda: layers.Conv2D(4, 3, groups=2),
    "dilated": lambda: layers.Conv2D(4, 3, dilation_rate=2),
    "depthwise": lambda: layers.DepthwiseConv2D(3),
    "transposed": lambda: layers.Conv2DTranspose(4, 4, 2, "same"),
    "transposed, valid": lambda: layers.Conv2DTranspose(4, 5, 3, "valid", output_padding=1),
    "separable": lambda: layers.SeparableConv2D(4, 3),
    "dense": lambda: layers.Dense(3),
    "einsum dense": lambda: layers.EinsumDense("abcd,de->abce", (None, None, 5)),
    "batch norm": lambda: layers.BatchNormalization(),
    "group norm": lambda: layers.GroupNormalization(2),
    "layer norm": lambda: layers.LayerNormalization(),
    "unit norm": lambda: layers.UnitNormalization(),
    "spectral norm": lambda: layers.SpectralNormalization(layers.Conv2D(4, 3)),
    "upsampling": lambda: layers.UpSampling2D(interpolation="bilinear"),
    "nearest upsampling": lambda: layers.UpSampling2D(3),
    "bicubic": lambda: layers.Resizing(5, 11, interpolation="bicubic"),
    "cropped": lambda: layers.Cropping2D(((1, 2), (0, 3))),
    "center crop": lambda: layers.CenterCrop(3, 5),
    "padded": lambda: layers.ZeroPadding2D(2),
    "pooling": lambda: layers.AveragePooling2D(2),
    "max pooling": lambda: layers.MaxPooling2D(2, padding="same"),
    "global pooling": lambda: layers.GlobalAveragePooling2D(),
    "flatten": lambda: layers.Flatten(),
    "reshape": lambda: layers.Reshape((16, -1)),
    "permute": lambda: layers.Permute((3, 1, 2)),
    "lstm": lambda: keras.Sequential([layers.Reshape((16, 16)), layers.LSTM(3, unroll=True)]),
    "gru": lambda: keras.Sequential(
        [layers.Reshape((8, 32)), layers.GRU(3, unroll=True, return_sequences=True)]
    ),
    "multi-head attention": lambda: Attends(),
    "attention": lambda: own.SelfAttention(),
    "spectral": lambda: own.SpectralConv2D(4, 3),
    "fourier": lambda: own.Conv2DTranspose(64, 5, 2, "same"),
    "gelu": lambda: layers.Activation("gelu"),
    "softmax": lambda: layers.Softmax(),
    "prelu": lambda: layers.PReLU(),
    "dropout": lambda: layers.Dropout(0.5),
    "noise": lambda: layers.GaussianNoise(0.5),
    "discretized": lambda: layers.Lambda(lambda x: keras.ops.one_hot(keras.ops.argmax(x, -1), 4)),
    "shuffled": lambda: layers.Lambda(lambda x: tf.nn.depth_to_space(x, 2)),
    "by its batch": lambda: layers.Lambda(lambda x: tf.reshape(x, [tf.shape(x)[0], 4, -1])),
    "broadcast": lambda: layers.Lambda(
        lambda x: tf.tile(tf.range(8.0)[None, :, None, None], [tf.shape(x)[0], 1, 8, 1]) + x
    ),
}


class Attends(layers.Layer):
    """Attention over an image's places."""

    def build(self, shape):
        self.inner = layers.MultiHeadAttention(2, 3)
        self.inner.build((None, 64, 4), (None, 64, 4))

    def call(self, x):
        x = keras.ops.reshape(x, (-1, 64, 4))
        return self.inner(x, x)


@pytest.mark.parametrize("name", LAYERS)
def test_what_keras_layers_export_is_let_through_and_means_the_same(name):
    keras.utils.set_random_seed(0)
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
    definition = concrete.graph.as_graph_def()
    vetting.check(definition)
    program = Program(definition, [t.name for t in concrete.inputs], [concrete.outputs[0].name])
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype(np.float32))
    values = [tf.constant(w.numpy()) for w in [*trainable, *fixed]]
    told = bounds.needs(program, [tf.TensorSpec(v.shape, v.dtype) for v in (x, *values)], 2)
    (made,) = program(x, *values)
    assert made.shape == told.results[0].shape
    np.testing.assert_allclose(made.numpy(), model(x, training=False).numpy(), atol=1e-5)


def test_it_can_be_differentiated():
    definition, feeds, fetch = operations.graph("Conv2D")
    program = Program(definition, feeds, [fetch])
    given = fed(program.fed)
    with tf.GradientTape() as tape:
        tape.watch(given)
        (made,) = program(*given)
    assert all(one is not None for one in tape.gradient(made, given))


# -- the way of a graph ---------------------------------------------------------------------------


def graph_of(function, *signature):
    concrete = tf.function(function).get_concrete_function(*signature)
    return concrete.graph.as_graph_def(), concrete.outputs[0].name


X = tf.TensorSpec([None, 4], name="x")


def test_where_and_how_it_runs_is_not_taken_over():
    definition, fetch = graph_of(tf.nn.relu, X)
    node = next(n for n in definition.node if n.op == "Relu")
    node.device = "/job:elsewhere"
    node.attr["_kernel"].s = b"other"
    node.attr["name"].s = b"other"
    (made,) = Program(definition, ["x:0"], [fetch])(tf.constant([[-1.0, 2.0, 3.0, 4.0]]))
    np.testing.assert_array_equal(made.numpy(), [[0.0, 2.0, 3.0, 4.0]])


def test_calls_are_written_out():
    @tf.function
    def inner(x):
        mean, variance = tf.nn.moments(x, 1)
        return tf.split(x, 2, 1)[1] * variance[:, None], mean

    definition, fetch = graph_of(lambda x: inner(inner(x)[0] + inner(x)[1][:, None])[0], X)
    assert definition.library.function
    program = Program(definition, ["x:0"], [fetch])
    assert not {step.operation for step in program.steps} & vetting.CALLS.keys()
    x = tf.constant(np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32))
    (wanted,) = imported(definition, ["x:0"], fetch)(x)
    np.testing.assert_allclose(program(x)[0].numpy(), wanted.numpy(), rtol=1e-5)


def test_what_nobody_needs_any_more_is_let_go():
    def long(x):
        for _ in range(50):
            x = tf.sin(x) + x
        return x

    definition, fetch = graph_of(long, tf.TensorSpec([None, 1000], name="x"))
    program = Program(definition, ["x:0"], [fetch])
    told = bounds.needs(program, [tf.TensorSpec([10, 1000])], 1)
    assert told.memory < 10 * 40_000 + 10_000


BROKEN = {
    "a circle": lambda nodes: nodes["b"].input.append("c"),
    "a missing input": lambda nodes: nodes["b"].input.__setitem__(0, "nowhere"),
    "an output that is not there": lambda nodes: nodes["b"].input.__setitem__(0, "a:7"),
    "an odd reference": lambda nodes: nodes["b"].input.__setitem__(0, "a:x:y:z"),
    "too many inputs": lambda nodes: nodes["b"].input.extend(["a"] * 3),
    "too few": lambda nodes: nodes["b"].input.pop(),
    "no feed": lambda nodes: setattr(nodes["x"], "op", "Const"),
    "another type": lambda nodes: setattr(nodes["x"].attr["dtype"], "type", 10),
    "no constant": lambda nodes: nodes["k"].attr["value"].Clear(),
    "a cut constant": lambda nodes: setattr(
        nodes["k"].attr["value"].tensor, "tensor_content", b"abc"
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_graph_is_one_sentence(what):
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, (2, 4), name="x")
        k = tf.constant([1.0, 2.0, 3.0, 4.0], name="k")
        a = tf.add(x, k, name="a")
        b = tf.multiply(a, k, name="b")
        tf.tanh(b, name="c")
    definition = graph.as_graph_def()
    BROKEN[what]({node.name: node for node in definition.node})
    with pytest.raises(GanzooError, match=r"cannot be run|not run"):
        bounds.needs(program := Program(definition, ["x:0"], ["c:0"]), program.fed, 1)
