"""What makes boxes smaller before they are cut: nothing of it may lose a critical point.

Critical points come from Newton's method in an implementation of its own (complex steps, `enclosure_tools.ends_by_chance`), gradients by complex steps,
values of z phi' - phi from mpmath.
"""

from __future__ import annotations

from fractions import Fraction as F

import mpmath
import numpy as np
import pytest
from enclosure_tools import ends_by_chance, plain_loss, ridge

from explorer.problem import Activation
from explorer.solve.boxes.arrays import Range
from explorer.solve.boxes.enclosure import Region
from explorer.solve.boxes.equations import combined, solved, with_equations
from explorer.solve.boxes.last_layer import LastLayer
from explorer.solve.boxes.ring import balance_range, derivative_range
from explorer.solve.boxes.tape import Run

PROBLEMS = {
    "gelu": ridge("gelu", [1, 2, 1], [-2, -1], ["-1/2", -2], "1/50"),
    "swish, hidden bias": ridge("swish", [1, 1, 1], [1, -1, 2], [1, 0, 2], "1/20", bias=[True, False]),
    "tanh, all biases": ridge("tanh", [2, 1, 1], [["-1/2", -1], ["-3/2", -1]], [0, -2], "1/20", bias=[True, True]),
    "sigmoid, mixed": ridge("sigmoid", [1, 2, 1], [1, -1, 2], [2, -2, 1], ["1/50", "1/20", "1/10", "1/50"]),
    "gelu, three layers": ridge("gelu", [1, 1, 1, 1], [1, -2, 2], [1, -1, 2], "1/20"),
    "swish then tanh, biases": ridge(
        ["swish", "tanh"], [1, 1, 1, 1], [1, -2], [1, -1], "1/50", bias=[True, True, False]
    ),
    "softplus, three inputs": ridge("softplus", [3, 1, 1], [[1, 0, 2], [0, 1, 1]], [2, -1], "1/20"),
}


def slope(problem, theta):
    d = len(problem.parameters)
    return np.array([plain_loss(problem, theta + 1e-30j * (np.arange(d) == k)[:, None]).imag / 1e-30 for k in range(d)])


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_critical_point_is_lost(name):
    problem = PROBLEMS[name]
    ends = ends_by_chance(problem, 100, 8)
    assert len(ends) >= 20
    bounds = np.array([float(v) for v in Region.everywhere(problem).upper])
    assert (np.abs(ends) <= bounds).all()  # the balance bounds hold them all; starts lie in [-8, 8]
    tape, equations = with_equations(problem)
    last, random = LastLayer.of(problem, tape), np.random.default_rng(1)
    many = np.repeat(ends, 20, axis=0).T
    for power in (-12, -6, -3, 0, 2):  # boxes of all sizes around them, also long ones
        size = np.exp2(power + random.uniform(-3, 3, many.shape))
        place = random.uniform(0, 1, many.shape)
        lo, hi = many - size * place - 1e-8, many + size * (1 - place) + 1e-8
        run = Run({})
        low, high, empty = last.contracted(run, lo, hi)
        assert not empty.any()
        assert ((low - 1e-8 <= many) & (many <= high + 1e-8)).all()
        with np.errstate(all="ignore"):
            tape.begin(low, high, run)
            a, b, empty = solved(equations, run, low - 1e-8, high + 1e-8)
        assert not empty.any()
        assert ((a - 1e-7 <= many) & (many <= b + 1e-7)).all()


@pytest.mark.parametrize("name", PROBLEMS)
def test_equations_are_combinations_of_the_gradient(name):
    # at any place, not only where grad F = 0: E(theta) is in the span of F_k and of theta_k F_k, with constant coefficients
    problem = PROBLEMS[name]
    tape, equations = with_equations(problem)
    assert len(equations) > len(problem.parameters) / 2
    d = len(problem.parameters)
    x = np.random.default_rng(3).uniform(-1, 1, (d, 600))
    with np.errstate(all="ignore"):
        run = tape.begin(x, x)
    # nan where outputs are farther away than Euler's identity allows
    inside = np.flatnonzero(np.isfinite(sum(run.values[e.rest].sum(axis=0) for e in equations)))
    assert len(inside) >= 3 * d
    x = x[:, inside]
    run = tape.begin(x, x)
    g = slope(problem, x)
    basis = np.concatenate([g, x * g]).T
    for e in equations:
        value = run.values[e.rest].mean(axis=0)
        if e.k is not None:
            value = value + x[e.k] ** e.power / ((e.factor.lo + e.factor.hi) / 2)
        left = value - basis @ np.linalg.lstsq(basis, value, rcond=None)[0]
        assert np.abs(left).max() < 1e-9 * (1 + np.abs(value).max())


def test_combinations_of_samples_by_hand():
    # two points in three dimensions: (1, 1, -1) is orthogonal to both, then one vector for each of them
    n, *others = combined([(F(1), F(0), F(1)), (F(0), F(1), F(1))], 3)
    assert n[0] == n[1] == -n[2]
    assert len(others) == 2
    assert {(v[0] + v[2] != 0, v[1] + v[2] != 0) for v in others} == {(True, False), (False, True)}
    # three points on a line with a bias: each vector leaves out one point
    assert len(list(combined([(F(k), F(1)) for k in (1, 2, 5)], 2))) == 3


@pytest.mark.parametrize("kind", ["tanh", "sigmoid", "softplus", "swish", "gelu", "sin", "exp", "erf"])
def test_the_balance_of_a_unit_is_enclosed(kind):
    exact = {
        "tanh": mpmath.tanh, "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)), "softplus": lambda z: mpmath.log1p(mpmath.exp(z)),
        "swish": lambda z: z / (1 + mpmath.exp(-z)), "gelu": lambda z: z * mpmath.erfc(-z / mpmath.sqrt(2)) / 2, "sin": mpmath.sin,
        "exp": mpmath.exp, "erf": mpmath.erf,
    }[kind]  # fmt: skip
    random, reach = np.random.default_rng(0), 30 if kind == "exp" else 60
    middle = random.uniform(-1, 1, 150) * np.exp2(random.uniform(-6, np.log2(reach), 150))
    width = np.exp2(random.uniform(-40, 4, 150)) * (random.random(150) < 0.8)
    z = Range(middle - width, middle + width)
    activation, known = Activation(kind), []
    for order in (0, 1):
        known.append(derivative_range(activation, z, order, lambda k: known[k], {}))
    found = balance_range(activation, z, known)
    assert (found.hi[width < 1e-9] - found.lo[width < 1e-9] < 1e-6 * (1 + np.abs(found.hi[width < 1e-9]))).all()
    with mpmath.workdps(40):
        for n in range(150):
            for t in (-1, -0.6, 0, 0.3, 1):
                x = mpmath.mpf(float(middle[n])) + t * mpmath.mpf(float(width[n]))
                x = min(max(x, mpmath.mpf(float(z.lo[n]))), mpmath.mpf(float(z.hi[n])))
                value = x * mpmath.diff(exact, x) - exact(x)
                assert found.lo[n] - mpmath.mpf(10) ** -20 <= value <= found.hi[n] + mpmath.mpf(10) ** -20
