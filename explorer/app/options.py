"""The options that verbs share, written once, and the reading of their values: a wrong one is refused before any work."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from explorer.budget import Budget
from explorer.errors import Invalid, described, named

#: seconds that one question may take unless --budget says otherwise
DEFAULT_BUDGET = 60.0


def whole(name: str, *, least: int = 1) -> Callable[[object], int]:
    """The parser of an option that takes a whole number."""

    def parse(text: object) -> int:
        number: int | None = None
        with suppress(ValueError):
            number = int(str(text))
        if number is None or number < least:
            raise Invalid(name, expected=f"a whole number from {least}", got=described(text), remedy=f"write {least}")
        return number

    return parse


def seconds(text: object) -> float:
    """The parser of ``--budget``."""
    number = math.nan
    with suppress(ValueError):
        number = float(str(text))
    if not math.isfinite(number) or number <= 0:
        raise Invalid("--budget", expected="a positive number of seconds", got=described(text), remedy="write 60")
    return number


def writable_file(path: Path | None) -> Path | None:
    """``path`` itself, if a file can be put there (folders on the way are made later)."""
    if path is not None:
        if path.is_dir():
            raise _unwritable(path, "a folder", "name a file")
        _check_parents(path, path.parent)
    return path


def writable_folder(path: Path | None) -> Path | None:
    """``path`` itself, if it is a folder to write to or one that can be made."""
    if path is not None:
        _check_parents(path, path)
    return path


def _check_parents(path: Path, folder: Path) -> None:
    there = next(p for p in (folder, *folder.parents) if p.exists() or p == p.parent)
    if not there.is_dir():
        raise _unwritable(path, f"{named(there)}, which is a file", "choose another place")
    if not os.access(there, os.W_OK | os.X_OK):
        raise _unwritable(path, f"{named(there)}, where nothing may be written", "choose another place")


def _unwritable(path: Path, got: str, remedy: str) -> Invalid:
    return Invalid(f"--out {named(path)}", expected="a place to write to", got=got, remedy=remedy)


def spared(out: Path | None, *inputs: str | Path) -> None:
    """Refuse an ``--out`` that would replace a file which the question is about."""
    for given in inputs:
        if out is not None and out.exists() and Path(given).exists() and out.samefile(given):
            raise _unwritable(out, "the file that is read", "name another file")


def count(name: str, said: str, *, least: int = 1) -> Any:
    """An option that takes a whole number."""
    return typer.Option(name, metavar="N", parser=whole(name, least=least), help=said)


def file(said: str) -> Any:
    """The option that names the file to write."""
    return typer.Option("-o", "--out", metavar="FILE", callback=writable_file, help=said)


def folder(said: str, *names: str) -> Any:
    """The option that names the folder to write to."""
    return typer.Option(*(names or ("-o", "--out")), metavar="DIR", callback=writable_folder, help=said)


Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else there.")]
Seed = Annotated[int, count("--seed", "Seed of every random choice; the same seed, the same bytes.", least=0)]
Seconds = Annotated[
    float | None,
    typer.Option(
        "--budget",
        metavar="SECONDS",
        parser=seconds,
        help=f"Wall-clock time that the question may take ({DEFAULT_BUDGET:g} by default).",
    ),
]
Folder = Annotated[Path, folder("Folder to write to.")]
File = Annotated[Path, file("File to write.")]
ProblemName = Annotated[
    str,
    typer.Argument(metavar="PROBLEM", help="A problem file, a folder that holds problem.json, or the slug of a case."),
]
Existence = Annotated[str, typer.Argument(metavar="STATEMENT", help="Id of a statement, e.g. sun2020.prop-IV.2.")]
Statement = Annotated[str, typer.Argument(metavar="STATEMENT", help="Id of a statement, e.g. sun2020.claim-IV.1.")]


def budget(given: float | None, default: float | None = DEFAULT_BUDGET) -> Budget:
    """The budget that ``--budget`` asks for."""
    return Budget(default if given is None else given)
