"""A picture of every failure, from the runs that `diagnosis.py induced --keep RUNS` left behind.

`python benchmarks/failure_pictures.py RUNS docs/pictures`: for each failure one file, with the
signal that shows it, the steps where it began and was raised, and the last samples.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from ganzoo.run import RunDir


def draw(run: RunDir, name: str, path: Path) -> bool:
    """Write the picture of the finding `name`; False where the run has none, or no curve of it."""
    found = [f for f in run.findings() if f["name"] == name and f["severity"] == "failure"]
    if not found:
        return False
    finding, evidence = found[0], found[0]["evidence"]
    signal = evidence["curve"]["name"] if "curve" in evidence else next(iter(evidence))
    rows = [row for row in run.metrics() if isinstance(row.get(signal), (int, float))]
    steps, values = [row["step"] for row in rows], np.array([row[signal] for row in rows])
    if np.isfinite(values).sum() < 2:
        return False
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(7.2, 2.4), dpi=80, width_ratios=(2.2, 1), layout="constrained"
    )
    left.plot(steps, values, color="0.25", linewidth=1.2)
    left.axvline(finding["since"], color="tab:orange", linestyle=":", label="began")
    left.axvline(finding["step"], color="tab:red", label="raised")
    finite = values[np.isfinite(values)]
    if len(finite) and finite.min() > 0 and finite.max() > 30 * finite.min():
        left.set_yscale("log")
    left.set_xlabel("step")
    left.set_title(signal, fontsize=9)
    left.tick_params(labelsize=8)
    left.legend(fontsize=8, frameon=False)
    right.axis("off")
    grid = max((run.path / "samples").glob("step-*.png"), default=None)
    if grid is not None:
        image = np.asarray(Image.open(grid))  # grey digits, or points in colour upon grey ones
        right.imshow(image, cmap="gray", vmin=0, vmax=255)
        right.set_title("last samples", fontsize=9)
    figure.savefig(path)
    plt.close(figure)
    picture = Image.open(path).convert("P", palette=Image.Palette.ADAPTIVE, colors=64)
    picture.save(path, optimize=True)
    return True


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    drawn = set()
    for folder in sorted(asked.runs.glob("*/run")):
        name = folder.parent.name.split("-")[0]  # of the failure
        if name not in drawn and draw(RunDir(folder), name, asked.out / f"failure-{name}.png"):
            drawn.add(name)
            print(name)


if __name__ == "__main__":
    main()
