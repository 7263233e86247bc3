"""Exact passage between Fractions and `flint.arb` balls. Every conversion outward is an enclosure."""

from __future__ import annotations

from fractions import Fraction

from flint import arb, fmpq


def to_fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def to_fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def dyadic_value(number: arb) -> Fraction:
    """The exact value of a ball without radius."""
    mantissa, exponent = (int(v) for v in number.man_exp())
    return Fraction(mantissa << exponent) if exponent >= 0 else Fraction(mantissa, 1 << -exponent)


def ball(low: Fraction, high: Fraction | None = None) -> arb:
    """A ball that contains [low, high] (or the one number ``low``), at the current precision."""
    left = arb(to_fmpq(low))
    return left if high is None or high == low else left.union(arb(to_fmpq(high)))


def bounds(x: arb) -> tuple[Fraction, Fraction]:
    """The exact end points of a finite ball."""
    if not x.is_finite():
        raise ArithmeticError("a ball without finite bounds")
    centre, radius = dyadic_value(x.mid()), dyadic_value(x.rad())
    return centre - radius, centre + radius


def sign_of(x: arb) -> int:
    """-1 or 1 when every number of the ball has that sign, else 0."""
    return 1 if x > 0 else -1 if x < 0 else 0


def round_dyadic(value: Fraction, bits: int) -> Fraction:
    """The nearest multiple of 2^-bits."""
    if bits < 0:
        return Fraction(round(value / 2**-bits) << -bits)
    over, rest = divmod(value.numerator << bits, value.denominator)
    twice = 2 * rest
    up = twice > value.denominator or (twice == value.denominator and over & 1)  # halves to even, as round does
    return Fraction(over + up, 1 << bits)
