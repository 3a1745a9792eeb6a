"""Whether what is asked for fits into memory: told beforehand, with the figure.

Linux hands out more memory than there is, and kills the process that then uses it. So what grows
with a number of the user's is counted first. Every count is a lower bound: what is refused would
have failed, and what is let through may still turn out to be too much.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from pathlib import Path
from typing import Any

from ganzoo.errors import UsageError

PROC, GROUPS = Path("/proc"), Path("/sys/fs/cgroup")
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def require(needed: int, what: str, todo: str) -> None:
    """Raise UsageError where `what` needs more bytes than are free; `todo` says what helps."""
    have = free()
    if have is not None and needed > have:
        raise _refused(what, needed, have, todo)


def _refused(what: str, needed: int, have: int, todo: str) -> UsageError:
    return UsageError(
        f"{what} needs at least {size(needed)} of memory, and {size(have)} are free: {todo}."
    )


def size(count: int) -> str:
    """A number of bytes for a reader.

    >>> size(1000), size(3 * 2**40), size(10**30)
    ('1000 bytes', '3 TiB', '867,361,737,988 EiB')
    """
    unit = min(max(count.bit_length() - 1, 0) // 10, len(UNITS) - 1)
    number = count / 1024**unit
    return f"{number:,.0f} {UNITS[unit]}" if number >= 10_000 else f"{number:.4g} {UNITS[unit]}"


def free() -> int | None:
    """Bytes that can be had: what the machine has left, and what this process may have of it.

    None where the system does not say.
    """
    found = [available for available in (_machine(), *_containers()) if available is not None]
    return min(found, default=None)


def _machine() -> int | None:
    told = dict(line.split(":", 1) for line in _lines(PROC / "meminfo") if ":" in line)
    kilobytes = told.get("MemAvailable", "").split()
    return 1024 * int(kilobytes[0]) if kilobytes else None


def _containers() -> Iterator[int]:
    """What each control group around this process leaves, in both of their versions."""
    for line in _lines(PROC / "self" / "cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            top, names = GROUPS, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            top = GROUPS / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        inner = top / path.lstrip("/")
        for folder in (inner, *inner.parents):
            left = _left(folder, *names)
            if left is not None:
                yield left
            if folder == top:
                break


def _left(folder: Path, limit: str, used: str, cached: str) -> int | None:
    """The limit without what is used; pages of files that nobody reads any more are given back."""
    most, now = (" ".join(_lines(folder / name)) for name in (limit, used))
    if not (most.isdigit() and now.isdigit()):
        return None
    told = dict(line.split(" ", 1) for line in _lines(folder / "memory.stat") if " " in line)
    return max(0, int(most) - int(now) + int(told.get(cached, 0)))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


@contextmanager
def counted_weights(times: int, todo: str) -> Iterator[None]:
    """Within this block, no layer makes a weight that cannot fit beside those made before it.

    `times` is how often each is held: by the optimisers, and by an average, too. Raises UsageError
    with what is needed up to there, before that weight is made.
    """
    import keras

    add_weight = keras.layers.Layer.add_weight
    have, needed = free(), 0
    refused: list[UsageError] = []

    def counted(layer: Any, shape: Any = None, *arguments: Any, **named: Any) -> Any:
        nonlocal needed
        needed += times * 4 * math.prod(_whole(shape))
        if have is not None and needed > have:
            what = f"a network with the weight {_whole(shape)} in its layer {layer.name!r}"
            refused.append(_refused(what, needed, have, todo))
            raise refused[0]
        return add_weight(layer, shape, *arguments, **named)

    keras.layers.Layer.add_weight = counted
    try:
        yield
    except Exception:
        if refused:  # Keras may have wrapped it, with what the layers around it were called with
            raise refused[0] from None
        raise
    finally:
        keras.layers.Layer.add_weight = add_weight


def _whole(shape: Any) -> tuple[int, ...]:
    """The shape as numbers; what is none is for Keras to refuse."""
    sides = shape if isinstance(shape, (tuple, list)) else (shape,)
    return tuple(int(side) for side in sides if isinstance(side, Integral))
