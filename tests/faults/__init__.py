"""What ganzoo must stand: kills, full disks, flipped bytes, hostile input, two processes at once.

Each module makes the cases of one part; `python -m faults` plays them. See docs/faults.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout that is tested: the one that this file stands in."""

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
