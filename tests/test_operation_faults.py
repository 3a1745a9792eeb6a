"""No operation that is let through ends the process, whatever it is set to and given."""

from __future__ import annotations

import operation_faults


def test_odd_operations_end_no_process():
    """The short form of `tests/operation_faults.py`."""
    *wrong, counts = operation_faults.faults(0, 300)
    assert not wrong
    assert " ran" in counts
    assert " refused" in counts
