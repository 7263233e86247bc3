"""``explorer examine STATEMENT PROBLEM``: one statement on one problem, with the certificate where it is refuted."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from explorer.app.certificates import accepted
from explorer.app.given import read_point
from explorer.app.output import emit, show, working
from explorer.app.places import problem_path
from explorer.budget import Budget
from explorer.reading import read_problem
from explorer.statements.book import statement as find
from explorer.statements.nouns import Outcome


def examine_command(
    statement: str,
    given: str,
    *,
    at: str | None,
    repaired: bool,
    out: Path | None,
    as_json: bool,
    budget: Budget,
) -> int:
    """Print the finding; a refutation's certificate is saved to ``out`` (default: a file named after both, here)."""
    found = find(statement)
    path = problem_path(given)
    problem = read_problem(path)
    from explorer.certify.examining import examine

    with working(f"examining {statement}"):
        finding = examine(
            found, problem, at=None if at is None else read_point(at, problem), repaired=repaired, budget=budget
        )
    saved: str | None = None
    if finding.certificates and (finding.outcome is Outcome.REFUTED or out is not None):
        where = out or Path(f"{statement}.{problem.slug}.certificate.json")
        with tempfile.TemporaryDirectory() as scratch:
            accepted(finding.certificates[0], path, Path(scratch) / "proposal.certificate.json")
        finding.certificates[0].save(where)
        saved = str(where)
    if as_json:
        emit(finding.to_json(certificate=saved))
    else:
        _show(finding, saved)
    return 2 if finding.outcome is Outcome.UNDECIDED else 0


def _show(finding: Any, saved: str | None) -> None:
    from explorer.app.display import rich

    show(rich(finding))
    if saved is not None:
        print(f"certificate: {saved}")
