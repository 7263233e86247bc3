"""Exact answers at given points, against hand computations, direct evaluation of F, and sampling."""

from __future__ import annotations

import random
from fractions import Fraction as F
from itertools import pairwise
from math import exp, tanh

import pytest

from explorer.budget import Budget
from explorer.errors import Unsupported
from explorer.model.landscape import landscape
from explorer.paths.curves import EscapeCurve, PiecewisePath
from explorer.point import Ln2Ring, Point
from explorer.probes.descents import fitted, perturbed_descent
from explorer.probes.flat import (
    degree_of_homogeneity,
    dependence,
    features,
    flat_line,
    rank,
    scaling_curve,
)
from explorer.probes.labels import generic, residual
from explorer.probes.linear import factored, linear_data, product
from explorer.probes.monotone import curved, strictly_increasing
from explorer.probes.near import below, near, value_at
from explorer.probes.output import convex_in_output
from explorer.probes.planes import parabola
from explorer.probes.slices import (
    bezier,
    decreasing_on_unit,
    mean_on_unit,
    on_segment,
    slice_problem,
)
from explorer.probes.walls import hyperplane
from explorer.problem import Activation, Problem
from explorer.reading import activation_from_json
from explorer.solve.results import Kind

VW = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1])


def f(problem: Problem, values: list[F]) -> F:
    found = value_at(problem, Point.rational(values)).as_fraction
    assert found is not None
    return found


def drawn(count: int, seed: int) -> list[F]:
    pick = random.Random(seed)
    return [F(pick.randint(-9, 9), pick.randint(1, 4)) for _ in range(count)]


# -- kinds and values ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "point", "kind"),
    [
        (VW, [0, 0], Kind.STRICT_SADDLE),  # Hessian [[0, -2], [-2, 0]]
        (VW, [2, F(1, 2)], Kind.MINIMUM),  # F = 0
        (VW, [1, 0], None),  # dF/dv = -2
        (
            Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[1], targets=[1]),
            [-1, -1],
            Kind.MINIMUM,
        ),  # F = 1 near it
        # phi = t^2 + 1 on x = (1, 2), y = (-6, 4) at (0, -1): residuals (5, -5), Hessian diag(60, 4)
        (
            Problem.dense(
                widths=[1, 1, 1], activation="polynomial", coefficients=[1, 0, 1], inputs=[1, 2], targets=[-6, 4]
            ),
            [0, -1],
            Kind.STRICT_MINIMUM,
        ),
    ],
)
def test_kinds_by_hand(problem: Problem, point: list[F], kind: Kind | None) -> None:
    assert near(problem, Point.rational(point), Budget(10.0).start()).kind is kind


def test_comparison_of_values() -> None:
    logistic = Problem.dense(widths=[1, 1], inputs=[1], targets=[1], loss="logistic")
    a, b = value_at(logistic, Point.rational([0])), value_at(VW, Point.rational([0, 0]))  # ln 2 and 1
    assert below(a, b) is True
    assert below(b, a) is False
    assert below(b, b) is False


# -- features and curves of constant F ----------------------------------------------------------------------------------------


def on_curve(curve: EscapeCurve, t: F) -> list[F]:
    return [sum((c[0] * t ** e[0] for c, e in terms), F(0)) for terms in curve.curve]


def test_features_of_a_deep_network_by_hand() -> None:
    """Squares: x = 1, 2; W_1 = (1, 2, -1): z = (1, 4), (4, 16), (1, 4); W_2 = (1, 0, 1): (2, 8) squared."""
    p = Problem.dense(widths=[1, 3, 1, 1], activation="square", inputs=[1, 2], targets=[0, 1])
    point = Point.rational([1, 2, -1, 1, 0, 1, 5])
    assert features(p, point, 1) == ((1, 4), (4, 16), (1, 4))
    assert features(p, point, 2) == ((4, 64),)
    assert rank(features(p, point, 1)) == 1
    c = dependence(features(p, point, 1))
    assert c is not None
    assert [sum(x * row[i] for x, row in zip(c, features(p, point, 1), strict=True)) for i in range(2)] == [0, 0]
    with pytest.raises(Unsupported):
        features(p, point, 3)


def test_features_of_sigmoids_are_known_at_multiples_of_ln_2() -> None:
    p = Problem.dense(widths=[1, 1, 1], activation="sigmoid", inputs=[1, 3], targets=[0, 1])
    assert features(p, Point(Ln2Ring(), ((F(0), F(1)), (F(1),))), 1) == ((F(2, 3), F(8, 9)),)
    with pytest.raises(Unsupported):
        features(p, Point.rational([1, 1]), 1)


@pytest.mark.parametrize("seed", range(6))
def test_flat_lines_and_scalings_keep_the_loss(seed: int) -> None:
    activation = ["relu", "square", "leaky_relu", "cubic", "requ", "linear"][seed]
    more = {"slope": "1/3"} if activation == "leaky_relu" else {}
    p = Problem.dense(
        widths=[1, 3, 1], activation=activation, inputs=[1, -2], targets=[3, 1], bias=bool(seed % 2), **more
    )
    start = drawn(len(p.parameters), seed)
    for make in (flat_line, scaling_curve):
        curve = make(p, Point.rational(start))
        assert curve is not None
        assert on_curve(curve, F(1)) == start
        for t in (F(2), F(7, 2), F(100)):
            assert f(p, on_curve(curve, t)) == f(p, start)
        assert max(map(abs, on_curve(curve, F(10**6)))) > 10**3


def test_scaling_of_silent_units() -> None:
    p = Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[1, -2], targets=[3, 1])
    for start in ([0, 0], [0, 5], [2, 0]):
        curve = scaling_curve(p, Point.rational(start))
        assert curve is not None
        assert [f(p, on_curve(curve, F(t))) for t in (1, 9, 81)] == [10, 10, 10] if not all(start) else True
        assert max(map(abs, on_curve(curve, F(10**6)))) > 10**3


def test_degrees_of_homogeneity() -> None:
    degrees = {"linear": 1, "relu": 1, "square": 2, "cubic": 3, "requ": 2, "sigmoid": None, "tanh": None}
    assert {kind: degree_of_homogeneity(Activation(kind)) for kind in degrees} == degrees
    assert degree_of_homogeneity(activation_from_json({"kind": "polynomial", "coefficients": [1, 0, 1]})) is None
    assert degree_of_homogeneity(activation_from_json({"kind": "polynomial", "coefficients": [0]})) is None


# -- slices ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_slices_agree_with_direct_evaluation(seed: int) -> None:
    p = Problem.dense(widths=[2, 2, 1], activation="square", inputs=[[1, 2], [0, -1]], targets=[1, 3])
    a, b, c = (drawn(6, 10 * seed + k) for k in range(3))
    line = on_segment(p, Point.rational(a), Point.rational(b))
    curve = bezier(p, *map(Point.rational, (a, b, c)))
    plane = slice_problem(p, *map(Point.rational, (a, b, c)))
    for s in (F(0), F(1, 3), F(1), F(-2)):
        mix = [x + s * (y - x) for x, y in zip(a, b, strict=True)]
        assert sum(v * s**k for k, v in enumerate(line)) == f(p, mix)
        bent = [(1 - s) ** 2 * x + 2 * s * (1 - s) * y + s**2 * z for x, y, z in zip(a, b, c, strict=True)]
        assert sum(v * s**k for k, v in enumerate(curve)) == f(p, bent)
        moved = [x + s * y + 2 * z for x, y, z in zip(a, b, c, strict=True)]
        assert f(plane, [s, F(2)]) == f(p, moved)


def test_monotonicity_and_means_by_hand() -> None:
    assert decreasing_on_unit([F(9), F(-12), F(4)])  # (3 - 2s)^2
    assert not decreasing_on_unit([F(1), F(-4), F(4)])  # (1 - 2s)^2 turns at 1/2
    assert not decreasing_on_unit([F(1)])
    assert not decreasing_on_unit([F(0), F(1)])
    assert mean_on_unit([F(1), F(0), F(3)]) == 2
    energy = bezier(VW, *map(Point.rational, ([1, 1], [F(5, 2), F(5, 8)], [4, F(1, 4)])))
    assert mean_on_unit(energy) == F(
        27, 160
    )  # by hand: v w - 1 = (9/4)(s - s^2), and the integral of (s - s^2)^2 is 1/30


# -- linear networks -----------------------------------------------------------------------------------------------------------


def test_products_are_the_matrices_of_bounded_rank() -> None:
    import numpy as np

    p = Problem.dense(widths=[2, 1, 2], inputs=[[1, 0], [0, 1]], targets=[[2, 3], [4, 6]])  # R = ((2, 4), (3, 6))
    best = linear_data(p).least_squares()
    weights = factored(best, (2, 1, 2))
    assert weights is not None
    w = [float(c[0]) for c in weights.coordinates]
    assert np.allclose(np.array(w[2:]).reshape(2, 1) @ np.array(w[:2]).reshape(1, 2), [[2, 4], [3, 6]])
    assert product(p, weights) == best
    assert (
        factored(
            linear_data(
                Problem.dense(widths=[2, 1, 2], inputs=[[1, 0], [0, 1]], targets=[[1, 0], [0, 1]])
            ).least_squares(),
            (2, 1, 2),
        )
        is None
    )
    deep = factored(best, (2, 3, 2, 2))
    assert deep is not None
    assert product(Problem.dense(widths=[2, 3, 2, 2], inputs=[[1, 0], [0, 1]], targets=[[1, 0], [0, 1]]), deep) == best


@pytest.mark.parametrize("seed", range(4))
def test_parabolas_of_constant_loss(seed: int) -> None:
    """Two random weights with the same product; along the path the loss is 0 at every t, and the ends are met."""
    pick = random.Random(seed)
    w1 = [[F(pick.randint(-3, 3)) for _ in range(2)] for _ in range(3)]
    v1, v2 = [F(1), F(2), F(pick.randint(1, 3))], [F(0), F(1), F(-pick.randint(1, 3))]
    y = [sum(v * r[c] for v, r in zip(v1, w1, strict=True)) for c in range(2)]
    w2 = [[F(1), F(0)], [y[0] - v2[2] * 5, y[1] - v2[2] * 7], [F(5), F(7)]]
    p = Problem.dense(widths=[2, 3, 1], inputs=[[1, 0], [0, 1]], targets=y)
    a, b = ([*(c for row in w for c in row), *v] for w, v in ((w1, v1), (w2, v2)))
    path = parabola(p, Point.rational(a), Point.rational(b))
    for t in (F(0), F(1, 7), F(1, 2), F(1), F(3)):
        at = [sum((c[0] * t ** e[0] for c, e in terms), F(0)) for terms in path.pieces[0]]
        assert f(p, at) == 0
        assert at == a if t == 0 else at == b if t == 1 else True


# -- labels, activations, walls, outputs ---------------------------------------------------------------------------------------


def test_residuals_by_hand() -> None:
    plane = [(F(x), F(y)) for x, y in ((0, 0), (1, 0), (0, 1), (2, 1), (1, 3), (-1, 2))]
    e = residual(plane)
    assert e is not None
    sums = [
        sum(c * m for c, m in zip(e, row, strict=True))
        for row in zip(*[(1, x, y, x * x, x * y, y * y) for x, y in plane], strict=True)
    ]
    assert sums == [0, 0, 0, 1, 0, 1]
    circle = [(F(1), F(0)), (F(0), F(1)), (F(-1), F(0)), (F(0), F(-1)), (F(3, 5), F(4, 5)), (F(4, 5), F(3, 5))]
    assert not generic(circle)
    assert residual(circle) is None


def test_increasing_activations_against_samples() -> None:
    shapes = {
        "relu": lambda z: max(z, 0.0), "linear": lambda z: z, "square": lambda z: z * z, "cubic": lambda z: z**3,
        "sigmoid": lambda z: 1 / (1 + exp(-z)), "tanh": tanh, "swish": lambda z: z / (1 + exp(-z)),
    }  # fmt: skip
    grid = [k / 10 for k in range(-40, 41)]
    for kind, phi in shapes.items():
        rises = all(phi(a) < phi(b) for a, b in pairwise(grid))
        assert strictly_increasing(Activation(kind)) is rises, kind
    assert [curved(Activation(k)) for k in ("linear", "relu", "square", "sigmoid")] == [False, False, True, True]


def test_hyperplanes_by_hand() -> None:
    found = hyperplane(VW, Point.rational([1, 1]), Point.rational([-1, -1]))
    assert found is not None
    assert (found.level, found.side) == (1, None)
    relu = Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[1, -1], targets=[1, 2])
    found = hyperplane(
        relu, Point.rational([1, 1]), Point.rational([-1, 2])
    )  # w = 0: both samples get 0; w > 0 loses the second
    assert found is not None
    assert (found.parameter, found.level, found.side) == (0, 5, 4)
    assert hyperplane(VW, Point.rational([1, 1]), Point.rational([2, 3])) is None


def test_convexity_in_the_output_by_hand() -> None:
    """(y - z^2)^2 has second derivative 12 z^2 - 4 y: convex exactly for y <= 0."""
    for y, convex in ((-1, True), (0, True), (1, False)):
        p = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[y], output_activation="square")
        assert convex_in_output(p) is convex
    assert convex_in_output(VW) is True
    assert (
        convex_in_output(Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], output_activation="sigmoid")) is None
    )


def test_perturbed_descent_starts_near_and_ends_at_0() -> None:
    """Figure 2 at (1, 1): phi(1) = 0, so the weight has to move; the end interpolates."""
    p = Problem.dense(
        widths=[1, 1, 1], activation="polynomial", coefficients=["-1/8", "1/4", "-1/8"], inputs=[1], targets=[1]
    )
    path: PiecewisePath = perturbed_descent(p, Point.rational([1, 1]))
    assert path.start.coordinates[0] != (1,)
    assert abs(path.start.coordinates[0][0] - 1) <= F(1, 8)
    assert path.start.coordinates[1] == (1,)
    element, _ = landscape(p).value_at(path.end)
    assert element == (0,)


def test_perturbed_descent_with_an_output_bias() -> None:
    """Two squared units and the constant on two samples: one of the three is dependent, and the data are still fitted."""
    p = Problem.dense(widths=[1, 2, 1], activation="square", bias=[False, True], inputs=[1, 2], targets=[3, -1])
    path = perturbed_descent(p, Point.rational([1, 1, 0, 0, 0]))
    assert f(p, [c[0] for c in path.end.coordinates]) == 0
    assert fitted(p, path.end)
    assert not fitted(p, Point.rational([1, 1, 0, 0, 0]))
