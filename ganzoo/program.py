"""A vetted graph -> the operations that it asks for, one after the other, called by ganzoo itself.

TensorFlow is never handed a stranger's graph, to import, rewrite or compile. It gets single
operations by their names in `tf.raw_ops`, each with what came out of the ones before it; so every
size can be found out before anything runs (`ganzoo.bounds`), and memory is given back in order.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import tensorflow as tf

from ganzoo.errors import GanzooError
from ganzoo.vetting import CALLS, one_line

LISTS = {
    "AddN": "inputs",
    "Concat": "values",
    "ConcatV2": "values",
    "Einsum": "inputs",
    "IdentityN": "input",
    "Pack": "values",
    "ShapeN": "input",
}
"""The input that is a list, of the operations that have one."""
OTHERWISE = {"squeeze_dims": "axis"}
"""Attributes that `tf.raw_ops` calls otherwise than a graph does."""


class Place(NamedTuple):
    """A tensor that a step makes: an output by its name, where it has several, then which."""

    step: int
    output: str = ""
    index: int = 0


@dataclass
class Step:
    """One operation: where its inputs come from, and with what else it is called."""

    operation: str
    name: str
    inputs: tuple[Place, ...] = ()
    takes: tuple[str, ...] = ()
    """What the operation calls its inputs."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    value: Any = None
    """The tensor that a `Const` is; the TensorSpec of what a `Placeholder` is fed."""
    last: tuple[int, ...] = ()
    """The steps whose results nobody needs after this one."""

    def run(self, values: Sequence[Any]) -> Any:
        """What the operation makes of these tensors."""
        if self.operation == "Const":
            return self.value
        return getattr(tf.raw_ops, self.operation)(**self.named(values), **self.arguments)

    def named(self, values: Sequence[Any]) -> dict[str, Any]:
        """The inputs by their names; a list among them has what the others leave."""
        left, count, given = list(values), len(values) - len(self.takes) + 1, {}
        for name in self.takes:
            if name == LISTS.get(self.operation):
                given[name], left = left[:count], left[count:]
            elif left:
                given[name], *left = left
        if left or len(given) < len(self.takes):
            raise broken(f"{self.name[:60]!r} has other inputs than {self.operation} takes")
        return given


class Program:
    """The operations that lead to some tensors of a graph, in order, with calls written out.

    `feeds` and `fetches` name tensors of the graph (`inputs:0`). Raises GanzooError where it is no
    graph; which operations it may hold is for `ganzoo.vetting` to say, before.
    """

    def __init__(self, graph: Any, feeds: Sequence[str], fetches: Sequence[str]):
        self.steps: list[Step] = []
        self._functions = {one.signature.name: one for one in graph.library.function}
        known, nodes = {}, {node.name: node for node in graph.node}
        for feed in feeds:
            node = nodes.get(feed.removesuffix(":0"))
            if node is None or node.op != "Placeholder" or node.name in known:
                raise broken(f"it has no input {feed[:60]!r}")
            known[node.name] = self._add(Step(node.op, node.name, value=_spec(node)))
        self._write(nodes, fetches, known)
        self.fed: list[tf.TensorSpec] = [step.value for step in self.steps[: len(feeds)]]
        self.results = [_place(known, name) for name in fetches]
        self._find_last()

    def _add(self, step: Step) -> Place:
        self.steps.append(step)
        return Place(len(self.steps) - 1)

    def _write(
        self, nodes: Mapping[str, Any], wanted: Sequence[str], known: dict[str, Any]
    ) -> None:
        """Add the steps that lead to `wanted`, and to `known` where each is."""
        for node in _ordered(nodes, wanted, known):
            inputs = [_place(known, one) for one in _needed(node)]
            if node.op in CALLS:
                known[node.name] = self._write_call(node, inputs)
            else:
                known[node.name] = self._add(_step(node, inputs))

    def _write_call(self, node: Any, inputs: Sequence[Place]) -> list[Place]:
        function = self._functions[node.attr[CALLS[node.op]].func.name]
        names = [one.name for one in function.signature.input_arg]
        if len(names) != len(inputs):
            raise broken(f"{node.name[:60]!r} calls a function of {len(names)} inputs")
        known: dict[str, Any] = dict(zip(names, inputs, strict=True))
        made = [function.ret[one.name] for one in function.signature.output_arg]
        self._write({node.name: node for node in function.node_def}, made, known)
        return [_place(known, name) for name in made]

    def _find_last(self) -> None:
        needed = {place.step for place in self.results}
        for step in reversed(self.steps):
            step.last = tuple({place.step for place in step.inputs} - needed)
            needed.update(step.last)

    def __call__(self, *fed: Any) -> list[Any]:
        """The results for these tensors. What they need is for `ganzoo.bounds` to say, before."""
        return self.walk(fed, Step.run, lambda made: None)

    def walk(
        self,
        fed: Sequence[Any],
        do: Callable[[Step, list[Any]], Any],
        forget: Callable[[Any], None],
    ) -> list[Any]:
        """The results, where `do` makes of its inputs what a step makes; what nobody needs any
        more is let go, and `forget` hears of it."""
        made: dict[int, Any] = dict(enumerate(fed))
        for number, step in enumerate(self.steps):
            if number >= len(fed):
                made[number] = do(step, [_taken(made, place) for place in step.inputs])
            for gone in step.last:
                forget(made.pop(gone))
        return [_taken(made, place) for place in self.results]


def broken(what: str) -> GanzooError:
    """The error about a graph that is none."""
    return GanzooError(f"the run's sampler.pb cannot be run: {one_line(what)}.")


def said(error: Exception) -> str:
    """The first line of what an error says, which is long and of many lines in TensorFlow's."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _needed(node: Any) -> list[str]:
    """What a node computes with; that it waits for others (`^NAME`) has no meaning here."""
    return [one for one in node.input if not one.startswith("^")]


def _ordered(
    nodes: Mapping[str, Any], wanted: Iterable[str], known: Mapping[str, Any]
) -> list[Any]:
    """The nodes that lead to what is wanted and is not known yet, each after what it needs, and as
    late as that goes: so few results wait."""
    order: list[Any] = []
    begun: set[str] = set()
    done = set(known)
    left = [(name.partition(":")[0], False) for name in wanted]
    while left:
        name, has_all = left.pop()
        if has_all:
            done.add(name)
            order.append(nodes[name])
        elif name in begun and name not in done:
            raise broken(f"{name[:60]!r} needs itself")
        elif name not in done:
            if name not in nodes:
                raise broken(f"it has no {name[:60]!r}")
            begun.add(name)
            needs = [(one.partition(":")[0], False) for one in _needed(nodes[name])]
            left += [(name, True), *reversed(needs)]
    return order


def _place(known: Mapping[str, Any], reference: str) -> Place:
    """Where the tensor `NAME`, `NAME:1` or, in a function, `NAME:OUTPUT:1` is."""
    name, *output, index = reference.split(":") if ":" in reference else (reference, "0")
    found = known[name]
    try:
        if isinstance(found, list):  # what a call gives back
            return found[int(index)]
        named, which = "".join(output), int(index)
        return Place(found.step, named, which) if named or which else found
    except (ValueError, TypeError, IndexError) as error:
        raise broken(f"it has no {reference[:60]!r}") from error


def _taken(made: Mapping[int, Any], place: Place) -> Any:
    """The tensor at a place; a step makes one, a list, or a tuple of outputs with names."""
    found = made[place.step]
    if place.output and hasattr(found, "_fields"):
        found = getattr(found, place.output)
    several = isinstance(found, (list, tuple))
    if place.index >= (len(found) if several else 1):
        raise broken(f"it has no output {place.index} of its operation {place.step}")
    return found[place.index] if several else found


# -- one operation --------------------------------------------------------------------------------


def _step(node: Any, inputs: Sequence[Place]) -> Step:
    if node.op == "Const":
        return Step(node.op, node.name, value=_constant(node))
    if node.op == "Placeholder":
        raise broken(f"nothing feeds its input {node.name[:60]!r}")
    parameters = _parameters(node.op)
    arguments = {OTHERWISE.get(name, name): _plain(value) for name, value in node.attr.items()}
    arguments = {name: arguments[name] for name in sorted(arguments.keys() & parameters.keys())}
    takes = tuple(n for n, needed in parameters.items() if needed and n not in arguments)
    return Step(node.op, node.name, tuple(inputs), takes, arguments)


@functools.cache
def _parameters(operation: str) -> dict[str, bool]:
    """What an operation of `tf.raw_ops` can be given by name, and whether it must be."""
    found = inspect.signature(getattr(tf.raw_ops, operation)).parameters.values()
    return {one.name: one.default is one.empty for one in found if one.name != "name"}


def _plain(value: Any) -> Any:
    """An attribute as Python has it; one that no operation of ours takes is None."""
    kind = value.WhichOneof("value")
    if kind == "list":
        return [one for _, part in value.list.ListFields() for one in part]
    if kind == "type":
        return tf.dtypes.as_dtype(value.type)
    if kind == "shape":
        return tf.TensorShape(value.shape)
    return getattr(value, kind) if kind in ("s", "i", "f", "b") else None


def _constant(node: Any) -> tf.Tensor:
    try:
        return tf.constant(tf.make_ndarray(node.attr["value"].tensor))
    except (ValueError, TypeError) as error:
        raise broken(f"its constant {node.name[:60]!r} is damaged ({error})") from error


def _spec(node: Any) -> tf.TensorSpec:
    kind = tf.dtypes.as_dtype(node.attr["dtype"].type)
    return tf.TensorSpec(tf.TensorShape(node.attr["shape"].shape), kind)
