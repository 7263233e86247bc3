"""Linear models: least squares of any rank, powers, lasso and logistic regression, against SciPy and by hand."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from explorer import Budget, Problem, critical_set
from explorer.point import Inertia, Point
from explorer.solve.results import CriticalSet, Kind


def linear(inputs: Any, targets: Any, **more: Any) -> Problem:
    rows = [x if isinstance(x, list) else [x] for x in inputs]
    outputs = len(targets[0]) if isinstance(targets[0], list) else 1
    return Problem.dense(widths=[len(rows[0]), outputs], inputs=rows, targets=targets, **more)


def solved(problem: Problem) -> CriticalSet:
    found = critical_set(problem, budget=Budget(seconds=60))
    assert found.coverage.complete, found.coverage.reason
    return found


def rows(problem: Problem) -> tuple[Any, Any]:
    x = np.array([[float(v) for v in row] for row in problem.data.inputs])
    if problem.network.bias[0]:
        x = np.hstack([x, np.ones((len(x), 1))])
    return x, np.array([[float(v) for v in row] for row in problem.data.targets])


def value(problem: Problem, theta: Any) -> float:
    x, y = rows(problem)
    r = problem.regularizer
    f = x @ np.asarray(theta)[:, None]
    c = np.array([float(v) for v in problem.loss.weights])
    data = (f - y) ** 2 if problem.loss.kind == "squared" else np.logaddexp(0, -y * f)
    powers = (
        0 if r is None else sum(float(w) * abs(t) ** (r.exponent or 2) for w, t in zip(r.weights, theta, strict=True))
    )
    return float(c @ data[:, 0]) + powers


COLLINEAR = [[1, 2], [2, 4], [3, 6]]
LEAST_SQUARES = [
    linear(COLLINEAR, [1, 2, 5]),
    linear(COLLINEAR, [1, 2, 5], regularizer={"kind": "l2", "weights": ["1/10", 0]}),
    linear(COLLINEAR, [1, 2, 5], bias=[True]),
    linear([[0, 0], [0, 0]], [1, 2]),
    linear([[1, 0, 0], [2, 0, 0]], [1, 5], regularizer={"kind": "l2", "weights": [0, 0, "1/3"]}),
    linear([[1, -1], [-1, 1]], [3, 1], loss_weights=["1/2", 3]),
    linear([[1, 2, 3], [1, 2, 3], [0, 1, 1]], [1, 0, "1/7"]),
]


@pytest.mark.parametrize("problem", LEAST_SQUARES)
def test_least_squares_of_any_rank(problem: Problem) -> None:
    """NumPy's least squares: the value, and the dimension by the rank of the rows with the square roots of the weights."""
    (only,) = solved(problem).components
    x, y = rows(problem)
    c = np.sqrt([float(v) for v in problem.loss.weights])[:, None]
    ridge = (
        np.diag(np.sqrt([float(v) for v in problem.regularizer.weights]))
        if problem.regularizer
        else np.zeros((0, x.shape[1]))
    )
    a, b = np.vstack([c * x, ridge]), np.vstack([c * y, np.zeros((len(ridge), 1))])
    theta, _, rank, _ = np.linalg.lstsq(a, b, rcond=None)
    d = x.shape[1]
    assert only.dimension == d - rank
    assert only.kind is (Kind.STRICT_MINIMUM if rank == d else Kind.MINIMUM)
    assert only.is_global
    assert only.inertia == Inertia(int(rank), int(d - rank), 0)
    assert abs(only.value.approx - float(((a @ theta - b) ** 2).sum())) < 1e-12
    assert only.value.as_fraction is not None


def labels(inputs: Any, targets: Any, weights: Any = None, **more: Any) -> Problem:
    if weights is not None:
        more["regularizer"] = {"kind": more.pop("kind", "l2"), "weights": weights} | more.pop("extra", {})
    return linear(inputs, targets, loss="logistic", **more)


LOGISTIC = [
    labels([1, 2], [1, -1]),
    labels([1, 2, -3], [1, -1, 1]),
    labels([[1, 2], [2, 4]], [1, -1]),
    labels([[1, 0], [0, 1], [1, 1], [1, -1]], [1, 1, -1, -1]),
    labels([[1, 0], [0, 1], [1, 1], [1, -1]], [1, 1, -1, 1]),
    labels([[1, 0], [-1, 0], [0, 1]], [1, 1, 1]),
    labels([[1, 2], [2, 1]], [1, 1], ["1/10", 0]),
    labels([[1, 2], [2, -1]], [1, -1], [0, "1/10"]),
    labels([[1, 2], [2, -1], [0, 1]], [1, -1, 1], ["1/3", "1/10"]),
    labels([1, 2, 3, 4], [1, -1, 1, -1], bias=[True]),
    labels([1, 2, 3, 4], [1, 1, -1, -1], bias=[True]),
    labels([1, 2, 2, 4], [1, 1, -1, -1], bias=[True]),
    labels([1, 1, 2], [1, -1, 1], loss_weights=[1, 3, "1/2"]),
    labels([1, -1], [1, -1]),
    labels([[1, 2], [2, -1], [0, 1]], [1, -1, 1], ["1/3", "1/10"], kind="power", extra={"exponent": 3}),
    labels([[1, 2], [2, -1], [0, 1]], [1, -1, 1], ["1/3", "1/10"], kind="power", extra={"exponent": 4}),
    labels([[0, 0], [0, 0]], [1, -1]),
    labels([[1, 2], [3, 4]], [0, 0]),
    labels([[1, 0], [0, 0]], [1, 1]),
]


@pytest.mark.parametrize("problem", LOGISTIC)
def test_logistic_regression_is_decided(problem: Problem) -> None:
    """SciPy's linear program for a falling direction (maximise sum y a.u, 0 <= y a.u <= 1), and its minimiser for the value."""
    found = solved(problem)
    x, y = rows(problem)
    signed, d = y * x, x.shape[1]
    r = problem.regularizer
    limits = [(0, 0) if r is not None and r.weights[k] else (None, None) for k in range(d)]
    falling = linprog(
        -signed.sum(axis=0),
        A_ub=np.vstack([-signed, signed]),
        b_ub=np.r_[np.zeros(len(x)), np.ones(len(x))],
        bounds=limits,
    )
    assert falling.status == 0
    best = minimize(lambda t: value(problem, t), np.zeros(d), method="BFGS", options={"gtol": 1e-10, "maxiter": 5000})
    if -falling.fun > 1e-7:
        assert not found.components
        assert found.global_value is None
        assert "not attained" in found.global_because
        away = best.x + 200 * falling.x
        low = minimize(
            lambda t: value(problem, t + 200 * falling.x), away, method="Nelder-Mead", options={"maxiter": 4000}
        ).fun
        stated = 0 if "is 0," in found.global_because else float(found.global_because.split("about ")[1].split(",")[0])
        assert abs(low - stated) < 1e-3
        return
    (only,) = found.components
    free = [np.eye(d)[k] for k in range(d) if r is not None and r.weights[k]]
    rank = np.linalg.matrix_rank(np.vstack([signed, *free]))
    assert only.dimension == d - rank
    assert only.is_global
    assert abs(only.value.approx - best.fun) < 1e-8
    assert abs(value(problem, [float(v) for v in _middle(only.sample)]) - best.fun) < 1e-8


def _middle(sample: Any) -> list[Fraction]:
    return [c[0] for c in sample.coordinates] if isinstance(sample, Point) else list(sample.centre)


def test_logistic_values_by_hand() -> None:
    """x = 1, 2, y = 1, -1: F' = -1/(1 + e^w) + 2/(1 + e^(-2w)) = 0 is, with t = e^w, -1 - t^2 + 2 t^2 (1 + t) = 0, 2 t^3 + t^2 = 1."""
    (only,) = solved(LOGISTIC[0]).components
    t = math.exp(float(_middle(only.sample)[0]))
    assert abs(2 * t**3 + t**2 - 1) < 1e-12
    # opposite labels of one input twice: w = 0 exactly, F = 2 ln 2
    (only,) = solved(labels([3, 3], [1, -1])).components
    assert only.sample == Point.rational([0])
    assert abs(only.value.approx - 2 * math.log(2)) < 1e-15
    # the first coordinate cannot be separated (2 ln 2), the second can
    found = solved(LOGISTIC[5])
    assert "1.38629436" in found.global_because
    assert "2 samples" in found.global_because


def lasso(inputs: Any, targets: Any, weights: Any, **more: Any) -> Problem:
    return linear(inputs, targets, regularizer={"kind": "power", "exponent": 1, "weights": weights}, **more)


LASSO = [
    lasso(COLLINEAR, [1, 2, 5], "1/10"),
    lasso([[1, 1], [1, 1]], [1, 3], "1/2"),
    lasso([[1, 2], [3, 1], [0, 1]], [1, -2, 1], 1),
    lasso([[1, 2], [3, 1], [0, 1]], [1, -2, 1], [2, 0]),
    lasso([[1, 2], [3, 1]], [1, -2], 100),
    lasso([[1, 0, 1], [0, 1, 1]], [1, 1], "1/5"),
    lasso([[1, 0], [0, 1]], [1, "1/2"], 1),
    lasso([[1, -1]], [2], "1/3"),
    lasso([1, 2, 4], [1, 1, 3], "1/3", bias=[True]),
    lasso([[0, 1], [0, 2]], [1, 1], [0, "1/2"]),
]


@pytest.mark.parametrize("problem", LASSO)
def test_the_lasso_lists_all_its_minima(problem: Problem) -> None:
    """F at all pieces is the smallest value that SciPy finds as a quadratic program in theta = p - m, p, m >= 0, and the points of a grid around
    every sample where F is that small have the signs of a listed piece."""
    found = solved(problem)
    d = len(problem.parameters)
    x, y = rows(problem)
    weights = np.array([float(w) for w in problem.regularizer.weights])

    def split(t: Any) -> float:
        theta = t[:d] - t[d:]
        return float(((x @ theta - y[:, 0]) ** 2).sum() + weights @ (t[:d] + t[d:]))

    starts = [np.random.default_rng(k).random(2 * d) for k in range(3)]
    low = min(
        minimize(split, s, bounds=[(0, None)] * (2 * d), options={"ftol": 1e-15, "gtol": 1e-10}).fun for s in starts
    )
    for c in found.components:
        assert c.is_global
        assert abs(c.value.approx - low) < 1e-6
        assert abs(value(problem, [float(v) for v in _middle(c.sample)]) - c.value.approx) < 1e-12
    # exact check on a grid around the samples: F is nowhere smaller, and equal only on listed pieces
    signs = {
        tuple(
            (v > 0) - (v < 0) if w else 0 for v, w in zip(_middle(c.sample), problem.regularizer.weights, strict=True)
        )
        for c in found.components
    }
    exact = found.global_value.as_fraction
    hits = 0
    for c in found.components:
        for step in product((0, 1, -1, 2), repeat=d):
            theta = [v + Fraction(s, 7) for v, s in zip(_middle(c.sample), step, strict=True)]
            errors = []
            for row, t in zip(problem.data.inputs, problem.data.targets, strict=True):
                z = sum(a * b for a, b in zip((*row, 1) if problem.network.bias[0] else row, theta, strict=True))
                errors.append((z - t[0]) ** 2)
            f = sum(errors) + sum(w * abs(t) for w, t in zip(problem.regularizer.weights, theta, strict=True))
            assert f >= exact
            if f == exact:
                hits += 1
                assert (
                    tuple(
                        (v > 0) - (v < 0) if w else 0 for v, w in zip(theta, problem.regularizer.weights, strict=True)
                    )
                    in signs
                )
    assert hits >= len(found.components)


def test_lasso_pieces_by_hand() -> None:
    """x = (1, 1) twice, y = 1, 3, lambda = 1/2: F = 2 (s - 2)^2 + 2 + (|a| + |b|)/2 with s = a + b: s = 15/8, all a, b >= 0 with that sum:
    an open segment and its two ends. F = 2/64 + 2 + 15/16 = 95/32."""
    found = solved(LASSO[1])
    assert sorted(c.dimension for c in found.components) == [0, 0, 1]
    assert {c.value.as_fraction for c in found.components} == {Fraction(95, 32)}
    assert all(c.kind is Kind.MINIMUM for c in found.components)
    # identity, y = (1, 1/2), lambda = 1: soft thresholding by 1/2 gives (1/2, 0); the second is exactly at its kink
    (only,) = solved(LASSO[6]).components
    assert only.sample == Point.rational(["1/2", 0])
    assert only.kind is Kind.STRICT_MINIMUM
    assert only.inertia is None


def test_powers_of_a_linear_model() -> None:
    """By hand: (w - 1)^2 + |w|^3 has 2 (w - 1) + 3 w^2 = 0, w = (sqrt 7 - 1)/3; a parameter that no input reaches is 0, with Hessian 0."""
    found = solved(linear([[1, 0]], [1], regularizer={"kind": "power", "exponent": 3, "weights": 1}))
    (only,) = found.components
    assert abs(float(_middle(only.sample)[0]) - (math.sqrt(7) - 1) / 3) < 1e-12
    assert _middle(only.sample)[1] == 0
    assert (only.inertia, only.kind) == (Inertia(1, 1, 0), Kind.STRICT_MINIMUM)
    found = solved(linear(COLLINEAR, [1, 2, 5], regularizer={"kind": "power", "exponent": 3, "weights": ["1/10", 0]}))
    (only,) = (
        found.components
    )  # the free weight does all the work: w1 = 0, w2 = 20/2/28... = sum x y/sum x^2 = (2 + 8 + 30)/56 = 5/7
    assert only.sample == Point.rational([0, "5/7"])
    assert only.value.as_fraction == 30 - Fraction(40 * 40, 56)
