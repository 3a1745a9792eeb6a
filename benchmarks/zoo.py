"""The zoo, measured: trains plugins as a user would, scores them, and writes what came out.

    python benchmarks/zoo.py                # whatever has no record yet, each as RUNS says
    python benchmarks/zoo.py sngan cgan     # these, anew

Each one leaves `docs/zoo/NAME.json`, from which the page of the plugin is made, and a grid,
`docs/pictures/zoo-NAME.png`. Its folder stays in `build/zoo`: a training that was interrupted goes
on there. What somebody saw in the grid is written by hand: `"seen"`, kept until the next record.
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

ROOT = Path(__file__).resolve().parent.parent
RECORDS, PICTURES, BUILD = ROOT / "docs/zoo", ROOT / "docs/pictures", ROOT / "build/zoo"


class Run(NamedTuple):
    """What a plugin is trained on, with which changes, and what it is judged by."""

    data: str = "mnist"
    train: tuple[str, ...] = ()
    scores: tuple[str, ...] = ("--fid", "--prdc", "--modes")


LABELLED = Run(scores=("--fid", "--modes", "--label-accuracy", "--fid-by-class"))
POINTS = Run("ring", scores=("--modes",))
RUNS = {
    "acgan": LABELLED,
    "biggan": LABELLED,
    "cgan": LABELLED,
    "dcgan": Run(),
    "dcgan_upsample": Run(),
    "dragan": Run(),
    "infogan": Run(),
    "line_gan": Run("gaussian1d_minus2", scores=("--wasserstein",)),
    "linear_gan": Run("positive", scores=("--wasserstein",)),
    "lsgan": Run(),
    "mlp_gan": Run(),
    "pacgan": POINTS,
    "projection_gan": LABELLED,
    "r3gan": Run(),
    "sagan": LABELLED,
    "sngan": Run(),
    "srgan": Run(scores=("--psnr", "--ssim", "--fid")),
    "unrolled": POINTS,
    "wgan": Run(),
    "wgan_gp": Run(),
}


def main() -> None:
    """Measure what is asked for, or what has no record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RUNS))
    asked = parser.parse_args()
    names = asked.names or [name for name in RUNS if not (RECORDS / f"{name}.json").exists()]
    for name in names:
        measure(name, RUNS[name])


def measure(name: str, run: Run) -> None:
    """Train, or go on; score and draw the best checkpoint; write it down."""
    folder = BUILD / name
    words = ["train", name, "--data", run.data, "--seed", "0", *run.train]
    if (folder / "config.yaml").exists():
        _ganzoo("train", "--resume", str(folder))
    else:
        _ganzoo(*words, "--outdir", str(folder))
    scores = json.loads(_ganzoo("eval", str(folder), *run.scores, "--json"))["scores"]
    picture = PICTURES / f"zoo-{name}.png"
    if (folder / "fields").exists():  # of points, with the discriminator's logits
        shutil.copy(max((folder / "samples").glob("step-*.png")), picture)
    else:
        _ganzoo("sample", str(folder), "-n", "64", "--seed", "0", "--out", str(picture))
    rows = (folder / "metrics.jsonl").read_text().splitlines()
    findings = map(json.loads, (folder / "findings.jsonl").read_text().splitlines())
    last = json.loads(rows[-1])
    record = {
        "command": " ".join(["ganzoo", *words]),
        "minutes": round(last["seconds"] / 60, 1),
        "cores": os.cpu_count(),
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
