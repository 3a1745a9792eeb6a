"""Operations with odd settings, sizes and numbers, by the thousand: does any end the process?

Each case is the example of one operation (`operations.EXAMPLES`), changed in a few places by its
number, let through by `ganzoo.vetting` and `ganzoo.bounds` or refused, and run. It must be refused
with a GanzooError, or fail with TensorFlow's own error, or make a tensor of the size that was told.

    python tests/operation_faults.py 0 100000 [OPERATION]

tries these numbers in processes of their own, and prints what ended, hung, or made another size.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

WHOLE = (
    *(-2, -1, 0, 1, 2, 3, 5, 7, 8, 16, 100, 1000, 4096, 65536, 2**20, 2**30, 2**33, 2**62),
    *(2**31 - 1, 2**31, -(2**31), 2**63 - 1, -(2**63)),
)
SIDES = (0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 64, 100, 1000, 4096, 2**16, 2**20, 2**24, 2**31, 2**40)
BROKEN = (0.0, -0.0, 1.0, -1.0, 0.5, 3.7, 1e30, -1e30, 1e-30, np.nan, np.inf, -np.inf)
_TEXTS = """
    SAME VALID EXPLICIT NHWC NCHW NDHWC NCDHW NCHW_VECT_C REFLECT SYMMETRIC x LEFT_RIGHT RIGHT_LEFT
    ij,jk->ik ii->i i->ii ij-> ij,ij->ij ,-> ab,cd->abcd i,i->i ...i,...i->... aaa,aaa->a ij,jk
    abcdefgh->hgfedcba ...->... i...j->j...i iij,jkk->ik
"""
TEXTS = ("", *_TEXTS.split())
_TYPES = """
    float32 float64 float16 bfloat16 bool complex64 complex128 int8 int16 int32 int64 uint8 uint16
    uint32 uint64
"""
TYPES = _TYPES.split()
PATIENCE = 30
"""Seconds that one case may take."""


# -- one case -------------------------------------------------------------------------------------


def attribute(definition: Any, bits: random.Random) -> str:
    """Another number, text or flag in one setting of one operation."""
    node = bits.choice([n for n in definition.node if n.op not in ("Const", "Placeholder")])
    kinds = ("i", "f", "b", "s", "list", "shape")
    names = sorted(name for name, value in node.attr.items() if value.WhichOneof("value") in kinds)
    if not names:
        return "nothing"
    name = bits.choice(names)
    value = node.attr[name]
    match value.WhichOneof("value"):
        case "i":
            value.i = bits.choice(WHOLE)
        case "f":
            value.f = bits.choice(BROKEN)
        case "b":
            value.b = not value.b
        case "s":
            value.s = bits.choice(TEXTS).encode()
        case "list":
            _entry(value.list.i, bits)
        case "shape":
            del value.shape.dim[:]
            for _ in range(bits.randrange(4)):
                value.shape.dim.add(size=bits.choice((-1, *SIDES)))
    return f"{name} = {str(value).strip()!r}"


def _entry(numbers: Any, bits: random.Random) -> None:
    """One entry more, less, or other."""
    what = bits.randrange(4)
    if what == 0 and numbers:
        numbers.pop()
    elif what == 1:
        numbers.append(bits.choice(WHOLE))
    elif numbers:
        numbers[bits.randrange(len(numbers))] = bits.choice(WHOLE)


def side(definition: Any, bits: random.Random) -> str:
    """Another size of one input, or an axis more or less."""
    inputs = [node for node in definition.node if node.op == "Placeholder"]
    if not inputs:
        return "nothing"
    node = bits.choice(inputs)
    sides = node.attr["shape"].shape.dim
    if sides and bits.random() < 0.6:
        sides[bits.randrange(len(sides))].size = bits.choice(SIDES)
    elif sides and bits.random() < 0.5:
        del sides[bits.randrange(len(sides))]
    else:
        sides.add(size=bits.choice(SIDES[:9]))
    return f"{node.name} of {[one.size for one in sides]}"


def constant(definition: Any, bits: random.Random) -> str:
    """Another number in a constant, or as many more or fewer."""
    import tensorflow as tf

    constants = [node for node in definition.node if node.op == "Const"]
    if not constants:
        return "nothing"
    node = bits.choice(constants)
    array = tf.make_ndarray(node.attr["value"].tensor).copy()
    shapes = (np.concatenate([array.ravel()] * 2), array.ravel()[:-1], array[None], array.ravel())
    if array.size and bits.random() < 0.7:
        numbers = BROKEN if array.dtype.kind in "fcV" else WHOLE
        limits = None if array.dtype.kind in "fcVb" else np.iinfo(array.dtype)
        number = bits.choice(numbers)
        number = number if limits is None else int(np.clip(number, limits.min, limits.max))
        array.reshape(-1)[bits.randrange(array.size)] = number
    else:
        array = bits.choice(shapes)
    _hold(node, array)
    return f"{node.name} = {array.tolist()}"


def _hold(node: Any, array: np.ndarray) -> None:
    import tensorflow as tf

    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(array))
    node.attr["dtype"].type = node.attr["value"].tensor.dtype


def kind(definition: Any, bits: random.Random) -> str:
    """Another type in place of one, everywhere or nearly so."""
    import tensorflow as tf

    held = [node for node in definition.node if node.op in ("Const", "Placeholder")]
    old = bits.choice(held).attr["dtype"].type
    new = getattr(tf, bits.choice(TYPES))
    for node in definition.node:
        if node.op == "Const" and node.attr["dtype"].type == old and bits.random() < 0.9:
            with np.errstate(all="ignore"):
                array = tf.make_ndarray(node.attr["value"].tensor)
                _hold(node, array.astype(new.as_numpy_dtype))
        elif node.op != "Const":
            for value in node.attr.values():
                if value.type == old and bits.random() < 0.9:
                    value.type = new.as_datatype_enum
    return f"{tf.dtypes.as_dtype(old).name} is {new.name}"


def fed(definition: Any, bits: random.Random) -> str:
    """A constant that is fed instead."""
    constants = [node for node in definition.node if node.op == "Const"]
    if not constants:
        return "nothing"
    node = bits.choice(constants)
    node.op = "Placeholder"
    node.attr["shape"].shape.CopyFrom(node.attr["value"].tensor.tensor_shape)
    return f"{node.name} is fed"


CHANGES = (attribute, attribute, attribute, side, side, side, constant, constant, kind, fed)


def case(number: int, only: str = "") -> tuple[str, Any, str, list[str], random.Random]:
    """(operation, its changed graph, its result, what was changed, more bits) of one number."""
    import operations

    bits = random.Random(number)
    names = [only] if only else sorted(operations.EXAMPLES)
    name = names[number % len(names)]
    definition, _, fetch = operations.graph(name)
    changes = [bits.choice(CHANGES) for _ in range(bits.choice((0, 1, 1, 1, 2, 2, 3, 4)))]
    return name, definition, fetch, [change(definition, bits) for change in changes], bits


def numbers(spec: Any, bits: random.Random) -> Any:
    """A tensor of ordinary or of odd numbers."""
    import tensorflow as tf

    drawn, odd = np.random.default_rng(bits.randrange(2**32)), bits.random() < 0.5
    if spec.dtype.is_floating or spec.dtype.is_complex:
        found = drawn.choice(BROKEN, spec.shape) if odd else drawn.normal(size=spec.shape)
        return tf.cast(tf.constant(found), spec.dtype)
    if spec.dtype == tf.bool:
        return tf.constant(drawn.random(spec.shape) < 0.5)
    plain, limits = spec.dtype.as_numpy_dtype, np.iinfo(spec.dtype.as_numpy_dtype)
    pool = [one for one in (WHOLE if odd else (0, 1, 2, 3)) if limits.min <= one <= limits.max]
    pool = [*pool, limits.min, limits.max] if odd else pool
    return tf.constant(drawn.choice(np.array(pool, plain), spec.shape))


def play(definition: Any, fetch: str, bits: random.Random) -> str:
    """`refused`, `failed` or `ran`; anything else is a fault."""
    import operations
    import tensorflow as tf

    from ganzoo import bounds, vetting
    from ganzoo.errors import GanzooError
    from ganzoo.program import Program

    try:
        vetting.check(definition)
        program = Program(definition, operations.feeds(definition), [fetch])
        told = bounds.needs(program, program.fed, 1)
    except GanzooError:
        return "refused"
    try:
        (made,) = program(*[numbers(spec, bits) for spec in program.fed])
        made.numpy()
    except tf.errors.OpError:
        return "failed"
    same = (made.shape, made.dtype) == (told.results[0].shape, told.results[0].dtype)
    return "ran" if same else f"made {made.shape} for {told.results[0]}"


# -- many -----------------------------------------------------------------------------------------


def work(first: int, end: int, only: str, log: Path) -> None:
    """Play cases one after the other; the log has each before it is played."""
    from ganzoo import bounds

    bounds.MEMORY, bounds.WORK = 2**28, 2**33  # so that a case takes no minutes
    with log.open("a", buffering=1) as file:
        for number in range(first, end):
            name, definition, fetch, changes, bits = case(number, only)
            file.write(f"{number} {name} {changes}\n")
            file.write(f"= {play(definition, fetch, bits)}\n")


def faults(first: int, end: int, only: str = "") -> Iterator[str]:
    """Play cases in processes of their own: a line for each that went wrong, then the counts."""
    counts: Counter[str] = Counter()
    while first < end:
        with tempfile.NamedTemporaryFile() as file:
            log = Path(file.name)
            words = [sys.executable, __file__, str(first), str(end), only, "--log", file.name]
            ended = _watched(words, log)
            lines = log.read_text().splitlines()
        cases, outcomes = lines[::2], [line[2:] for line in lines[1::2]]
        counts.update(one if one in ("refused", "failed", "ran") else "other" for one in outcomes)
        for told, outcome in zip(cases, outcomes, strict=False):
            if outcome not in ("refused", "failed", "ran"):
                yield f"{outcome}: {told}"
        if ended:
            yield f"{ended}: {cases[-1] if cases else 'the start'}"
        if not cases:
            return
        first = int(cases[-1].split()[0]) + 1
    yield ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))


def _watched(words: list[str], log: Path) -> str:
    """Run a process for as long as it goes on writing; how it ended, if not well."""
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    seen, since = -1, time.monotonic()
    while True:
        try:
            _, said = process.communicate(timeout=1)
        except subprocess.TimeoutExpired:
            size = log.stat().st_size
            if size != seen:
                seen, since = size, time.monotonic()
            elif size and time.monotonic() - since > PATIENCE:
                process.kill()
                process.communicate()
                return "hung"
            continue
        last = [line for line in said.splitlines() if "Check failed" in line or "Error" in line]
        return process.returncode and f"ended with {process.returncode} {''.join(last[-1:])[:200]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("end", type=int)
    parser.add_argument("only", nargs="?", default="")
    parser.add_argument("--log", type=Path)
    asked = parser.parse_args()
    if asked.log:
        work(asked.first, asked.end, asked.only, asked.log)
        return
    for line in faults(asked.first, asked.end, asked.only):
        print(line, flush=True)


if __name__ == "__main__":
    main()
