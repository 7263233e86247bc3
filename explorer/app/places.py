"""Where the PROBLEM is that people name on the command line. Loads little: `explorer check` of two files needs no more."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from explorer.errors import Invalid, Unknown, named


def problem_path(given: str) -> Path:
    """The problem file that ``given`` names: a file, a folder that holds problem.json, or the slug of a case."""
    with suppress(OSError, ValueError):  # a name that no file can have
        path = Path(given)
        if path.is_file():
            return path
        if path.is_dir() and (path / "problem.json").is_file():
            return path / "problem.json"
    from explorer.app.cases import cases

    try:
        return cases(given).problem_path
    except Unknown:
        raise Invalid(
            named(given),
            expected="a problem file or the slug of a case",
            got="neither",
            remedy="check the path, or run 'explorer cases'",
        ) from None
