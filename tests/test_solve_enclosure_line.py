"""The line of dead units of a unit with a free bias: split off, and nothing else left undecided in the box.

Expected: by hand (comments), and Newton's method from random starts in an implementation of its own (complex steps, `enclosure_tools.plain_loss`).
"""

from __future__ import annotations

from fractions import Fraction as F

import numpy as np
import pytest
from enclosure_tools import plain_loss

from explorer.budget import Budget
from explorer.point import EnclosedPoint
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.results import Kind


def free_bias(activation, inputs, targets, weight):
    m = len(inputs[0])
    return Problem.dense(
        widths=[m, 1, 1],
        activation=activation,
        inputs=inputs,
        targets=targets,
        bias=[True, False],
        regularizer={"kind": "l2", "weights": [weight] * m + ["0", weight]},
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


def test_no_line_where_the_targets_do_not_add_up():
    # F_v = -2 phi(b) sum y = 0 only at b = 0
    found = solved(free_bias("tanh", [[1], [-1]], [1, 1], "1/4"), 2)
    assert not any(c.dimension for c in found.components)
