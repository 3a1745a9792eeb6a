"""The short form of the faults of `tests/faults`; `make faults` plays all of them.

It runs as a program of its own: its processes are forked before TensorFlow has run anything.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.mark.slow
def test_no_fault_of_the_short_form_is_a_traceback_a_hang_or_another_result(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "faults", "--short", "--place", str(tmp_path)],
        cwd=HERE,
        env=os.environ | {"PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        check=False,
    )
    rows = [
        json.loads(line)
        for path in tmp_path.glob("*/short/*.jsonl")
        for line in path.read_text().splitlines()
    ]
    bad = [row for row in rows if row["kind"] not in ("refused", "survived", "told")]
    assert not bad, "\n".join(f"{row['kind']}: {row['case']}: {row['detail']}" for row in bad)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(rows) > 150
