"""The survey's statements, sections VI and VII: every example gives the outcome that stands in the book, with its certificate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.budget import Budget
from explorer.certify.examining import examine, refuting_instances
from explorer.certify.grid import Cell, violations
from explorer.statements import du2019
from explorer.statements.book import statement as find
from explorer.statements.nouns import Ground, Outcome, Verdict
from explorer.statements.sun2020 import section6, section6b, section6c, section7, section7b

STATEMENTS = tuple(s for part in (section6, section6b, section6c, section7, section7b) for s in part.STATEMENTS)
TRIED = [pytest.param(s, e, id=f"{s.id}/{e.name}") for s in STATEMENTS for e in s.examples if e.subject is not None]
MADE = [pytest.param(s, e, id=f"{s.id}/{e.name}") for s in STATEMENTS for e in s.examples if e.recipe is not None]


@pytest.mark.parametrize(("statement", "example"), TRIED)
def test_examples(statement, example) -> None:
    found = examine(statement, example.subject())
    assert found.outcome is example.outcome, found.because
    assert all(c.check().status == "verified" for c in found.certificates)
    if example.outcome is Outcome.REFUTED:
        assert found.certificates
    if example.repaired is not None:
        again = examine(statement, example.subject(), repaired=True)
        assert again.outcome is example.repaired, again.because


@pytest.mark.parametrize(("statement", "example"), MADE)
def test_recipes_are_verified(statement, example) -> None:
    for instance in refuting_instances(statement, example):
        assert instance.certificates
        assert all(c.check().status == "verified" for _, c in instance.certificates)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: s.id)
def test_claims_of_falsity_have_a_refutation_and_a_repair(statement) -> None:
    refuted = [e for e in statement.examples if e.outcome is Outcome.REFUTED]
    if statement.verdict in (Verdict.FALSE, Verdict.NEEDS_REPAIR):
        assert refuted
        assert statement.repair is not None
        assert statement.ground is Ground.VERIFIED
    else:
        assert not refuted
    if statement.checkable:
        assert sum(e.smallest for e in statement.examples) == 1


def test_statements_on_each_others_subjects() -> None:
    """Points included: no crash, no refutation without a certificate, no truth refuted, no repaired form refuted."""
    subjects = {}
    for s in (*STATEMENTS, *du2019.STATEMENTS):
        for e in s.examples:
            if e.subject is not None and e.name != "antiparallel, 270 units":
                x = e.subject()
                subjects.setdefault((x.problem.digest, x.point, x.points), replace(x, budget=Budget(2)))
    assert len(subjects) >= 80
    for x in subjects.values():
        row = [Cell(s, x.problem, examine(s, x), "", 0) for s in STATEMENTS]
        assert violations(row) == []
        for s in STATEMENTS:
            if s.repair is not None:
                assert examine(s, x, repaired=True).outcome is not Outcome.REFUTED


def test_hypotheses_about_ranks_are_certified() -> None:
    """Claim VI.1: the features (1, 1) of one unit have full rank 1, stated beside the spurious minimum; claim VI.3: v w at (1, 1)."""
    (narrow,) = (e for e in find("sun2020.claim-VI.1").examples if e.smallest)
    found = examine("sun2020.claim-VI.1", narrow.subject())  # type: ignore[misc]
    (certificate,) = found.certificates
    assert certificate.goal["ranks"] == ("features",)
    assert "(2 x 1) has full rank 1 at p" in certificate.check().fact
    assert [c.judgement.trust.word for c in found.hypotheses if c.predicate.name == "full-rank-features"] == [
        "verified"
    ]
    (zero,) = (e for e in find("sun2020.claim-VI.3").examples if e.smallest)
    (certificate,) = examine("sun2020.claim-VI.3", zero.subject()).certificates  # type: ignore[misc]
    assert (certificate.goal["kind"], certificate.goal["ranks"]) == ("global-minimum", ("gradients",))
