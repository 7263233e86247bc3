"""F, its gradient and its Hessian over boxes in ball arithmetic, for analytic activations: what Krawczyk's test asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import ceil, floor
from typing import Any, cast

import flint
from flint import arb

from explorer.algebra.balls import ball, bounds
from explorer.algebra.inertia import BoxInertia, inertia_in_box
from explorer.algebra.krawczyk import PRECISION, KrawczykProof, prove_root
from explorer.algebra.systems import PolynomialSystem
from explorer.errors import Unsupported
from explorer.model.activations import pieces_of, row
from explorer.model.jets import Where, loss_jet
from explorer.model.landscape import landscape
from explorer.point import AnyPoint, EnclosedPoint, Inertia, Point
from explorer.problem import Activation, Problem
from explorer.solve.results import Value

#: enclosures of values are rounded outward to multiples of 2^-BITS
BITS = 64


@dataclass(frozen=True)
class BallRing:
    """`flint.arb` balls as a ring of the jet engine, with two derivatives of smooth activations and of pieces.

    ``across``: a ball across a break gives the hull of both sides (Clarke's derivative) one order beyond the smoothness there, else it is refused.
    """

    across: bool = False

    def constant(self, value: Fraction) -> arb:
        return ball(value)

    def mul(self, a: arb, b: arb) -> arb:
        return a * b

    def total(self, summands: Sequence[arb]) -> arb:
        return sum(summands, arb(0))

    def is_zero(self, a: arb) -> bool:
        return bool(a == 0)

    def derivatives(self, activation: Activation, z: arb, order: int, where: Where) -> list[arb | None]:
        if activation.kind == "exp":
            return [z.exp()] * (order + 1)
        if activation.kind == "sigmoid":
            up, rest = 1 / (1 + (-z).exp()), 1 / (1 + z.exp())  # rest = 1 - up without cancellation
            return [up, up * rest, up * rest * (rest - up)][: order + 1]
        if activation.kind == "tanh":
            t = z.tanh()
            slope = 1 / z.cosh() ** 2 if not z.contains(0) else 1 - t * t
            return [t, slope, -2 * t * slope][: order + 1]
        if activation.kind == "softplus":
            value = (-abs(z)).exp().log1p() + arb.max(z, arb(0))
            return [value, *self.derivatives(Activation("sigmoid"), z, order - 1, where)] if order else [value]
        if activation.kind == "swish":
            s: list[Any] = list(self.derivatives(Activation("sigmoid"), z, order, where))
            return [z * s[0], *[k * s[k - 1] + z * s[k] for k in range(1, order + 1)]]
        if activation.kind == "sin":
            return [z.sin(), z.cos(), -z.sin()][: order + 1]
        if activation.kind in ("erf", "gelu"):
            half = activation.kind == "gelu"
            x = z / arb(2).sqrt() if half else z
            density = (-x * x).exp()
            if not half:
                g = 2 * density / arb.pi().sqrt()
                return [z.erf(), g, -2 * z * g][: order + 1]
            g = density / (2 * arb.pi()).sqrt()
            below = (1 + x.erf()) / 2
            return [z * below, below + z * g, (2 - z * z) * g][: order + 1]
        kinks = row(activation).breaks(activation)
        if (k := piece_of([b.at for b in kinks], z)) is not None:
            return _piece(activation, k, z, order)
        if self.across and order <= 1 + min(
            b.smoothness for b in kinks
        ):  # Clarke's derivative of the last order that is bounded
            met = [_piece(activation, k, z, order) for k in range(len(kinks) + 1)]
            return [reduce(arb.union, values) for values in zip(*met, strict=True)]
        raise Unsupported(str(where), expected="a smooth activation, or a ball inside one piece", got=activation.kind)

    def norm_cubed(self, square: arb, where: Where) -> tuple[arb, arb, arb] | None:
        raise Unsupported(str(where), expected="no neuron-cubic regularizer", got="one")


def _piece(activation: Activation, k: int, z: arb, order: int) -> list[arb]:
    """Piece k of an activation with breaks, or a polynomial, continued over the ball, and its derivatives."""
    p = pieces_of(activation)
    if p is None:
        alpha = ball(activation.alpha or Fraction(0))
        return ([z, arb(1), arb(0)] if k else [alpha * z.expm1(), *[alpha * z.exp()] * 2])[: order + 1]
    out, coefficients = [], list(p.polynomials[k])
    for _ in range(order + 1):
        value = arb(0)
        for c in reversed(coefficients):
            value = value * z + ball(c)
        out.append(value)
        coefficients = [j * c for j, c in enumerate(coefficients)][1:]
    return out


def piece_of(breaks: Sequence[Fraction], z: arb) -> int | None:
    """Which piece of a piecewise polynomial the ball lies in, None if it meets a break."""
    sides = [1 if z > ball(b) else -1 if z < ball(b) else 0 for b in breaks]
    return None if 0 in sides else sides.count(1)


@dataclass(frozen=True)
class AnalyticGradient:
    """The gradient of F in the shape that Krawczyk's test evaluates (as `PolynomialSystem` is for polynomial losses)."""

    problem: Problem
    #: over a box across breaks of C^1 activations the Jacobian holds all of Clarke's, so the mean value form and Krawczyk's test hold
    across: bool = False

    #: gradients are square systems
    is_square = True

    def at_balls(self, x: Sequence[Any]) -> list[Any]:
        jet = loss_jet(self.problem, BallRing(self.across), list(x), order=1)
        return [jet.gradient.get(i, arb(0)) for i in range(len(x))]

    def jacobian_at_balls(self, x: Sequence[Any]) -> list[list[Any]]:
        jet = loss_jet(self.problem, BallRing(self.across), list(x), order=2)
        d = len(x)
        return [[jet.hessian.get((min(i, j), max(i, j)), arb(0)) for j in range(d)] for i in range(d)]


def prove_critical(problem: Problem, near: Sequence[Fraction]) -> EnclosedPoint | None:
    """A small box around ``near`` that holds exactly one critical point of F (Krawczyk), or None."""
    proof = prove_root(cast(PolynomialSystem, AnalyticGradient(problem)), near)
    return proof.point if isinstance(proof, KrawczykProof) else None


def inertia_at(problem: Problem, point: AnyPoint) -> Inertia | None:
    """The inertia of the Hessian: exact at an exact point, over the whole box otherwise (None: not decided)."""
    if isinstance(point, Point):
        return landscape(problem).at(point).inertia
    with flint.ctx.workprec(PRECISION):
        box = [ball(a, b) for a, b in zip(point.lower, point.upper, strict=True)]
        found = inertia_in_box(AnalyticGradient(problem).jacobian_at_balls(box))
    return found.inertia if isinstance(found, BoxInertia) else None


def value_at(problem: Problem, point: AnyPoint) -> Value:
    """F at an exact point, or an enclosure over the box."""
    if isinstance(point, Point):
        element, field = landscape(problem).value_at(point)
        if element is not None and not any(element[1:]):
            return Value.rational(element[0])
        raise Unsupported("value", expected="a rational value", got=f"an element of {field}")
    with flint.ctx.workprec(PRECISION):
        box = [ball(a, b) for a, b in zip(point.lower, point.upper, strict=True)]
        value = loss_jet(problem, BallRing(across=True), box, order=0).value
        if value is None or not value.is_finite():
            raise Unsupported("value", expected="a finite enclosure of F", got="none")
        return rounded(value)


def rounded(value: arb) -> Value:
    """A ball as a value, rounded outward."""
    lo, hi = bounds(value)
    return Value(Fraction(floor(lo * 2**BITS), 2**BITS), Fraction(ceil(hi * 2**BITS), 2**BITS))
