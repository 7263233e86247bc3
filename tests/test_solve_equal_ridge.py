"""Linear networks with one ridge weight for all parameters: orbits against computations by hand and against Newton's method.

Numbers by hand: F = (w2.w1 x - y)^2 + lambda (|w1|^2 + |w2|^2) and its relatives; docs/linear.md has the general lemmas.
"""

from __future__ import annotations

from fractions import Fraction as F
from itertools import pairwise
from math import prod
from time import process_time

import numpy as np
import pytest
from scipy.optimize import least_squares

from explorer.budget import Budget
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.results import Kind
from explorer.solve.scalars import enclosure

METHOD = "closed form for equal ridge weights"
EYE = {n: [[int(i == j) for j in range(n)] for i in range(n)] for n in (2, 3)}


def network(widths, inputs, targets, weight):
    return Problem.dense(
        widths=widths, inputs=inputs, targets=targets, regularizer={"kind": "l2", "weights": str(weight)}
    )


def solved(*arguments, seconds=20):
    found = critical_set(network(*arguments), budget=Budget(seconds))
    assert found.coverage.complete
    assert found.coverage.method == METHOD
    return found


def rows(found):
    """(dimension, value, (positive, zero, negative), kind) of every component with a rational value."""
    return {
        (c.dimension, c.value.as_fraction, (c.inertia.positive, c.inertia.zero, c.inertia.negative), c.kind)
        for c in found.components
    }


@pytest.mark.parametrize("units", [2, 3, 5])
def test_one_sample(units):
    """x = y = 1: w1 = w2 = sqrt(1 - lambda) e on the sphere of unit vectors e, F = 2 lambda - lambda^2; the Hessian at 0 has the
    eigenvalues 2 (lambda - 1) and 2 (lambda + 1), `units` times each."""
    below = solved([1, units, 1], [1], [1], F(1, 4))
    assert rows(below) == {
        (units - 1, F(7, 16), (units + 1, units - 1, 0), Kind.MINIMUM),
        (0, F(1), (units, 0, units), Kind.STRICT_SADDLE),
    }
    assert below.global_value.as_fraction == F(7, 16)
    at = solved([1, units, 1], [1], [1], 1)  # 0 is degenerate, and as the only critical point the global minimum
    assert rows(at) == {(0, F(1), (units, units, 0), Kind.STRICT_MINIMUM)}
    assert at.components[0].is_global
    assert rows(solved([1, units, 1], [1], [1], 2)) == {(0, F(1), (2 * units, 0, 0), Kind.STRICT_MINIMUM)}


def test_three_layers_have_a_fold():
    """x = 1, y = 4: unit vectors and s > 0 with s^4 - 4 s + lambda = 0, which has a double root s = 1 at lambda = 3.

    There F = (1 - 4)^2 + 3 * 3 = 18, and one unit per layer has nullity 1: on w1 = w2 = w3 = s the derivative of F is
    6 s (s^4 - 4 s + 3), which does not change its sign: no extremum.
    """
    fold = solved([1, 2, 2, 1], [1], [4], 3)
    assert rows(fold) == {(2, F(18), (5, 3, 0), Kind.SADDLE), (0, F(16), (8, 0, 0), Kind.STRICT_MINIMUM)}
    assert len(solved([1, 2, 2, 1], [1], [4], 4).components) == 1  # s^4 - 4 s + 4 >= 1 for all s
    two = solved([1, 2, 2, 1], [1], [4], 1)
    assert [(c.dimension, c.inertia.negative, c.inertia.zero) for c in two.components] == [
        (2, 0, 2),
        (2, 1, 2),
        (0, 0, 0),
    ]


def test_identity_targets():
    """Sxx = Syx = I, lambda = 1/4: r equal singular values s^2 = 3/4, F = 2 - r (1 - lambda)^2.

    2-1-2: W1 = s v^T, W2 = s v, v on a circle. 2-2-2, r = 1: W1 = s q v^T, a torus of (q, v) up to one sign; r = 2: W1 = s Q,
    W2 = s Q^T, Q orthogonal, two circles. At r = 1 the second direction adds lambda (a^2 + b^2) - 2 a b: one negative eigenvalue.
    """
    assert rows(solved([2, 1, 2], EYE[2], EYE[2], F(1, 4))) == {
        (1, F(23, 16), (3, 1, 0), Kind.MINIMUM),
        (0, F(2), (2, 0, 2), Kind.STRICT_SADDLE),
    }
    square = solved([2, 2, 2], EYE[2], EYE[2], F(1, 4))
    assert rows(square) == {
        (2, F(23, 16), (5, 2, 1), Kind.STRICT_SADDLE),
        (1, F(7, 8), (7, 1, 0), Kind.MINIMUM),
        (0, F(2), (4, 0, 4), Kind.STRICT_SADDLE),
    }
    assert "2 connected pieces" in next(c for c in square.components if c.dimension == 1).description


def test_two_radicals_and_turned_singular_vectors():
    """Y = [[3, 1], [1, 3]] has the singular values 4 and 2: F = 20 - sum of (sigma - 1/4)^2 over the chosen ones."""
    found = solved([2, 2, 2], EYE[2], [[3, 1], [1, 3]], F(1, 4))
    large, small = F(15, 4) ** 2, F(7, 4) ** 2
    assert {c.value.as_fraction for c in found.components} == {20, 20 - large, 20 - small, 20 - large - small}
    # the smaller one is left out at no price; the larger one left out is a direction of descent beside the spare unit
    assert {c.value.as_fraction: c.inertia.negative for c in found.components} == {
        20: 4,
        20 - large: 1,
        20 - small: 2,
        20 - large - small: 0,
    }
    sample = next(c for c in found.components if c.is_global).sample
    assert len(sample.field.polynomial) == 5  # degree 4: sqrt(15/8) and sqrt(7/8)


def test_a_singular_value_at_the_ridge_weight():
    # diag(3, 2), lambda = 2: only sigma = 3 is above it; F = 13 - 1. The nullity is 1 (the circle) + 1 (sigma = lambda)
    found = solved([2, 2, 2], EYE[2], [[3, 0], [0, 2]], 2)
    assert rows(found) == {
        (1, F(12), (6, 2, 0), Kind.MINIMUM),
        (0, F(13), (4, 2, 2), Kind.STRICT_SADDLE),
    }


def test_one_sample_with_an_irrational_singular_value():
    """x = (1, 0), y = (2, 1), lambda = 1: Syx = y x^T has the one singular value sqrt(5), F = 5 - (sqrt(5) - 1)^2 = 2 sqrt(5) - 1."""
    found = solved([2, 2, 2], [[1, 0]], [[2, 1]], 1)
    circle, origin = found.components
    assert (circle.dimension, circle.kind, circle.is_global) == (1, Kind.MINIMUM, True)
    assert (circle.value.lower + 1) ** 2 <= 20 <= (circle.value.upper + 1) ** 2
    # at 0: lambda -+ sqrt(5) twice each, lambda for what the sample does not see
    assert (origin.inertia.positive, origin.inertia.zero, origin.inertia.negative) == (6, 0, 2)
    # rows of the second input weights vanish at every critical point
    assert not any(circle.sample.coordinates[1])
    assert not any(circle.sample.coordinates[3])


PLANE = ([[1, 2], [1, -1], [0, 1]], [1, 2, 3])
SETS = [
    ([2, 2, 1], *PLANE, F(1, 3)),
    ([2, 3, 1], *PLANE, F(1, 3)),
    ([2, 2, 2, 1], *PLANE, F(1, 100)),
    ([1, 2, 3], [1, 2], [[1, 2, 3], [0, 1, 2]], F(1, 2)),
    ([1, 2, 2, 1], [1], [4], 1),
    ([2, 2, 2], EYE[2], [[3, 1], [1, 3]], F(1, 4)),
    ([3, 2, 2], [[1, 2, 0]], [[2, 1]], F(1, 2)),
    ([2, 3, 2], EYE[2], [[3, 0], [0, 2]], F(1, 4)),
    ([3, 2, 3], EYE[3], [[4, 0, 0], [0, 2, 0], [0, 0, 1]], F(1, 3)),
]  # fmt: skip


class Floats:
    """F, its gradient and Hessian in floating point, from the definition."""

    def __init__(self, widths, inputs, targets, weight):
        self.shapes = [(b, a) for a, b in pairwise(widths)]
        self.x, self.y = (np.array(t, float).reshape(len(t), -1).T for t in (inputs, targets))
        self.weight, self.size = float(weight), sum(a * b for a, b in self.shapes)

    def layers(self, theta):
        ends = np.cumsum([a * b for a, b in self.shapes])[:-1]
        return [t.reshape(s) for t, s in zip(np.split(theta, ends), self.shapes, strict=True)]

    def value(self, theta):
        out = self.x
        for w in self.layers(theta):
            out = w @ out
        return ((out - self.y) ** 2).sum() + self.weight * theta @ theta

    def gradient(self, theta):
        ws = self.layers(theta)
        before = [self.x]
        for w in ws:
            before.append(w @ before[-1])
        back, parts = 2 * (before[-1] - self.y), []
        for w, z in zip(reversed(ws), reversed(before[:-1]), strict=True):
            parts.append((back @ z.T).ravel())
            back = w.T @ back
        return np.concatenate(parts[::-1]) + 2 * self.weight * theta

    def hessian(self, theta):
        step = 1e-5
        columns = [(self.gradient(theta + e) - self.gradient(theta - e)) / (2 * step) for e in step * np.eye(self.size)]
        return (np.array(columns) + np.array(columns).T) / 2


@pytest.mark.parametrize("data", SETS, ids=lambda d: "-".join(map(str, d[0])))
def test_newton_from_random_starts_ends_on_the_list(data):
    """Least squares on the gradient from 60 starts: every zero that it finds has value and index of a listed component, and
    every listed component is found, from a start near its sample too."""
    found, floats = solved(*data), Floats(*data)
    listed = [(float((c.value.lower + c.value.upper) / 2), c.inertia.negative) for c in found.components]
    rng, hit = np.random.default_rng(7), set()
    samples = []
    for c in found.components:
        at = np.array([float(sum(enclosure(x, c.sample.field)) / 2) for x in c.sample.coordinates])
        assert np.abs(floats.gradient(at)).max() < 1e-9
        samples.append(at)
    starts = [rng.normal(size=floats.size) * rng.choice([0.3, 1, 2]) for _ in range(60)]
    for start in [*starts, *(s + 1e-2 * rng.normal(size=floats.size) for s in samples)]:
        end = least_squares(
            floats.gradient, start, xtol=1e-15, ftol=1e-15, gtol=1e-15, jac=floats.hessian, max_nfev=80
        ).x
        if np.abs(floats.gradient(end)).max() > 1e-9:
            continue  # a local minimum of |grad F|^2 that is not critical
        index = int((np.linalg.eigvalsh(floats.hessian(end)) < -1e-5).sum())
        near = [k for k, (v, i) in enumerate(listed) if abs(v - floats.value(end)) < 1e-7 and i == index]
        assert near, (floats.value(end), index, listed)
        hit.update(near)
    assert hit == set(range(len(listed)))


@pytest.mark.parametrize("data", [d for d in SETS if 1 in (d[0][0], d[0][-1])], ids=lambda d: "-".join(map(str, d[0])))
def test_the_morse_sum_with_families(data):
    """Bott: the sum of (-1)^index chi(component) is 1 for a coercive F; the orbits are products of spheres of the hidden layers."""
    spheres = prod(1 + (-1) ** (n - 1) for n in data[0][1:-1])
    found = solved(*data)
    assert sum((-1) ** c.inertia.negative * (spheres if c.dimension else 1) for c in found.components) == 1


def test_many_inputs_stop_in_time():
    # 12 inputs: a field of degree 48, an exact Hessian takes several times the budget (measured: 10 s)
    data = np.random.default_rng(1).integers(-5, 6, size=(30, 13)).tolist()
    wide = network([12, 3, 1], [r[:12] for r in data], [r[12] for r in data], F(1, 3))
    start = process_time()
    found = critical_set(wide, budget=Budget(1))
    assert process_time() - start < 5
    assert found.coverage.complete or "spent" in found.coverage.reason


def test_what_is_left_to_other_methods():
    unequal = Problem.dense(widths=[1, 2, 1], inputs=[1], targets=[1], regularizer={"kind": "l2", "weights": ["1/4", "1/4", "1/4", "1/3"]})  # fmt: skip
    assert critical_set(unequal, budget=Budget(10)).coverage.method != METHOD
    # one unit, different singular values: isolated points, which the finite engines list
    single = critical_set(network([2, 1, 2], EYE[2], [[3, 0], [0, 2]], F(1, 4)), budget=Budget(20))
    assert single.coverage.complete
    assert single.coverage.method != METHOD
    assert single.real_points == 5
    # inputs that are not white: rank by rank (tests/test_solve_linear_ranks.py)
    other = critical_set(network([2, 2, 2], [[1, 0], [1, 1]], [[3, 0], [0, 2]], F(1, 4)), budget=Budget(20))
    assert other.coverage.complete
    assert other.coverage.method != METHOD
