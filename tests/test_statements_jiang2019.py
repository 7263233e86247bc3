"""The entries of Jiang 2019: every example examined, refutations checked by the checker, repaired forms on the same instances."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

import pytest

from explorer.budget import Budget
from explorer.certify.canonical import disparity_step
from explorer.certify.encode import assemble
from explorer.certify.examining import certificate_of, examine
from explorer.certify.located import Located
from explorer.errors import NotCertifiable
from explorer.point import Point
from explorer.problem import Problem
from explorer.statements.jiang2019 import STATEMENTS
from explorer.statements.nouns import Example, Ground, Outcome, Relation, Statement, Subject, Verdict, Witness

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


#: the numbered items of the paper in its order, and the lemmas found while auditing
IDS = [
    "eq-1",
    "def-literal-space",
    "fact-fourier-canonical",
    "fact-pointwise-convergence",
    "fact-truncation",
    "fact-truncated-loss",
    "thm-1",
    "cor-1",
    "eq-8-9",
    "lem-1",
    "lem-2",
    "thm-2",
    "claim-H-not-vanishing",
    "claim-3.3-columns",
    "claim-3.3.1",
    "claim-3.3.2",
    "claim-3.3.3-threshold",
    "claim-3.3.3-init",
    "claim-3.3.3-convergence",
    "x-surrogate-lemma",
    "x-thm2-repaired",
    "x-rank-vs-N",
]


def test_every_item_is_there_in_order() -> None:
    assert [s.id for s in STATEMENTS] == [f"jiang2019.{name}" for name in IDS]
    assert sum(not s.checkable for s in STATEMENTS) == 1


def test_edges_inside_the_paper_rest_on_nothing_circular() -> None:
    """A proof uses statements; following the arrows must end. Arrows inside the paper point to items that exist."""
    known = {s.id: s for s in STATEMENTS}
    used = {s.id: {e.to for e in s.edges if e.relation is Relation.USES} for s in STATEMENTS}
    inside = {name: uses & set(known) for name, uses in used.items()}
    assert all(e.to in known for s in STATEMENTS for e in s.edges if e.to.startswith("jiang2019."))
    done: set[str] = set()
    while len(done) < len(inside):
        ready = {k for k, uses in inside.items() if k not in done and uses <= done}
        assert ready, "a circle"
        done |= ready


ACTIVATIONS = ["linear", "relu", "requ", "square", "sigmoid", "softplus", {"kind": "leaky_relu", "slope": "1/10"}]


def subjects(count: int, seed: int) -> list[Subject]:
    """Small random problems on the cube with random rational points, ties and silent units among them."""
    rng, out = random.Random(seed), []
    for _ in range(count):
        inputs = rng.choice([1, 1, 1, 2])
        widths = [inputs, *(rng.randint(1, 3) for _ in range(rng.choice([0, 1, 1, 2]))), rng.choice([1, 1, 1, 2])]
        rows = [[Fraction(rng.randint(0, 8), 8) for _ in range(inputs)] for _ in range(rng.randint(1, 4))]
        logistic = widths[-1] == 1 and rng.random() < 0.15
        targets = [[rng.choice([-1, 1]) if logistic else rng.randint(-2, 2) for _ in range(widths[-1])] for _ in rows]
        problem = Problem.dense(
            widths=widths,
            activation=rng.choice(ACTIVATIONS),
            inputs=rows,
            targets=targets,
            bias=[rng.random() < 0.6 for _ in widths[1:]],
            loss="logistic" if logistic else "squared",
            regularizer=None if rng.random() < 0.9 else {"kind": "l2", "weights": "1/4"},
        )
        point = [Fraction(rng.choice([-4, -3, -1, 0, 1, 2, 4]), rng.choice([1, 1, 2, 4])) for _ in problem.parameters]
        out.append(Subject(problem, Point.rational(point), budget=Budget(5.0)))
    return out


def test_random_subjects() -> None:
    """No crash, no refutation without a certificate, and neither a true statement nor a repaired form is refuted."""
    outcomes: Counter[Outcome] = Counter()
    for subject in subjects(40, seed=3):
        for statement in STATEMENTS:
            found = examine(statement, subject)
            outcomes[found.outcome] += 1
            if found.outcome is Outcome.REFUTED:
                assert statement.verdict in (Verdict.FALSE, Verdict.NEEDS_REPAIR)
                assert all(c.check().status == "verified" for c in found.certificates)
            if statement.repair is not None and statement.checkable:
                assert examine(statement, subject, repaired=True).outcome is not Outcome.REFUTED
    assert outcomes[Outcome.REFUTED] >= 10
    assert outcomes[Outcome.HOLDS] >= 50


def test_a_polynomial_loss_is_no_subject_and_no_crash() -> None:
    toy = Problem.monomial(["x"], {(2,): 1})
    for statement in STATEMENTS:
        assert examine(statement, toy).outcome in (Outcome.VACUOUS, Outcome.UNDECIDED)


@pytest.mark.parametrize(
    ("goal", "options"),
    [("full-rank-slope", {"top": 0}), ("fourier-gap", {}), ("trapped", {}), ("rank-deficient", {"top": 0})],
)
def test_a_writer_refuses_what_the_checker_would_reject(goal: str, options: dict[str, int]) -> None:
    """f = 0 on (1/4, 0): matching ends, no silent unit, full rank for N = 1, and no slope in the coefficients."""
    problem = Problem.dense(widths=[1, 1], activation="linear", inputs=["1/4"], targets=[0])
    point = Point.rational([0])
    with pytest.raises(NotCertifiable):
        certificate_of(problem, Witness(goal, point, point, options=options), Budget(5.0))


def test_the_checker_and_the_canonical_room_agree_on_ranks() -> None:
    """Two implementations (real integrals over Q[1/pi] there, cyclotomic fields here) on random networks with kinks at quarters."""
    rng = random.Random(11)
    seen: Counter[str] = Counter()
    for _ in range(8):
        width, activation = rng.randint(1, 3), rng.choice(["relu", "requ", {"kind": "leaky_relu", "slope": "1/3"}])
        problem = Problem.dense(widths=[1, width, 1], activation=activation, bias=[True, rng.random() < 0.5], inputs=[0], targets=[0])  # fmt: skip
        weights = [Fraction(rng.choice([-2, -1, 1, 2])) for _ in range(width)]
        kinks = [Fraction(rng.randint(-1, 5), 4) for _ in range(width)]
        outer = [Fraction(rng.choice([-1, 1, 2])) for _ in range(width)]
        shifts = [-w * k for w, k in zip(weights, kinks, strict=True)]
        point = Point.rational(
            [*weights, *shifts, *outer, *([Fraction(1)] if problem.parameters[-1] == "b2_1" else [])]
        )
        located_, top = Located.of(problem, "p", point), rng.randint(0, 2)
        step = disparity_step(located_, top)
        for rank in range(2 * top + 2):
            claim = assemble(problem, {"kind": "rank-deficient", "point": "p"}, {"p": point}, [step | {"rank": rank}])
            verdict = claim.check()
            wrong = verdict.status == "rejected" and verdict.where == "disparity"
            assert wrong == (rank != step["rank"]), verdict.line
            seen[verdict.status] += 1
    assert seen["rejected"] >= 10
