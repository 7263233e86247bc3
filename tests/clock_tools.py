"""Clocks for tests that must say the same on a busy machine and on an idle one, on a slow one and on a fast one.

Time on the wall belongs to the machine; processor time belongs to the work. What a slower machine may stretch is compared
with a work of the same kind that was measured beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache


def processor_seconds() -> float:
    """What this process, and the processes that it started and waited for, have used of the processor."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


@cache
def slowness() -> float:
    """How many times slower this machine is now than the one on which the limits in tests were measured: SymPy's import took
    0.5 s of processor time there. At least 1."""
    program = "import sympy, time; print(time.process_time())"
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True) for _ in range(2)
    ]
    return max(1.0, min(float(run.stdout) for run in runs) / 0.5)


def within(seconds: float, limit: float) -> bool:
    """Whether a work that took ``seconds`` of processor time kept a limit that was set on the machine of `slowness`."""
    return seconds < limit or seconds < limit * slowness()
