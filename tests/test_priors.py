"""Where a sampler's inputs come from: every source, in training and from a seed."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from ganzoo import inputs as inputs_
from ganzoo import priors
from ganzoo.errors import GanzooError, UsageError
from ganzoo.inputs import Input
from ganzoo.plugin import Turn
from ganzoo.priors import (
    Categorical,
    Constant,
    Data,
    Label,
    Normal,
    Rows,
    TruncatedNormal,
    Uniform,
)

ARRAYS = {"image": 0, "label": 10}


def turn(batch_size: int = 4, step: int = 0, **batch: np.ndarray) -> Turn:
    step = tf.constant(step, tf.int64)
    return Turn(0, batch, step, step, batch_size, {})


def bits() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(3))


def rows(source: priors.Source, n: int, shape: tuple = (5,), dtype: str = "float32") -> np.ndarray:
    return inputs_.rows(Input("x", shape, dtype, source), n, bits())


SOURCES = (Normal(), Uniform(), TruncatedNormal(0.5), Categorical(), Rows([1.0, 2, 3]))


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.kind)
def test_row_i_depends_on_the_seed_and_i_alone(source):
    shape = () if isinstance(source, Rows) else (5,)
    few, many = (rows(source, n, shape) for n in (3, 9))
    assert few.dtype == np.float32
    np.testing.assert_array_equal(few, many[:3])


@pytest.mark.parametrize("threshold", [0.5, 2.0])
def test_a_truncated_normal_is_the_normal_within_its_threshold(threshold):
    source = TruncatedNormal(threshold)
    drawn = rows(source, 4000).ravel()
    trained = np.asarray(source.draw(turn(4000), "z", (5,), "float32")).ravel()
    for sample in (drawn, trained):
        assert np.abs(sample).max() <= threshold
        law = stats.truncnorm(-threshold, threshold)
        assert stats.kstest(sample, law.cdf).pvalue > 1e-3


def test_a_truncated_row_is_the_normal_row_of_its_seed_drawn_in():
    whole, near, nearer = (
        rows(source, 500) for source in (Normal(), TruncatedNormal(1.0), TruncatedNormal(0.5))
    )
    for wide, narrow in ((whole, near), (near, nearer)):
        assert (np.abs(narrow) < np.abs(wide)).all()
        np.testing.assert_array_equal(np.sign(narrow), np.sign(wide))
    np.testing.assert_allclose(rows(TruncatedNormal(20.0), 500), whole, atol=1e-5)


def test_a_uniform_prior_keeps_its_range():
    for sample in (
        rows(Uniform(2, 3), 500),
        np.asarray(Uniform(2, 3).draw(turn(500), "z", (5,), "float32")),
    ):
        assert 2 <= sample.min() < 2.01
        assert 2.99 < sample.max() <= 3


def test_classes_are_one_hot_for_floats_and_numbers_for_whole_numbers():
    one_hot = rows(Categorical(), 1000, (10,))
    assert set(one_hot.sum(1)) == {1.0}
    assert np.bincount(one_hot.argmax(1), minlength=10).min() > 60
    numbers = rows(Categorical(7), 1000, (), "int32")
    assert set(numbers) == set(range(7))
    trained = np.asarray(Categorical().draw(turn(1000), "code", (10,), "float32"))
    assert set(trained.sum(1)) == {1.0}
    with pytest.raises(UsageError, match="Categorical"):
        rows(Categorical(), 3, (), "int32")


def test_given_rows_come_in_order_and_again():
    np.testing.assert_array_equal(rows(Rows([-1, -2]), 5, ()), [-1, -2, -1, -2, -1])
    source, steps = Rows([[1.0], [2.0], [3.0]]), []
    for step in range(3):
        steps += np.asarray(source.draw(turn(2, step), "z", (1,), "float32")).ravel().tolist()
    assert steps == [1, 2, 3, 1, 2, 3]


def test_every_source_comes_back_from_a_folder():
    for source in (*SOURCES, Label(10), Data("a"), Constant(0.5)):
        assert inputs_.from_json(inputs_.as_json(source)) == source
    for wrong in ({"kind": "nothing"}, {"kind": "normal", "x": 1}, {}):
        with pytest.raises(GanzooError, match="no source"):
            inputs_.from_json(wrong)


# -- which input has which source -----------------------------------------------------------------


def resolve(inputs, declared=None, arrays=ARRAYS):
    return inputs_.resolve(inputs, declared or {}, arrays, Normal(), 8)


def test_inputs_are_found_by_what_is_declared_then_by_their_names():
    inputs = [
        keras.Input((8,), name="z"),
        keras.Input((), name="label", dtype="int32"),
        keras.Input((4, 4, 1), name="image"),
        keras.Input((1,), name="psi"),
    ]
    found = resolve(inputs, {"psi": Constant(0.7)})
    assert [one.source for one in found] == [Normal(), Label(10), Data("image"), Constant(0.7)]
    assert [one.shape for one in found] == [(8,), (), (4, 4, 1), (1,)]


def test_a_lone_input_without_a_name_is_z():
    (one,) = resolve([keras.Input((8,))])
    assert (one.name, one.source) == ("z", Normal())


@pytest.mark.parametrize(
    ("inputs", "declared", "sentence"),
    [
        ([("z", (8,)), ("psi", (1,))], {}, "nothing feeds the sampler's input 'psi'"),
        ([("z", (8,))], {"psi": Constant(1)}, "declares an input 'psi' that its sampler"),
        ([("z", (8,))], {"z": "normal"}, "expected a source"),
        ([("a", (4,))], {"a": Data("b")}, "array 'b'"),
        ([("odd", (9,))], {}, "nothing feeds the sampler's input 'odd'"),
    ],
)
def test_an_input_that_nothing_feeds_is_one_sentence(inputs, declared, sentence):
    with pytest.raises(GanzooError, match=sentence):
        resolve([keras.Input(shape, name=name) for name, shape in inputs], declared)


def test_a_label_needs_labelled_data():
    with pytest.raises(UsageError, match="no labels"):
        resolve([keras.Input((), name="label", dtype="int32")], arrays={"image": 0})


# -- what may be set when sampling ----------------------------------------------------------------

INPUTS = [
    Input("z", (3,), "float32", Normal()),
    Input("code", (4,), "float32", Categorical()),
    Input("label", (), "int32", Label(5)),
    Input("psi", (1,), "float32", Constant(1.0)),
    Input("a", (2,), "float32", Data("a"), ("young", "smiling")),
]


def drawn(name: str, **settings: object) -> np.ndarray:
    inputs, held = inputs_.changed(INPUTS, {k.replace("_", "."): v for k, v in settings.items()})
    (one,) = (one for one in inputs if one.name == name)
    return inputs_.rows(one, 4, bits(), held=held.get(name))


def test_an_input_is_held_at_a_value_or_one_column_of_it():
    assert set(drawn("psi", psi=0.5).ravel()) == {0.5}
    assert set(drawn("label", label=3)) == {3}
    np.testing.assert_array_equal(drawn("code", code=2), [[0, 0, 1, 0]] * 4)
    np.testing.assert_array_equal(drawn("z", z=[1, 2, 3]), [[1, 2, 3]] * 4)
    column, free = drawn("z", z_1=9), drawn("z")
    np.testing.assert_array_equal(column[:, 1], [9] * 4)
    np.testing.assert_array_equal(column[:, [0, 2]], free[:, [0, 2]])


def test_a_column_may_be_called_by_its_name():
    _, held = inputs_.changed(INPUTS, {"a.smiling": 1})
    assert held["a"].columns == {1: 1.0}


def test_a_threshold_cuts_a_normal_prior():
    assert np.abs(drawn("z", z_threshold=0.1)).max() <= 0.1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"ps": 1}, "did you mean 'psi'"),
        ({"psi": "high"}, "expected a number"),
        ({"psi": math.nan}, "no value"),
        ({"z": [1, 2]}, "as many as"),
        ({"z.7": 1}, "shape"),
        ({"a.2": 1}, "shape"),
        ({"z.size": 1}, "z.threshold"),
        ({"psi.size": 1}, "psi or psi.0"),
        ({"a.smile": 1}, "did you mean 'smiling'"),
        ({"code.threshold": 1}, "normal priors"),
        ({"z.threshold": -1}, "above 0"),
        ({"label": 5}, r"0\.\.4"),
        ({"label": 1.5}, "no value"),
        ({"code": 4}, r"0\.\.3"),
    ],
)
def test_a_wrong_setting_is_one_sentence(settings, sentence):
    with pytest.raises(UsageError, match=sentence):
        inputs_.changed(INPUTS, settings)
