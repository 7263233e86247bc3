"""Units whose incoming and outgoing l2 weights differ but have one product. Expected: by hand, and descents in floats."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction as Q
from math import sqrt

import audit_descents
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
