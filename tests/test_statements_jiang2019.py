"""The entries of Jiang 2019: every example examined, refutations checked by the checker, repaired forms on the same instances."""

from __future__ import annotations

import pytest

from explorer.certify.examining import examine
from explorer.statements.jiang2019 import STATEMENTS
from explorer.statements.nouns import Example, Ground, Outcome, Statement, Verdict

EXAMPLES = [pytest.param(s, e, id=f"{s.id}-{e.name}") for s in STATEMENTS for e in s.examples]


@pytest.mark.parametrize(("statement", "example"), EXAMPLES)
def test_example(statement: Statement, example: Example) -> None:
    assert example.subject is not None
    found = examine(statement, example.subject())
    assert found.outcome is example.outcome, found.because
    if found.outcome is Outcome.REFUTED:
        assert found.certificates
        assert all(c.check().status == "verified" for c in found.certificates)
    if example.repaired is not None:
        again = examine(statement, example.subject(), repaired=True)
        assert again.outcome is example.repaired, again.because


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: s.id)
def test_entry_is_complete(statement: Statement) -> None:
    outcomes = [e.outcome for e in statement.examples]
    if statement.verdict in (Verdict.FALSE, Verdict.NEEDS_REPAIR):
        assert Outcome.REFUTED in outcomes
        assert statement.ground is Ground.VERIFIED
        assert statement.finding
        assert statement.repair is not None
        refuted = [e for e in statement.examples if e.outcome is Outcome.REFUTED]
        assert any(e.repaired in (Outcome.HOLDS, Outcome.VACUOUS) for e in refuted)
    if statement.checkable:
        assert sum(e.smallest for e in statement.examples) == 1
