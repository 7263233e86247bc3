"""From proposed roots to proved points: rational, in a number field of small degree, or enclosed.

A root that satisfies every equation exactly, in its field, needs no further proof. One irreducible factor of the
eliminating polynomial is one field: its real roots are conjugate, so one exact check serves them all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import flint
from flint import arb_poly, fmpq_poly, fmpz_poly, nmod_poly

from explorer.algebra.balls import ball, bounds, to_fmpq
from explorer.algebra.fields import arithmetic, from_poly
from explorer.algebra.parametrization import PRIMES, Parametrization
from explorer.algebra.roots import Interval, coefficient_tuple, refine, sign_at
from explorer.algebra.systems import Evaluator, PolynomialSystem
from explorer.budget import Deadline
from explorer.point import EnclosedPoint, NumberField, Point, RationalField

T: TypeAlias = Any  # a FLINT polynomial: over Q or modulo a prime


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


def satisfies(system: PolynomialSystem, points: Conjugates, deadline: Deadline) -> bool:
    """Whether all equations vanish modulo the irreducible factor, that is at all its (complex) points, exactly."""
    value = _modulo(points, deadline)
    return all(value(p) == 0 for p in system.equations)


def is_singular(system: PolynomialSystem, points: Conjugates, deadline: Deadline) -> bool:
    """Whether the Jacobian has less than full column rank at the points.

    Full rank modulo a prime is full rank over Q, and cheap; only where several primes find less does exact elimination
    modulo the factor decide.
    """
    if any(_full_rank_modulo(system, points, prime) for prime in PRIMES):
        return False
    value, q = _modulo(points, deadline), fmpq_poly(points.factor)
    rows = [[value(p) for p in row] for row in system.jacobian]
    return not _eliminate(rows, len(system.names), q, lambda x: x.xgcd(q)[1])


def _full_rank_modulo(system: PolynomialSystem, points: Conjugates, prime: int) -> bool:
    try:
        q = _reduced(fmpq_poly(points.factor), prime)
        if q.degree() < points.factor.degree():
            return False
        value: Evaluator[nmod_poly] = Evaluator(
            [_reduced(c, prime) for c in points.coordinates],
            constant=lambda c: nmod_poly([c.numerator % prime * pow(c.denominator, -1, prime)], prime),
            add=lambda a, b: a + b,
            mul=lambda a, b: (a * b) % q,
        )
        rows = [[value(p) for p in row] for row in system.jacobian]
        return _eliminate(rows, len(system.names), q, lambda x: _unit_inverse(x, q))
    except (ValueError, ZeroDivisionError):  # the prime divides a denominator, or a pivot is a zero divisor
        return False


def modular_values(system: PolynomialSystem, found: Parametrization, prime: int) -> list[nmod_poly] | None:
    """The values of the system at the parametrised points, modulo the eliminating polynomial and ``prime``; None where the prime
    divides a denominator or a leading coefficient."""
    try:
        q = nmod_poly(found.eliminating, prime)
        if q.degree() < found.eliminating.degree():
            return None
        below = _unit_inverse(_reduced(found.denominator, prime), q)
        value: Evaluator[nmod_poly] = Evaluator(
            [(_reduced(n, prime) * below) % q for n in found.numerators],
            constant=lambda c: nmod_poly([c.numerator % prime * pow(c.denominator, -1, prime)], prime),
            add=lambda a, b: a + b,
            mul=lambda a, b: (a * b) % q,
        )
        return [value(p) for p in system.equations]
    except (ValueError, ZeroDivisionError):
        return None


def _reduced(p: fmpq_poly, prime: int) -> nmod_poly:
    inverse = pow(int(p.denom()), -1, prime)
    return nmod_poly([int(c) % prime * inverse % prime for c in p.numer().coeffs()], prime)


def _unit_inverse(x: nmod_poly, q: nmod_poly) -> nmod_poly:
    g, s, _ = x.xgcd(q)
    if g.degree() != 0:
        raise ZeroDivisionError("a zero divisor modulo the prime")
    return s


def _eliminate(rows: list[list[T]], columns: int, q: T, inverse: Callable[[T], T]) -> bool:
    """Whether the matrix has full column rank: elimination in a polynomial ring modulo q with invertible pivots."""
    for column in range(columns):
        pivot = next((r for r in rows if r[column] != 0), None)
        if pivot is None:
            return False
        rows = [r for r in rows if r is not pivot]
        scale: Any = inverse(pivot[column])
        for r in rows:
            if r[column] != 0:
                factor = (r[column] * scale) % q
                r[:] = [(x - factor * y) % q for x, y in zip(r, pivot, strict=True)]
    return True


def _modulo(points: Conjugates, deadline: Deadline) -> Evaluator[fmpq_poly]:
    """Values modulo the factor; one product takes up to about a second (degree 200, coefficients of thousands of digits)."""
    q = fmpq_poly(points.factor)

    def times(a: fmpq_poly, b: fmpq_poly) -> fmpq_poly:
        deadline.check("substituting proposed roots into the equations")
        return (a * b) % q

    return Evaluator(
        points.coordinates,
        constant=lambda c: fmpq_poly([to_fmpq(c)]),
        add=lambda a, b: a + b,
        mul=times,
    )


def enclose_root(
    parametrization: Parametrization, factor: fmpz_poly, interval: Interval, *, bits: int = 160
) -> tuple[Interval, ...] | None:
    """Enclosures of the coordinates, no wider than 2^-bits, at the root of ``factor`` in ``interval``; None if v is 0 there."""
    work = bits + 64
    narrow = interval[1] - interval[0] <= Fraction(1, 2**bits)  # it may do as it is
    while work <= 64 * (bits + 64):
        low, high = interval if narrow or sign_at(factor, interval[0]) == 0 else refine(factor, interval, work)
        with flint.ctx.workprec(2 * work):
            t = ball(low, high)
            below = arb_poly(parametrization.denominator)(t)
            if not below.contains(0):
                box = [arb_poly(n)(t) / below for n in parametrization.numerators]
                if all(x.is_finite() for x in box):
                    ends = tuple(bounds(x) for x in box)
                    if all(b - a <= Fraction(1, 2**bits) for a, b in ends):
                        return ends
        work, narrow = work if narrow else 2 * work, False
    return None


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
