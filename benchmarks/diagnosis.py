"""How well the diagnosis does: on failures that are brought about, and on logs of other programs.

`python benchmarks/diagnosis.py induced [--seeds 4] [--only FAILURE] [--unseen]` trains every case
below with the monitor live, and prints how often each was named and when. `python
benchmarks/diagnosis.py replay LOGS` reads a folder of CSV files and its index.csv (file, best_fid,
final_fid, hours) as if they were being written: a run failed that ended 1.5 times above its best
or never got an FID below 100; the rest are healthy. `python benchmarks/diagnosis.py list NAME` and
`table NAME`: runs that were written down beforehand, see `verdicts.py`.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import verdicts

import ganzoo
from ganzoo.errors import GanzooError
from ganzoo.eval.diagnosis import records
from ganzoo.eval.diagnosis.monitor import Monitor

INDUCED = str(Path(__file__).with_name("induced.py"))
LOOKS = 20


@dataclass(frozen=True)
class Case:
    """A setting that brings about the failure `expected`; of a healthy one that is None."""

    expected: str | None
    how: str
    data: str
    steps: int
    fields: dict[str, Any] = field(default_factory=dict)
    plugin: str = INDUCED


FAILING = (
    Case(
        "vanishing_gradient",
        "saturating loss, D five steps ahead",
        "digits",
        3000,
        {"saturating": True, "d_steps": 5},
    ),
    Case(
        "saturated_discriminator",
        "D's rate 10,000 times G's",
        "digits",
        1500,
        {"g_lr": 1e-6, "d_lr": 1e-2},
    ),
    Case("dead_discriminator", "weights clipped at 1e-6", "ring", 1500, {"clip": 1e-6}, "wgan"),
    Case("discriminator_beaten", "D's rate 1e-7", "digits", 3000, {"d_lr": 1e-7}),
    Case("exploding", "rates rise by 30", "digits", 3000, {"late_step": 1200, "late_factor": 30.0}),
    Case(
        "non_finite",
        "rates rise to 1e30 at step 600",
        "digits",
        1000,
        {"late_step": 600, "late_factor": 1e33},
    ),
    Case("mode_collapse", "G ten turns ahead", "ring", 3000, {"g_turns": 10}),
    Case("mode_collapse", "G ten turns ahead", "digits", 3000, {"g_turns": 10}),
    Case("partial_collapse", "a batch of 8", "ring", 3000, {"batch_size": 8}),
    Case("oscillation", "G's rate ten times D's", "ring", 3000, {"g_lr": 1e-2}),
    Case(
        "late_degradation",
        "D's rate rises by 50",
        "digits",
        3000,
        {"late_step": 1200, "late_factor": 50.0, "late_g": False},
    ),
    Case("stagnation", "both rates 1e-7", "digits", 2000, {"g_lr": 1e-7, "d_lr": 1e-7}),
    Case("memorization", "64 digits", "few", 5000, {"batch_size": 32}),
    Case("discriminator_overfitting", "64 digits", "few", 3000, {"batch_size": 32}),
)
UNSEEN = (
    Case(
        "vanishing_gradient",
        "saturating loss, D's rate 20 times G's",
        "mnist",
        2500,
        {"saturating": True, "g_lr": 1e-4, "d_lr": 2e-3},
    ),
    Case("saturated_discriminator", "G's rate 1e-7", "digits", 800, {"g_lr": 1e-7}, "dcgan"),
    Case("dead_discriminator", "weights clipped at 1e-5", "digits", 1500, {"clip": 1e-5}, "wgan"),
    Case("discriminator_beaten", "D's rate 1e-8", "mnist", 2500, {"d_lr": 1e-8}),
    Case("exploding", "rates rise by 100", "mnist", 2000, {"late_step": 700, "late_factor": 100.0}),
    Case(
        "non_finite",
        "momentum, rates of 100",
        "ring",
        1000,
        {"optimizer": "momentum", "g_lr": 100.0, "d_lr": 100.0},
    ),
    Case("mode_collapse", "G's rate 100 times D's", "mnist", 2500, {"g_lr": 1e-2, "d_lr": 1e-4}),
    Case("mode_collapse", "G twenty turns ahead", "grid", 3000, {"g_turns": 20}),
    Case("partial_collapse", "a batch of 4", "ring", 4000, {"batch_size": 4}),
    Case(
        "oscillation",
        "G eight turns ahead at 3e-3",
        "ring",
        3000,
        {"g_turns": 8, "g_lr": 3e-3},
    ),
    Case(
        "late_degradation",
        "G's rate rises by 30",
        "mnist",
        3000,
        {"late_step": 1500, "late_factor": 30.0},
    ),
    Case("stagnation", "both rates 1e-8", "mnist", 1500, {"g_lr": 1e-8, "d_lr": 1e-8}, "dcgan"),
    Case("memorization", "64 digits", "few", 12000, {"batch_size": 32}, "mlp_gan"),
    Case("discriminator_overfitting", "64 digits", "few", 1500, {"batch_size": 32}, "dcgan"),
)
"""Chosen without a look at what the rules make of them; the last two were lengthened after one,
since they had not failed by their end."""
HEALTHY = (
    Case(None, "defaults", "mnist", 4000, plugin="mlp_gan"),
    Case(None, "defaults", "digits", 4000, plugin="mlp_gan"),
    Case(None, "defaults", "digits", 1200, plugin="dcgan"),
    Case(None, "width 16", "mnist", 1000, {"width": 16}, "dcgan"),
    Case(None, "rates 3e-4", "digits", 2000, {"g_lr": 3e-4, "d_lr": 3e-4}, "wgan"),
    Case(None, "width 8", "digits", 1000, {"width": 8}, "sagan"),
)
UNSEEN_HEALTHY = (
    Case(None, "defaults", "ring", 6000, plugin="mlp_gan"),
    Case(None, "defaults", "fashion_mnist", 4000, plugin="mlp_gan"),
    Case(None, "width 16", "fashion_mnist", 1000, {"width": 16}, "dcgan"),
    Case(None, "both rates 1e-4", "digits", 2500, {"g_lr": 1e-4, "d_lr": 1e-4}, "dcgan"),
    Case(None, "width 16", "mnist", 1500, {"width": 16}, "wgan"),
    Case(None, "width 8", "mnist", 800, {"width": 8}, "sagan"),
)


def findings(case: Case, seed: int, folder: Path) -> list[dict[str, Any]]:
    """What the monitor said while the case trained; the run is over at the first NaN."""
    source = verdicts.few(folder) if case.data == "few" else case.data
    outdir = folder / "run"
    every = case.steps // LOOKS
    try:
        ganzoo.train(
            case.plugin,
            source,
            steps=case.steps,
            seed=seed,
            outdir=outdir,
            quiet=True,
            log_every=max(1, every // 5),
            checkpoint_every=every,
            picture_every=case.steps,
            fields=case.fields,
        )
    except GanzooError as error:
        if "became" not in str(error) and "not finite" not in str(error):
            raise
    return ganzoo.load(outdir).findings


def induced(seeds: range, only: str | None, kept: Path, unseen: bool) -> None:
    """Print a row for each case, and the sums."""
    print("| failure | brought about by | named | alarm at | other alarms |\n|---|---|---|---|---|")
    named, early, runs = 0, [], 0
    for case in [c for c in (UNSEEN if unseen else FAILING) if only in (None, c.expected)]:
        hits, others = [], {}
        for seed in seeds:
            alarms = _alarms(case, seed, kept)
            hits += [alarms[case.expected] / case.steps] if case.expected in alarms else []
            for name in alarms.keys() - {case.expected}:
                others[name] = others.get(name, 0) + 1
        named, early, runs = named + len(hits), early + hits, runs + len(seeds)
        when = f"{statistics.median(hits):.0%}" if hits else ""
        told = ", ".join(f"{name} {count}" for name, count in sorted(others.items()))
        how = f"{case.how} ({case.data})"
        print(
            f"| {case.expected} | {how} | {len(hits)}/{len(seeds)} | {when} | {told} |", flush=True
        )
    if runs:
        print(f"\nnamed {named} of {runs}, the median alarm at {statistics.median(early):.0%}\n")
    if only in (None, "healthy"):
        healthy(seeds[: max(2, len(seeds) // 2)], kept, UNSEEN_HEALTHY if unseen else HEALTHY)


def healthy(seeds: range, kept: Path, cases: tuple[Case, ...]) -> None:
    """The same on settings that work."""
    print("| plugin | data | false alarms |\n|---|---|---|")
    false = 0
    for case in cases:
        alarms = [sorted(_alarms(case, seed, kept)) for seed in seeds]
        false += sum(map(bool, alarms))
        told = "; ".join(", ".join(names) for names in alarms if names) or "none"
        print(f"| {case.plugin} | {case.data}, {case.how} | {told} of {len(seeds)} |", flush=True)
    print(f"\nfalse alarms: {false} of {len(seeds) * len(cases)} healthy runs")


def _alarms(case: Case, seed: int, kept: Path) -> dict[str, int]:
    """Failure by name -> the step of its alarm."""
    name = case.expected or "healthy"
    folder = kept / f"{name}-{Path(case.plugin).stem}-{case.data}-{seed}"
    folder.mkdir(parents=True)
    return {
        f["name"]: f["step"] for f in findings(case, seed, folder) if f["severity"] == "failure"
    }


# -- replay -------------------------------------------------------------------------------------


def replay(logs: Path) -> None:
    """Print what is found in each log, with its scores and from its losses alone."""
    with (logs / "index.csv").open() as file:
        index = {row["file"]: row for row in csv.DictReader(file)}
    for columns in (("fid", "inception_score"), ()):
        print("with scores:" if columns else "from the losses alone:")
        caught = false = failed = 0
        saved, wasted = 0.0, 0.0
        for name, facts in sorted(index.items()):
            best = float(facts["best_fid"])
            bad = float(facts["final_fid"]) >= 1.5 * best or best >= 100
            alarm, last, hours = _first_alarm(logs / f"{name}.csv", columns)
            failed += bad
            caught += bool(bad and alarm)
            false += bool(alarm and not bad)
            if bad:
                total = float(facts["hours"])
                lost = total * (1 - int(facts["best_step"]) / int(facts["final_step"]))
                wasted, saved = wasted + lost, saved + min(hours, lost)
            if bad or alarm:
                told = f"{alarm['name']} at {alarm['step'] / last:.0%}" if alarm else "missed"
                print(f"  {name:32} {'failed' if bad else 'HEALTHY'}: {told}")
        print(f"  caught {caught} of {failed}, false alarms {false} of {len(index) - failed}")
        print(f"  of {wasted:.1f} wasted hours {saved:.1f} saved: {saved / wasted:.0%}\n")


def _first_alarm(path: Path, columns: tuple[str, ...]) -> tuple[dict[str, Any] | None, int, float]:
    """The first alarm, the last step, and the hours between the two."""
    monitor = Monitor()
    for row in records.of_csv(path):
        kept = {"step", "seconds", "g_loss", "d_loss", *columns}
        monitor.see({name: value for name, value in row.items() if name in kept})
    alarms = [f for f in monitor.findings if f.severity == "failure"]
    alarm = {"name": alarms[0].name, "step": alarms[0].step} if alarms else None
    return alarm, monitor.history.step, monitor.hours_after_alarm()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    trained = commands.add_parser("induced")
    trained.add_argument("--seeds", type=int, default=4)
    trained.add_argument("--first-seed", type=int, default=0)
    trained.add_argument("--only", metavar="FAILURE|healthy")
    trained.add_argument("--unseen", action="store_true", help="settings that no rule was tuned on")
    trained.add_argument("--keep", type=Path, help="keep the run folders here")
    commands.add_parser("replay").add_argument("logs", type=Path)
    listed = commands.add_parser("list")
    listed.add_argument("name")
    listed.add_argument("only", nargs="*", metavar="RUN")
    listed.add_argument("--threads", type=int, help="of TensorFlow's; by default one a core")
    printed = commands.add_parser("table")
    printed.add_argument("name")
    printed.add_argument("--again", action="store_true", help="by the present rules")
    asked = parser.parse_args()
    if asked.command == "replay":
        replay(asked.logs)
    elif asked.command == "list":
        verdicts.run(asked.name, asked.only, asked.threads)
    elif asked.command == "table":
        verdicts.table(asked.name, asked.again)
    else:
        with tempfile.TemporaryDirectory() as folder:
            seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
            induced(seeds, asked.only, asked.keep or Path(folder), asked.unseen)


if __name__ == "__main__":
    main()
