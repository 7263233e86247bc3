"""The line of dead units of a unit with a free bias: split off, and nothing else left undecided in the box.

Expected: by hand (comments), and Newton's method from random starts in an implementation of its own (complex steps, `enclosure_tools.plain_loss`).
"""

from __future__ import annotations

from fractions import Fraction as F

import numpy as np
import pytest
from audit_surface import on_component
from enclosure_tools import plain_loss

from explorer.budget import Budget
from explorer.point import EnclosedPoint
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.results import Kind


def free_bias(activation, inputs, targets, weight, output=None):
    """``output``: the ridge weight of an output bias."""
    m = len(inputs[0])
    return Problem.dense(
        widths=[m, 1, 1],
        activation=activation,
        inputs=inputs,
        targets=targets,
        bias=[True, output is not None],
        regularizer={"kind": "l2", "weights": [weight] * m + ["0", weight] + ([] if output is None else [output])},
    )


def solved(problem, r):
    d = len(problem.parameters)
    return critical_set(problem, box=EnclosedPoint((F(-r),) * d, (F(r),) * d), budget=Budget(60))


def limits_by_chance(problem, r, starts):
    d, h = len(problem.parameters), 1e-6

    def slope(theta):
        return np.array(
            [plain_loss(problem, theta + 1e-30j * (np.arange(d) == k)[:, None]).imag / 1e-30 for k in range(d)]
        )

    x = np.random.default_rng(2).uniform(-r, r, (d, starts))
    for _ in range(60):
        bend = np.array([(slope(x + h * e[:, None]) - slope(x - h * e[:, None])) / (2 * h) for e in np.eye(d)])
        bend = np.moveaxis((bend + bend.transpose(1, 0, 2)) / 2, -1, 0)
        step = (np.linalg.pinv(bend, rcond=1e-7, hermitian=True) @ slope(x).T[..., None])[..., 0].T
        x = np.clip(x - np.clip(step, -1, 1), -3 * r, 3 * r)
    return x[:, (np.abs(slope(x)).max(axis=0) < 1e-9) & (np.abs(x).max(axis=0) < r)].T


CASES = {
    "tanh": (free_bias("tanh", [[1], [-1], [2]], [1, -2, 1], "1/10"), 3),
    "sigmoid": (free_bias("sigmoid", [[0], [1], [2]], [1, -2, 1], "1/50"), 3),
    "tanh, two inputs": (free_bias("tanh", [[1, 0], [0, 1], [1, 1]], [1, -2, 1], "1/4"), 2),
}


@pytest.mark.parametrize("name", CASES)
def test_everything_that_random_starts_find_is_listed(name):
    problem, r = CASES[name]
    found = solved(problem, r)
    assert found.coverage.complete, found.coverage.reason
    limits = limits_by_chance(problem, r, 100)
    assert len(limits) >= 10
    bias = len(problem.parameters) - 2
    points = [np.array([float(v) for v in p.centre]) for c in found.isolated for p in c.points]
    for end in limits:
        on_line = np.abs(np.delete(end, bias)).max() < 1e-4
        assert on_line or any(np.abs(end - p).max() < 1e-5 for p in points), end


def test_where_the_index_changes_by_hand():
    # the Hessian in (w, v) at (0, b, 0): (2/10, q s; q s, 2/10 + 6 t^2), t = tanh b, s = 1 - t^2, q = -2 (1*1 + (-1)(-2) + 2*1) = -10.
    # Its determinant vanishes where 1/25 + 6/5 t^2 = 100 (1 - t^2)^2: with T = t^2, 100 T^2 - 201.2 T + 99.96 = 0
    found = solved(CASES["tanh"][0], 3)
    root = (201.2 - np.sqrt(201.2**2 - 4 * 100 * 99.96)) / 200
    place = np.arctanh(np.sqrt(root))
    special = sorted(float(c.sample.centre[1]) for c in found.components if c.isolated is False)
    assert special == pytest.approx([-place, place], abs=1e-9)
    lines = [(c.kind, c.inertia.negative) for c in found.components if c.dimension == 1]
    assert lines == [(Kind.MINIMUM, 0), (Kind.STRICT_SADDLE, 1), (Kind.MINIMUM, 0)]
    assert {c.value.as_fraction for c in found.components if c.dimension == 1} == {F(6)}
    # the equations of a piece hold on that piece of the line only
    for where, kind in (
        (-place - 0.01, Kind.MINIMUM),
        (-place + 0.01, Kind.STRICT_SADDLE),
        (place + 0.01, Kind.MINIMUM),
    ):
        homes = [c for c in found.components if on_component(c, ("w1_1_1", "b1_1", "w2_1_1"), (0, where, 0), 1e-6)]
        assert [c.kind for c in homes] == [kind]


def test_no_line_where_the_targets_do_not_add_up():
    # F_v = -2 phi(b) sum y = 0 only at b = 0
    found = solved(free_bias("tanh", [[1], [-1]], [1, 1], "1/4"), 2)
    assert not any(c.dimension for c in found.components)


EVERYWHERE = {
    "tanh": (CASES["tanh"][0], 3),
    "tanh, free output bias": (free_bias("tanh", [[1], [-1], [2]], [1, -2, 2], "1/10", "0"), 3),
    "tanh, output bias with a ridge": (free_bias("tanh", [[1], [-1], [2]], [1, -2, 1], "1/10", "1/10"), 3),
    "tanh, two inputs, free output bias": (free_bias("tanh", [[1, 0], [0, 1], [1, 1]], [1, -2, 2], "1/4", "0"), 3),
}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * ("two inputs" in n or "ridge" in n)) for n in EVERYWHERE]
)
def test_the_whole_line_and_everything_else(name):
    problem, r = EVERYWHERE[name]
    found = critical_set(problem, budget=Budget(60))
    assert found.coverage.complete, found.coverage.reason
    assert not found.coverage.box
    assert found.morse_sum is None
    m = len(problem.data.inputs[0])
    points = [np.array([float(v) for v in p.centre]) for c in found.isolated for p in c.points]
    limits = limits_by_chance(problem, r, 30)
    assert len(limits) >= 5
    for end in limits:
        on_line = np.abs(np.delete(end, [m, m + 2][: len(end) - m - 1])).max() < 1e-4
        assert on_line or any(np.abs(end - p).max() < 1e-5 for p in points), end
    # F + eps b^2 is coercive, so its indices add up to 1. Of the line b = 0 is left, with the sign of the Hessian across it there (E1), and near a special point
    # b* two saddles at v^2 = -4 eps b*/E1'(b*) where that is positive (F_b = v^2 E1'/2 + 2 eps b)
    stretches = [c for c in found.components if c.dimension == 1]
    special = sorted(float(c.sample.centre[m]) for c in found.components if c.isolated is False)
    assert len(stretches) == len(special) + 1
    signs = [-1 if c.inertia.negative else 1 for c in stretches]
    total = sum((-1) ** c.inertia.negative * c.orbit for c in found.isolated) + signs[sum(b < 0 for b in special)]
    total -= 2 * sum(
        1 for b, before, after in zip(special, signs[:-1], signs[1:], strict=True) if b * (after - before) < 0
    )
    assert total == 1
    # another box, which holds them all, has the same points
    size = max(4, *(np.abs(p).max() + 1 for p in points))
    inside = solved(problem, int(size) + 1)
    assert inside.coverage.complete
    assert sorted((c.kind.value, c.orbit) for c in inside.isolated) == sorted(
        (c.kind.value, c.orbit) for c in found.isolated
    )


def test_free_output_bias_by_hand():
    # a = mean of y = 1/3, g0 = 2 (a - y) = (-4/3, 14/3, -10/3), M = sum g0 x = -4/3 - 14/3 - 20/3 = -38/3. The output bias absorbs the mean of phi, so
    # E1 = 2/10 - s^2 M^2/(2/10), s = 1 - t^2: zero at s = (2/10)/(38/3) = 3/190
    found = solved(EVERYWHERE["tanh, free output bias"][0], 3)
    place = np.arctanh(np.sqrt(1 - 3 / 190))
    special = sorted(float(c.sample.centre[1]) for c in found.components if c.isolated is False)
    assert special == pytest.approx([-place, place], abs=1e-9)
    # on the line F is the variance: 1 + 4 + 4 - 3/9 = 26/3
    assert {c.value.as_fraction for c in found.components if c.dimension == 1} == {F(26, 3)}
    assert all(c.inertia.positive + c.inertia.negative == 3 for c in found.components if c.dimension == 1)


def test_an_output_bias_with_a_ridge_needs_targets_that_add_up():
    # F_a = 0 puts a off the targets' mean then, and F_v = phi(b) sum g0_i is 0 at single b only
    found = solved(free_bias("tanh", [[1], [-1]], [1, 1], "1/4", "1/4"), 2)
    assert not any(c.dimension for c in found.components)
