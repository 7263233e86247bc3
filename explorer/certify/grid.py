"""`examine` on a grid, problems times statements, and what must never happen there."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from explorer.budget import Budget
from explorer.certify.examining import Finding, examine
from explorer.problem import Problem
from explorer.statements.graph import sources
from explorer.statements.nouns import Outcome, Statement, Subject, Verdict


@dataclass(frozen=True)
class Cell:
    """One statement on one problem: what came out, or the error that should not have happened."""

    statement: Statement
    problem: Problem
    finding: Finding | None
    crash: str
    seconds: float


def grid(problems: Iterable[Problem], statements: Iterable[Statement], *, seconds: float = 5) -> Iterator[list[Cell]]:
    """One row of cells per problem; the problem's critical set is computed once, within ``seconds``."""
    chosen = tuple(statements)
    for problem in problems:
        subject, row = Subject(problem, budget=Budget(seconds)), []
        for statement in chosen:
            start = time.process_time()
            finding, crash = None, ""
            try:
                finding = examine(statement, subject)
            except Exception as error:  # a crash is a result of this audit
                crash = f"{type(error).__name__}: {error}"[:300]
            row.append(Cell(statement, problem, finding, crash, time.process_time() - start))
        yield row


def violations(row: list[Cell]) -> list[str]:
    """What must not be in a row: crashes, refutations without a verified certificate, refuted truths, contradictions."""
    out = [f"{c.statement.id} on {c.problem.slug}: crash {c.crash}" for c in row if c.crash]
    found = {c.statement.id: c for c in row if c.finding is not None}
    for cell in found.values():
        finding = cell.finding
        assert finding is not None
        where = f"{cell.statement.id} on {cell.problem.slug}"
        if finding.outcome is not Outcome.REFUTED:
            continue
        if not finding.certificates or any(c.check().status != "verified" for c in finding.certificates):
            out.append(f"{where}: refuted without a certificate that verifies")
        if cell.statement.verdict is Verdict.TRUE:
            out.append(f"{where}: a statement that the book calls true is refuted ({finding.because})")
        for source in sources(cell.statement.id):
            other = found.get(source)
            if other is not None and other.finding is not None and other.finding.outcome is Outcome.HOLDS:
                out.append(f"{where}: refuted, although {source}, from which it follows, holds there")
    return out
