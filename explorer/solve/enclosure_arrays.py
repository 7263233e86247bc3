"""Intervals in float64 with outward rounding, many at a time: the one room of the solver where floats decide.

Why this is sound. IEEE 754 says that +, -, *, / of two doubles, rounded to nearest, give x with |x - exact| <= u |exact| + 2^-1075,
u = 2^-53 < 1.2e-16. So every end point that is computed by one operation is moved outward by |x| * 2.3e-16 + 1e-300, which
exceeds that error (and the rounding of the move itself). Sums of n terms are moved once, by n * 2.3e-16 times the sum of the
absolute values. No function of the C library is trusted: exp, log(1 + x), sin and erf are built here from +, -, *, / and
scaling by powers of two, with the bound of their error in the docstring. Anything not finite (overflow, 0 * inf) becomes nan or
inf, and every test that excludes or proves something is written such that a comparison with nan does neither.

Results are used as *computed*; whatever is to be *verified* is proved again by the integers of the checker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import Any

import numpy as np

Array = Any  # float64 arrays of one common shape, or Python floats

UNIT, TINY = 2.3e-16, 1e-300
FUNCTION = 1e-14  #: relative error of the exponential below, with room to spare


@dataclass(frozen=True, eq=False)
class Range:
    """The intervals [lo, hi], entry by entry. ``exact`` numbers (constants) have one float as both ends."""

    lo: Array
    hi: Array
    scalar: bool = False

    @classmethod
    def of(cls, value: Fraction) -> Range:
        """An enclosure of one rational number; exact where it is a float."""
        x = float(value)
        if Fraction(x) == value:
            return cls(x, x, scalar=True)
        return cls(x - (abs(x) * UNIT + TINY), x + (abs(x) * UNIT + TINY), scalar=True)

    @property
    def mid(self) -> Array:
        return (self.lo + self.hi) * 0.5

    @property
    def is_zero(self) -> bool:
        return self.scalar and self.lo == 0 and self.hi == 0


def outward(lo: Array, hi: Array) -> Range:
    """Ends that one rounded operation produced, moved outward."""
    return Range(lo - (np.abs(lo) * UNIT + TINY), hi + (np.abs(hi) * UNIT + TINY))


def add(a: Range, b: Range) -> Range:
    return outward(a.lo + b.lo, a.hi + b.hi)


def negative(a: Range) -> Range:
    return Range(-a.hi, -a.lo, a.scalar)


def sub(a: Range, b: Range) -> Range:
    return outward(a.lo - b.hi, a.hi - b.lo)


def mul(a: Range, b: Range) -> Range:
    if b.scalar:
        a, b = b, a
    if a.scalar and a.lo == a.hi:  # an exact constant
        c = a.lo
        if c == 1:
            return b
        if c == -1:
            return negative(b)
        return outward(c * b.lo, c * b.hi) if c >= 0 else outward(c * b.hi, c * b.lo)
    if a is b:
        return square(a)
    p, q, r, s = a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi
    return outward(np.minimum(np.minimum(p, q), np.minimum(r, s)), np.maximum(np.maximum(p, q), np.maximum(r, s)))


def square(a: Range) -> Range:
    p, q = a.lo * a.lo, a.hi * a.hi
    low = np.where((a.lo > 0) | (a.hi < 0), np.minimum(p, q), 0.0)
    out = outward(np.where(np.isnan(p + q), np.nan, low), np.maximum(p, q))
    return Range(np.maximum(out.lo, 0.0), out.hi)


def total(parts: Sequence[Range]) -> Range:
    if len(parts) == 1:
        return parts[0]
    lo, hi, low, high = 0.0, 0.0, 0.0, 0.0
    for p in parts:
        lo, hi = lo + p.lo, hi + p.hi
        low, high = low + np.abs(p.lo), high + np.abs(p.hi)
    n = UNIT * len(parts)
    return Range(lo - (low * n + TINY), hi + (high * n + TINY))


def inverse(a: Range) -> Range:
    """1/a where a is known to be positive (elsewhere nan)."""
    good = a.lo > 0
    return outward(
        np.where(good, 1.0 / np.where(good, a.hi, 1.0), np.nan), np.where(good, 1.0 / np.where(good, a.lo, 1.0), np.nan)
    )


def hull(parts: Sequence[Range]) -> Range:
    lo, hi = parts[0].lo, parts[0].hi
    for p in parts[1:]:
        lo, hi = np.minimum(lo, p.lo), np.maximum(hi, p.hi)
    return Range(lo, hi)


def intersection(a: Range, lo: Array, hi: Array) -> Range:
    return Range(np.maximum(a.lo, lo), np.minimum(a.hi, hi))


# -- elementary functions at floats, with absolute or relative error bounds -----------------------------------------------

LN2_HIGH = 0.6931471803691238  # 33 bits, so k * LN2_HIGH is exact for |k| < 2^20
LN2_LOW = 1.9082149292705877e-10  # LN2_HIGH + LN2_LOW = ln 2 up to 1e-25
PI_HIGH = 6.2831853069365025  # 2 pi in two parts of the same kind
PI_LOW = 2.430840202602477e-10


def exp_at(x: Array) -> tuple[Array, Array]:
    """Bounds of e^x. x = k ln 2 + r, |r| < 0.35; Taylor's polynomial of degree 14, whose remainder is below 1e-18; Horner's rule on
    numbers below 1.5 loses less than 30 u < 4e-15, the reduction less than 4e-16; so 1e-14 of the value covers both.
    Outside [-700, 700] the bounds are [0, 1e-304] and [1e304, inf]."""
    z = np.minimum(np.maximum(x, -700.0), 700.0)
    k = np.rint(z * 1.4426950408889634)
    r = (z - k * LN2_HIGH) - k * LN2_LOW
    p = np.full_like(r, 1.0 / factorial(14))
    for n in range(13, -1, -1):
        p = p * r + 1.0 / factorial(n)
    p = np.ldexp(p, k.astype(np.int32))
    lo, hi = p * (1.0 - FUNCTION), p * (1.0 + FUNCTION)
    return np.where(x < -700.0, 0.0, np.where(x > 700.0, 1e304, lo)), np.where(
        x > 700.0, np.inf, np.where(x < -700.0, 1e-304, hi)
    )


def exp(a: Range) -> Range:
    return Range(exp_at(a.lo)[0], exp_at(a.hi)[1])


def sigmoid(a: Range) -> Range:
    """1/(1 + e^-z), increasing; its two operations and the exponential lose less than 2e-14 of the value."""
    high, low = exp_at(-a.hi)[0], exp_at(-a.lo)[1]
    return Range(
        np.maximum(1.0 / (1.0 + low) * (1.0 - 1e-15), 0.0), np.minimum(1.0 / (1.0 + high) * (1.0 + 1e-15), 1.0)
    )


def softplus(a: Range) -> Range:
    """max(z, 0) + log(1 + e^-|z|), increasing."""
    return Range(softplus_at(a.lo)[0], softplus_at(a.hi)[1])


def softplus_at(z: Array) -> tuple[Array, Array]:
    """log(1 + u) = 2 artanh(s), s = u/(2 + u) <= 1/3: the odd series up to s^37 has remainder below 1e-19; Horner's rule loses
    less than 60 u, u = e^-|z| is known up to 1e-14: 3e-14 in all, and |z| u."""
    u = (exp_at(-np.abs(z))[0] + exp_at(-np.abs(z))[1]) * 0.5
    s = u / (2.0 + u)
    t, p = s * s, np.full_like(s, 1.0 / 37)
    for n in range(35, 0, -2):
        p = p * t + 1.0 / n
    value = np.maximum(z, 0.0) + 2.0 * s * p
    slack = 3e-14 + np.abs(z) * UNIT
    return np.maximum(value - slack, 0.0), value + slack


def sine_at(x: Array, shift: float) -> Array:
    """sin(x + shift) for |x| <= 10^6 (nan beyond) up to 1e-12: x modulo 2 pi, then Taylor up to degree 35."""
    k = np.rint(x * 0.15915494309189535)
    r = (x - k * PI_HIGH) - k * PI_LOW + shift
    t, p = r * r, np.full_like(r, 1.0)
    for n in range(34, 0, -2):
        p = 1.0 - p * t / float(n * (n + 1))
    return np.where(np.abs(x) <= 1e6, r * p, np.nan)


def sine(a: Range, shift: float = 0.0) -> Range:
    """|sin'| <= 1: the value at the middle, widened by the radius. The alternating terms for |r| <= 5 are below 30."""
    middle, radius = (a.lo + a.hi) * 0.5, (a.hi - a.lo) * 0.5
    value, slack = sine_at(middle, shift), radius * (1 + 1e-15) + np.abs(middle) * 1e-15 + 1e-12
    return Range(np.maximum(value - slack, -1.0), np.minimum(value + slack, 1.0))


def erf(a: Range) -> Range:
    return Range(erf_at(a.lo)[0], erf_at(a.hi)[1])


def erf_at(x: Array) -> tuple[Array, Array]:
    """(2/sqrt pi) e^(-x^2) sum 2^n x^(2n+1)/(2n+1)!!: all terms have one sign, so the sum of 120 of them loses less than 300 u; for |x| <= 6
    the rest is below 1e-17 of it. For |x| > 6: 0 <= 1 - |erf x| <= e^-36 < 3e-16."""
    z = np.minimum(np.maximum(x, -6.0), 6.0)
    t, term, value = z * z, z, z
    for n in range(1, 180):
        term = term * (2.0 * t) / (2.0 * n + 1.0)
        value = value + term
    low, high = exp_at(-t)
    value = value * ((low + high) * 0.5) * 1.1283791670955126
    slack = np.abs(value) * 2e-13 + 1e-290
    lo, hi = np.where(x > 6.0, 1.0 - 4e-16, value - slack), np.where(x < -6.0, -1.0 + 4e-16, value + slack)
    return np.where(x < -6.0, -1.0, np.maximum(lo, -1.0)), np.where(x > 6.0, 1.0, np.minimum(hi, 1.0))


# -- ranges of polynomials of a function value ------------------------------------------------------------------------------


def polynomial(a: Range, value: Callable[[Range], Range], turns: Sequence[tuple[Fraction, Range]]) -> Range:
    """The range of a function over ``a`` that is monotone between its turning points: the hull of the values at both ends, and of
    the values at those turning points that ``a`` may hold. ``turns``: (a float-exact or enclosed place, value)."""
    ends = hull([value(Range(a.lo, a.lo)), value(Range(a.hi, a.hi))])
    lo, hi = ends.lo, ends.hi
    for place, height in turns:
        near = Range.of(place)
        inside = (a.lo <= near.hi + 1e-9) & (a.hi >= near.lo - 1e-9)
        lo, hi = np.where(inside, np.minimum(lo, height.lo), lo), np.where(inside, np.maximum(hi, height.hi), hi)
    return Range(lo, hi)


def cosine(a: Range) -> Range:
    return sine(a, 1.5707963267948966)


TWO_OVER_ROOT_PI = Range(1.1283791670955123, 1.1283791670955129, scalar=True)
ROOT_HALF = Range(0.7071067811865474, 0.7071067811865477, scalar=True)

SLACK = 1e-14  #: relative rounding of dot products of at most 40 terms, with room to spare
MARGIN = 1e-9  #: a test must hold by this much, so that the checker's other roundings agree
NEARLY_SINGULAR = 1e-12
