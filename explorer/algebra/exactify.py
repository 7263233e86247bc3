"""From proposed roots to proved points: rational, in a number field of small degree, or enclosed.

A root that satisfies every equation exactly, in its field, needs no further proof. One irreducible factor of the
eliminating polynomial is one field: its real roots are conjugate, so one exact check serves them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint
from flint import arb, fmpq_poly, fmpz_poly

from explorer.algebra.balls import ball, bounds, to_fmpq
from explorer.algebra.fields import arithmetic, from_poly
from explorer.algebra.parametrization import Parametrization
from explorer.algebra.roots import Interval, coefficient_tuple, refine, sign_at
from explorer.algebra.systems import Evaluator, PolynomialSystem
from explorer.point import EnclosedPoint, NumberField, Point, RationalField


@dataclass(frozen=True)
class Conjugates:
    """The points that belong to one irreducible factor: coordinates as polynomials in t, reduced modulo ``factor``."""

    factor: fmpz_poly
    coordinates: tuple[fmpq_poly, ...]

    def point(self, interval: Interval) -> Point:
        """The point at the root of ``factor`` in ``interval``; over the rationals when the coordinates are constants."""
        if all(c.degree() < 1 for c in self.coordinates):
            return Point(RationalField(), tuple(from_poly(c) for c in self.coordinates))
        field = NumberField(tuple(Fraction(c) for c in coefficient_tuple(self.factor)), interval)
        return Point(field, tuple(from_poly(c) for c in self.coordinates))


def conjugates(parametrization: Parametrization, factor: fmpz_poly) -> Conjugates | None:
    """The parametrised points modulo an irreducible factor of the eliminating polynomial; None if v vanishes there."""
    q = fmpq_poly(factor)
    common, inverse, _ = (parametrization.denominator % q).xgcd(q)
    if common.degree() != 0:
        return None
    return Conjugates(factor, tuple((n * inverse) % q for n in parametrization.numerators))


def satisfies(system: PolynomialSystem, points: Conjugates) -> bool:
    """Whether all equations vanish modulo the irreducible factor, that is at all its (complex) points, exactly."""
    value = _modulo(points)
    return all(value(p) == 0 for p in system.equations)


def is_singular(system: PolynomialSystem, points: Conjugates) -> bool:
    """Whether the Jacobian has less than full column rank at the points (exact elimination modulo the factor)."""
    value, q = _modulo(points), fmpq_poly(points.factor)
    rows = [[value(p) for p in row] for row in system.jacobian]
    for column in range(len(system.names)):
        pivot = next((r for r in rows if r[column] != 0), None)
        if pivot is None:
            return True
        rows = [r for r in rows if r is not pivot]
        inverse = pivot[column].xgcd(q)[1]
        for r in rows:
            if r[column] != 0:
                factor = (r[column] * inverse) % q
                r[:] = [(x - factor * y) % q for x, y in zip(r, pivot, strict=True)]
    return False


def _modulo(points: Conjugates) -> Evaluator[fmpq_poly]:
    q = fmpq_poly(points.factor)
    return Evaluator(
        points.coordinates,
        constant=lambda c: fmpq_poly([to_fmpq(c)]),
        add=lambda a, b: a + b,
        mul=lambda a, b: (a * b) % q,
    )


def enclose_root(
    parametrization: Parametrization, factor: fmpz_poly, interval: Interval, *, bits: int = 160
) -> tuple[Interval, ...] | None:
    """Enclosures of the coordinates, no wider than 2^-bits, at the root of ``factor`` in ``interval``; None if v is 0 there."""
    work = bits + 64
    while work <= 64 * (bits + 64):
        low, high = interval if sign_at(factor, interval[0]) == 0 else refine(factor, interval, work)
        with flint.ctx.workprec(2 * work):
            t = ball(low, high)
            below = _horner(parametrization.denominator, t)
            if not below.contains(0):
                box = [_horner(n, t) / below for n in parametrization.numerators]
                if all(x.is_finite() for x in box):
                    ends = tuple(bounds(x) for x in box)
                    if all(b - a <= Fraction(1, 2**bits) for a, b in ends):
                        return ends
        work *= 2
    return None


def _horner(p: fmpq_poly, x: arb) -> arb:
    total = arb(0)
    for c in reversed(p.coeffs()):
        total = total * x + arb(c)
    return total


def enclosure_of(point: Point, *, bits: int = 100) -> tuple[Interval, ...]:
    """A box around an exact point."""
    a = arithmetic(point.field)
    return tuple(a.enclose(c, bits) for c in point.coordinates)


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The fraction with the smallest denominator in [low, high] (Stern-Brocot)."""
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -simplest_between(-high, -low)
    whole = -((-low.numerator) // low.denominator)  # ceiling
    if whole <= high:
        return Fraction(whole)
    below = whole - 1
    return below + 1 / simplest_between(1 / (high - below), 1 / (low - below))


def rational_in_box(system: PolynomialSystem, lower: Sequence[Fraction], upper: Sequence[Fraction]) -> Point | None:
    """The point of simplest rational coordinates in the box if it satisfies every equation exactly, else None.

    In a box from Krawczyk's test the root is unique, so a hit *is* that root.
    """
    guess = Point.rational([simplest_between(a, b) for a, b in zip(lower, upper, strict=True)])
    return guess if system.vanishes_at(guess) else None


def exact_point(system: PolynomialSystem, box: EnclosedPoint) -> Point | EnclosedPoint:
    """``box`` replaced by the rational root that it holds, when it is one; otherwise ``box`` itself."""
    return rational_in_box(system, box.lower, box.upper) or box
