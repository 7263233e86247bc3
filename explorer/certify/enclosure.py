"""Enclosures of F in ball arithmetic, at exact points and over boxes, for every activation and loss of the format."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import flint
from flint import arb

from explorer.algebra.balls import ball, bounds
from explorer.algebra.fields import arithmetic
from explorer.certify.values import rounded_out
from explorer.errors import NotCertifiable
from explorer.model.activations import pieces_of
from explorer.model.jets import Where, loss_jet
from explorer.point import AnyPoint, EnclosedPoint
from explorer.problem import Activation, Problem
from explorer.solve.boxes.balls import BallRing


class Balls(BallRing):
    """The solver's ring of balls for `explorer.model.jets`, values only (order 0), so that kinks are no obstacle."""

    def derivatives(self, activation: Activation, z: arb, order: int, where: Where) -> list[arb | None]:
        if order:
            raise NotImplementedError("balls carry values only")
        return [activation_value(activation, z)]

    def norm_cubed(self, square: arb, where: Where) -> tuple[arb, arb, arb] | None:
        root = arb.max(square, arb(0)).sqrt()
        return square * root, 3 * root, 3 * root  # only the first entry is used at order 0


def activation_value(activation: Activation, z: arb) -> arb:
    """An enclosure of phi over the ball ``z``."""
    p = pieces_of(activation)
    if p is not None:
        cuts = [None, *p.breaks, None]
        values = []
        for k, coefficients in enumerate(p.polynomials):
            low, high = cuts[k], cuts[k + 1]
            if (low is not None and z < ball(low)) or (high is not None and z > ball(high)):
                continue
            value = arb(0)
            for c in reversed(coefficients):
                value = value * z + ball(c)
            values.append(value)
        return _union(values)
    kind = activation.kind
    if kind in ("sigmoid", "swish"):
        s = 1 / (1 + (-z).exp())
        return s if kind == "sigmoid" else z * s
    if kind == "softplus":
        return (-abs(z)).exp().log1p() + arb.max(z, arb(0))
    if kind == "gelu":
        return z * (1 + (z / arb(2).sqrt()).erf()) / 2
    if kind == "elu":
        alpha = ball(activation.alpha or Fraction(0))
        branches = ([] if z > 0 else [alpha * z.expm1()]) + ([] if z < 0 else [z])
        return _union(branches)
    if kind in ("tanh", "exp", "sin", "erf"):
        return getattr(z, kind)()
    raise NotCertifiable(f"activation {kind}", expected="a kind with an enclosure", remedy="state no value there")


def _union(values: Sequence[arb]) -> arb:
    out = values[0]
    for value in values[1:]:
        out = out.union(value)
    return out


def enclose_loss(problem: Problem, point: AnyPoint, *, bits: int = 128) -> tuple[Fraction, Fraction]:
    """Short dyadic numbers lower <= F <= upper, at an exact point or over a whole box."""
    with flint.ctx.workprec(bits + 64):
        if isinstance(point, EnclosedPoint):
            theta = [ball(a, b) for a, b in zip(point.lower, point.upper, strict=True)]
        else:
            a = arithmetic(point.field)
            theta = [ball(*a.enclose(c, bits + 32)) for c in point.coordinates]
        value = loss_jet(problem, Balls(), theta, order=0).value
        if value is None or not value.is_finite():
            raise NotCertifiable("value", expected="a finite enclosure of F", remedy="use a smaller box")
        return rounded_out(*bounds(value))
