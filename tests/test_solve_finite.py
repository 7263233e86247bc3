"""Ridge losses with finitely many critical points: hand counts, an independent engine's record, and the audits."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction as Q
from pathlib import Path

import pytest

from explorer.algebra.solver import solve_zero_dimensional
from explorer.budget import Budget
from explorer.model.polynomial import loss_polynomial
from explorer.problem import Problem
from explorer.reading import read_problem
from explorer.solve.classify import Target
from explorer.solve.critical import critical_set
from explorer.solve.finite import from_solution

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "tests" / "independent" / "recorded"


def chain(depth: int, weight: str) -> Problem:
    return Problem.dense(
        widths=[1] * (depth + 1), inputs=[1], targets=[1], regularizer={"kind": "l2", "weights": weight}
    )


def test_two_factors_by_hand() -> None:
    # (1 - v w)^2 + (v^2 + w^2)/4: v^2 = w^2; on v = w: v = 0 or v^2 = 1 - 1/4; on v = -w only 0. At v = w = sqrt(3)/2:
    # F = 1/16 + 3/8 = 7/16
    found = critical_set(chain(2, "1/4"))
    assert found.coverage.complete
    assert found.by_index == {"0": 2, "1": 1}
    assert found.morse_sum == 1
    (minimum,) = found.minima
    assert (minimum.orbit, minimum.value.as_fraction, minimum.is_global) == (2, Q(7, 16), True)
    exact = minimum.to_json(found.parameters)["sample"]["w1_1_1"]["exact"]
    assert exact["polynomial"] == ["-3", "0", "4"]
    assert found.global_value is not None
    assert found.global_value.as_fraction == Q(7, 16)


def test_a_heavy_ridge_leaves_the_origin() -> None:
    # weight 1: v^2 = w^2 and v (1 - v^2) = v (as above with lambda = 1), so only the origin; the Hessian
    # [[2, -2], [-2, 2]] is singular there; along v = w = s: (1 - s^2)^2 + 2 s^2 = 1 + s^4: a strict minimum
    found = critical_set(chain(2, "1"))
    assert found.real_points == 1
    (origin,) = found.components
    assert origin.kind.value == "strict minimum"
    assert origin.inertia is not None
    assert (origin.inertia.positive, origin.inertia.zero) == (1, 1)
    assert origin.is_global
    assert found.morse_sum is None


def test_three_factors_by_hand() -> None:
    # (1 - xyz)^2 + (x^2 + y^2 + z^2)/4: x^2 = y^2 = z^2 = s^2 unless 0, xyz = s^3 with s > 0 and s - s^4 = 1/4, which has two
    # positive roots (maximum 3/4 * 4^(-1/3) = 0.472 > 1/4); each gives 4 sign patterns: 1 + 4 + 4 points
    found = critical_set(chain(3, "1/4"))
    assert found.coverage.complete
    assert found.real_points == 9
    assert found.by_index == {"0": 5, "1": 4}
    assert found.morse_sum == 1
    assert sorted(c.orbit for c in found.components) == [1, 4, 4]
    (spurious,) = found.spurious
    assert spurious.value.as_fraction == 1
    roots = {s for c in found.components for s in {abs(x[0]) for x in c.sample.coordinates if len(x) == 1}}
    assert roots == {0}


def test_one_parameter_by_hand() -> None:
    # x^4 - 2 x^2: 4x (x^2 - 1)
    found = critical_set(Problem.monomial(["x"], {(4,): 1, (2,): -2}))
    assert found.by_index == {"0": 2, "1": 1}
    assert [(c.kind.value, c.orbit, c.value.as_fraction) for c in found.components] == [
        ("strict minimum", 2, Q(-1)),
        ("strict maximum", 1, Q(0)),
    ]


@pytest.mark.parametrize("slug", ["xyz-decay", "quadratic-2", pytest.param("linear-2-2-ridge", marks=pytest.mark.slow)])
def test_against_the_record_of_other_programs(slug: str) -> None:
    # tests/independent/recorded: Singular and PHCpack, run once, with their versions in the file
    record = json.loads((RECORDED / f"{slug}.json").read_text())
    found = critical_set(read_problem(ROOT / "cases" / slug / "problem.json"), budget=Budget(120))
    assert found.coverage.complete, found.coverage.reason
    assert found.real_points == record["real_points"]
    assert found.by_index == record["by_index"]
    assert found.morse_sum == record["morse_sum"] == 1
    assert found.global_value is not None
    digits = Q(record["global_value"])
    slack = Q(1, 10**20)
    assert found.global_value.lower - slack <= digits <= found.global_value.upper + slack


def test_the_audits_notice_a_missing_root() -> None:
    problem = chain(3, "1/4")
    t = Target(problem, loss_polynomial(problem))
    deadline = Budget(60).start()
    whole = solve_zero_dimensional(t.gradient, deadline)
    assert from_solution(t, whole, deadline).coverage.complete
    for k in range(len(whole.roots)):
        thinned = replace(whole, roots=(*whole.roots[:k], *whole.roots[k + 1 :]))
        damaged = from_solution(t, thinned, deadline)
        assert not damaged.coverage.complete
        assert "audit failed" in damaged.coverage.reason
