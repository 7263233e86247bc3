"""The built-in cases: folders with a problem, hand-derived expectations and certificates.

A wheel carries them inside the package (``explorer/_cases``); a checkout has them beside it (``cases``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

from explorer.errors import Invalid, Unknown
from explorer.problem import Problem
from explorer.reading import read_problem
from explorer.shown import Shown


@dataclass(frozen=True)
class Case(Shown):
    """One built-in case: ``folder`` holds problem.json and, where there are any, expected.json and certificates."""

    slug: str
    folder: Path

    @property
    def problem_path(self) -> Path:
        return self.folder / "problem.json"

    @cached_property
    def problem(self) -> Problem:
        return read_problem(self.problem_path)

    @cached_property
    def expected(self) -> dict[str, Any]:
        """What is known about the case, derived by hand or by an independent method (expected.json says which)."""
        path = self.folder / "expected.json"
        if not path.exists():
            return {}
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise Invalid(str(path), expected="JSON", got=str(error), remedy="mend the file") from None
        if not isinstance(body, dict):
            raise Invalid(str(path), expected="a JSON object {...}", got=type(body).__name__, remedy="mend the file")
        return body

    @property
    def is_long(self) -> bool:
        """Whether the tour leaves it out unless it is named (``"tour": false`` in expected.json)."""
        return self.expected.get("tour") is False

    @property
    def certificates(self) -> tuple[Path, ...]:
        """The certificate files of the case, by name."""
        return tuple(sorted(self.folder.glob("*.certificate.json")))


def cases_folder() -> Path:
    """The folder of the built-in cases: inside the package when installed from a wheel, else beside it."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_cases", package.parent / "cases"):
        if folder.is_dir():
            return folder
    raise Unknown("cases", expected=f"the folder {package / '_cases'}", got="none", remedy="install explorer again")


@overload
def cases() -> tuple[Case, ...]: ...
@overload
def cases(slug: str) -> Case: ...
def cases(slug: str | None = None) -> tuple[Case, ...] | Case:
    """All built-in cases in the order of their slugs, or the one named ``slug`` (`Unknown` if there is none)."""
    found = tuple(Case(path.parent.name, path.parent) for path in sorted(cases_folder().glob("*/problem.json")))
    if slug is None:
        return found
    for case in found:
        if case.slug == slug:
            return case
    raise Unknown(
        "case",
        expected=f"one of {', '.join(c.slug for c in found)}",
        got=repr(slug)[:60],
        remedy="run 'explorer cases'",
    )
