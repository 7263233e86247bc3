"""Requ units with several incoming weights and an l2 regularizer. Expected: scalar networks solved by another path, the independent
audit (descents in floats), and second derivatives by hand at points on kinks."""

from __future__ import annotations

import audit_checks
import audit_problems
import pytest

from explorer.budget import Budget
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.results import Kind


def requ(widths, inputs, targets, weights, bias=False, activation="requ"):
    return Problem.dense(
        widths=widths,
        inputs=inputs,
        targets=targets,
        activation=activation,
        bias=bias,
        regularizer={"kind": "l2", "weights": weights},
    )


def values(found):
    return sorted(c.value.approx for c in found.components)


@pytest.mark.parametrize("second", [3, -1])
def test_orthogonal_inputs_reduce_to_scalar_networks_on_the_kinks(second):
    """F = (v a_+^2 - 3)^2 + (v b_+^2 - y)^2 + (a^2 + b^2 + v^2)/10: at b = 0 it is the scalar network with target 3 plus y^2, at a = 0 that
    with target y plus 9; b < 0 would need b/5 = 0. Across b = 0 the second derivative jumps from 1/5 to 1/5 - 4 v y (v > 0):
    for y = 3 a saddle, for y = -1 what the scalar network has (a minimum stays one)."""
    found = critical_set(requ([2, 1, 1], [[1, 0], [0, 1]], [3, second], "1/10"), budget=Budget(20))
    assert found.coverage.complete
    one = critical_set(requ([1, 1, 1], [1], [3], "1/10"), budget=Budget(20))
    two = critical_set(requ([1, 1, 1], [1], [second], "1/10"), budget=Budget(20))
    by_hand = [v + second**2 for v in values(one) if v < 9] + [v + 9 for v in values(two) if v < second**2]
    by_hand += [c.value.approx + second**2 for c in one.components if c.value.approx > 9]
    by_hand += [c.value.approx + 9 for c in two.components if c.value.approx > second**2]
    kinks = [c for c in found.components if "on a kink" in c.description]
    assert sorted(c.value.approx for c in kinks) == pytest.approx(sorted(by_hand))
    kinds = {c.kind for c in kinks if c.value.approx < 9}
    assert kinds == ({Kind.STRICT_MINIMUM} if second < 0 else set())
    if second > 0:
        assert {c.kind for c in kinks} == {Kind.SADDLE}


@pytest.mark.parametrize("others", [(-1, -1), (-1, 3)])
def test_two_kinks_of_one_unit_meet(others):
    """F = sum_k (v u_k+^2 - y_k)^2 + (|u|^2 + v^2)/10 with y = (3, y_2, y_3): at u_2 = u_3 = 0 the scalar network with target 3. Across
    u_k = 0 the second derivative is 1/5 to the left and 1/5 - 4 v y_k to the right, v > 0: all positive for y_k < 0; for y_3 = 3
    v > 1/60 at the minimum (at the other point the scalar network is a saddle), so F falls along u_3 > 0; the same with u_1 and u_3
    exchanged, a second point of each value."""
    inputs = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    found = critical_set(requ([3, 1, 1], inputs, [3, *others], "1/10"), budget=Budget(60))
    assert found.coverage.complete, found.coverage.reason
    scalar = critical_set(requ([1, 1, 1], [1], [3], "1/10"), budget=Budget(20))
    rest = sum(y * y for y in others)
    active = [c for c in scalar.components if c.value.approx < 9]
    meet = [c for c in found.components if "kinks meet" in c.description and c.value.approx < 9 + rest]
    at_first = [c for c in meet if any(abs(c.value.approx - a.value.approx - rest) < 1e-9 for a in active)]
    assert len(at_first) == len(active) * (2 if others[1] == 3 else 1) > 0
    kinds = {c.value.approx - rest: c.kind for c in at_first}
    for a in active:
        kind = next(k for v, k in kinds.items() if abs(v - a.value.approx) < 1e-9)
        falls = others[1] > 0 or a.kind.is_saddle
        assert kind is (Kind.SADDLE if falls else Kind.STRICT_MINIMUM)


@pytest.mark.parametrize("seed", range(5))
def test_random_problems_survive_the_audit(seed):
    problem = audit_problems.make("requ-ridge", seed)
    found = critical_set(problem, budget=Budget(10))
    complaints = audit_checks.audit(problem, found, starts=40)
    assert found.coverage.complete
    assert not [c for c in complaints if "unconfirmed" not in c]


def test_a_unit_that_stays_zero_and_a_cubic_one():
    # all targets 0: only the origin; max(z, 0)^3 is twice differentiable, and one sample x = (1, 1) has the symmetric direction only:
    # u = (s, s): the scalar network with input 2 on s and weight 2 l for s^2
    assert len(critical_set(requ([2, 1, 1], [[1, 0], [0, 1]], [0, 0], "1/10"), budget=Budget(20)).components) == 1
    cubic = {"kind": "piecewise-polynomial", "breaks": ["0"], "pieces": [["0"], ["0", "0", "0", "1"]]}
    wide = critical_set(requ([2, 1, 1], [[1, 1]], [2], "1/10", activation=cubic), budget=Budget(20))
    thin = critical_set(requ([1, 1, 1], [2], [2], ["1/5", "1/10"], activation=cubic), budget=Budget(20))
    assert wide.coverage.complete
    assert thin.coverage.complete
    assert values(wide) == pytest.approx(values(thin))


def test_two_units_say_what_was_not_solved():
    found = critical_set(requ([1, 2, 1], [1, 2], [1, 3], "1/10", bias=[True, False]), budget=Budget(2))
    assert not found.coverage.complete
    assert found.coverage.reason
