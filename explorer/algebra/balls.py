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
    m, e = number.man_exp()
    mantissa, exponent = int(m), int(e)
    return Fraction(mantissa << exponent) if exponent >= 0 else Fraction(mantissa, 1 << -exponent)


def ball(low: Fraction, high: Fraction | None = None) -> arb:
    """A ball that contains [low, high] (or the one number ``low``), at the current precision."""
    left = arb(to_fmpq(low))
    return left if high is None or high == low else left.union(arb(to_fmpq(high)))


def bounds(x: arb) -> tuple[Fraction, Fraction]:
    """The exact end points of a finite ball."""
    if not x.is_finite():
        raise ArithmeticError("a ball without finite bounds")
    # in integers: Fractions would take three greatest common divisors more
    (m, e), (r, f) = x.mid().man_exp(), x.rad().man_exp()
    mantissa, exponent, radius, finer = int(m), int(e), int(r), int(f)
    low = min(exponent, finer)
    mantissa, radius = mantissa << (exponent - low), radius << (finer - low)
    if low >= 0:
        return Fraction((mantissa - radius) << low), Fraction((mantissa + radius) << low)
    below = 1 << -low
    return Fraction(mantissa - radius, below), Fraction(mantissa + radius, below)


def nearest(number: arb, bits: int) -> int:
    """The integer next to 2^bits times a ball without radius, halves to even."""
    m, e = number.man_exp()
    mantissa, shift = int(m), -int(e) - bits
    if shift <= 0:
        return mantissa << -shift
    if shift > mantissa.bit_length() + 1:  # below 1/2, and 2^shift may be too large for any memory
        return 0
    down, rest = mantissa >> shift, mantissa & ((1 << shift) - 1)
    half = 1 << (shift - 1)
    return down + (rest > half or (rest == half and down & 1))


def magnitude(number: arb) -> int:
    """floor(log2 |x|) of a nonzero ball x without radius."""
    m, e = number.man_exp()
    return int(m).bit_length() + int(e) - 1


def sign_of(x: arb) -> int:
    """-1 or 1 when every number of the ball has that sign, else 0."""
    return 1 if x > 0 else -1 if x < 0 else 0


def round_dyadic(value: Fraction, bits: int) -> Fraction:
    """The nearest multiple of 2^-bits."""
    if bits < 0:
        return Fraction(round(value / 2**-bits) << -bits)
    return Fraction(rounded(value.numerator << bits, value.denominator), 1 << bits)


def rounded(numerator: int, denominator: int) -> int:
    """The integer next to a quotient with positive denominator; halves to even, as round does."""
    over, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return over + (twice > denominator or (twice == denominator and over & 1 == 1))
