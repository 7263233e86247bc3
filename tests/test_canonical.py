"""The canonical room against independent methods: Gauss quadrature and singular values in floating point, hand computations."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from explorer.canonical.aliasing import evaluation_rank, misfit, smallest_box
from explorer.canonical.cells import cells, network_value
from explorer.canonical.disparity import disparity, largest_full_rank, on_cells, ring_of, same_rows, span_dimension
from explorer.canonical.exponential import exponential_disparity
from explorer.canonical.fourier import coefficient, frequencies, tail
from explorer.canonical.interpolation import forced_breaks, interpolant, silent_start
from explorer.canonical.probability import cone_probability, dead_probability, silent_probability
from explorer.canonical.slopes import gradient, loss_value
from explorer.canonical.square import half_square, square_disparity
from explorer.canonical.transfer import affine_descent, defect_below_margin
from explorer.canonical.truncated import limit_value, truncated
from explorer.canonical.units import active_units, dead_units, duplicates, silent_units
from explorer.canonical.waves import WaveRing
from explorer.errors import Unsupported
from explorer.point import Point
from explorer.problem import Problem

F = Fraction
NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)


def dense(widths: list[int], activation: Any, **more: Any) -> Problem:
    rows = {"inputs": [[0] * widths[0]], "targets": [[0] * widths[-1]], "bias": True, **more}
    return Problem.dense(widths=widths, activation=activation, **rows)


def forward(problem: Problem, theta: list[float], x: float) -> float:
    """The network in floating point, written down again: relu, requ, square, linear or leaky units."""
    net: Any = problem.network
    phi = {
        "relu": lambda z: max(z, 0.0),
        "requ": lambda z: max(z, 0.0) ** 2,
        "square": lambda z: z * z,
        "linear": lambda z: z,
        "leaky_relu": lambda z: z if z > 0 else z / 10,
    }
    at, signal = 0, [x]
    for layer, (cols, rows) in enumerate(pairwise(net.widths)):
        out = []
        for i in range(rows):
            z = sum(theta[at + i * cols + j] * s for j, s in enumerate(signal))
            z += theta[at + rows * cols + i] if net.bias[layer] else 0.0
            kind = net.activations[layer].kind if layer < len(net.activations) else "linear"
            out.append(phi[kind](z))
        at += rows * cols + (rows if net.bias[layer] else 0)
        signal = out
    return signal[0]


def sampled(problem: Problem, point: Point, ends: list[float]) -> tuple[Any, Any, Any, Any]:
    """Nodes, weights, f and its central differences by every parameter."""
    parts = [((a + b) / 2 + NODES * (b - a) / 2, WEIGHTS * (b - a) / 2) for a, b in pairwise(ends)]
    x, w = (np.concatenate(p) for p in zip(*parts, strict=True))
    theta, h = [float(c[0]) for c in point.coordinates], 1e-6
    f = np.array([forward(problem, theta, v) for v in x])
    slopes = []
    for m in range(len(theta)):
        up, down = ([t + s * h * (k == m) for k, t in enumerate(theta)] for s in (1, -1))
        slopes.append([(forward(problem, up, v) - forward(problem, down, v)) / (2 * h) for v in x])
    return x, w, f, np.array(slopes)


NETWORKS = [
    ([1, 2, 1], "relu", [1, -3, "-1/3", "5/4", 2, "1/2", "-1/4"]),
    ([1, 2, 1], "requ", [2, 1, -1, "-1/5", 1, -2, 0]),
    ([1, 1, 2, 1], "relu", [2, "-1/2", 1, -1, "-1/3", "2/3", 1, 3, 1]),
    ([1, 2, 1], "square", [1, 2, "1/2", -1, 1, 1, 0]),
    ([1, 2, 1], {"kind": "leaky_relu", "slope": "1/10"}, [3, -1, -1, "1/7", 1, 2, 1]),
]


@pytest.mark.parametrize(("widths", "activation", "theta"), NETWORKS, ids=lambda v: str(v)[:24])
def test_fourier_coefficients_against_quadrature(widths: Any, activation: Any, theta: Any) -> None:
    problem = dense(widths, activation, bias=[True] * (len(widths) - 1))
    point = Point.rational(theta)
    found = cells(problem, point)
    ring = ring_of(found)
    x, w, f, slopes = sampled(problem, point, [*(float(c.low) for c in found), 1.0])
    for v in (F(0), F(1, 9), F(1, 2), F(1)):
        assert float(network_value(found, v)) == pytest.approx(forward(problem, [float(F(t)) for t in theta], float(v)))
    for k in (0, 1, -2, 3):
        wave = np.exp(-2j * np.pi * k * x)
        for m in range(-1, len(theta)):
            exact = ring.enclose(coefficient(ring, on_cells(found, None if m < 0 else m), k))
            numeric = ((f if m < 0 else slopes[m]) * w * wave).sum()
            assert abs(complex(exact) - numeric) < 1e-7


@pytest.mark.parametrize(("widths", "activation", "theta"), NETWORKS, ids=lambda v: str(v)[:24])
def test_ranks_against_singular_values(widths: Any, activation: Any, theta: Any) -> None:
    problem = dense(widths, activation, bias=[True] * (len(widths) - 1))
    point = Point.rational(theta)
    found = cells(problem, point)
    x, w, _, slopes = sampled(problem, point, [*(float(c.low) for c in found), 1.0])
    for top in (0, 1, 2, 3):
        waves = np.array([np.exp(-2j * np.pi * k * x) for k in range(-top, top + 1)])
        sizes = np.linalg.svd((slopes * w) @ waves.T, compute_uv=False)
        assert disparity(problem, point, top).rank == int((sizes > 1e-8).sum())
    gram = (slopes * w) @ slopes.T
    assert span_dimension(found, len(theta)) == int((np.linalg.eigvalsh(gram) > 1e-9).sum())


def test_parseval_tail_of_the_ramp() -> None:
    """f = x: |c_k|^2 = 1/(2 pi k)^2, so the tail beyond n is sum over k > n of 1/(2 pi^2 k^2)."""
    problem = dense([1, 1, 1], "relu", bias=False)
    found = cells(problem, Point.rational([1, 1]))
    ring = ring_of(found)
    for n in (0, 1, 3):
        expected = (np.pi**2 / 6 - sum(1 / k**2 for k in range(1, n + 1))) / (2 * np.pi**2)
        assert complex(ring.enclose(tail(ring, on_cells(found), n))).real == pytest.approx(expected, abs=1e-12)


def truncated_loss(theta: list[float], data: list[tuple[float, float]], problem: Problem, top: int) -> float:
    """Q_N of one hidden layer of two relu units in floating point, the quadrature aligned with the kinks -b/w."""
    kinks = sorted(k for k in (-theta[2] / theta[0], -theta[3] / theta[1]) if 0 < k < 1)
    parts = [((a + b) / 2 + NODES * (b - a) / 2, WEIGHTS * (b - a) / 2) for a, b in pairwise([0.0, *kinks, 1.0])]
    x, w = (np.concatenate(p) for p in zip(*parts, strict=True))
    f = np.array([forward(problem, theta, v) for v in x])
    total = 0.0
    for at, y in data:
        kernel = 1 + 2 * sum(np.cos(2 * np.pi * k * (at - x)) for k in range(1, top + 1))
        total += float((f * w * kernel).sum() - y) ** 2
    return total


def test_the_truncated_gradient_is_the_derivative_of_the_truncated_loss() -> None:
    """Chain rule with moving kinks: differences of Q_N by quadrature, against the exact H grad_theta Q_N."""
    problem = dense([1, 2, 1], "relu", bias=[True, True], inputs=["1/8", "2/3"], targets=[0, 1])
    base = [F(1), F(-2), F(-1, 3), F(3, 2), F(1), F(2), F(1, 2)]
    exact = truncated(problem, Point.rational(base), 2)
    data, theta, h = [(1 / 8, 0.0), (2 / 3, 1.0)], [float(b) for b in base], 1e-5
    assert truncated_loss(theta, data, problem, 2) == pytest.approx(complex(exact.ring.enclose(exact.value)).real)
    for m in range(len(base)):
        up, down = (truncated_loss([t + s * h * (k == m) for k, t in enumerate(theta)], data, problem, 2) for s in (1, -1))  # fmt: skip
        found = complex(exact.ring.enclose(exact.gradient[m]))
        assert (up - down) / (2 * h) == pytest.approx(found.real, abs=1e-7)
        assert abs(found.imag) < 1e-12


def test_the_silent_instance() -> None:
    """By hand: f = 1/2 at both data, so Q = 1/2 and the slopes vanish; derivatives at the data have rank 1."""
    problem = dense([1, 2, 1], "relu", bias=[True, True], inputs=["1/8", "1/4"], targets=[0, 1])
    point = Point.rational([1, 1, "-1/2", "-3/4", 1, 1, "1/2"])
    assert loss_value(problem, point) == F(1, 2)
    assert not any(gradient(problem, point))
    assert silent_units(problem, point) == ((1, 1), (1, 2))
    assert dead_units(problem, point) == active_units(problem, point) == ()
    best = largest_full_rank(problem, point, least=2)
    assert best is not None
    assert best.columns == 5
    assert defect_below_margin(problem, point, 2) is False
    lower = interpolant(problem)
    assert lower is not None
    assert loss_value(problem, lower) == 0
    start = silent_start(problem)
    assert start is not None
    assert len(silent_units(problem, start)) == 2


def test_kinks_that_are_irrational_or_everywhere_are_refused() -> None:
    deep = dense([1, 1, 1, 1], ["square", "relu"], bias=[True, True, False])
    with pytest.raises(Unsupported, match="rational kinks"):
        cells(deep, Point.rational([1, 0, 1, "-1/2", 1]))  # relu(x^2 - 1/2)
    with pytest.raises(Unsupported, match="off the kinks"):
        cells(dense([1, 1, 1], "relu"), Point.rational([0, 0, 1]))
    with pytest.raises(Unsupported, match="piecewise polynomial"):
        cells(dense([1, 1, 1], "sigmoid"), Point.rational([1, 0, 1]))


def test_dead_silent_and_duplicated_units() -> None:
    problem = dense([1, 3, 1], "relu", inputs=["1/4"], targets=[0])
    point = Point.rational([1, 1, 1, "-1/2", -2, "-1/2", 3, 1, 3])
    assert dead_units(problem, point) == ((1, 2),)  # x - 2 < 0 on [0, 1]
    assert silent_units(problem, point) == ((1, 1), (1, 2), (1, 3))
    assert duplicates(problem, point) == (((1, 1), (1, 3)),)
    assert same_rows(cells(problem, point), 9)
    flat = dense([2, 1, 1], "relu", inputs=[["1/2", 0]], targets=[0])
    assert dead_units(flat, Point.rational([1, -1, -1, 1])) == ()  # x1 - x2 - 1 is 0 at (1, 0): not strictly inactive


def test_evaluation_matrices() -> None:
    square = dense([2, 1], "linear", bias=False, inputs=[[f"{2 * j + 1}/8", "1/2"] for j in range(4)], targets=[1, -1, 1, -1])  # fmt: skip
    assert square.data is not None
    assert smallest_box(square.data) == (1, 1)
    assert evaluation_rank(square.data, (1, 1)) == 3
    found = misfit(square.data, [F(1)] * 4, (1, 1))
    assert found is not None
    assert found.loss == 4  # by hand: the targets are orthogonal to the span
    three = dense([1, 1], "linear", bias=False, inputs=["0", "1/4", "1/2"], targets=[0, 1, 0])
    assert three.data is not None
    assert evaluation_rank(three.data, (1,)) == 3
    assert misfit(three.data, [F(1)] * 3, (1,)) is None
    weighted = dense([1, 1], "linear", bias=False, inputs=[0, 1], targets=[0, 1], loss_weights=[1, 3])
    assert weighted.data is not None
    found = misfit(weighted.data, [F(1), F(3)], (2,))
    assert found is not None
    assert found.loss == F(3, 4)  # by hand: min u^2 + 3 (u - 1)^2


def test_evaluation_ranks_of_random_inputs_against_numpy() -> None:
    rng = random.Random(5)
    for _ in range(12):
        k, t = rng.choice((1, 2)), rng.randint(2, 6)
        inputs = list({tuple(F(rng.randint(0, 6), 6) for _ in range(k)) for _ in range(t)})
        data = dense([k, 1], "linear", bias=False, inputs=[list(x) for x in inputs], targets=[0] * len(inputs)).data
        assert data is not None
        top = (1,) * k
        grid = np.array(np.meshgrid(*[[-1, 0, 1]] * k)).reshape(k, -1)
        table = np.exp(2j * np.pi * np.array([[float(v) for v in x] for x in inputs]) @ grid)
        assert evaluation_rank(data, top) == np.linalg.matrix_rank(table, tol=1e-9)


def test_probabilities() -> None:
    """Angles by hand: b < 0 and w + b < 0 is the cone from (-1, 0) to (1, -1), 135 degrees."""
    assert dead_probability() == F(3, 8)
    assert silent_probability([F(1, 4)]) == F(1, 2)
    assert cone_probability([(F(1), F(0)), (F(0), F(1))]) == F(1, 4)
    assert cone_probability([(F(1), F(0)), (F(1), F(1))]) == F(3, 8)
    assert cone_probability([(F(1), F(0)), (F(-1), F(1))]) == F(1, 8)
    assert cone_probability([(F(1), F(0)), (F(-1), F(0))]) == 0
    assert cone_probability([(F(2), F(0)), (F(5), F(0))]) == F(1, 2)
    both = silent_probability([F(1, 8), F(1, 4)])
    rng = np.random.default_rng(0)
    w, b = rng.standard_normal((2, 200_000))
    seen = np.mean((w / 8 + b < 0) & (w / 4 + b < 0))
    assert float(both) == pytest.approx(float(seen), abs=0.005)  # type: ignore[arg-type]


def test_limits_of_truncated_losses() -> None:
    ramp = dense([1, 1, 1], "relu", bias=False)
    assert limit_value(ramp, Point.rational([1, 1])) == F(1, 4)  # by hand: 1/2 at x = 0
    inside = dense([1, 1, 1], "relu", bias=False, inputs=["1/4"], targets=[0])
    assert limit_value(inside, Point.rational([1, 1])) == F(1, 16)


def test_forced_breaks() -> None:
    zigzag = dense([1, 1, 1], "relu", inputs=[0, "1/4", "1/2", "3/4", 1], targets=[0, 1, 0, 1, 0])
    assert forced_breaks(zigzag) == (2, 1)
    line = dense([1, 1, 1], "relu", inputs=[0, "1/4", 1], targets=[0, 1, 4])
    assert forced_breaks(line) == (0, 1)


def test_the_rate_of_a_linear_model() -> None:
    """By hand: K = [[1, 1], [1, 2]], determinant 1, trace 3: c^2 = 1/3, h = 1/6, factor 8/9."""
    problem = dense([1, 1], "linear", bias=[True], inputs=[0, 1], targets=[0, 1])
    rate = affine_descent(problem, Point.rational([0, 0]))
    assert (rate.margin, rate.step, rate.factor) == (F(1, 3), F(1, 6), F(8, 9))
    assert rate.holds


def test_cyclotomic_arithmetic() -> None:
    ring = WaveRing(24)
    third, quarter = ring.root(F(1, 3)), ring.root(F(1, 4))
    assert not ring.add(ring.constant(F(1)), third, ring.mul(third, third))  # 1 + w + w^2 = 0
    assert ring.mul(quarter, quarter) == ring.constant(F(-1))
    assert ring.rational(ring.mul(third, ring.root(F(2, 3)))) == 1
    p = ring.scaled(ring.constant(F(1)), F(1), powers=1)
    assert ring.rank([[p, ring.constant(F(1))], [ring.mul(p, p), p]]) == 1  # (P, 1) and (P^2, P)
    assert (
        ring.rank([[p, ring.constant(F(1))], [ring.constant(F(1)), p]]) == 2
    )  # P^2 - 1 is not 0, as pi is transcendental


def test_two_inputs_against_a_grid() -> None:
    """ReLU units on the square: midpoint sums on a fine grid (error about 1e-6); the rank is M - J = 9 - 2 by homogeneity."""
    problem = dense([2, 2, 1], "relu", bias=[True, True])
    point = Point.rational([1, 2, -1, "1/2", -1, "1/4", 3, -2, 1])
    found = square_disparity(problem, point, (1, 1))
    assert (found.rank, found.columns) == (7, 9)
    g = (np.arange(700) + 0.5) / 700
    x, y = np.meshgrid(g, g, indexing="ij")
    a, b = x + 2 * y - 1, -x + y / 2 + 0.25
    slopes = [3 * x * (a > 0), 3 * y * (a > 0), -2 * x * (b > 0), -2 * y * (b > 0), 3.0 * (a > 0), -2.0 * (b > 0)]
    slopes += [a * (a > 0), b * (b > 0), np.ones_like(x)]
    for m, f in enumerate(slopes):
        for column, (k1, k2) in enumerate(frequencies((1, 1))):
            numeric = (f * np.exp(-2j * np.pi * (k1 * x + k2 * y))).mean()
            assert abs(numeric - complex(found.ring.enclose(found.rows[m][column]))) < 1e-5


def test_half_squares() -> None:
    """By hand: x + y >= 1/2 cuts off one corner, x >= 0 nothing, x >= 2 everything."""
    assert half_square((F(1), F(1)), F(-1, 2)) == (
        (F(1, 2), F(0)), (F(1), F(0)), (F(1), F(1)), (F(0), F(1)), (F(0), F(1, 2)),
    )  # fmt: skip
    assert len(half_square((F(1), F(0)), F(0))) == 4
    assert half_square((F(1), F(0)), F(-2)) == ()


def test_exponential_units_against_a_grid() -> None:
    problem = dense([1, 2, 1], "exp", bias=[True, True])
    rows, low, high = exponential_disparity(problem, Point.rational([1, -2, 0, "1/3", 2, 1, 1]), 2)
    assert (low, high) == (5, 5)  # x e^x, e^x, x e^-2x, e^-2x, 1
    x = (np.arange(50_000) + 0.5) / 50_000
    up, down = np.exp(x), np.exp(-2 * x + 1 / 3)
    for m, f in enumerate([2 * x * up, x * down, 2 * up, down, up, down, np.ones_like(x)]):
        for k in range(-2, 3):
            assert abs((f * np.exp(-2j * np.pi * k * x)).mean() - complex(rows[m][k + 2])) < 1e-8
