"""Lists of runs that were written down before they were run, and what the monitor said of them.

    python benchmarks/diagnosis.py list first [RUN ...] [--threads 1]   # what is not there yet
    python benchmarks/diagnosis.py table first [--again]

A list is `benchmarks/verdicts/NAME.yaml`: rows with a `name`, the `plugin` (a name, or a file of
this repository), `data`, `steps`, `seed`, `fields`; of a broken one also its `kind`, the names of
findings that fit, and its healthy `twin`. What came is `NAME.jsonl`, a line for each run, found
again by a digest of its row and of nothing else: a mended rule does not make an old result a new
one. Their folders stay in `build/verdicts`, where `--again` reads their rows by the present rules.

A broken run has failed if its distance to the test data (FID of 2,000 samples by the last
checkpoint; of points 1,000 times the SWD) is at least twice its twin's, if it ended before its
time, or if its row says `surely`, where a distance does not show it.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from measuring import THREADS, processor

ROOT = Path(__file__).resolve().parent.parent
LISTS, BUILD = ROOT / "benchmarks/verdicts", ROOT / "build/verdicts"
SAMPLES = "2000"
WORSE = 2.0
"""Times the twin's distance."""


def rows(name: str) -> list[dict[str, Any]]:
    """The list's rows, as they were written down."""
    return yaml.safe_load((LISTS / f"{name}.yaml").read_text())


def digest(row: Mapping[str, Any]) -> str:
    """Of what is run; the same row is never run again."""
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:12]


def results(name: str) -> dict[str, dict[str, Any]]:
    """What came so far, by the run's name."""
    path = LISTS / f"{name}.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    digests = {digest(row) for row in rows(name)}
    came = map(json.loads, lines)
    return {found["name"]: found for found in came if found["digest"] in digests}


def run(name: str, only: list[str], threads: int | None) -> None:
    """Run what has no result yet, and add a line for each."""
    if threads:
        os.environ.update(dict.fromkeys(THREADS, str(threads)))
    for row in rows(name):
        if (only and row["name"] not in only) or row["name"] in results(name):
            continue
        found = _measured(row, BUILD / name / row["name"])
        with (LISTS / f"{name}.jsonl").open("a") as file:
            file.write(json.dumps(found) + "\n")
        print(json.dumps(found), flush=True)


def _measured(row: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """One run, from its training to its distance."""
    plugin = row["plugin"]
    words = [str(ROOT / plugin) if plugin.endswith(".py") else plugin]
    words += ["--data", few(folder.parent) if row["data"] == "few" else row["data"]]
    words += ["--steps", str(row["steps"])] if "steps" in row else []
    words += ["--seed", str(row.get("seed", 0))]
    for field, value in row.get("fields", {}).items():
        words += ["--set", f"{field}={json.dumps(value)}"]
    before = processor()
    done = _ganzoo("train", *words, *row.get("words", ()), "--outdir", str(folder), "--quiet")
    spent = processor() - before
    history = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    said = [json.loads(line) for line in (folder / "findings.jsonl").read_text().splitlines()]
    config = yaml.safe_load((folder / "config.yaml").read_text())
    keys = ("name", "severity", "step", "since", "message", "command")
    return {
        "name": row["name"],
        "digest": digest(row),
        "steps": config["fields"]["steps"],
        "ended": done.returncode,
        "processor_minutes": round(spent / 60, 2),
        "distance": _distance(folder) if history else None,
        "last": _last(history),
        "findings": [{key: finding[key] for key in keys} for finding in said],
    }


def _distance(folder: Path) -> float | None:
    """To the test data, by the last checkpoint; None where there is none to be had."""
    points = (folder / "fields").exists()
    words = ["eval", str(folder), "--swd" if points else "--fid", "--samples", SAMPLES]
    words += ["--checkpoint", "last", "--json"]
    done = _ganzoo(*words)
    if done.returncode:
        return None
    value = json.loads(done.stdout)["scores"][0]["value"]
    return float(f"{value * (1000 if points else 1):.4g}")


def _last(history: list[dict[str, Any]]) -> dict[str, Any]:
    """The last look at the samples."""
    looks = [row for row in history if "score" in row] or [{}]
    keys = ("score", "score_of_reals", "diversity", "precision", "recall", "copies")
    return {key: looks[-1][key] for key in keys if key in looks[-1]}


def few(folder: Path) -> str:
    """64 of the embedded digits as a file, with the data set's own held-out ones."""
    from ganzoo import data

    path = folder / "few.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        train, test = data.load("digits"), data.load("digits", split="test")
        few = {f"{x}_train": train.arrays[n][:64] for x, n in (("x", "image"), ("y", "label"))}
        held = {f"{x}_test": test.arrays[n] for x, n in (("x", "image"), ("y", "label"))}
        np.savez(path, **few, **held)
    return str(path)


def _ganzoo(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ganzoo", *words], cwd=ROOT, capture_output=True, text=True
    )


# -- the table ------------------------------------------------------------------------------------


def again(name: str) -> dict[str, dict[str, Any]]:
    """What came, but for the findings: those of the present rules, on the rows that are at hand."""
    from ganzoo.eval.diagnosis import records
    from ganzoo.eval.diagnosis.monitor import diagnose
    from ganzoo.run import RunDir

    came = results(name)
    for run_name, found in came.items():
        history, known = records.of_run(RunDir(BUILD / name / run_name))
        found["findings"] = [finding.as_json() for finding in diagnose(history, **known)]
    return came


def table(name: str, anew: bool) -> None:
    """Print what came, or what the present rules say of it, and the sums that count."""
    came = again(name) if anew else results(name)
    listed = [row for row in rows(name) if row["name"] in came]
    healthy = [row for row in listed if "kind" not in row]
    broken = [row for row in listed if "kind" in row]
    print("| healthy run | steps | distance | precision, recall | said |\n|---|---|---|---|---|")
    for row in healthy:
        found = came[row["name"]]
        last = found["last"]
        pair = f"{last.get('precision', float('nan')):.2f}, {last.get('recall', float('nan')):.2f}"
        said = "; ".join(_said(found))
        print(f"| {row['name']} | {found['steps']:,} | {found['distance']} | {pair} | {said} |")
    print("\n| broken run | what is broken | distance, twin's | failed | named | said |")
    print("|---|---|---|---|---|---|")
    failed = []
    for row in broken:
        found = came[row["name"]]
        bad, twin = _failed(row, came), came.get(row.get("twin"), {}).get("distance")
        failed += [row] if bad else []
        fits = _fitting(row, found)
        print(
            f"| {row['name']} | {row['kind']} | {found['distance']}, {twin} | "
            f"{_yes(bad)} | {_yes(fits)} | {'; '.join(_said(found))} |"
        )
    false = [row["name"] for row in healthy if _alarms(came[row["name"]])]
    called = [row["name"] for row in failed if _verdict(came[row["name"]]) == "healthy"]
    alarmed = [row for row in failed if _alarms(came[row["name"]])]
    named = [row for row in failed if _fitting(row, came[row["name"]])]
    at = [_alarms(came[r["name"]])[0]["step"] / came[r["name"]]["steps"] for r in alarmed]
    print(f"\nfalse alarms: {len(false)} of {len(healthy)} healthy runs {', '.join(false)}")
    print(f"truly failed: {len(failed)} of {len(broken)}; called healthy: {len(called)} {called}")
    print(f"with an alarm: {len(alarmed)}, named fittingly: {len(named)} of {len(failed)}")
    if at:
        print(f"the median first alarm at {statistics.median(at):.0%}")


def _alarms(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in found["findings"] if one["severity"] == "failure"]


def _verdict(found: Mapping[str, Any]) -> str:
    return found["findings"][-1]["name"] if found["findings"] else ""


def _failed(row: Mapping[str, Any], came: Mapping[str, Any]) -> bool:
    found, twin = came[row["name"]], came.get(row.get("twin"), {}).get("distance")
    if row.get("surely") or found["ended"] or found["distance"] is None:
        return True
    return twin is not None and found["distance"] >= WORSE * twin


def _fitting(row: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return any(alarm["name"] in row["fits"] for alarm in _alarms(found))


def _said(found: Mapping[str, Any]) -> Iterator[str]:
    for one in found["findings"]:
        mark = "**" if one["severity"] == "failure" else ""
        when = f" {one['step'] / found['steps']:.0%}" if one["severity"] != "info" else ""
        yield f"{mark}{one['name']}{mark}{when}"


def _yes(fits: bool) -> str:
    return "yes" if fits else "no"
