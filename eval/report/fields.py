"""A run on points, drawn from what its folder keeps: samples, and discriminators on a grid.

In one dimension the densities of real and generated numbers and each discriminator's curve; in two
the points over the surface of the first discriminator, with its decision line and its gradient,
along which the generator is drawn. No plugin code runs.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ganzoo import reading

LARGEST, LARGEST_UNPACKED = 8_000_000, 64_000_000
"""Bytes of a file that is read; ours have some 30,000."""
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
MOST_POINTS, MOST_PLAYERS = 20_000, 16
FARTHEST = 1e30
"""Larger numbers are none that a chart can show."""
SIDES = range(2, 1025)
ARROWS = 14
"""Along each axis."""
BARS, MOST_BARS = 60, 2000


@dataclass(frozen=True)
class Field:
    """What one file holds, checked: `logits` maps discriminators to (x,) or (y, x)."""

    axes: tuple[np.ndarray, ...]
    samples: np.ndarray
    real: np.ndarray
    logits: Mapping[str, np.ndarray]


def read(path: Path) -> Field | None:
    """The file's content, or None where it is no such file: it may be a stranger's."""
    try:
        arrays = _arrays(reading.content(path, LARGEST, follow=False))
    except Exception:  # a damaged archive raises any kind
        return None
    axes = tuple(arrays[name] for name in "xy" if name in arrays)
    shape = tuple(len(axis) for axis in reversed(axes) if axis.ndim == 1)
    clouds = [arrays.get(name, np.empty(0)) for name in ("samples", "real")]
    names = [name for name in arrays if name.startswith("logits_")]
    whole = (
        axes
        and all(axis.ndim == 1 and len(axis) in SIDES and _rising(axis) for axis in axes)
        and all(c.shape[1:] == (len(axes),) and 0 < len(c) <= MOST_POINTS for c in clouds)
        and all(arrays[name].shape == shape for name in names)
        and all((np.abs(array) <= FARTHEST).all() for array in arrays.values())
    )
    if not whole:
        return None
    logits = {_shown(name): arrays[name] for name in names[:MOST_PLAYERS]}
    return Field(axes, *clouds, logits)


def _arrays(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of an archive as NumPy writes it, none of them larger than the archive says."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > LARGEST_UNPACKED:
            raise ValueError("it would unpack to too much")
        reading.check_entries(archive)
        if any(member.compress_type not in PACKED for member in archive.infolist()):
            raise ValueError("it is packed as NumPy does not")
        members = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
    return {name: _array(member) for name, member in members.items()}


def _array(content: bytes) -> np.ndarray:
    """Numbers as float64: what the header promises has to be there."""
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("another version of the format")
    shape, by_column, kind = np.lib.format.read_array_header_1_0(file)
    if kind.kind not in "fiu":
        raise ValueError("these are no numbers")
    flat = np.frombuffer(content, kind, offset=file.tell())
    return flat.reshape(shape, order="F" if by_column else "C").astype(np.float64)


def _shown(name: str) -> str:
    """A player's name, without what a chart takes for mathematics or has no letters for."""
    return re.sub(r"[^\w .-]", "?", name.removeprefix("logits_"), flags=re.ASCII)[:40]


def _rising(axis: np.ndarray) -> bool:
    """Whether each number is above the one before it, by something that a chart can show."""
    return bool((np.diff(axis) > 1e-9 * (1 + np.abs(axis[1:]))).all())


def pictures(fields: Sequence[Field]) -> list[Image.Image | None]:
    """Each of the fields as a picture; all of them on the same axes, so that they make a film.

    None for numbers that no chart can be made of: a stranger's axes may be as wide as the universe.
    """
    reach = _reach([field for field in fields if len(field.axes) == 1])
    level = _level(fields)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of axes that are too narrow for their labels
        return [_drawn(field, reach, level) for field in fields]


def _reach(fields: Sequence[Field]) -> tuple[float, float]:
    """From where to where numbers are drawn: the grid, and nearly all samples of every picture."""
    ends = [(field.axes[0][0], field.axes[0][-1]) for field in fields]
    ends += [tuple(np.percentile(field.samples, (1, 99))) for field in fields]
    return min((low for low, _ in ends), default=0.0), max((high for _, high in ends), default=1.0)


def _level(fields: Sequence[Field]) -> float:
    """The largest logit that all pictures leave room for: an axis that moved would hide how the
    discriminators do. Of most pictures: one that is surer than the rest is cut."""
    largest = [float(np.abs(logits).max()) for field in fields for logits in field.logits.values()]
    return 1.05 * float(np.percentile(largest, 90)) or 1.0 if largest else 1.0


def _drawn(field: Field, reach: tuple[float, float], level: float) -> Image.Image | None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 5), dpi=100, layout="constrained")
    buffer = io.BytesIO()
    try:
        if len(field.axes) == 1:
            _line(figure, field, reach, level)
        else:
            _plane(figure, field, level)
        figure.savefig(buffer, format="png")
    except Exception:  # of odd numbers Matplotlib raises any kind
        return None
    return Image.open(buffer).convert("RGB")


def _line(figure, field: Field, reach: tuple[float, float], level: float) -> None:
    """Densities as steps and bars, logits as curves on an axis of their own."""
    axes = figure.add_subplot()
    (x,) = field.axes
    own = 1.5 * float(np.ptp(field.real)) or float(x[-1] - x[0])
    bars = BARS * (reach[1] - reach[0]) / own
    edges = np.linspace(*reach, 1 + round(min(MOST_BARS, max(BARS, bars))))
    width = edges[1] - edges[0]
    heights = {
        name: np.histogram(values[:, 0], edges)[0] / (len(values) * width)
        for name, values in (("real", field.real), ("generated", field.samples))
    }
    axes.stairs(heights["real"], edges, color="0.35", label="real")
    axes.stairs(heights["generated"], edges, fill=True, alpha=0.5, label="generated")
    inside = ((field.samples >= edges[0]) & (field.samples <= edges[-1])).mean()
    if inside < 1:
        axes.set_title(f"{1 - inside:.0%} of the samples lie outside", fontsize=9)
    top = 1.6 * heights["real"].max() or 1.0  # a generator of one number would hide all else
    axes.set(xlim=reach, ylim=(0, top), ylabel="density")
    if field.logits:
        _curves(axes.twinx(), x, field.logits, level)
    figure.legend(loc="outside upper center", ncols=3, fontsize=8)


def _curves(axes, x: np.ndarray, logits: Mapping[str, np.ndarray], level: float) -> None:
    for i, (name, values) in enumerate(logits.items()):
        axes.plot(x, values, color=f"C{i + 1}", label=f"logits of {name}")
    axes.axhline(0, color="0.7", linewidth=0.8, linestyle=":")
    axes.set(ylim=(-level, level), ylabel="logits")


def _plane(figure, field: Field, level: float) -> None:
    """The first discriminator's surface, its decision line and gradient, under the points."""
    axes = figure.add_subplot()
    x, y = field.axes
    for name, logits in list(field.logits.items())[:1]:
        middle = 0.0 if logits.min() < 0 < logits.max() else float(np.median(logits))
        surface = axes.pcolormesh(
            x, y, logits, cmap="PuOr", vmin=middle - level, vmax=middle + level, alpha=0.6
        )
        figure.colorbar(surface, ax=axes, label=f"logits of {name}", shrink=0.7)
        if logits.min() < middle < logits.max():
            axes.contour(x, y, logits, levels=[middle], colors="0.3", linewidths=0.8)
        down, right = np.gradient(logits, y, x)
        rows, columns = (
            np.linspace(0, len(a) - 1, min(ARROWS, len(a))).astype(int) for a in (y, x)
        )
        place = np.ix_(rows, columns)
        axes.quiver(x[columns], y[rows], right[place], down[place], color="0.45", width=0.003)
    axes.scatter(*field.real.T, s=3, color="0.25", alpha=0.5, label="real")
    axes.scatter(*field.samples.T, s=4, color="tab:red", alpha=0.6, label="generated")
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), aspect="equal")
    axes.legend(loc="upper right", fontsize=8)
