"""Positive roots of polynomials: exactly over Q by factors, or of a polynomial whose coefficients are known as balls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
from flint import arb, arb_poly, fmpq_poly, fmpz_poly

from explorer.algebra.balls import ball, bounds
from explorer.algebra.roots import Interval, integer_polynomial, isolate, refine, sign_at
from explorer.errors import Unsupported

#: working bits; boxes for Krawczyk's test need far fewer
BITS = 400


@dataclass(frozen=True)
class PositiveRoot:
    """The only root of the irreducible ``factor`` in ``interval`` (positive ends), of this multiplicity."""

    factor: fmpz_poly
    interval: Interval
    multiplicity: int

    @property
    def rational(self) -> Fraction | None:
        return Fraction(-int(self.factor[0]), int(self.factor[1])) if self.factor.degree() == 1 else None

    def vanishes(self, p: fmpq_poly) -> bool:
        """Whether p is zero at the root (and so at all its conjugates)."""
        return bool(p % fmpq_poly(self.factor) == 0)

    @property
    def ball(self) -> arb:
        """A narrow enclosure of the root, at the current precision."""
        return ball(*self.interval)

    def at(self, p: fmpq_poly) -> arb:
        """An enclosure of p at the root."""
        if self.vanishes(p):
            return arb(0)
        return horner([arb(c) for c in (p % fmpq_poly(self.factor)).coeffs()], self.ball)


def up_to_sign(roots: Sequence[PositiveRoot], *, odd: bool) -> list[PositiveRoot]:
    """One root for each unit; of an odd activation the units t and 1/t are opposite, and t = 1 (w = 0) has no output."""
    return [r for r in roots if not odd or (r.interval[0] >= 1 and r.rational != 1)]


def middle(interval: Interval) -> Fraction:
    return (interval[0] + interval[1]) / 2


def horner(coefficients: Sequence[Any], x: arb) -> arb:
    total = arb(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def positive_roots(p: fmpq_poly) -> list[PositiveRoot]:
    """All positive roots of a nonzero polynomial over Q with multiplicities, in increasing order."""
    found = []
    for factor, multiplicity in integer_polynomial([Fraction(int(c.p), int(c.q)) for c in p.coeffs()]).factor()[1]:
        if factor.degree() == 1:
            r = Fraction(-int(factor[0]), int(factor[1]))
            if r > 0:
                found.append(PositiveRoot(factor, (r, r), int(multiplicity)))
            continue
        for box in isolate(factor):
            lo, hi = refine(factor, box, BITS) if sign_at(factor, box[0]) else box
            if lo > 0:
                found.append(PositiveRoot(factor, (lo, hi), int(multiplicity)))
            elif hi > 0 and factor[0] != 0:
                raise Unsupported("a root", expected="a sign that 400 bits decide", got="a root very near 0")
    return sorted(found, key=lambda r: r.interval)


def positive_roots_of_balls(coefficients: Sequence[arb], without: Sequence[arb]) -> list[Interval] | None:
    """The positive roots, all simple, of the polynomial with these coefficients after division by prod (t - a)^2 over
    ``without``, each a known double root. None where the balls do not separate the roots."""
    with flint.ctx.workprec(BITS):
        c: list[arb] = list(coefficients)
        for a in without:
            for _ in range(2):
                quotient = _divided(c, a)
                if quotient is None:
                    return None
                c = quotient
        while c and c[-1].contains(0):
            if c[-1] != 0:
                return None
            c.pop()
        if len(c) < 2:
            return [] if c else None
        try:
            roots = arb_poly(c).complex_roots()
        except (ValueError, ArithmeticError):
            return None
        out = []
        for z in roots:
            if not z.imag.contains(0):
                continue
            # one root in the ball and its conjugate in the conjugate ball, which meets it: the root is real
            if sum(bool(other.overlaps(z.conjugate())) for other in roots) != 1:
                return None
            if z.real > 0:
                out.append(bounds(z.real))
            elif not z.real < 0:
                return None
        return sorted(out)


def _divided(c: Sequence[arb], a: arb) -> list[arb] | None:
    """The quotient by t - a, where a is known to be a root."""
    out: list[arb] = []
    carry = arb(0)
    for x in reversed(c):
        carry = carry * a + x
        out.append(carry)
    remainder = out.pop()
    return list(reversed(out)) if remainder.contains(0) else None
