"""Piecewise linear units under a ridge on some weights only, and hard tanh. Expected: by hand, and descents in floats."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction as Q
from math import sqrt
from types import SimpleNamespace

import audit_checks
import audit_descents
import audit_problems
import pytest
from audit_surface import on_component
from audit_units import CLIPPED, HARD_TANH

from explorer.budget import Budget
from explorer.point import EnclosedPoint, Point
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.pieces.ridge_points import Numbers
from explorer.solve.pieces.ridge_rest import Rest, _level
from explorer.solve.results import Kind


def network(inputs, targets, activation="relu", weights=None, units=1, bias=False):
    ridge = None if weights is None else {"kind": "l2", "weights": weights}
    return Problem.dense(
        widths=[1, units, 1], inputs=inputs, targets=targets, activation=activation, bias=bias, regularizer=ridge
    )


def counted(problem):
    found = critical_set(problem, budget=Budget(60))
    assert found.coverage.complete, found.coverage.reason
    return Counter((c.dimension, c.kind.value, c.value.as_fraction) for c in found.components)


def test_ridge_on_the_output_weight_only():
    # F = (v relu(w) - 1)^2 + v^2/2: v h + v^2 = 0 and v h'(w) = 0 with h = w h' give v = 0, and then h(w) = -2 relu(w) = 0: w <= 0.
    # w < 0: F = 1 + v^2/2 nearby, minima; at w = 0 F falls like -2 v w to the right: a saddle. The infimum 0 is not attained.
    assert counted(network([1], [1], weights=["0", "1/2"])) == {(1, "minimum", 1): 1, (0, "saddle", 1): 1}
    assert critical_set(network([1], [1], weights=["0", "1/2"])).global_value is None


def test_ridge_on_the_incoming_weight_only():
    # F = (v relu(w) - 1)^2 + w^2: v dF/dv = 0 and w dF/dw = 0 give w = 0. F = 1 - 2vw + ... to the right and 1 + w^2 to the left: v < 0
    # minima; v > 0 saddles; v = 0: F = 1 - 2vw + w^2 + (vw)^2 falls for 2v > w: a saddle
    expected = {(1, "minimum", 1): 1, (1, "saddle", 1): 1, (0, "saddle", 1): 1}
    assert counted(network([1], [1], weights=["1", "0"])) == expected


def test_one_unit_of_each_sort():
    # x = y = 1, unit 1 with v^2/2, unit 2 with w^2: by the two tests above v_1 = 0, w_2 = 0; all outputs 0, h = -2 relu: w_1 <= 0.
    # unit 1: w < 0 low, w = 0 not; unit 2: v < 0 low, v > 0 and v = 0 not. Never a maximum (v_1^2, and w_2^2 to the left).
    got = counted(network([1], [1], weights=["0", "1", "1/2", "0"], units=2))
    assert got == {(2, "minimum", 1): 1, (2, "saddle", 1): 1, (1, "saddle", 1): 3, (0, "saddle", 1): 1}


def test_hard_tanh_on_one_point():
    # F = (v t(w) - 1)^2: v = 1 for w > 1 and at w = 1, v w = 1 for 0 < w < 1, and the same with other signs. Otherwise v = 0 and
    # t(w) = 0: the origin, F = 1 - 2vw + ..., a strict saddle.
    expected = {(1, "minimum", 0): 4, (0, "minimum", 0): 2, (0, "strict saddle", 1): 1}
    assert counted(network([1], [1], HARD_TANH)) == expected
    # with v^2: saturated v t + v^2 ... = (v - 1)^2 + v^2: v = 1/2, F = 1/2 for |w| > 1 and at |w| = 1, where F rises to the inside
    # (-2 (1 - v) v < 0 per unit of w); inside v h + 2 v^2 = 0 and v h' = 0 leave v = 0 and w = 0
    expected = {(1, "minimum", Q(1, 2)): 2, (0, "minimum", Q(1, 2)): 2, (0, "strict saddle", 1): 1}
    assert counted(network([1], [1], HARD_TANH, weights=["0", "1"])) == expected


def test_clipped_relu_at_both_kinks():
    # x = 1, 2, y = 0, 1, phi = min(max(z, 0), 1), breaks of w at 0, 1/2, 1. (0, 1/2): p = vw, p^2 + (2p - 1)^2: p = 2/5, F = 1/5, both
    # hold for v > 4/5. (1/2, 1): (p, v): p = 0 and v = 1 is not in the cell (w = 0). w > 1: v^2 + (v - 1)^2: v = 1/2, F = 1/2.
    # w = 1/2: v^2/4 + (v - 1)^2: v = 4/5, F = 1/5, g = (4/5, -2/5): v h' = 0 to the left (2g_2 + g_1 = 0), v g_1 > 0 to the right: critical.
    # w = 1: v = 1/2, g = (1, -1): h' = 1 to the left, 0 to the right: critical, and F falls to the left: a saddle. w < 0: F = 1, a
    # plane of minima (dimension 2); w = 0: h' = 2 g_2 = -4 to the right: v < 0 minima, v > 0 maxima, v = 0 a saddle.
    # v = 0, F = 1: h(w) = -2 phi(2w) = 0 only for w <= 0.
    got = counted(network([1, 2], [0, 1], CLIPPED))
    assert got == {
        (1, "minimum", Q(1, 5)): 1,
        (0, "minimum", Q(1, 5)): 1,
        (1, "minimum", Q(1, 2)): 1,
        (0, "saddle", Q(1, 2)): 1,
        (2, "minimum", 1): 1,
        (1, "minimum", 1): 1,
        (1, "maximum", 1): 1,
        (0, "saddle", 1): 1,
    }


FAST = [("partial-ridge", 1), ("partial-ridge", 5), ("clipped", 3)]
#: the seeds beyond these run at night: five minutes
MORE = [
    pytest.param(name, k, marks=pytest.mark.slow if k < 10 else pytest.mark.nightly)
    for name in ("partial-ridge", "clipped")
    for k in range(8, 68)
]


@pytest.mark.parametrize(("name", "seed"), [*FAST, *MORE])
def test_descents_end_on_listed_components(name, seed):
    """Limits of gradient descent lie on listed components, and kinds agree with F nearby (see audit_checks)."""
    problem = audit_problems.make(name, seed)
    found = critical_set(problem, budget=Budget(20))
    if not found.coverage.complete:  # the larger ones have more strata than are listed
        assert "strata are missing" in found.coverage.reason
        pytest.skip(f"not complete, and said so: {found.coverage.reason}")
    assert not audit_descents.missed(problem, found, starts=25, seed=seed, steps=50)[1]
    few = len(found.components) < 150
    assert not few or not [c for c in audit_checks.audit(problem, found, starts=25) if "unconfirmed" not in c]


# -- both weights of a unit regularized, hidden biases free ------------------------------------------------------------


def both_sides(inputs, targets, *, units=1, out=False, weight="1/2", activation="relu"):
    w = [weight] * units
    weights = [*w, *["0"] * units, *w, *(["0"] if out else [])]
    return network(inputs, targets, activation, weights, units, [True, out])


def test_a_free_hidden_bias():
    # F = (v relu(w + b) - 1)^2 + (w^2 + v^2)/2: where the unit is active v h' = 0 along b gives v = 0 or g = 0, and g = 0 gives w = v = 0.
    # v = 0: w = 0 and h(b) = -2 relu(b) = 0: b < 0 (dead: minima) and b = 0, where F falls like v b g: a saddle
    assert counted(both_sides([1], [1])) == {(1, "minimum", 1): 1, (0, "saddle", 1): 1}


def test_two_units_with_the_same_weights_share_a_function_in_opposite_directions():
    # x = 1, -2, y = 3, 1, all active: f = P x + K, P = v1 w1 + v2 w2 at the price of (|v1 w1| + |v2 w2|)/5, K = v1 b1 + v2 b2 free.
    # f1 - f2 = 3P: (3P - 2)^2/2 + P/5 is least at P = 29/45, F = 59/450; f1 + f2 = 4: K = 209/90. v_j w_j > 0, so u = (w, b) with v > 0, b > 2w or
    # (-w, b) with v < 0, b > w: K_j > 2 P_j or K_j < -P_j. Signs (+, +), (+, -), (-, +) can be, (-, -) not; P1 and K1 are free: dimension 2.
    problem = both_sides([1, -2], [3, 1], units=2, weight="1/10")
    found = critical_set(problem, budget=Budget(60))
    assert found.coverage.complete, found.coverage.reason
    pieces = [c for c in found.components if c.dimension == 2 and c.value.as_fraction == Q(59, 450)]
    points = []
    for share in (0.2, 0.6):
        for k in (0.5, 1.7):
            p = [share * 29 / 45, (1 - share) * 29 / 45]
            for signs in ((1, 1), (1, -1), (-1, 1)):
                lift = [2 * q + 0.1 if s > 0 else -q - 0.1 for q, s in zip(p, signs, strict=True)]
                one = signs.index(1)  # the rest of K goes to a unit with v > 0, a part k of it below to the other one
                own = [*lift]
                own[one] = 209 / 90 - lift[1 - one] + (k if signs[1 - one] < 0 else 0)
                own[1 - one] -= k if signs[1 - one] < 0 else 0
                v = [s * sqrt(q) for q, s in zip(p, signs, strict=True)]
                points.append([p[0] / v[0], p[1] / v[1], own[0] / v[0], own[1] / v[1], *v])
    homes = [[j for j, c in enumerate(pieces) if on_component(c, problem.parameters, x, 1e-9)] for x in points]
    assert all(len(h) == 1 for h in homes)
    assert {h[0] for h in homes} == {0, 1, 2}
    assert len(pieces) == 3


def test_two_units_with_different_weights():
    two = network([1, -1], [1, -1], "relu", ["1/2", "1", "0", "0", "1/2", "1", "0"], 2, [True, True])
    found = critical_set(two, budget=Budget(30))
    assert found.coverage.complete, found.coverage.reason
    # unit 1 alone: 7/8 (cases/free-bias-relu-ridge); unit 2 alone: 2 (p - 1)^2 + 2|p|: p = 1/2, 3/2. Nothing: 2.
    assert {c.value.as_fraction for c in found.components} == {Q(7, 8), Q(3, 2), 2}
    # Each of them is a minimum with the other unit dead (w = v = 0, b < 0). With the other unit at b > 0: (sum_i g_i x_i)^2 against 4 m l:
    # unit 2 beside 7/8: g = (-1/2, 1/2), 1 < 4; unit 1 beside 3/2: g = (-1, 1), 4 > 1; nothing: 16 > 1.
    assert {c.value.as_fraction for c in found.minima} == {Q(7, 8), Q(3, 2), 2}
    assert {c.value.as_fraction for c in found.components if c.kind.is_saddle} == {Q(3, 2), 2}
    assert not [c for c in found.components if c.kind is Kind.UNDECIDED]


@pytest.mark.parametrize("seed", [2, 3, *[pytest.param(k, marks=pytest.mark.nightly) for k in range(4, 63)]])
def test_descents_with_free_hidden_biases(seed):
    problem = audit_problems.make("free-bias", seed)
    found = critical_set(problem, budget=Budget(20))
    if "budget" in found.coverage.reason:
        assert not found.coverage.complete
        pytest.skip(f"not complete, and said so: {found.coverage.reason}")
    assert found.coverage.complete, found.coverage.reason
    assert not audit_descents.missed(problem, found, starts=25, seed=seed, steps=50)[1]
    assert not [c for c in audit_checks.audit(problem, found, starts=25) if "unconfirmed" not in c]


def test_the_ray_where_the_slope_vanishes_by_hand():
    # u > 0 in the plane: h = u_1 - u_2 vanishes on the ray (1, 1), h = u_1 + u_2 nowhere; a ray known by a box only is a doubt, no answer
    exact, box = Point.rational([0]), EnclosedPoint((Q(0),), (Q(1, 2**40),))
    face, fan = SimpleNamespace(signs=(1, 1)), SimpleNamespace(normals=((1, 0), (0, 1)))
    rest = Rest(face, None, (Q(1), Q(1)), ((Q(1), Q(0)), (Q(0), Q(1))))
    for point in (exact, box):
        numbers = Numbers.of(point)
        active = SimpleNamespace(numbers=numbers, point=point)
        one, minus = numbers.ring.constant(Q(1)), numbers.ring.constant(Q(-1))
        found = _level(active, fan, rest, [one, minus])
        assert found == ([replace(rest, level=(one, one))] if point is exact else None)
        assert _level(active, fan, rest, [one, one]) == []
