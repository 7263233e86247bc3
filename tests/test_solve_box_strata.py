"""Several units without a regularizer, in a box: families split off, nothing left undecided.

Expected: by hand (comments), the exact engine of the exponential class where both apply, and random starts of Newton's method with pseudo-inverses in an
implementation of its own.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction as F
from math import log

import flint
import mpmath
import numpy as np
import pytest

from explorer.budget import Budget
from explorer.point import EnclosedPoint
from explorer.problem import Activation, Problem
from explorer.solve.critical import critical_set
from explorer.solve.results import Kind
from explorer.solve.units.confluent import Units
from explorer.solve.units.effective import targets
from explorer.solve.units.effective_minors import Grid, Minors, Rows, both
from explorer.solve.units.shares import Coordinate, Edge, Outside, spread

PHI = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda s: s * (1 - s), lambda s: s * (1 - s) * (1 - 2 * s)),
    "tanh": (np.tanh, lambda s: 1 - s * s, lambda s: -2 * s * (1 - s * s)),
    "exp": (np.exp, lambda s: s, lambda s: s),
}


def net(activation, inputs, targets, width=2):
    return Problem.dense(widths=[1, width, 1], inputs=inputs, targets=targets, activation=activation)


def solved(problem, r, seconds=60):
    d = len(problem.parameters)
    return critical_set(problem, box=EnclosedPoint((F(-r),) * d, (F(r),) * d), budget=Budget(seconds))


def limits_by_chance(problem, r, starts, seed=3):
    """Critical points in [-r, r]^d as rows: gradient and Hessian by the chain rule, steps with pseudo-inverses (families do not stop them)."""
    phi, d1, d2 = PHI[problem.network.activations[0].kind]
    x = np.array([float(v[0]) for v in problem.data.inputs])
    y = np.array([float(v[0]) for v in problem.data.targets])
    m = problem.network.widths[1]
    found = []
    for theta in np.random.default_rng(seed).uniform(-r, r, (starts, 2 * m)):
        for _ in range(50):
            w, v = theta[:m], theta[m:]
            s = phi(np.outer(x, w))
            res = s @ v - y
            jac = np.hstack([d1(s) * x[:, None] * v, s])
            hess = 2 * jac.T @ jac
            for j in range(m):
                hess[j, j] += 2 * np.sum(res * v[j] * d2(s[:, j]) * x * x)
                hess[j, m + j] += 2 * np.sum(res * d1(s[:, j]) * x)
                hess[m + j, j] = hess[j, m + j]
            slope = 2 * jac.T @ res
            theta = theta - np.clip(np.linalg.pinv(hess, rcond=1e-9) @ slope, -1, 1)
            if np.abs(theta).max() > 3 * r:
                break
        # units that saturate have tiny gradients all the way to infinity: there the unit's own second derivatives are tiny as well
        away = any(abs(hess[j, m + j]) + abs(hess[j, j]) < 1e-4 for j in range(m))
        if np.abs(slope).max() < 1e-11 and np.abs(theta).max() < r and not away:
            found.append((theta, float(res @ res)))
    return found


def listed(theta, value, found):
    """Whether the point is on a listed component: the same incoming weights up to sign, and the same sums of output weights."""
    m = len(theta) // 2
    for c in found.components:
        if c.value.as_fraction == 0:
            if value < 1e-14:
                return True
            continue
        at = np.array([float(v) for v in centre(c.sample)])
        if np.abs(at[:m] - theta[:m]).max() > 1e-4:
            continue
        for j in range(m):
            same = [k for k in range(m) if abs(abs(at[k]) - abs(at[j])) < 1e-6]
            odd = found.problem.network.activations[0].kind == "tanh"
            same = same if odd else [k for k in same if at[k] * at[j] >= 0]
            signs = [np.sign(at[k]) * np.sign(at[j]) if at[j] else 1 for k in same]
            if abs(sum(s * (theta[m + k] - at[m + k]) for s, k in zip(signs, same, strict=True))) > 1e-4:
                break
        else:
            return True
    return False


def centre(point):
    if isinstance(point, EnclosedPoint):
        return point.centre
    return [float(e[0]) + (float(e[1]) * log(2) if len(e) > 1 else 0) for e in point.coordinates]


CASES = {
    "sigmoid, two samples": (net("sigmoid", [1, 2], [1, -1]), 5, 0),
    "tanh, two samples": (net("tanh", [1, 2], [1, -1]), 8, 0),
    "tanh, three samples": (net("tanh", [1, 2, 3], [1, -1, 2]), 5, 20),
    "sigmoid, three samples": (net("sigmoid", [1, 2, 3], [1, -1, 2]), 5, 20),
    "sigmoid, inputs of both signs": (net("sigmoid", [1, -1, 2], [1, -1, 1]), 8, 20),
}


@pytest.mark.parametrize("name", CASES)
def test_everything_that_random_starts_find_is_listed(name):
    problem, r, _ = CASES[name]
    found = solved(problem, r)
    assert found.coverage.complete, found.coverage.reason
    assert found.coverage.box
    limits = limits_by_chance(problem, r, 80)
    assert len(limits) >= 8
    missing = [(theta, value) for theta, value in limits if not listed(theta, value, found)]
    assert not missing, missing[:3]


def signature(c):
    return c.dimension, c.kind, c.inertia, round(c.value.approx, 8)


@pytest.mark.parametrize(("problem", "r"), [(net("tanh", [1, 2], [1, -1]), 8), (net("exp", [1, 2], [1, -2]), 4)])
def test_the_exact_engine_lists_the_same(problem, r):
    # in a box that holds all strata of the exact engine, which is complete here, both lists are the same
    found, exact = solved(problem, r), critical_set(problem, budget=Budget(30))
    assert found.coverage.complete
    assert exact.coverage.complete
    assert Counter(map(signature, found.components)) == Counter(map(signature, exact.components))


def test_an_exact_point_and_a_box_without_it():
    # v e^(wx) at x = 1, 2 and y = (1, -2): f = 0 with both units switched off needs e^w - 2 e^(2w) = 0, w = -ln 2, F = 1 + 4
    problem = net("exp", [1, 2], [1, -2])
    (point,) = [c for c in solved(problem, 2).components if c.dimension == 0]
    assert [float(v) for v in centre(point.sample)] == pytest.approx([-log(2), -log(2), 0, 0], abs=1e-9)
    assert point.value.approx == pytest.approx(5)
    assert (point.inertia.positive, point.inertia.negative) == (2, 2)
    away = EnclosedPoint((F(0), F(0), F(-1, 4), F(-1, 4)), (F(2), F(2), F(1, 4), F(1, 4)))
    # |f| <= 1/2 e^w + ... at x = 1: sum of v_j e^(w_j) = 1 and sum of v_j e^(2 w_j) = -2 has solutions in the box or not: the answer says which, never nothing
    found = critical_set(problem, box=away, budget=Budget(30))
    assert found.coverage.complete
    assert all(c.value.as_fraction == 0 for c in found.components)


def test_a_box_cuts_a_family():
    # units equal at w = 0.8814 with v1 + v2 = -0.1192 (the family of the whole space): in a box with v1 >= 1/10 only v2 < 0 is left
    problem = net("sigmoid", [1, 2], [1, -1])
    box = EnclosedPoint((F(-5), F(-5), F(1, 10), F(-5)), (F(5), F(5), F(5), F(5)))
    found = critical_set(problem, box=box, budget=Budget(30))
    assert found.coverage.complete
    assert [(c.dimension, c.kind) for c in found.components] == [(1, Kind.STRICT_SADDLE)]
    w1, w2, v1, v2 = (float(v) for v in centre(found.components[0].sample))
    assert w1 == pytest.approx(w2)
    assert 0.1 <= v1 <= 5
    assert v1 + v2 == pytest.approx(-0.1192, abs=1e-4)


def test_shares_of_a_sum_in_a_box():
    whole = Coordinate((F(1), F(1)), (F(1),))
    proposed = [whole.times(F(1, 2))] * 2
    sides = [(F(3, 4), F(2)), (F(-1), F(2))]
    parts = spread(whole, proposed, [1, 1], sides)
    assert sum(p.box[0] for p in parts) == 1
    assert all(a <= p.box[0] <= b for p, (a, b) in zip(parts, sides, strict=True))
    with pytest.raises(Outside):
        spread(whole, proposed, [1, 1], [(F(2), F(3)), (F(0), F(1))])
    with pytest.raises(Outside):
        spread(whole, proposed, [1, -1], [(F(2), F(3)), (F(0), F(1))])
    with pytest.raises(Edge):  # v1 + v2 = 1 touches the corner of the box only
        spread(whole, proposed, [1, 1], [(F(3, 4), F(2)), (F(1, 4), F(1))])


FUNCTIONS = {
    "tanh": mpmath.tanh,
    "erf": mpmath.erf,
    "sin": mpmath.sin,
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
}


@pytest.mark.parametrize(
    ("kind", "halved"), [("tanh", True), ("erf", True), ("sin", True), ("sigmoid", False), ("tanh", False)]
)
def test_taylor_coefficients_are_enclosed(kind, halved):
    # independent: mpmath's numerical derivatives of h(s; x) = phi(sqrt(s) x)/sqrt(s), or of phi(t x), at 60 digits
    phi = FUNCTIONS[kind]
    units = Units(Activation(kind), (F(-3, 2), F(2)), halved)
    with mpmath.workdps(60), flint.ctx.workprec(128):
        for low, high in ((F(0), F(1, 4)), (F(1, 1000), F(1)), (F(2), F(5, 2)), (F(9), F(9))):
            for i, x in enumerate(units.inputs):
                c = units.taylor(i, (low, high), 8)
                for t in (low, (2 * low + high) / 3, high):
                    at, a = mpmath.mpf(t.numerator) / t.denominator, mpmath.mpf(x.numerator) / x.denominator
                    if not at:
                        continue
                    h = (lambda s: phi(mpmath.sqrt(s) * a) / mpmath.sqrt(s)) if halved else (lambda s: phi(s * a))  # noqa: B023
                    for n in range(9):
                        exact = mpmath.re(mpmath.diff(h, at, n) / mpmath.factorial(n))
                        off = abs(exact - mpmath.mpf(c[n].mid().str(40, radius=False)))
                        assert off <= mpmath.mpf(float(c[n].rad())) + abs(exact) * mpmath.mpf(10) ** -15, (t, x, n)


@pytest.mark.parametrize("kind", ["tanh", "sigmoid"])
def test_rows_of_neighbouring_units_hold_the_divided_differences(kind):
    # independent: divided differences of the definition at 60 digits, nodes inside the box, and the determinants made of them
    problem = net(kind, [1, -2, 3], [1, -1, 2])
    plain, halved = both(problem)
    minors, grid = Minors(plain, halved, *targets(problem), 2), Grid((F(0), F(4)))
    units = halved or plain
    lo = np.array([[int(0.9 * grid.size / 4)], [int(1.0 * grid.size / 4)]])
    hi = lo + grid.size // 64
    phi = FUNCTIONS[kind]
    with flint.ctx.workprec(128), mpmath.workdps(60):
        rows = Rows.over(minors, grid, [(0, 2)], [units], lo, hi)
        for u in (lo, hi, (2 * lo + hi) // 3):
            a, b = (mpmath.mpf(int(k[0])) * 4 / grid.size for k in u)
            s, t = (a * a, b * b) if halved else (a, b)
            for i, x in enumerate((1, -2, 3)):

                def h(z, x=x):
                    return phi(mpmath.sqrt(z) * x) / mpmath.sqrt(z) if halved else phi(z * x)

                first = (h(t) - h(s)) / (t - s)
                ds, dt = mpmath.diff(h, s), mpmath.diff(h, t)
                twice = (first - ds) / (t - s)
                expected = {
                    (1, 0): h(s),
                    (1, 1): first,
                    (2, 1): twice,
                    (2, 2): ((dt - first) / (t - s) - twice) / (t - s),
                }
                for times, value in expected.items():
                    low, high = rows.at((0, times))[i].v[:, 0]
                    assert low <= value <= high, (times, x)
