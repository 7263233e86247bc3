"""Engines in subprocesses that end with the budget: the whole process group is killed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from explorer.budget import Deadline
from explorer.errors import BudgetExceeded


def run_killable(
    command: Sequence[str],
    deadline: Deadline,
    *,
    doing: str,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of ``command``; `BudgetExceeded` and no process left when the deadline passes.

    ``pass_fds``: open files that the process inherits.
    """
    deadline.check(doing)
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=None if env is None else dict(env),
        pass_fds=tuple(pass_fds),
        start_new_session=True,  # its own group, so that children of the engine die with it
    )
    try:
        out, err = process.communicate(stdin, timeout=deadline.remaining)
    except subprocess.TimeoutExpired:
        raise BudgetExceeded(
            "budget", got=f"{deadline.seconds:g} s spent while {doing}", remedy="give more with --budget SECONDS"
        ) from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        for pipe in (process.stdin, process.stdout, process.stderr):  # also when it died by itself at the last moment
            if pipe is not None:
                pipe.close()
    return process.returncode, out, err
