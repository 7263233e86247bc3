"""The statements of Kawaguchi, Huang, Kaelbling 2019 on their own instances; the expectations are hand computations (`source`)."""

from __future__ import annotations

import pytest

from explorer.certify.examining import examine
from explorer.solve.results import Trust
from explorer.statements.kawaguchi2019 import STATEMENTS
from explorer.statements.nouns import Outcome

CASES = [pytest.param(s, e, id=f"{s.id}/{e.name}") for s in STATEMENTS for e in s.examples]


def test_all_entries_of_the_paper_are_there() -> None:
    assert len(STATEMENTS) == 22
    assert len({s.id for s in STATEMENTS}) == 22
    assert sum(not s.checkable for s in STATEMENTS) == 2


@pytest.mark.parametrize(("statement", "example"), CASES)
def test_examples(statement, example) -> None:
    found = examine(statement, example.subject())
    assert found.outcome is example.outcome, found.because
    if found.outcome is Outcome.REFUTED:
        assert found.trust is Trust.VERIFIED
        assert all(c.check().status == "verified" for c in found.certificates)
    if example.repaired is not None:
        assert examine(statement, example.subject(), repaired=True).outcome is example.repaired
