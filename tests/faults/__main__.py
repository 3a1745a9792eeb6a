"""Play the faults: `python -m faults`, from `tests/`; `make faults` from the root.

What a case showed is kept in build/faults/CODE/, where CODE is a digest of the program: a suite
that was interrupted goes on where it was, and another program begins anew.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from faults import ROOT, ledger, made, warm
from faults.ledger import GOOD, Case, Ledger, Outcome
from faults.parts import PARTS, SHORT

TABLE = "<!-- the counts: written by `make faults` -->"


def main(arguments: Sequence[str] | None = None) -> int:
    """Play what is asked for; 1 where a case ended as none may."""
    asked = _parsed(arguments)
    place = Path(asked.place) / made.code()
    place.mkdir(parents=True, exist_ok=True)
    names = asked.only.split(",") if asked.only else list(PARTS)
    ledgers = {name: Ledger(place / "results" / f"{name}.jsonl") for name in PARTS}
    if asked.short:
        ledgers = {name: Ledger(place / "short" / f"{name}.jsonl") for name in PARTS}
    warm.surroundings(place / "home")
    warm.warm_up()
    runs = made.Made(place / "made")
    for name in names:
        if asked.fresh or asked.short:
            ledgers[name].path.unlink(missing_ok=True)
        cases = _chosen(name, list(PARTS[name](runs)), asked)
        play(name, cases, ledgers[name], place / "work", asked)
    parts = [(n, rows, _minutes(rows, asked.workers)) for n in PARTS if (rows := ledgers[n].rows())]
    text = ledger.table(parts)
    print(text)
    if asked.table:
        _write(text)
    return int(any(row["kind"] not in GOOD for name in names for row in ledgers[name].rows()))


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--only", help="parts, by comma: " + ",".join(PARTS))
    parser.add_argument("--scale", type=float, default=1.0, help="a share of the cases, spread out")
    parser.add_argument("--match", default="", help="only cases whose name holds this")
    parser.add_argument("--short", action="store_true", help="the form of `make test`, anew")
    parser.add_argument("--fresh", action="store_true", help="forget what these parts showed")
    parser.add_argument("--keep", action="store_true", help="keep the folders of bad cases")
    parser.add_argument("--table", action="store_true", help="write the table into docs/faults.md")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--place", default=ROOT / "build" / "faults")
    return parser.parse_args(arguments)


def _chosen(name: str, cases: list[Case], asked: argparse.Namespace) -> list[Case]:
    """A share of the cases, drawn by the part's name: the same ones each time."""
    cases = [case for case in cases if asked.match in case.name and not (asked.short and case.slow)]
    count = min(SHORT[name], len(cases)) if asked.short else max(1, round(len(cases) * asked.scale))
    drawn = random.Random(name).sample(range(len(cases)), min(count, len(cases)))
    return [cases[i] for i in sorted(drawn)]


def _minutes(rows: list[dict], workers: int) -> float:
    return sum(row["seconds"] for row in rows) / workers / 60


def _write(text: str) -> None:
    page = ROOT / "docs" / "faults.md"
    head, mark, tail = page.read_text().partition(TABLE)
    rest = tail.lstrip("\n").split("\n\n", 1)
    after = rest[1] if rest[0].startswith("|") and len(rest) > 1 else tail.lstrip("\n")
    page.write_text(f"{head}{mark}\n\n{text}\n{after}")


# -- playing --------------------------------------------------------------------------------------

CASES: list[Case] = []
"""What the workers play: they are forked, and have it from their parent."""
WORK: Path


def play(name: str, cases: list[Case], book: Ledger, work: Path, asked: argparse.Namespace) -> None:
    """Play the cases that have no outcome yet, and write down each outcome as it comes."""
    global WORK
    done = {row["case"] for row in book.rows()}
    CASES[:] = [case for case in cases if case.name not in done]
    WORK = work / name
    WORK.mkdir(parents=True, exist_ok=True)
    print(f"{name}: {len(CASES)} of {len(cases)} cases to play", flush=True)
    began, bad = time.monotonic(), 0
    with multiprocessing.get_context("fork").Pool(asked.workers) as pool:
        for number, outcome, seconds, cpu in pool.imap_unordered(_play, range(len(CASES))):
            book.add(CASES[number].name, outcome, seconds, cpu)
            if outcome.kind not in GOOD:
                bad += 1
                print(f"  {outcome.kind}: {CASES[number].name}: {outcome.detail}", flush=True)
            if outcome.kind in GOOD or not asked.keep:
                shutil.rmtree(WORK / str(number), ignore_errors=True)
    print(f"{name}: {bad} bad, {(time.monotonic() - began) / 60:.1f} minutes", flush=True)


def _play(number: int) -> tuple[int, Outcome, float, float]:
    folder, began, before = WORK / str(number), time.monotonic(), sum(os.times()[:4])
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        outcome = CASES[number].play(folder)
    except Exception:
        outcome = Outcome("broken", traceback.format_exc()[-1500:])
    return number, outcome, time.monotonic() - began, sum(os.times()[:4]) - before


if __name__ == "__main__":
    sys.exit(main())
