"""Every statement on problems for which it was not written, at points too: an answer, never a crash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from explorer.budget import Budget
from explorer.certify.examining import examine
from explorer.point import Point
from explorer.problem import Problem
from explorer.reading import parse_problem
from explorer.statements.book import statements
from explorer.statements.nouns import Outcome, Subject, Verdict

SPECIMENS = Path(__file__).parent / "certificates" / "accepted"


def student_teacher() -> Problem:
    found = (p for p in sorted(SPECIMENS.glob("*.problem.json")) if "student-teacher" in p.read_text(encoding="utf-8"))
    return parse_problem(json.dumps(json.loads(next(found).read_bytes())).encode())


ODD = {
    "a parabola": lambda: Problem.monomial(["x"], {(2,): 1}),
    "an added unit": lambda: Problem.dense(
        widths=[1, 1, 1],
        activation="relu",
        inputs=[1],
        targets=[1],
        added_exponential=True,
        regularizer={"kind": "l2", "weights": [0, 0, "1/2", 0, 0]},
    ),
    "no hidden layer": lambda: Problem.dense(widths=[2, 2], inputs=[[1, 0]], targets=[[1, 1]]),
    "a student and a teacher": student_teacher,
    "two ReLU layers": lambda: Problem.dense(widths=[1, 1, 1, 1], inputs=[1], targets=[1], activation="relu"),
}


@pytest.mark.parametrize("make", ODD.values(), ids=ODD.keys())
def test_no_crash(make) -> None:
    problem = make()
    n = len(problem.parameters)
    for point, points in (
        (None, ()),
        (Point.rational([0] * n), ()),
        (Point.rational([1] * n), (Point.rational([2] * n),)),
    ):
        subject = Subject(problem, point, points, Budget(1))
        for s in statements():
            found = examine(s, subject)
            assert found.outcome is not Outcome.REFUTED or s.verdict is not Verdict.TRUE, s.id
            if s.repair is not None:
                assert examine(s, subject, repaired=True).outcome is not Outcome.REFUTED, s.id
