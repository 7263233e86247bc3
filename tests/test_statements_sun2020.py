"""The survey's statements, sections I to V: every example gives the outcome that stands in the book, with its certificate."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.budget import Budget
from explorer.certify.examining import Finding, examine, refuting_instances
from explorer.reading import read_problem
from explorer.statements.nouns import Example, Ground, Outcome, Statement, Subject, Verdict
from explorer.statements.sun2020 import (
    section1,
    section2,
    section3,
    section4a,
    section4b,
    section4c,
    section4d,
    section4e,
    section4w,
    section5a,
    section5b,
    section5c,
)

PARTS = (
    section1,
    section2,
    section3,
    section4a,
    section4b,
    section4c,
    section4w,
    section4d,
    section4e,
    section5a,
    section5b,
    section5c,
)
STATEMENTS = tuple(s for part in PARTS for s in part.STATEMENTS)
EXAMPLES = [(s, e) for s in STATEMENTS for e in s.examples]
TRIED = [(s, e) for s, e in EXAMPLES if e.subject is not None]


def named(value: object) -> str:
    return value.id if isinstance(value, Statement) else value.name if isinstance(value, Example) else str(value)


def certified(found: Finding) -> None:
    """Every certificate is accepted by the checker, and a refutation has one."""
    for certificate in found.certificates:
        assert certificate.check().status == "verified"
    if found.outcome is Outcome.REFUTED:
        assert found.certificates


@pytest.mark.parametrize(("statement", "example"), TRIED, ids=named)
def test_examples_of_the_literal_text(statement: Statement, example: Example) -> None:
    found = examine(statement, example.subject())  # type: ignore[misc]
    assert found.outcome is example.outcome, found.because
    certified(found)


@pytest.mark.parametrize(("statement", "example"), [(s, e) for s, e in TRIED if e.repaired is not None], ids=named)
def test_examples_of_the_repaired_form(statement: Statement, example: Example) -> None:
    found = examine(statement, example.subject(), repaired=True)  # type: ignore[misc]
    assert found.outcome is example.repaired, found.because
    certified(found)


@pytest.mark.parametrize(("statement", "example"), [(s, e) for s, e in EXAMPLES if e.recipe is not None], ids=named)
def test_recipes_are_verified(statement: Statement, example: Example) -> None:
    for instance in refuting_instances(statement, example):
        assert instance.certificates
        for _, certificate in instance.certificates:
            assert certificate.check().status == "verified"


@pytest.mark.parametrize("statement", STATEMENTS, ids=named)
def test_every_claim_of_falsity_has_a_refutation_and_a_repair(statement: Statement) -> None:
    refuted = [e for e in statement.examples if e.outcome is Outcome.REFUTED]
    if statement.verdict is Verdict.FALSE:
        assert refuted
        assert statement.repair is not None
    if statement.ground is Ground.VERIFIED:
        assert refuted
    if refuted:
        assert statement.verdict in (Verdict.FALSE, Verdict.NEEDS_REPAIR)
    if statement.checkable:
        assert statement.examples
        assert any(e.smallest for e in statement.examples)


CASES = Path(__file__).parents[1] / "cases"


@pytest.mark.parametrize("case", ["fig2", "xyz-decay", "neuron-relu-region", "sigmoid-n2-w2"])
def test_on_the_built_in_cases_only_false_statements_are_refuted(case: str) -> None:
    subject = Subject(read_problem(CASES / case / "problem.json"), budget=Budget(5.0))
    for statement in STATEMENTS:
        found = examine(statement, subject)
        certified(found)
        if found.outcome is Outcome.REFUTED:
            assert statement.verdict in (Verdict.FALSE, Verdict.NEEDS_REPAIR), statement.id
