"""The segment between two points of a polynomial loss, with a level that F does not exceed on it."""

from __future__ import annotations

from fractions import Fraction

from flint import fmpq, fmpq_poly

from explorer.errors import Unsupported
from explorer.model.pieces import nonnegative_on, roots_in
from explorer.model.polynomial import LossPolynomial, loss_polynomial
from explorer.paths.curves import Leg, PiecewisePath, line
from explorer.point import Point, RationalField
from explorer.problem import Problem

GRAIN = 256  #: levels above both ends are multiples of 1/GRAIN
LARGEST = 2**40


def straight_path(problem: Problem, a: Point, b: Point) -> PiecewisePath:
    """The segment from ``a`` to ``b`` with F <= level: the larger of F(a), F(b) if that holds, else a level just above the maximum.

    For losses that are polynomials of all parameters and rational points; `Unsupported` otherwise. The level is an upper
    bound of the barrier between the two points, not the barrier.
    """
    loss = loss_polynomial(problem)
    if not (a.is_rational and b.is_rational):
        raise Unsupported("the points", expected="rational coordinates", got="another field")
    p = _along(loss, [c[0] for c in a.coordinates], [c[0] for c in b.coordinates])
    ends = max(_fraction(p(0)), _fraction(p(1)))
    level = ends if _below(p, ends) else _level_above(p, ends)
    start, end = (Point(RationalField(), tuple((c[0],) for c in x.coordinates)) for x in (a, b))
    leg = Leg(line(start.coordinates, end.coordinates, RationalField()), "the segment")
    return PiecewisePath(start, end, (leg,), level)


def _along(loss: LossPolynomial, a: list[Fraction], b: list[Fraction]) -> fmpq_poly:
    coordinates = [fmpq_poly([_fmpq(x), _fmpq(y - x)]) for x, y in zip(a, b, strict=True)]
    total = fmpq_poly([0])
    for exponents, c in loss.terms.items():
        term = fmpq_poly([_fmpq(c)])
        for z, e in zip(coordinates, exponents, strict=True):
            term = term * z**e if e else term
        total += term
    return total


def _below(p: fmpq_poly, level: Fraction) -> bool:
    """p <= level on [0, 1], with equality at the ends at most (or everywhere): what the checker's rule accepts."""
    gap = fmpq_poly([_fmpq(level)]) - p
    for end in (fmpq_poly([0, 1]), fmpq_poly([1, -1])):
        while gap != 0 and gap % end == 0:
            gap = gap // end
    c = tuple(_fraction(v) for v in gap.coeffs()) or (Fraction(0),)
    if gap == 0:
        return True
    return nonnegative_on(c, Fraction(0), Fraction(1)) and not roots_in(c, Fraction(0), Fraction(1))


def _level_above(p: fmpq_poly, ends: Fraction) -> Fraction:
    low, high = int(ends * GRAIN) - 1, max(int(ends * GRAIN), 1) * 2
    while not _below(p, Fraction(high, GRAIN)):
        if high > LARGEST * GRAIN:
            raise Unsupported("the segment", expected=f"values below {LARGEST}", got="larger ones")
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _below(p, Fraction(middle, GRAIN)) else (middle, high)
    return Fraction(high, GRAIN)


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def _fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))
