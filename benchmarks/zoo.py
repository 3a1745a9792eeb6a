"""The zoo, measured: trains plugins as a user would, scores them, and writes what came out.

    python benchmarks/zoo.py                # whatever has no record yet, each as RUNS says
    python benchmarks/zoo.py sngan cgan     # these, anew
    python benchmarks/zoo.py --threads 1 cgan & python benchmarks/zoo.py --threads 1 sngan

Each one leaves `docs/zoo/NAME.json`, from which the page of the plugin is made, and a grid,
`docs/pictures/zoo-NAME.png`; NAME is the plugin, or PLUGIN-DATA. Its folder
stays in `build/zoo`: a training that was interrupted goes on there. What somebody saw in the grid
is written by hand: `"seen"`, kept until the next record.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from measuring import THREADS, processor
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
RECORDS, PICTURES, BUILD = ROOT / "docs/zoo", ROOT / "docs/pictures", ROOT / "build/zoo"


class Run(NamedTuple):
    """What a plugin is trained on, with which changes, and what it is judged by."""

    data: str = "mnist"
    train: tuple[str, ...] = ()
    scores: tuple[str, ...] = ("--fid", "--prdc", "--modes")
    outputs: tuple[str, ...] = ("",)
    """What of a sampler with several outputs is scored; "" is the first."""


LABELLED = Run(scores=("--fid", "--prdc", "--modes", "--label-accuracy", "--fid-by-class"))
POINTS = Run("ring", scores=("--modes",))
FACES = Run(
    "olivetti",
    ("--steps", "1500", "--batch-size", "32", "--set", "width=32")
    + ("--set", "augment=color,translation,cutout"),
    ("--fid", "--prdc"),
)
RUNS = {
    "acgan": LABELLED,
    "biggan": LABELLED,
    "cgan": LABELLED,
    "cogan": Run("mnist_edges", scores=("--fid", "--modes"), outputs=("a", "b")),
    "cyclegan": Run("mnist_coloured", scores=("--fid", "--label-accuracy"), outputs=("b", "a")),
    "dcgan": Run(),
    "dcgan-olivetti": FACES,
    "dcgan_upsample": Run(),
    "dragan": Run(),
    "infogan": Run(),
    "line_gan": Run("gaussian1d_minus2", scores=("--wasserstein",)),
    "line_gan-screws": Run(
        "screws", ("--config", "examples/configs/screws.yaml"), ("--wasserstein",)
    ),
    "linear_gan": Run("positive", scores=("--wasserstein",)),
    "lapgan": Run(),
    "lsgan": Run(),
    "mlp_gan": Run(),
    "mlp_gan-moons": Run("moons", scores=("--swd", "--prdc")),
    "mlp_gan-ring": POINTS,
    "mlp_gan-swissroll": Run("swissroll", scores=("--swd", "--prdc")),
    "pacgan": POINTS,
    "progan": Run(),
    "projection_gan": LABELLED,
    "r3gan": Run(),
    "sagan": LABELLED,
    "sngan": Run(),
    "srgan": Run(scores=("--psnr", "--ssim", "--fid")),
    "stylegan": Run(),
    "stylegan2": Run(),
    "unrolled": POINTS,
    "wgan": Run(),
    "wgan_gp": Run(),
}


def main() -> None:
    """Measure what is asked for, or what has no record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RUNS))
    parser.add_argument("--threads", type=int, help="of TensorFlow's; by default one a core")
    asked = parser.parse_args()
    if asked.threads:
        os.environ.update({name: str(asked.threads) for name in THREADS})
    names = asked.names or [name for name in RUNS if not (RECORDS / f"{name}.json").exists()]
    for name in names:
        measure(name, RUNS[name])


def measure(name: str, run: Run) -> None:
    """Train, or go on; score and draw the best checkpoint; write it down."""
    folder, plugin = BUILD / name, name.partition("-")[0]
    words = ["train", plugin, "--data", run.data, "--seed", "0", *run.train]
    spent = None  # processor minutes, which other work on the machine does not change
    if (folder / "config.yaml").exists():
        _ganzoo("train", "--resume", str(folder))
    else:
        before = processor()
        _ganzoo(*words, "--outdir", str(folder))
        spent = round((processor() - before) / 60, 1)
    scores = []
    for output in run.outputs:
        which = ("--output", output) if output else ()
        scores += json.loads(_ganzoo("eval", str(folder), *run.scores, *which, "--json"))["scores"]
    picture = PICTURES / f"zoo-{name}.png"
    if (folder / "fields").exists():  # of points, with the discriminator's logits
        shutil.copy(max((folder / "samples").glob("step-*.png")), picture)
    else:
        _draw(folder, run.outputs, picture)
    rows = (folder / "metrics.jsonl").read_text().splitlines()
    findings = map(json.loads, (folder / "findings.jsonl").read_text().splitlines())
    last = json.loads(rows[-1])
    record = {
        "command": " ".join(["ganzoo", *words]),
        "minutes": round(last["seconds"] / 60, 1),
        "processor_minutes": spent,
        "cores": int(os.environ.get(THREADS[0], os.cpu_count() or 1)),
        "steps": last["step"],
        "scored": "ganzoo eval " + " ".join(run.scores),
        "step": scores[0]["step"],
        "findings": sorted({f"{one['severity']}: {one['name']}" for one in findings}),
        "scores": {one["label"]: float(f"{one['value']:.4g}") for one in scores},
        "seen": "",
    }
    RECORDS.mkdir(exist_ok=True)
    (RECORDS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1), flush=True)


def _draw(folder: Path, outputs: tuple[str, ...], picture: Path) -> None:
    """The same 64 samples as each output has them, side by side."""
    grids = []
    for output in outputs:
        file = folder / f"grid-{output}.png"
        which = ("--output", output) if output else ()
        _ganzoo("sample", str(folder), "-n", "64", "--seed", "0", "--out", str(file), *which)
        grids.append(np.asarray(Image.open(file).convert("RGB")))
    Image.fromarray(np.concatenate(grids, 1)).save(picture)


def _ganzoo(*words: str) -> str:
    print("ganzoo", *words, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "ganzoo", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        sys.exit(f"ganzoo {' '.join(words)} failed")
    return done.stdout


if __name__ == "__main__":
    main()
