"""The origin of one hidden layer of relu-like units: a critical point on kinks, where no Hessian helps.

For a unit (w, v) with l2 weights (lambda, mu) and H(s) = sum_i g_i phi(s x_i), g_i = 2 c_i (f(x_i) - y_i), the conditions for w and v give
mu v^2 = lambda w^2 and, if w is not 0, H(sgn w)^2 = 4 lambda mu. So where that equation never holds, 0 is the only critical point;
and F - F(0) = sum over units of v |w| H(sgn w) + lambda w^2 + mu v^2 + O(|theta|^4), H taken at 0, says what the origin is.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from explorer.model.activations import pieces_of
from explorer.model.pieces import Pieces, value
from explorer.point import Point
from explorer.problem import Activation, DenseNetwork, Problem
from explorer.solve.radius import homogeneity
from explorer.solve.results import Component, Kind, Value

NARROWEST = 30


@dataclass(frozen=True)
class Origin:
    """In [-half, half]^d no critical point but the origin, which is a minimum or a saddle."""

    half: Fraction
    component: Component


def origin(problem: Problem) -> Origin | None:
    """The lemma, where it applies: kinks, scalar inputs and output, no biases, squared loss, l2."""
    net, data, loss, regularizer = problem.network, problem.data, problem.loss, problem.regularizer
    if not isinstance(net, DenseNetwork) or data is None or loss is None or regularizer is None:
        return None
    if net.depth != 2 or net.widths[0] != 1 or net.widths[2] != 1 or any(net.bias) or net.output.kind != "linear":
        return None
    act = net.activations[0]
    pieces = pieces_of(act)
    if loss.kind != "squared" or regularizer.kind != "l2" or not all(regularizer.weights) or homogeneity(act) != 1:
        return None
    if pieces is None or not pieces.breaks:
        return None
    units = net.widths[1]
    limits = [4 * regularizer.weights[j] * regularizer.weights[units + j] for j in range(units)]
    steep = max(abs(_at(act, pieces, Fraction(s))) for s in (1, -1))
    samples = [(x[0], y[0], c) for x, y, c in zip(data.inputs, data.targets, loss.weights, strict=True)]
    centre = [sum((-2 * c * y * _at(act, pieces, s * x) for x, y, c in samples), Fraction(0)) for s in (1, -1)]
    slack = [
        sum((2 * c * units * steep * abs(x) * abs(_at(act, pieces, s * x)) for x, y, c in samples), Fraction(0))
        for s in (1, -1)
    ]  # |f(x)| <= units * steep * |x| * half^2
    for k in range(1, NARROWEST):
        half = Fraction(1, 2**k)
        if all(_apart(h, e * half**2, limit) for h, e in zip(centre, slack, strict=True) for limit in limits):
            return Origin(half, _component(problem, centre, limits, samples))
    return None


def _at(act: Activation, pieces: Pieces, z: Fraction) -> Fraction:
    return value(pieces.polynomials[pieces.index(z)[0]], z)


def _apart(h: Fraction, e: Fraction, limit: Fraction) -> bool:
    """(h + d)^2 is never ``limit`` for |d| <= e, with room for another enclosure of the same."""
    e *= 2
    return (abs(h) + e) ** 2 < limit or (abs(h) > e and (abs(h) - e) ** 2 > limit)


def _component(
    problem: Problem, centre: list[Fraction], limits: list[Fraction], samples: list[tuple[Fraction, Fraction, Fraction]]
) -> Component:
    falls = any(h * h > limit for h in centre for limit in limits)
    words = (
        "the second-order terms v |w| H + lambda w^2 + mu v^2 of a unit take both signs"
        if falls
        else "the second-order terms v |w| H + lambda w^2 + mu v^2 of every unit are positive on both sides of w = 0"
    )
    at = Point.rational([0] * len(problem.parameters))
    return Component(
        dimension=0,
        sample=at,
        value=Value.rational(sum((c * y * y for _, y, c in samples), Fraction(0))),
        inertia=None,
        kind=Kind.SADDLE if falls else Kind.STRICT_MINIMUM,
        is_global=None,
        because=f"{words}; F is not twice differentiable here",
        orbit=1,
        points=(at,),
        isolated=True,
        description="the origin, on the kinks of all units",
    )
