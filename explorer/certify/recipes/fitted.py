"""Bad minima at W = 0 for activations whose values are irrational: erf, sin, gelu, softplus at any rational bias.

Where the first weight matrix is 0 the output is one number c for all samples, and one output weight can be chosen such that c is rational. That
weight is irrational, but it is a definite real number; the loss slopes 2 (c - y_i) are rational, and the curvature is enclosed by
intervals. So the point is exact although none of its activations is.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import flint

from explorer.algebra.balls import ball, dyadic_value
from explorer.certify.certificate import Instance, accepted
from explorer.certify.enclosure import activation_value
from explorer.certify.encode import Step, assemble, number
from explorer.certify.located import Located
from explorer.certify.recipes.layers import spurious
from explorer.certify.recipes.residual import dot
from explorer.errors import NotCertifiable
from explorer.point import FittedPoint, Point
from explorer.problem import Activation, Problem

F = Fraction
#: a bias with curvature: phi(b) and phi''(b) are not 0, with the sign of phi phi''
BIASES = {"sin": (F(1), -1), "erf": (F(1), -1), "gelu": (F(1, 2), 1), "softplus": (F(0), 1)}


def bad_minimum(kind: str, width: int = 3, *, source: str) -> Instance:
    """One hidden layer of ``width`` >= 2 units of the kind, hidden biases, no output bias, x = (-1, 0, 1), r = +-(1, -2, 1)."""
    if kind not in BIASES or width < 2:
        raise NotCertifiable("fitted minimum", expected=f"one of {', '.join(BIASES)}, width >= 2", got=kind)
    bias, sign = BIASES[kind]
    activation, inputs = Activation(kind), (F(-1), F(0), F(1))
    residual = [sign * r for r in (F(1), F(-2), F(1))]
    output = F(round(4 * width * _phi(activation, bias)), 4)
    targets = [output - r for r in residual]
    problem = Problem.dense(
        widths=[1, width, 1], activation=kind, bias=True, inputs=list(inputs), targets=targets,
        slug=f"fitted-{kind}-w{width}", source=source,
    )  # fmt: skip
    p = FittedPoint((*[F(0)] * width, *[bias] * width, F(0), *[F(1)] * (width - 1)), 2 * width, output)
    value = dot(residual, residual)
    better = _lower(problem, activation, bias, output, residual)
    q = Located(problem, "q", better)
    steps: list[Step] = [
        {"rule": "value", "point": "p", "value": number(value)},
        q.value_step(),
        {"rule": "flat-minimum", "point": "p", "proof": "first-layer-zero"},
        {"rule": "below", "lower": "q", "upper": "p"},
    ]
    goal = {"kind": "spurious-local-minimum", "point": "p", "better": "q", "hypotheses": []}
    made = accepted(assemble(problem, goal, {"p": p, "q": better}, steps))
    return Instance(problem.slug, problem, (("spurious-local-minimum", made),))


def _phi(activation: Activation, z: Fraction) -> Fraction:
    with flint.ctx.workprec(128):
        return dyadic_value(activation_value(activation, ball(z)).mid())


def _lower(
    problem: Problem, activation: Activation, bias: Fraction, output: Fraction, residual: Sequence[Fraction]
) -> Point:
    """All units but the first carry the constant output, the first one moves to where it meets the residual."""
    assert problem.data is not None
    width = (len(problem.parameters)) // 3
    share = (output / (width - 1) / _phi(activation, bias)).limit_denominator(10**9)
    for w, b in product((F(2), F(-2), F(1), F(3)), (F(0), F(1), F(-1))):
        row = [_phi(activation, w * x + b) for (x,) in problem.data.inputs]
        if abs(dot(residual, row)) * 100 > dot(row, row):
            e = (-dot(residual, row) / dot(row, row)).limit_denominator(1_000)
            return Point.rational([w, *[0] * (width - 1), b, *[bias] * (width - 1), e, *[share] * (width - 1)])
    raise NotCertifiable("lower point", expected="a moved unit that meets the residual")


def cubic_plane(source: str) -> Instance:
    """Two cubic units without biases on (1, 1), (-1, 1), (0, 1), residual (1, 1, -2): sum r_i (w.x_i)^3 = 6 w_1^2 w_2.

    At w = (0, 1), v > 0 the Hessian of this form is diag(12, 0): it is flat along w itself, where the cubic form is homogeneous, and
    positive across. At (v, w) = (1/2, (0, 1)) twice f = 1, y = (0, 0, 3), F = 6; a unit at (1, -1) with activations (0, -8, -1)
    and weight 6/65 gives 6 - 36/65.
    """
    problem = Problem.dense(
        widths=[2, 2, 1], activation="cubic", inputs=[[1, 1], [-1, 1], [0, 1]], targets=[0, 0, 3], slug="cubic-plane",
        source=source,
    )  # fmt: skip
    p = Point.rational([0, 1, 0, 1, F(1, 2), F(1, 2)])
    q = Point.rational([0, 1, 1, -1, 1, F(6, 65)])
    return Instance(problem.slug, problem, (("spurious-local-minimum", spurious(problem, p, q, proof="units")),))
