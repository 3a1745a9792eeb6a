"""A run on points, drawn from what its folder keeps: samples, and discriminators on a grid.

In one dimension the densities of real and generated numbers and each discriminator's curve; in two
the points over the surface of the first discriminator, with its decision line and its gradient,
along which the generator is drawn. No plugin code runs.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

LARGEST = 8_000_000
"""Bytes of a file that is read; ours have some 30,000."""
MOST_POINTS = 20_000
SIDES = range(2, 1025)
ARROWS = 14
"""Along each axis."""
BARS = 60


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
        if path.stat().st_size > LARGEST:
            return None
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: np.asarray(stored[name], np.float64) for name in stored.files}
    except Exception:  # a damaged archive raises any kind
        return None
    axes = tuple(arrays[name] for name in "xy" if name in arrays)
    shape = tuple(len(axis) for axis in reversed(axes))
    clouds = [arrays.get(name, np.empty(0)) for name in ("samples", "real")]
    names = [name for name in arrays if name.startswith("logits_")]
    whole = (
        axes
        and all(axis.ndim == 1 and len(axis) in SIDES and _rising(axis) for axis in axes)
        and all(c.shape[1:] == (len(axes),) and 0 < len(c) <= MOST_POINTS for c in clouds)
        and all(arrays[name].shape == shape for name in names)
        and all(np.isfinite(array).all() for array in arrays.values())
    )
    if not whole:
        return None
    return Field(axes, *clouds, {name[len("logits_") :][:40]: arrays[name] for name in names})


def _rising(axis: np.ndarray) -> bool:
    return bool((np.diff(axis) > 0).all())


def pictures(fields: Sequence[Field]) -> list[Image.Image]:
    """Each of the fields as a picture; all of them on the same axes, so that they make a film."""
    reach = _reach([field for field in fields if len(field.axes) == 1])
    return [_drawn(field, reach) for field in fields]


def _reach(fields: Sequence[Field]) -> tuple[float, float]:
    """From where to where numbers are drawn: the grid, and nearly all samples of every picture."""
    ends = [(field.axes[0][0], field.axes[0][-1]) for field in fields]
    ends += [tuple(np.percentile(field.samples, (1, 99))) for field in fields]
    return min((low for low, _ in ends), default=0.0), max((high for _, high in ends), default=1.0)


def _drawn(field: Field, reach: tuple[float, float]) -> Image.Image:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 5), dpi=100, layout="constrained")
    if len(field.axes) == 1:
        _line(figure, field, reach)
    else:
        _plane(figure, field)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return Image.open(buffer).convert("RGB")


def _line(figure, field: Field, reach: tuple[float, float]) -> None:
    """Densities as steps and bars, logits as curves on an axis of their own."""
    axes = figure.add_subplot()
    (x,) = field.axes
    edges = np.linspace(*reach, 1 + max(BARS, round(BARS * (reach[1] - reach[0]) / (x[-1] - x[0]))))
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
    top = 1.6 * heights["real"].max()  # a generator of one number would hide all else
    axes.set(xlim=reach, ylim=(0, top), ylabel="density")
    if field.logits:
        _curves(axes.twinx(), x, field.logits)
    figure.legend(loc="outside upper center", ncols=3, fontsize=8)


def _curves(axes, x: np.ndarray, logits: Mapping[str, np.ndarray]) -> None:
    for i, (name, values) in enumerate(logits.items()):
        axes.plot(x, values, color=f"C{i + 1}", label=f"logits of {name}")
    axes.axhline(0, color="0.7", linewidth=0.8, linestyle=":")
    axes.set_ylabel("logits")


def _plane(figure, field: Field) -> None:
    """The first discriminator's surface, its decision line and gradient, under the points."""
    axes = figure.add_subplot()
    x, y = field.axes
    for name, logits in list(field.logits.items())[:1]:
        reach = max(float(np.abs(logits - np.median(logits)).max()), 1e-6)
        middle = 0.0 if logits.min() < 0 < logits.max() else float(np.median(logits))
        surface = axes.pcolormesh(
            x, y, logits, cmap="PuOr", vmin=middle - reach, vmax=middle + reach, alpha=0.6
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


def _spread(count: int) -> np.ndarray:
    return np.linspace(0, count - 1, min(ARROWS, count)).astype(int)
