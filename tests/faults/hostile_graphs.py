"""Graphs of a sampler that try to act: write, run, end, hang, or fill the memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from faults import outside
from faults.ledger import Case, Outcome, plainly
from faults.made import Made, copied

COMMANDS = (
    ("sample", "run", "-n", "4", "--out", "made.npz"),
    ("eval", "run", "--modes", "--samples", "20"),
    ("report", "run", "--out", "made.html"),
)
TYPES = {"f": 1, "i": 3, "s": 7, "variant": 21, "resource": 20, "l": 9}
"""TensorFlow's numbers of float32, int32, string, variant, resource and int64."""


def cases(made: Made) -> Iterator[Case]:
    """Every graph given to every command that runs one."""
    judged = made.judged("mlp_gan")
    for name, build in {**ACTING, **LARGE, **CALLING}.items():
        yield Case(name, partial(_play, judged, build))
    for name, content in BYTES.items():
        yield Case(name, partial(_bytes, judged, content))


def _play(judged: Path, build: Callable[[Any, str], None], folder: Path) -> Outcome:
    from tensorflow.core.framework.graph_pb2 import GraphDef

    run = copied(judged, folder)
    definition = GraphDef.FromString((run / "sampler.pb").read_bytes())
    signature = _unsealed(json.loads((run / "sampler.json").read_bytes()))
    build(definition, signature["outputs"][0]["fetch"].partition(":")[0])
    return _stands(run, folder, definition.SerializeToString(), signature)


def _bytes(judged: Path, content: Callable[[bytes], bytes], folder: Path) -> Outcome:
    run = copied(judged, folder)
    signature = _unsealed(json.loads((run / "sampler.json").read_bytes()))
    return _stands(run, folder, content((run / "sampler.pb").read_bytes()), signature)


def _unsealed(signature: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in signature.items() if "sha256" not in name}


def _stands(run: Path, folder: Path, graph: bytes, signature: dict[str, Any]) -> Outcome:
    """The commands, on a graph that stands in the run with every digest that ganzoo gives it."""
    from ganzoo.run import RunDir

    outside.lay_out(folder)
    RunDir(run).write_sampler(graph, signature)
    kinds = []
    for words in COMMANDS:
        outcome = plainly(*outside.watched(folder, *words))
        if outcome.kind not in ("refused", "survived"):
            return outcome
        kinds.append(outcome.kind)
    if list(folder.glob("evil*")) or list(run.glob("evil*")):
        return Outcome("touched", "the graph wrote a file")
    return Outcome("refused" if kinds[0] == "refused" else "survived")


# -- building -------------------------------------------------------------------------------------


def _node(definition: Any, op: str, name: str, inputs: tuple[str, ...] = (), **kinds: str) -> Any:
    node = definition.node.add(op=op, name=name, input=inputs)
    for attribute, kind in kinds.items():
        node.attr[attribute].type = TYPES[kind]
    return node


def _text(definition: Any, name: str, *values: bytes) -> str:
    node = _node(definition, "Const", name, dtype="s")
    tensor = node.attr["value"].tensor
    tensor.dtype = TYPES["s"]
    tensor.string_val.extend(values)
    if len(values) != 1:
        tensor.tensor_shape.dim.add(size=len(values))
    return name


def _ints(definition: Any, name: str, *values: int, scalar: bool = False, kind: str = "i") -> str:
    node = _node(definition, "Const", name, dtype=kind)
    tensor = node.attr["value"].tensor
    tensor.dtype = TYPES[kind]
    (tensor.int_val if kind == "i" else tensor.int64_val).extend(values)
    if not scalar:
        tensor.tensor_shape.dim.add(size=len(values))
    return name


def _float(definition: Any, name: str, value: float, *sides: int) -> str:
    """A constant of any shape that takes four bytes in the file."""
    node = _node(definition, "Const", name, dtype="f")
    tensor = node.attr["value"].tensor
    tensor.dtype = TYPES["f"]
    tensor.float_val.append(value)
    for side in sides:
        tensor.tensor_shape.dim.add(size=side)
    return name


def _fetched(definition: Any, fetch: str) -> Any:
    return next(node for node in definition.node if node.name == fetch)


def _before(definition: Any, fetch: str, name: str) -> None:
    """Let an operation run before what is fetched."""
    _fetched(definition, fetch).input.append(f"^{name}")


def _instead(definition: Any, fetch: str, name: str) -> None:
    """Add a number to what is fetched: its first input goes through an addition."""
    node = _fetched(definition, fetch)
    _node(definition, "AddV2", "evil/sum", (node.input[0], name), T="f")
    node.input[0] = "evil/sum"


def _write_file(definition: Any, fetch: str) -> None:
    inputs = _text(definition, "evil/name", b"evil.txt"), _text(definition, "evil/what", b"evil")
    _node(definition, "WriteFile", "evil/do", inputs)
    _before(definition, fetch, "evil/do")


def _read_file(definition: Any, fetch: str) -> None:
    _node(definition, "ReadFile", "evil/do", (_text(definition, "evil/name", b"/etc/passwd"),))
    _before(definition, fetch, "evil/do")


def _dataset(definition: Any, fetch: str) -> None:
    """A whole graph with a WriteFile in a constant, run by what is called stateless."""
    from tensorflow.core.framework.graph_pb2 import GraphDef

    inner = GraphDef()
    _write_file(inner, _float(inner, "x", 1.0))
    graph = _text(definition, "evil/graph", inner.SerializeToString())
    _node(definition, "DatasetFromGraph", "evil/do", (graph,))
    _before(definition, fetch, "evil/do")


def _debug(definition: Any, fetch: str) -> None:
    source = (_fetched(definition, fetch).input[0],)
    node = _node(definition, "DebugIdentity", "evil/do", source, T="f")
    node.attr["debug_urls"].list.s.append(b"file://evil")
    _before(definition, fetch, "evil/do")


def _abort(definition: Any, fetch: str) -> None:
    node = _node(definition, "Abort", "evil/do")
    node.attr["error_msg"].s = b"evil"
    _before(definition, fetch, "evil/do")


def _alone(op: str, **kinds: str) -> Callable[[Any, str], None]:
    """An operation without inputs: that it is there at all is too much."""

    def build(definition: Any, fetch: str) -> None:
        node = _node(definition, op, "evil/do", **kinds)
        node.attr["token"].s = b"pyfunc_0"
        node.attr["shared_name"].s = b"evil"
        _before(definition, fetch, "evil/do")

    return build


def _vocabulary(definition: Any, fetch: str) -> None:
    table = _node(definition, "HashTableV2", "evil/table", key_dtype="s", value_dtype="l")
    table.attr["shared_name"].s = b"evil"
    inputs = ("evil/table", _text(definition, "evil/file", b"/etc/passwd"))
    node = _node(definition, "InitializeTableFromTextFileV2", "evil/do", inputs)
    node.attr["key_index"].i, node.attr["value_index"].i = -2, -1
    _before(definition, fetch, "evil/do")


def _restore(definition: Any, fetch: str) -> None:
    inputs = tuple(_text(definition, f"evil/{n}", b"x") for n in "ab")
    inputs = (inputs[0], _text(definition, "evil/names", b"x", b"y"), inputs[1])
    _node(definition, "RestoreV2", "evil/do", inputs).attr["dtypes"].list.type.append(1)
    _before(definition, fetch, "evil/do")


def _elsewhere(definition: Any, fetch: str) -> None:
    _fetched(definition, fetch).device = "/job:evil/task:7"


def _cycle(definition: Any, fetch: str) -> None:
    _node(definition, "AddV2", "evil/a", ("evil/b", "evil/b"), T="f")
    _node(definition, "AddV2", "evil/b", ("evil/a", "evil/a"), T="f")
    _instead(definition, fetch, "evil/a")


def _missing(definition: Any, fetch: str) -> None:
    _fetched(definition, fetch).input[0] = "nowhere:7"


def _twice(definition: Any, fetch: str) -> None:
    definition.node.append(_fetched(definition, fetch))


def _no_fetch(definition: Any, fetch: str) -> None:
    _fetched(definition, fetch).name = "another"


def _named(definition: Any, fetch: str) -> None:
    _float(definition, "../../evil\n\x1b[31m", 1.0)


def _string_const(definition: Any, fetch: str) -> None:
    _text(definition, "evil/text", b"x" * 1000)
    _before(definition, fetch, "evil/text")


def _attribute(name: str) -> Callable[[Any, str], None]:
    def build(definition: Any, fetch: str) -> None:
        _fetched(definition, fetch).attr[name].s = b"evil"

    return build


ACTING = {
    "WriteFile": _write_file,
    "ReadFile": _read_file,
    "DatasetFromGraph": _dataset,
    "DebugIdentity": _debug,
    "Abort": _abort,
    "PyFunc": _alone("PyFunc"),
    "EagerPyFunc": _alone("EagerPyFunc"),
    "VarHandleOp": _alone("VarHandleOp", dtype="f"),
    "MutexV2": _alone("MutexV2"),
    "FIFOQueueV2": _alone("FIFOQueueV2"),
    "an operation that is not known": _alone("NoSuchOperation"),
    "a vocabulary file": _vocabulary,
    "RestoreV2": _restore,
    "a device elsewhere": _elsewhere,
    "a cycle": _cycle,
    "an input that is missing": _missing,
    "a name twice": _twice,
    "no such output": _no_fetch,
    "an odd name": _named,
    "a text": _string_const,
    "an attribute of the compiler": _attribute("_XlaMustCompile"),
    "an attribute of a kernel": _attribute("_kernel"),
    "an attribute that is not known": _attribute("evil"),
}


# -- large ----------------------------------------------------------------------------------------


def _const_bomb(definition: Any, fetch: str) -> None:
    _instead(definition, fetch, _float(definition, "evil/x", 1.0, 100_000, 100_000))


def _fill(definition: Any, fetch: str) -> None:
    sides = _ints(definition, "evil/sides", 100_000, 100_000)
    inputs = (sides, _float(definition, "evil/one", 1.0))
    _node(definition, "Fill", "evil/fill", inputs, T="f", index_type="i")
    _sum(definition, fetch, "evil/fill")


def _sum(definition: Any, fetch: str, name: str) -> None:
    """Its mean is added to what is fetched, so that it must be computed."""
    axes = _ints(definition, "evil/axes", 0, 1)
    _node(definition, "Mean", "evil/mean", (name, axes), T="f", Tidx="i")
    _instead(definition, fetch, "evil/mean")


def _run_time_side(definition: Any, fetch: str, size: float) -> str:
    """An integer that is known only when the graph runs: out of what was fetched before."""
    flat = _ints(definition, "evil/all", 0, 1)
    source = _fetched(definition, fetch).input[0]
    _node(definition, "Mean", "evil/some", (source, flat), T="f", Tidx="i")
    _node(definition, "Tanh", "evil/tanh", ("evil/some",), T="f")
    _node(definition, "Square", "evil/square", ("evil/tanh",), T="f")
    large = _float(definition, "evil/large", size)
    _node(definition, "AddV2", "evil/side", ("evil/square", large), T="f")
    _node(definition, "Cast", "evil/int", ("evil/side",), SrcT="f", DstT="i")
    shape = _node(definition, "Pack", "evil/sides", ("evil/int", "evil/int"), T="i")
    shape.attr["N"].i = 2
    return "evil/sides"


def _run_time_fill(definition: Any, fetch: str) -> None:
    inputs = (_run_time_side(definition, fetch, 1e6), _float(definition, "evil/one", 1.0))
    _node(definition, "Fill", "evil/fill", inputs, T="f", index_type="i")
    _sum(definition, fetch, "evil/fill")


def _run_time_tile(definition: Any, fetch: str) -> None:
    inputs = (_float(definition, "evil/one", 1.0, 1, 1), _run_time_side(definition, fetch, 1e6))
    _node(definition, "Tile", "evil/tile", inputs, T="f", Tmultiples="i")
    _sum(definition, fetch, "evil/tile")


def _run_time_broadcast(definition: Any, fetch: str) -> None:
    inputs = (_float(definition, "evil/one", 1.0, 1, 1), _run_time_side(definition, fetch, 1e6))
    _node(definition, "BroadcastTo", "evil/wide", inputs, T="f", Tidx="i")
    _sum(definition, fetch, "evil/wide")


def _negative(definition: Any, fetch: str) -> None:
    inputs = (_run_time_side(definition, fetch, -9.0), _float(definition, "evil/one", 1.0))
    _node(definition, "Fill", "evil/fill", inputs, T="f", index_type="i")
    _sum(definition, fetch, "evil/fill")


def _products(definition: Any, fetch: str) -> None:
    """Matrices that fit, multiplied again and again: a million seconds of work."""
    last = _float(definition, "evil/0", 1e-9, 8000, 8000)
    for number in range(1, 400):
        _node(definition, "MatMul", f"evil/{number}", (last, last), T="f")
        last = f"evil/{number}"
    _sum(definition, fetch, last)


def _many(definition: Any, fetch: str) -> None:
    for number in range(200_000):
        definition.node.add(op="NoOp", name=f"evil/{number}")


def _deep(definition: Any, fetch: str) -> None:
    last = _float(definition, "evil/0", 1.0)
    for number in range(1, 30_000):
        _node(definition, "Neg", f"evil/{number}", (last,), T="f")
        last = f"evil/{number}"
    _instead(definition, fetch, last)


LARGE = {
    "a constant of 40 GB in four bytes": _const_bomb,
    "Fill with 40 GB": _fill,
    "Fill with 4 TB, known when it runs": _run_time_fill,
    "Tile with 4 TB, known when it runs": _run_time_tile,
    "BroadcastTo with 4 TB, known when it runs": _run_time_broadcast,
    "Fill with a negative side": _negative,
    "a million seconds of products": _products,
    "200,000 operations": _many,
    "30,000 operations in a row": _deep,
}


# -- calls ----------------------------------------------------------------------------------------


def _function(definition: Any, name: str, calls: str, how: str = "PartitionedCall") -> None:
    """A function of one float that calls another, twice."""
    function = definition.library.function.add()
    function.signature.name = name
    function.signature.input_arg.add(name="x", type=1)
    function.signature.output_arg.add(name="y", type=1)
    last = "x"
    for number in range(2):
        node = function.node_def.add(op=how, name=f"call{number}", input=[last])
        node.attr["f"].func.name = calls
        for attribute in ("Tin", "Tout"):
            node.attr[attribute].list.type.append(1)
        last = f"call{number}:output:0"
    function.ret["y"] = last


def _call(definition: Any, fetch: str, name: str) -> None:
    node = _node(definition, "PartitionedCall", "evil/call", (_float(definition, "evil/x", 1.0),))
    node.attr["f"].func.name = name
    for attribute in ("Tin", "Tout"):
        node.attr[attribute].list.type.append(1)
    _instead(definition, fetch, "evil/call")


def _recursion(definition: Any, fetch: str) -> None:
    _function(definition, "evil", "evil")
    _call(definition, fetch, "evil")


def _mutual(definition: Any, fetch: str) -> None:
    _function(definition, "evil", "other", "StatefulPartitionedCall")
    _function(definition, "other", "evil")
    _call(definition, fetch, "evil")


def _doubling(definition: Any, fetch: str) -> None:
    """Forty functions, each calling the next twice: 2^40 calls."""
    for number in range(40):
        _function(definition, f"evil{number}", f"evil{number + 1}")
    last = definition.library.function.add()
    last.signature.name = "evil40"
    last.signature.input_arg.add(name="x", type=1)
    last.signature.output_arg.add(name="y", type=1)
    last.ret["y"] = "x"
    _call(definition, fetch, "evil0")


def _nowhere(definition: Any, fetch: str) -> None:
    _call(definition, fetch, "no_such_function")


def _gradient(definition: Any, fetch: str) -> None:
    _function(definition, "evil", "evil")
    definition.library.gradient.add(function_name="evil", gradient_func="evil")


def _while(definition: Any, fetch: str) -> None:
    """A loop whose condition is always true."""
    for name, kind in (("evil_true", 10), ("evil_body", 1)):
        function = definition.library.function.add()
        function.signature.name = name
        function.signature.input_arg.add(name="x", type=1)
        function.signature.output_arg.add(name="y", type=kind)
        function.ret["y"] = "x"
    condition = definition.library.function[-2]
    node = condition.node_def.add(op="Const", name="yes")
    node.attr["dtype"].type = 10
    node.attr["value"].tensor.dtype = 10
    node.attr["value"].tensor.bool_val.append(True)
    condition.ret["y"] = "yes:output:0"
    loop = _node(definition, "StatelessWhile", "evil/do", (_float(definition, "evil/x", 1.0),))
    loop.attr["cond"].func.name, loop.attr["body"].func.name = "evil_true", "evil_body"
    loop.attr["T"].list.type.append(1)
    _instead(definition, fetch, "evil/do")


CALLING = {
    "a function that calls itself": _recursion,
    "two functions that call each other": _mutual,
    "2^40 calls": _doubling,
    "a function that is not there": _nowhere,
    "a gradient of its own": _gradient,
    "a loop without end": _while,
}

BYTES: dict[str, Callable[[bytes], bytes]] = {
    "no bytes": lambda _: b"",
    "random bytes": lambda content: bytes((7 * i + 13) % 256 for i in range(len(content))),
    "a half": lambda content: content[: len(content) // 2],
    "twice": lambda content: content * 2,
    "100 MB of zeros": lambda _: bytes(100_000_000),
    "100 MB of empty nodes": lambda _: b"\x0a\x00" * 50_000_000,
    "a pickle": lambda _: b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.",
    "text": lambda _: b'node { op: "WriteFile" }',
}
