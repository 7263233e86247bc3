"""The options that verbs share, written once."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from explorer.budget import Budget
from explorer.errors import Invalid

#: seconds that one question may take unless --budget says otherwise
DEFAULT_BUDGET = 60.0

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else there.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of every random choice; the same seed, the same bytes.")]
Seconds = Annotated[
    float | None, typer.Option("--budget", metavar="SECONDS", help="Wall-clock time that the question may take.")
]
Folder = Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder to write to.")]
File = Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="File to write.")]
ProblemName = Annotated[str, typer.Argument(metavar="PROBLEM", help="A problem file or the slug of a case.")]
Statement = Annotated[str, typer.Argument(metavar="STATEMENT", help="Id of a statement, e.g. sun2020.claim-IV.1.")]


def budget(seconds: float | None, default: float | None = DEFAULT_BUDGET) -> Budget:
    """The budget that ``--budget`` asks for."""
    if seconds is None:
        return Budget(default)
    if not math.isfinite(seconds) or seconds <= 0:
        raise Invalid("--budget", expected="a positive number of seconds", got=f"{seconds:g}", remedy="write 60")
    return Budget(seconds)
