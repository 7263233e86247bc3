"""The ReQU network with the cubic regularizer of Sun et al. (2020), eq. (8): two local minima of different values.

F = sum_i log(1 + e^(-y_i f(x_i))) + (1/3) sum_j lambda_j (|a_j|^3 + 2 |omega_j|^3), f(x) = sum_j a_j max(omega_j . x~, 0)^2,
x~ = (x, 1). Two samples with x~_1 . x~_2 < 0 and labels +1, -1: let unit j see sample i only, omega_j = r x~_i/|x~_i| and
a_j = y_i r. Then F adds log(1 + e^(-s r^3)) + lambda_j r^3 with s = |x~_i|^2, least where e^(-s r^3) = p/(1 - p), p = lambda_j/s: the
entropy H(p). At such a point every pre-activation is off the kink and the Hessian is definite: balanced (|a| = |omega|) is
where a^3 + 2 |omega|^3 is least for a given a |omega|^2. The two ways to pair units and samples give H(lambda_1/s_1) + H(lambda_2/s_2)
and H(lambda_2/s_1) + H(lambda_1/s_2), which differ as soon as lambda_1 != lambda_2 and s_1 != s_2. What holds for all local minima, at
any width, stands in `requ_minima`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import flint
from flint import arb

from explorer.algebra.balls import ball, dyadic_value
from explorer.certify.boxes import matrix_json
from explorer.certify.certificate import Certificate, Instance, accepted
from explorer.certify.enclosure import Balls
from explorer.certify.encode import Step, assemble
from explorer.certify.located import Located
from explorer.certify.paths import coercivity
from explorer.certify.values import bounds_step
from explorer.errors import NotCertifiable
from explorer.model.jets import loss_jet
from explorer.point import EnclosedPoint, Point
from explorer.problem import Problem

RADIUS = Fraction(1, 2**14)
DIGITS = 2**40
Matrix = list[list[Fraction]]


def two_minima(
    inputs: Sequence[Fraction] = (Fraction(2), Fraction(-1)),
    weights: Sequence[Fraction] = (Fraction(1, 10), Fraction(1, 5)),
    *,
    source: str = "sun2020.thm-VI.2",
) -> Instance:
    """Two samples, two units: a strict local minimum that is not global, and coercivity with radii.

    ``inputs`` need 1 + x_1 x_2 < 0 and different absolute values, ``weights`` two different lambdas below |x~_i|^2/2.
    """
    x, lam = tuple(inputs), tuple(weights)
    if len(x) != 2 or len(lam) != 2 or 1 + x[0] * x[1] >= 0 or abs(x[0]) == abs(x[1]) or lam[0] == lam[1]:
        raise NotCertifiable(
            "the ReQU instance", expected="two inputs with 1 + x_1 x_2 < 0, |x_1| != |x_2|, two lambdas"
        )
    problem = Problem.dense(
        widths=[1, 2, 1], activation="requ", bias=True, inputs=list(x), targets=[1, -1], loss="logistic",
        regularizer={"kind": "neuron-cubic", "weights": list(lam)}, slug="requ-two-minima", source=source,
    )  # fmt: skip
    straight, crossed = _configuration(x, lam, (0, 1)), _configuration(x, lam, (1, 0))
    high, low = sorted((straight, crossed), key=lambda c: _value(problem, c), reverse=True)
    bad = _strict_minimum(problem, high, low)
    return Instance(problem.slug, problem, (("spurious-local-minimum", bad), ("coercive", coercivity(problem))))


def _configuration(x: Sequence[Fraction], lam: Sequence[Fraction], seen: Sequence[int]) -> list[Fraction]:
    """Dyadic approximations of the point where unit j sees sample seen[j]; order w_1, w_2, b_1, b_2, a_1, a_2."""
    units = []
    with flint.ctx.workprec(256):
        for j, i in enumerate(seen):
            s = x[i] * x[i] + 1
            p = lam[j] / s
            if not 0 < p < Fraction(1, 2):
                raise NotCertifiable("the ReQU instance", expected="every lambda below |x~|^2/2", got=str(p)[:40])
            r = (ball((1 - p) / p).log() / ball(s)) ** (arb(1) / 3)
            scale = r / ball(s).sqrt()
            units.append((_rounded(scale * ball(x[i])), _rounded(scale), _rounded(r) * (1 if i == 0 else -1)))
    return [unit[k] for k in range(3) for unit in units]


def _strict_minimum(problem: Problem, high: list[Fraction], low: list[Fraction]) -> Certificate:
    """The critical point in a box around ``high`` is a strict local minimum, and F is smaller at ``low``."""
    box = EnclosedPoint(tuple(c - RADIUS for c in high), tuple(c + RADIUS for c in high))
    hessian = _hessian(problem, high)
    basis, inverse = _diagonalising(hessian)
    d = len(high)
    p, q = Located(problem, "p", box), Located(problem, "q", Point.rational(low))
    steps: list[Step] = [
        {"rule": "stationary-in-box", "point": "p", "preconditioner": matrix_json(inverse)},
        {"rule": "inertia", "point": "p", "inertia": [d, 0, 0], "congruence": matrix_json(basis)},
        {"rule": "strict-minimum", "point": "p"},
        bounds_step("p", *p.bounds),
        bounds_step("q", *q.bounds),
        {"rule": "below", "lower": "q", "upper": "p"},
    ]
    goal = {"kind": "spurious-local-minimum", "point": "p", "better": "q", "hypotheses": []}
    return accepted(assemble(problem, goal, {"p": box, "q": q.point}, steps))


def _value(problem: Problem, at: Sequence[Fraction]) -> Fraction:
    with flint.ctx.workprec(512):
        found = loss_jet(problem, Balls(), [ball(c) for c in at], order=0).value
        assert found is not None
        return dyadic_value(found.mid())


def _hessian(problem: Problem, at: list[Fraction]) -> Matrix:
    """Second differences in 512 bits: a hint for the two matrices that the checker verifies."""
    h, d = Fraction(1, 2**80), len(at)

    def moved(i: int, a: int, j: int, b: int) -> Fraction:
        point = list(at)
        point[i] += a * h
        point[j] += b * h
        return _value(problem, point)

    rows = [[Fraction(0)] * d for _ in range(d)]
    for i in range(d):
        for j in range(i + 1):
            mixed = moved(i, 1, j, 1) - moved(i, 1, j, -1) - moved(i, -1, j, 1) + moved(i, -1, j, -1)
            rows[i][j] = rows[j][i] = _short(mixed / (4 * h * h))
    return rows


def _diagonalising(h: Matrix) -> tuple[Matrix, Matrix]:
    """(S, C): S^T H S nearly diagonal by elimination H = L D L^T with S = L^-T, and C = S D^-1 S^T nearly H^-1."""
    d = len(h)
    m = [list(row) for row in h]
    s = [[Fraction(int(i == j)) for j in range(d)] for i in range(d)]
    for k in range(d):
        for j in range(k + 1, d):
            factor = m[k][j] / m[k][k]
            for i in range(d):
                m[i][j] -= factor * m[i][k]
                s[i][j] -= factor * s[i][k]
            for i in range(d):
                m[j][i] -= factor * m[k][i]
    inverse = [[sum((s[i][k] * s[j][k] / m[k][k] for k in range(d)), Fraction(0)) for j in range(d)] for i in range(d)]
    return [[_short(v) for v in row] for row in s], [[_short(v) for v in row] for row in inverse]


def _short(value: Fraction) -> Fraction:
    return Fraction(round(value * DIGITS), DIGITS)


def _rounded(value: arb) -> Fraction:
    return _short(dyadic_value(value.mid()))
