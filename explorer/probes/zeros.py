"""The real zeros of an activation and whether they are local extrema: what Proposition IV.1 asks of it, decided exactly.

(Piecewise) polynomials: real roots of every piece with multiplicities (Descartes, Sturm), breaks by the first coefficients of both
sides. Listed analytic activations: one-line facts, proved in docs/constructions/single-neuron.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count

from explorer.algebra.fields import arithmetic
from explorer.algebra.roots import real_roots
from explorer.errors import NotCertifiable
from explorer.model.activations import pieces_of
from explorer.model.pieces import Coefficients, Pieces, derivative, value
from explorer.point import Element, Field, Ln2Ring, NumberField, RationalField
from explorer.problem import Activation


@dataclass(frozen=True)
class Zero:
    """A zero t of phi: the element ``at`` of ``field``, the signs of phi just left and right of it (0: phi vanishes there),
    and, off the breaks, the ``order`` of the zero with phi^(order)(t)/order! as ``leading``."""

    field: Field
    at: Element
    left: int
    right: int
    order: int | None = None
    leading: Element | None = None

    @property
    def extremum(self) -> bool:
        """A local minimum or maximum of phi, not necessarily strict."""
        return self.left * self.right >= 0

    @property
    def side(self) -> int:
        """The sign of phi around an extremal zero; 0 where phi vanishes on both sides."""
        return self.left or self.right


#: analytic activations: does phi change its sign at 0 (its only zero up to the symmetry of sin), or has it no zero?
CROSSING = ("tanh", "swish", "sin", "erf", "gelu")
WITHOUT = ("sigmoid", "softplus", "exp")


def zeros(activation: Activation) -> list[Zero]:
    """The zeros in increasing order; one interior point of each interval on which phi vanishes. For sin the zero 0 only."""
    p, q, origin = pieces_of(activation), RationalField(), (Fraction(0),)
    if p is not None:
        if p.is_zero:
            return [Zero(q, origin, 0, 0)]
        return [z for k in range(len(p.polynomials)) for z in _of_piece(p, k)]
    if activation.kind in WITHOUT:
        return []
    if activation.kind in CROSSING:
        return [Zero(q, origin, -1, 1, order=1)]
    if activation.kind == "elu":
        alpha = activation.alpha or Fraction(0)
        if not alpha:
            return [Zero(Ln2Ring(), (Fraction(0), Fraction(-1)), 0, 0)]
        return [Zero(q, origin, -1 if alpha > 0 else 1, 1)]
    raise NotCertifiable(f"activation {activation.kind}", expected="an activation whose zeros are known")


def nonzero_arguments(activation: Activation) -> Iterator[Fraction]:
    """Rational arguments to try for phi != 0, simple ones first: small numbers, then all numbers of a finer grid."""
    p = pieces_of(activation)
    cuts = p.breaks if p is not None else ()
    for k in count(1):
        yield from (Fraction(k), Fraction(-k), Fraction(1, k + 1), Fraction(-1, k + 1))
        for low, high in zip((*cuts,), (*cuts[1:],), strict=False):
            yield low + (high - low) * Fraction(1, k + 1)


def inside(low: Fraction | None, high: Fraction | None) -> Fraction:
    """A number strictly between the ends (None: unbounded)."""
    if low is not None and high is not None:
        return (low + high) / 2
    return low + 1 if low is not None else high - 1 if high is not None else Fraction(0)


def _of_piece(p: Pieces, k: int) -> Iterator[Zero]:
    """Zeros inside piece k and at its right end."""
    low, high = p.interval(k)
    c, q = p.polynomials[k], RationalField()
    if not any(c):
        yield Zero(q, (inside(low, high),), 0, 0)
    else:
        for root in real_roots(c):
            t = root.rational
            field: Field = q if t is not None else NumberField(tuple(map(Fraction, root.polynomial)), root.interval)
            at: Element = (t,) if t is not None else (Fraction(0), Fraction(1))
            a = arithmetic(field)
            if (low is not None and a.sign(a.sub(at, (low,))) <= 0) or (
                high is not None and a.sign(a.sub(at, (high,))) >= 0
            ):
                continue
            leading = _taylor(c, at, field, root.multiplicity)
            sign = a.sign(leading)
            yield Zero(field, at, sign * (-1) ** root.multiplicity, sign, root.multiplicity, leading)
    if high is not None and value(c, high) == 0:
        yield Zero(q, (high,), _side(c, high, -1), _side(p.polynomials[k + 1], high, 1))


def _taylor(c: Coefficients, at: Element, field: Field, order: int) -> Element:
    """phi^(order)(t)/order!."""
    a, factorial = arithmetic(field), 1
    out: Element = (Fraction(0),)
    for n in range(1, order + 1):
        c, factorial = derivative(c), factorial * n
    for coefficient in reversed(c):
        out = a.add(a.mul(out, at), (coefficient / factorial,))
    return out


def _side(c: Coefficients, b: Fraction, direction: int) -> int:
    """The sign of a polynomial just beside b."""
    power = 1
    while any(c):
        v = value(c, b)
        if v:
            return power * (1 if v > 0 else -1)
        c, power = derivative(c), power * direction
    return 0
