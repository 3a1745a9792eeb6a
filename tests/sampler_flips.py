"""Flip bits of a run's sampler, one at a time, and sample: a log of what came of each.

    python tests/sampler_flips.py RUN LOG SEED COUNT

Each line of the log is `FILE BYTE BIT`, then what became of it: `refused`, `same` or `other`.
"""

from __future__ import annotations

import random
import sys
import warnings
from pathlib import Path

import numpy as np


def flip(path: Path, bits: random.Random) -> str:
    """Flip one bit of a file; where."""
    content = bytearray(path.read_bytes())
    byte, bit = bits.randrange(len(content)), bits.randrange(8)
    content[byte] ^= 1 << bit
    path.write_bytes(content)
    return f"{path.name} {byte} {bit}"


def main(run: Path, log: Path, seed: int, count: int) -> None:
    from ganzoo.errors import GanzooError
    from ganzoo.run import RunDir
    from ganzoo.sampling import Sampler

    warnings.simplefilter("ignore")

    def sampled() -> np.ndarray:
        return np.concatenate(list(Sampler(RunDir(run)).batches(3, seed=0)))

    whole, bits = sampled(), random.Random(seed)
    files = [run / "sampler.pb", run / "sampler.json"]
    stored = {path: path.read_bytes() for path in files}
    with log.open("w", buffering=1) as told:
        for number in range(count):
            path = files[number % 2]
            told.write(flip(path, bits) + " ")
            try:
                outcome = "same" if np.array_equal(sampled(), whole) else "other"
            except GanzooError as error:
                outcome = "refused" if "\n" not in str(error) else "lines"
            told.write(outcome + "\n")
            path.write_bytes(stored[path])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
