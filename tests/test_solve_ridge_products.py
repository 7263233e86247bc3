"""Two relu units with l2 weights of their own: one product, one side, none. Expected: by hand, and hunts in floats."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction as Q
from math import sqrt

import audit_checks
import audit_descents
import audit_faces
import audit_problems
import pytest
from audit_surface import on_component

from explorer.budget import Budget
from explorer.problem import Problem
from explorer.solve.critical import critical_set


def network(inputs, targets, weights, *, bias=False, activation="relu", units=2):
    ridge = {"kind": "l2", "weights": weights}
    return Problem.dense(
        widths=[1, units, 1], inputs=inputs, targets=targets, activation=activation, bias=bias, regularizer=ridge
    )


def counted(problem):
    found = critical_set(problem, budget=Budget(60))
    assert found.coverage.complete, found.coverage.reason
    return Counter((c.dimension, c.kind.value, c.value.as_fraction) for c in found.components)


@pytest.mark.parametrize("activation", ["relu", {"kind": "leaky_relu", "slope": "1/4"}])
def test_two_units_with_one_product_share(activation):
    # F = (v1 r(w1) + v2 r(w2) - 1)^2 + w1^2/2 + w2^2/8 + v1^2/8 + v2^2/2: both products cost 2 sqrt(1/16) |p|, so (p - 1)^2 + p/2 for the sum
    # p = 3/4, F = 1/16 + 3/8 = 7/16: units share p (dimension 1) or one has it all; at 0 h = -2u and 4u^2 > u^2/4: a saddle.
    # With slope 1/4 to the left also p = v1 u1/4: cost 2|q| for outputs q, (q - 1)^2 + 2q has no q > 0; beside a unit with u > 0 neither.
    problem = network([1], [1], ["1/2", "1/8", "1/8", "1/2"], activation=activation)
    assert counted(problem) == {(1, "minimum", Q(7, 16)): 1, (0, "minimum", Q(7, 16)): 2, (0, "saddle", 1): 1}
    (family,) = [c for c in critical_set(problem).components if c.dimension]
    for part in (0.1, 0.5, 0.8):  # m v^2 = l w^2: v1^2 = 2 p1, v2^2 = p2/2
        p1, p2 = 0.75 * part, 0.75 * (1 - part)
        point = [sqrt(p1 / 2), sqrt(2 * p2), sqrt(2 * p1), sqrt(p2 / 2)]
        assert on_component(family, problem.parameters, point, 1e-9)
        assert not on_component(family, problem.parameters, [*point[:2], point[2] * 1.01, point[3]], 1e-4)


def test_three_units_of_one_product():
    # as above with l, m = 1/2, 1/8; 1/8, 1/2; 1/4, 1/4: each set of k units that share is one piece of dimension k - 1
    problem = network([1], [1], ["1/2", "1/8", "1/4", "1/8", "1/2", "1/4"], units=3)
    got = counted(problem)
    low = Q(7, 16)
    assert got == {(2, "minimum", low): 1, (1, "minimum", low): 3, (0, "minimum", low): 3, (0, "saddle", 1): 1}


def test_the_product_counts_where_both_units_rest_on_one_ray():
    # x = 0, 1 with hidden biases: on the ray b = 0, w > 0 only l_w m counts, inside the cells l_b m as well
    problem = network([1, 0], [2, 0], ["1/2", "1/10", "1/5", "1/2", "1/10", "1/2"], bias=[True, False])
    found = critical_set(problem, budget=Budget(60))
    assert found.coverage.complete, found.coverage.reason
    limits, lost = audit_descents.missed(problem, found, starts=30, seed=0, steps=50)
    assert limits
    assert not lost


# -- one unit regularized on both sides, the other with a free output weight ---------------------------------------------


def test_a_unit_without_weights_beside_a_regularized_one():
    # F = (v1 r(w1) + v2 r(w2) - 1)^2 + (w1^2 + v1^2)/2. Unit 2 live: h = 0, so g = 0 and unit 1 is zero: v2 w2 = 1, F = 0. Otherwise unit 2 puts
    # nothing out: unit 1 has p = 1/2, F = 3/4, g = -1, or is zero: F = 1, g = -2, 4 u^2 > u^2: F falls. Unit 2 is dead (w2 < 0, any v2: F stays),
    # or at w2 = 0, where v h' = v g to the right: v < 0 low, v > 0 falls, v = 0 falls.
    got = counted(network([1], [1], ["1/2", "0", "1/2", "0"]))
    assert got == {
        (1, "minimum", 0): 1,
        (2, "minimum", Q(3, 4)): 1,
        (1, "minimum", Q(3, 4)): 1,
        (1, "saddle", Q(3, 4)): 1,
        (0, "saddle", Q(3, 4)): 1,
        (2, "saddle", 1): 1,
        (1, "saddle", 1): 2,
        (0, "saddle", 1): 1,
    }
    assert critical_set(network([1], [1], ["1/2", "0", "1/2", "0"])).global_value.as_fraction == 0


def test_a_unit_with_a_free_output_weight_beside_a_regularized_one():
    # the same with w2^2: at critical points w2 = 0, and there as above; the infimum (w2 small, v2 large: 0) is not attained
    problem = network([1], [1], ["1/2", "1", "1/2", "0"])
    got = counted(problem)
    assert got == {
        (1, "minimum", Q(3, 4)): 1,
        (1, "saddle", Q(3, 4)): 1,
        (0, "saddle", Q(3, 4)): 1,
        (1, "saddle", 1): 2,
        (0, "saddle", 1): 1,
    }
    assert critical_set(problem).global_value is None


def test_a_resting_unit_on_a_ray_through_an_irrational_point():
    # unit 2 has only v2^2: it rests (v2 = 0) where h(w, b) = 0. x = 1, 2, y = 3, -2: unit 1, alone on x = 1 (w + b > 0, 2 w + b < 0) with M = I/10 in
    # (w, b), has u along (1, 1) or (-1, 2)...: whatever its g, on the cell where both points are active h = 0 is the ray g1 (w + b) + g2 (2 w + b) = 0
    problem = network([1, 2], [3, -2], ["1/10", "0", "1/5", "0", "1/10", "1/10"], bias=[True, False])
    found = critical_set(problem, budget=Budget(60))
    assert found.coverage.complete, found.coverage.reason
    looked, lost = audit_faces.lost(problem, found, starts=20, most=100)
    assert looked > 50
    assert not lost
    rays = [c for c in found.components if any("*w1_2_1 + " in e and e.endswith("*b1_2 = 0") for e in c.equations)]
    assert rays
    assert all(c.kind.is_saddle for c in rays)


@pytest.mark.parametrize("seed", [2, 4, *[pytest.param(k, marks=pytest.mark.nightly) for k in range(6, 106)]])
def test_the_hunt_face_by_face_finds_nothing_else(seed):
    """Critical points found in floats, face by face, lie on listed components (audit_faces.py); kinds agree with F nearby."""
    problem = audit_problems.make("relu-ridge", seed)
    found = critical_set(problem, budget=Budget(60))
    if not found.coverage.complete:
        assert "budget" in found.coverage.reason
        pytest.skip(f"not complete, and said so: {found.coverage.reason}")
    looked, lost = audit_faces.lost(problem, found, starts=20, seed=seed, most=100)
    assert looked
    assert not lost
    few = len(found.components) < 100
    assert not few or not [c for c in audit_checks.audit(problem, found, starts=20) if "unconfirmed" not in c]


def test_the_hunt_can_fail():
    problem = network([1], [1], ["1/2", "0", "1/2", "0"])
    found = critical_set(problem)
    assert audit_faces.lost(problem, found)[1] == []
    whole = [c for c in found.components if c.dimension == 2 or c.value.as_fraction == 0]
    assert len(whole) == 3  # the others lie in the closure of these
    for c in whole:
        fewer = replace(found, components=tuple(x for x in found.components if x is not c))
        assert audit_faces.lost(problem, fewer)[1]
