"""Orbits of linear networks with one ridge weight, rank by rank: against Newton's method from random starts, and by hand.

The independent route: Levenberg's method on the gradient of F, from its definition, to 1e-12, from many starts of several sizes. Points are
compared by the product of the layers, which tells orbits apart (docs/linear.md), by their value and by their index.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F
from itertools import pairwise
from time import process_time

import numpy as np
import pytest

from explorer.budget import Budget
from explorer.certify import certify
from explorer.errors import NotCertifiable, Unsupported
from explorer.point import Inertia, Point
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.linear.cells import cells, excess, solve_cell
from explorer.solve.linear.closed_form import moments
from explorer.solve.linear.counts import Counted, complaint, cone, frames, planes
from explorer.solve.linear.orbits import BY_RANKS, METHOD
from explorer.solve.linear.ranks import by_ranks
from explorer.solve.results import Kind
from explorer.solve.scalars import enclosure

EYE = [[1, 0], [0, 1]]


def network(widths, inputs, targets, weight):
    return Problem.dense(
        widths=widths, inputs=inputs, targets=targets, regularizer={"kind": "l2", "weights": str(weight)}
    )


def solved(problem, seconds=60):
    found = critical_set(problem, budget=Budget(seconds))
    assert found.coverage.complete, found.coverage.reason
    assert found.coverage.method == BY_RANKS
    return found


def rows(found):
    """(dimension, value, (positive, zero, negative), kind) of every component."""
    return {
        (c.dimension, c.value.as_fraction, (c.inertia.positive, c.inertia.zero, c.inertia.negative), c.kind)
        for c in found.components
    }


def drawn(widths, seed):
    """A random problem: whole numbers, three to five samples, a ridge weight from rather small to rather large."""
    rng = np.random.default_rng([seed, *widths])
    samples = int(rng.integers(2, 6))
    inputs, targets = (rng.integers(-3, 4, size=(samples, n)).tolist() for n in (widths[0], widths[-1]))
    scale = [F(1, 100), F(1, 40), F(1, 10)] if len(widths) > 3 else [F(1, 10), F(1, 2), F(2), F(5), F(12)]
    return network(widths, inputs, targets, scale[int(rng.integers(len(scale)))])


class Floats:
    """F, half its gradient and half its Hessian at a batch of points (B, d) in floating point, with the sums over layers written out."""

    def __init__(self, problem):
        widths = problem.network.widths
        self.shapes = [(b, a) for a, b in pairwise(widths)]
        x, y = (np.array([[float(v) for v in r] for r in t]) for t in (problem.data.inputs, problem.data.targets))
        self.c, self.b, self.total = x.T @ x, y.T @ x, (y * y).sum()
        self.weight, self.size = float(problem.regularizer.weights[0]), len(problem.parameters)

    def layers(self, theta):
        ends = np.cumsum([a * b for a, b in self.shapes])[:-1]
        return [t.reshape(-1, *s) for t, s in zip(np.split(theta, ends, axis=1), self.shapes, strict=True)]

    def product(self, theta):
        out = np.eye(self.shapes[0][1])
        for w in self.layers(theta):
            out = w @ out
        return out

    def value(self, theta):
        p = self.product(theta)
        return self.total + np.sum(p * (p @ self.c - 2 * self.b), axis=(1, 2)) + self.weight * np.sum(theta**2, axis=1)

    def gradient(self, theta):
        ws = self.layers(theta)
        before, after = [np.eye(self.shapes[0][1])[None]], [np.eye(self.shapes[-1][0])[None]]
        for w in ws[:-1]:
            before.append(w @ before[-1])
        for w in ws[:0:-1]:
            after.append(after[-1] @ w)
        e = self.product(theta) @ self.c - self.b
        slopes = [a.swapaxes(1, 2) @ e @ b.swapaxes(1, 2) for a, b in zip(after[::-1], before, strict=True)]
        return np.concatenate([s.reshape(len(theta), -1) for s in slopes], axis=1) + self.weight * theta

    def hessian(self, theta):
        """By a complex step: exact to rounding, as every operation above is analytic."""
        step = 1e-30
        rows = [self.gradient(theta + 1j * step * e).imag / step for e in np.eye(self.size)]
        return (np.array(rows).transpose(1, 0, 2) + np.array(rows).transpose(1, 2, 0)) / 2

    def critical(self, theta, rounds=100):
        """The ends of Levenberg-Marquardt on the gradient that reach 1e-12; a start that does not move any more is given up."""
        done, goal = [], 1e-25 * (1 + self.total)
        g, damp = self.gradient(theta), np.full(len(theta), 1e-2)
        for _ in range(rounds):
            size = np.sum(g * g, axis=1)
            done.append(theta[size < goal])
            left = (size >= goal) & (damp < 1e9)
            if not left.any():
                break
            theta, g, damp, size = theta[left], g[left], damp[left], size[left]
            values, frame = np.linalg.eigh(self.hessian(theta))
            along = np.einsum("bij,bi->bj", frame, g) * values / (values**2 + damp[:, None])
            trial = theta - np.einsum("bij,bj->bi", frame, along)
            new = self.gradient(trial)
            better = np.sum(new * new, axis=1) < size
            theta, g = np.where(better[:, None], trial, theta), np.where(better[:, None], new, g)
            damp = np.clip(np.where(better, damp / 20, damp * 8), 1e-15, None)
        return np.concatenate(done)


def middles(component):
    sample = component.sample
    if hasattr(sample, "lower"):
        return np.array([float(x) for x in sample.centre])
    return np.array([float(sum(enclosure(x, sample.field)) / 2) for x in sample.coordinates])


def missed(problem, found, starts, seed=0):
    """The critical points from random starts whose product, value and index no listed orbit has, and how many were compared."""
    floats, rng, listed = Floats(problem), np.random.default_rng(seed), []
    for c in found.components:
        at = middles(c)[None]
        assert np.abs(floats.gradient(at)).max() < 1e-9 * (1 + floats.total)
        listed.append((floats.product(at)[0], float((c.value.lower + c.value.upper) / 2), c.inertia.negative))
    sizes = np.array([0.3, 0.7, 1.5, 3])[np.arange(starts) % 4]
    ends = floats.critical(rng.normal(size=(starts, floats.size)) * sizes[:, None])
    eigen = np.linalg.eigvalsh(floats.hessian(ends))
    indices = (eigen < -1e-5 * np.abs(eigen).max(axis=1, keepdims=True)).sum(axis=1)
    wrong = [
        (v, index)
        for p, v, index in zip(floats.product(ends), floats.value(ends), indices, strict=True)
        if not any(np.abs(p - q).max() < 1e-5 and abs(v - w) < 1e-6 * (1 + abs(v)) and index == i for q, w, i in listed)
    ]
    return wrong, len(ends)


#: (widths, problems, problems in the fast suite)
SHAPES = [([2, 2, 2], 14, 5), ([2, 3, 2], 8, 3), ([2, 2, 3], 8, 3), ([3, 2, 2], 8, 3), ([2, 2, 2, 2], 6, 2), ([3, 2, 2, 2], 3, 0), ([3, 2, 3], 3, 0), ([3, 3, 3], 1, 0)]  # fmt: skip
DRAWN = [
    pytest.param(w, seed, marks=[] if seed < fast else pytest.mark.slow)
    for w, count, fast in SHAPES
    for seed in range(count)
]


def shown(value):
    return "-".join(map(str, value)) if isinstance(value, list) else None


@pytest.mark.parametrize(("widths", "seed"), DRAWN, ids=shown)
def test_no_critical_point_is_missed(widths, seed):
    problem = drawn(widths, seed)
    found = critical_set(problem, budget=Budget(60))
    assert found.coverage.complete, found.coverage.reason
    assert found.coverage.method in (BY_RANKS, METHOD)  # two samples may be white by accident
    wrong, compared = missed(problem, found, 40)
    assert not wrong
    assert compared >= 10
    assert sum(c.is_global is True for c in found.components) == 1


# -- by hand ----------------------------------------------------------------------------------------------------------------


def diagonal(widths, c, b, weight):
    """Sxx = diag(c), c square numbers, and Syx = diag(b)."""
    roots = [round(x**0.5) for x in c]
    size = range(len(c))
    inputs = [[roots[i] if i == j else 0 for j in size] for i in size]
    return network(widths, inputs, [[F(b[i], roots[i]) if i == j else 0 for j in size] for i in size], weight)


def test_diagonal_moments():
    """Sxx = diag(1, 4), Syx = diag(5, 2), lambda = 1: P = diag(4 or 0, 1/4 or 0), as (b - lambda)/c, F = 26 - 16 - 1/4 with both. Nothing else:
    25 (4 t + 1) = 4 (t + 1) has no root t > 0, so that singular vectors are e_1, e_2. Inertias: cases/linear-2-3-2-ridge/derivation.md."""
    found = solved(diagonal([2, 3, 2], (1, 4), (5, 2), 1))
    assert rows(found) - {(3, None, (9, 3, 0), Kind.MINIMUM)} == {
        (3, F(39, 4), (9, 3, 0), Kind.MINIMUM),
        (2, F(10), (8, 2, 2), Kind.STRICT_SADDLE),
        (2, F(103, 4), (7, 2, 3), Kind.STRICT_SADDLE),
        (0, F(26), (6, 0, 6), Kind.STRICT_SADDLE),
    }


def test_singular_vectors_that_mix():
    """Sxx = diag(1, 25), Syx = diag(4, 6), lambda = 1: 16/(t + 1) = 36/(25 t + 1) at t = 5/91, where b_i/(t c_i + 1) is 91/24 > 1 and
    91 * 6/216 > 1: no mixed point; with Sxx = diag(1, 4), Syx = diag(4, 5) they cross at t = 1/5, 10/3 and 25/9 > 1 neither."""
    for c, b in (((1, 25), (4, 6)), ((1, 4), (4, 5))):
        found = solved(diagonal([2, 2, 2], c, b, 1))
        assert sum(x.dimension == 1 for x in found.components) == 3


def test_the_ridge_weight_at_a_singular_value():
    """Syx = diag(6, 2), lambda = 2: at P = diag(4, 0) the error is diag(-2, -2). Each spare unit has a zero eigenvalue more than the orbit,
    none negative: the global minimum, degenerate. Half the Hessian: cases/linear-2-3-2-threshold/derivation.md."""
    found = solved(diagonal([2, 3, 2], (1, 4), (6, 2), 2))
    assert rows(found) == {(2, F(21), (8, 4, 0), Kind.MINIMUM), (0, F(37), (6, 3, 3), Kind.STRICT_SADDLE)}
    assert [c.is_global for c in found.components] == [True, False]
    # lambda = both: only the origin, whose Hessian has the eigenvalues 0 and 4 lambda four times each (two units)
    both = solved(diagonal([2, 2, 2], (1, 4), (2, 2), 2))
    assert rows(both) == {(0, F(5), (4, 4, 0), Kind.STRICT_MINIMUM)}
    # a little below and above the threshold the second direction is used and is not
    assert len(solved(diagonal([2, 2, 2], (1, 4), (6, 2), F(199, 100))).components) == 4
    assert len(solved(diagonal([2, 2, 2], (1, 4), (6, 2), F(201, 100))).components) == 2


def test_a_threshold_of_rank_two():
    """Sxx = diag(1, 4, 9), Syx = diag(8, 5, 2), lambda = 2: P = diag(6 or 0, 3/4 or 0, 0), F = 64 + 25/4 + 4/9 - 36 - 9/4. 64 (4 t + 2) = 25 (t + 2) and
    its like have no root t > 0. With both the error is -2 in three directions: one spare unit has (3, 3, 0), two zeros of which belong to the orbit
    of dimension 3 * 2 - 3 = 3, so that the nullity is 4. With the first alone: errors -2, -5, -2, two spare units (3, 2, 1) each, and the living
    one is positive, (6, 0, 0)."""
    found = solved(diagonal([3, 3, 3], (1, 4, 9), (8, 5, 2), 2))
    total = 64 + F(25, 4) + F(4, 9)
    at = {c.value.as_fraction: c for c in found.components}
    assert len(found.components) == 4
    assert {total, total - 36, total - F(9, 4)} <= set(at)
    assert at[total - 36].inertia == Inertia(12, 4, 2)
    (low,) = [c for c in found.components if c.is_global]
    assert low.value.lower <= total - 36 - F(9, 4) <= low.value.upper
    assert (low.dimension, low.inertia, low.kind) == (3, Inertia(14, 4, 0), Kind.MINIMUM)


def test_spare_units_by_the_error():
    """Two ways to the index of points of rank 2 in 3-3-3: the whole Hessian in balls, and lambda^2 - E^T E exactly."""
    problem = diagonal([3, 3, 3], (1, 4, 9), (16, 9, 5), 2)
    found = by_ranks(problem, F(2), Budget(60).start())
    assert not found.missing
    of_rank_two = [c for c in found.counted if c.rank == 2]
    sxx, syx, _ = moments(problem)
    exact = []
    for pivots in cells(3, 2):
        cell = solve_cell(sxx, syx, F(2), 2, pivots, Budget(60).start())
        exact += [excess(r.point, pivots, sxx, syx, F(2), Budget(60).start()) for r in cell.roots]
    assert [c.inertia.negative - c.inner[0] for c in of_rank_two] == [e.negative for e in exact]
    assert {e.zero for e in exact} == {2}
    assert len(exact) >= 3


def test_large_networks_are_refused_at_once():
    rng = np.random.default_rng(3)
    inputs, targets = (rng.integers(-3, 4, (2, 20)).tolist() for _ in range(2))
    problem = network([20, 10, 20], inputs, targets, 1)
    with pytest.raises(Unsupported, match="terms"):
        by_ranks(problem, F(1), Budget(20).start())


def test_white_inputs_agree_with_the_closed_form():
    """Sxx = 4, Syx = [[3, 1], [1, 3]] * 2 of singular values 8 and 4: white.py lists the orbits in another way."""
    for weight, widths in ((F(1, 4), [2, 2, 2]), (F(1, 4), [2, 3, 2]), (F(6), [2, 2, 2])):
        problem = network(widths, [[2, 0], [0, 2]], [[3, 1], [1, 3]], weight)
        white = critical_set(problem, budget=Budget(20))
        assert white.coverage.method == METHOD
        ranks = by_ranks(problem, weight, Budget(20).start())
        assert not ranks.missing
        near = {(c.dimension, c.inertia, c.kind, round(c.value.approx, 9)) for c in ranks.components}
        assert near == {(c.dimension, c.inertia, c.kind, round(c.value.approx, 9)) for c in white.components}


def test_equal_singular_values_are_refused():
    """Identity targets, and a block of them beside other data: the singular vectors turn too, so that orbits are not all."""
    white = network([2, 2, 2], EYE, EYE, F(1, 4))
    with pytest.raises(Unsupported, match="infinitely many"):
        by_ranks(white, F(1, 4), Budget(20).start())
    block = diagonal([3, 2, 3], (1, 4, 4), (1, 6, 6), F(1, 3))
    with pytest.raises(Unsupported, match="infinitely many"):
        by_ranks(block, F(1, 3), Budget(20).start())


def test_one_hidden_unit_is_left_to_the_finite_engines():
    """White inputs, irrational singular values, 2-1-2: isolated points. y = (1, 2), (3, 5): squares of the singular values (39 +- sqrt(1517))/2, one of
    them above (1/3)^2: two points beside the origin."""
    found = critical_set(network([2, 1, 2], EYE, [[1, 2], [3, 5]], F(1, 3)), budget=Budget(20))
    assert found.coverage.complete
    assert found.coverage.method != BY_RANKS
    assert (found.real_points, found.morse_sum) == (3, 1)


def test_special_data():
    # rank(Syx) = 1: y = (1, 2) x . (1, 1); inputs that do not span; equal outputs
    plane = [[1, 2], [3, 5], [1, 1]]
    one = network([2, 2, 2], plane, [[3, 6], [8, 16], [2, 4]], F(1, 3))
    flat = network([3, 2, 2], [[1, 2, 0], [3, 4, 0]], [[1, 2], [2, 3]], F(1, 30))
    crossed = diagonal([2, 2, 2], (1, 25), (4, 6), 1)
    hidden = network([2, 1, 2, 2], [[1, 0], [0, 2]], [[3, 0], [1, 1]], F(1, 10))
    for problem in (one, flat, crossed, hidden):
        wrong, compared = missed(problem, solved(problem), 60)
        assert not wrong
        assert compared >= 10


def test_three_layers_on_one_direction():
    """Sxx = diag(1, 4), Syx = diag(15/8, 0), lambda = 7/8: s^4 - (15/8) s + 7/8 = (s - 1)(s - 1/2)(...), F = 225/64 + s^6 - (15/4) s^3 + (21/8) s^2."""
    found = solved(network([2, 2, 2, 2], [[1, 0], [0, 2]], [[F(15, 8), 0], [0, 0]], F(7, 8)))
    at = {F(225, 64) + s**6 - F(15, 4) * s**3 + F(21, 8) * s**2 for s in (F(0), F(1), F(1, 2))}
    assert {c.value.as_fraction for c in found.components} == at
    # between the local minima 0 and s = 1 lies s = 1/2
    assert [c.inertia.negative for c in sorted(found.components, key=lambda c: c.value.lower)] == [0, 0, 1]


# -- audits and budgets -----------------------------------------------------------------------------------------------------


def test_euler_characteristics():
    """By hand: O(2) is two circles, S^2 has 2; the projective plane 1; matrices of rank <= 1 up to +- in R^2: a half-line times a circle."""
    assert [frames(2, 1), frames(3, 1), frames(3, 2), frames(1, 1), frames(4, 0)] == [0, 2, 0, 2, 1]
    assert [planes(1, 2), planes(1, 3), planes(2, 4), planes(0, 3)] == [0, 1, 2, 1]
    # symmetric, semidefinite q x q of rank at most k: the point 0, and open cells over Grassmannians
    assert [cone(0, 5), cone(1, 1), cone(1, 2), cone(1, 3), cone(2, 2), cone(3, 3)] == [1, 0, 1, 0, 0, 0]


def test_the_audit_sees_every_orbit():
    """Leaving any one orbit out, or changing an index by one, must be noticed: ranks 0, 1 and 2 of 2-2-2 and 2-3-2, two ranks of 3-2-3's kind."""
    for widths in ([2, 2, 2], [2, 3, 2], [2, 2, 2, 2]):
        problem = diagonal(widths, (1, 4), (5, 2), F(1, 10) if len(widths) > 3 else 1)
        found = by_ranks(problem, problem.regularizer.weights[0], Budget(20).start())
        assert complaint(found.counted, widths[1:-1]) == ""
        assert len(found.counted) >= 4
        for k in range(len(found.counted)):
            assert complaint(found.counted[:k] + found.counted[k + 1 :], widths[1:-1])


def test_the_audit_says_nothing_where_a_point_is_degenerate():
    flat = Counted(0, 0, (0, 0), Inertia(4, 4, 0))
    assert complaint([flat], [2]) == ""
    assert complaint([replace(flat, inertia=Inertia(4, 0, 4)), replace(flat, inertia=None)], [2]) == ""
    assert complaint([replace(flat, inertia=Inertia(7, 0, 1))], [1])


def test_ranks_that_take_too_long_are_named():
    """Three inputs and outputs, three layers: the equation for rank 2 takes minutes. The answer stops in time and says so (what it lists of
    lower rank depends on the clock; the next test has a list with a gap)."""
    rng = np.random.default_rng(5)
    problem = network(
        [3, 2, 2, 3], rng.integers(-3, 4, (4, 3)).tolist(), rng.integers(-3, 4, (4, 3)).tolist(), F(1, 20)
    )
    start = process_time()
    found = critical_set(problem, budget=Budget(2))
    assert process_time() - start < 6
    assert not found.coverage.complete
    assert "spent" in found.coverage.reason
    assert found.global_value is None


def test_a_fold_of_rank_two_is_named():
    """Sxx = diag(1, 4), Syx = diag(4, 9), lambda = 3: s^4 - 4 s + 3 has the double root 1, so that orbits of rank 1 and 2 with it are degenerate."""
    found = critical_set(diagonal([2, 2, 2, 2], (1, 4), (4, 9), 3), budget=Budget(20))
    assert not found.coverage.complete
    assert "degenerate" in found.coverage.reason
    fold = next(c for c in found.components if c.inertia.zero > c.dimension)
    # on x = 1, y = 4 the fold has F = 18 (test_solve_equal_ridge.py), and the second sample, (0, 2) to (0, 9/2), adds 81/4
    assert fold.value.as_fraction == 18 + F(81, 4)


def test_samples_that_are_boxes_on_a_slice():
    """The coordinate that the rotation makes 0 is exactly 0; a box around one point of a family is no point of a certificate, but a number
    in it serves as a lower point: F there is below the value of the origin, 16, by the numbers in floats."""
    problem = network([2, 2, 2], [[1, 1], [0, 2], [3, 1]], [[1, 2], [0, 3], [-1, 1]], 1)
    found = solved(problem)
    low = next(c for c in found.components if c.is_global)
    sample = low.to_json(problem.parameters)["sample"]
    assert [x for x in sample.values() if x["exact"] == "0"] == [{"exact": "0", "approx": 0}]
    assert sum(x["exact"] is None for x in sample.values()) == 7
    with pytest.raises(NotCertifiable, match="family"):
        certify(problem, "local-minimum", at=low.sample, evidence=low)
    assert certify(problem, "not-global", at=Point.rational([0] * 8)).to_json()["goal"]["kind"] == "not-global"
