"""Intervals in float64 with outward rounding, many at a time: the one room of the solver where floats decide.

Why this is sound. IEEE 754 says that +, -, *, / of two doubles, rounded to nearest, give x with |x - exact| <= u |exact| + 2^-1075,
u = 2^-53 < 1.2e-16. So every end point that is computed by one operation is moved outward by |x| * 2.3e-16 + 1e-300, which
exceeds that error (and the rounding of the move itself). Sums of n terms are moved once, by n * 2.3e-16 times the sum of the
absolute values. A sum of n terms c_k x_k is moved by (n + 3) * 1.15e-16 times the sum of the |c_k x_k|: every term was rounded at
most n + 1 times (its coefficient, its product, and the additions), and the move itself once. No function of the C library is trusted: exp, log(1 + x), sin and erf are built here from +, -, *, / and
scaling by powers of two, with the bound of their error in the docstring. Anything not finite (overflow, 0 * inf) becomes nan or
inf, and every test that excludes or proves something is written such that a comparison with nan does neither.

Results are used as *computed*; whatever is to be *verified* is proved again by the integers of the checker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import factorial
from typing import Any

import flint
import numpy as np

Array = Any  # float64 arrays of one common shape, or Python floats

UNIT, TINY = 2.3e-16, 1e-300
FUNCTION = 1e-14  #: relative error of the exponential below, with room to spare
INVERSE_FACTORIALS = [1.0 / factorial(n) for n in range(10)]


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


# -- elementary functions at floats, with absolute or relative error bounds -----------------------------------------------

LN2_HIGH = 0.6931471803691238  # 33 bits, so k * LN2_HIGH is exact for |k| < 2^20
LN2_LOW = 1.9082149292705877e-10  # LN2_HIGH + LN2_LOW = ln 2 up to 1e-25
PI_HIGH = 6.2831853069365025  # 2 pi in two parts of the same kind
PI_LOW = 2.430840202602477e-10


def exp_near(x: Array) -> Array:
    """e^x up to a relative error of 1e-14, for |x| <= 700. x = k ln 2 + 8r, |r| < 0.0434: Taylor's polynomial of degree 9 of e^r, whose
    remainder is below 1e-20, by Horner's rule: 1 + r(1 + ...) loses less than 2u; three squarings make that 8 * 2u + 7u, and the
    reduction of x, off by at most 6e-16, is the rest: 4e-15 in all."""
    k = np.rint(x * 1.4426950408889634)
    r = k * (-LN2_HIGH)
    r += x
    r -= k * LN2_LOW
    r *= 0.125
    p = r * INVERSE_FACTORIALS[9]
    for n in range(8, 0, -1):
        p += INVERSE_FACTORIALS[n]
        p *= r
    p += 1.0
    p *= p
    p *= p
    p *= p
    p *= ((k.astype(np.int64) + 1023) << 52).view(np.float64)  # 2^k: these are the bits of a double
    return p


def exp_at(x: Array) -> tuple[Array, Array]:
    """Bounds of e^x. Outside [-700, 700] they are [0, 1e-304] and [1e304, inf]."""
    x = np.asarray(x, dtype=np.float64)
    if np.abs(x).max(initial=0.0) <= 700.0:  # not so if there is a nan
        p = exp_near(x)
        return p * (1.0 - FUNCTION), p * (1.0 + FUNCTION)
    z = np.minimum(np.maximum(np.where(np.isnan(x), 0.0, x), -700.0), 700.0)
    p = np.where(np.isnan(x), np.nan, exp_near(z))
    lo, hi = p * (1.0 - FUNCTION), p * (1.0 + FUNCTION)
    return np.where(x < -700.0, 0.0, np.where(x > 700.0, 1e304, lo)), np.where(
        x > 700.0, np.inf, np.where(x < -700.0, 1e-304, hi)
    )


def exp(a: Range) -> Range:
    return Range(exp_at(a.lo)[0], exp_at(a.hi)[1])


def sigmoid(a: Range, scale: float = 1.0) -> Range:
    """1/(1 + e^-z) at z = ``scale`` times a number of ``a``, increasing; its operations and the exponential lose less than 2e-14 of the value.
    ``scale`` is a positive power of two, so that its product is exact."""
    ends = np.stack([a.lo, a.hi])
    ends *= -scale
    if np.abs(ends).max(initial=0.0) <= 700.0:
        value = exp_near(ends)
        value += 1.0
        np.divide(1.0, value, out=value)
    else:
        low, high = exp_at(ends)
        value = np.stack([1.0 / (1.0 + high[0]), 1.0 / (1.0 + low[1])])
    value[0] *= 1.0 - 2e-14
    value[1] *= 1.0 + 2e-14
    return Range(value[0], np.minimum(value[1], 1.0))


LOG_SHIFT = 0.33647223662121295  #: log(7/5), up to a unit in the last place


def softplus(a: Range) -> Range:
    """max(z, 0) + log(1 + e^-|z|), increasing."""
    value, slack = softplus_at(np.stack([a.lo, a.hi]))
    value[0] -= slack[0]
    value[1] += slack[1]
    return Range(np.maximum(value[0], 0.0), value[1])


def softplus_at(z: Array) -> tuple[Array, Array]:
    """The value and a bound of its error. log(1 + u) = log(7/5) + 2 artanh(s), s = (u - 2/5)/(u + 12/5), |s| <= 3/17 for 0 <= u <= 1: the odd series up to
    s^21 has a remainder below 1e-18; Horner's rule, the quotient and the sum lose less than 20 u, u = e^-|z| is known up to 1e-14 (beyond
    |z| = 700, where e^-700 stands for it, up to 1e-303): 2e-14 in all, and |z| u."""
    size = np.abs(z)
    u = exp_near(-np.fmin(size, 700.0))  # 700 also for nan, which the maximum below brings back
    s = u - 0.4
    u += 2.4
    s /= u
    t = s * s
    p = t * (2.0 / 21)
    for n in range(19, 1, -2):
        p += 2.0 / n
        p *= t
    p += 2.0
    p *= s
    p += LOG_SHIFT
    p += np.maximum(z, 0.0)
    size *= UNIT
    size += 3e-14
    return p, size


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


@cache
def erf_table() -> Array:
    """Taylor coefficients of erf at k/8, |k| <= 48, up to degree 12, each up to a unit in the last place: erf(c) and, from g = (2/sqrt pi) e^(-x^2),
    g' = -2xg, the others (by ball arithmetic)."""
    out = np.empty((13, 97))
    with flint.ctx.workprec(160):
        for k in range(-48, 49):
            x = flint.arb(k) / 8
            g = [2 / flint.arb.pi().sqrt() * (-x * x).exp()]
            for n in range(11):
                g.append(-2 * (x * g[n] + (g[n - 1] if n else 0)) / (n + 1))
            c = [x.erf(), *(g[n] / (n + 1) for n in range(12))]
            out[:, k + 48] = [float(v.mid()) for v in c]
    return out


def erf_at(x: Array) -> tuple[Array, Array]:
    """|x| <= 6: the polynomial around the next k/8, |h| <= 1/16. On the circle |z| = 2 around a real number |erf - c_0| <= 2 * 1.13 e^4 < 124,
    so |c_n| < 124/2^n and the rest from degree 13 on is below 124 * 2^-65 * 1.04 < 4e-18; |c_n h^n| < 124 * 2^(-5n) and |c_1| <= 1.13:
    Horner's rule and the rounded coefficients lose less than 4u. So 1e-15 covers all. For |x| > 6: 0 <= 1 - |erf x| <= e^-36 < 3e-16."""
    z = np.minimum(np.maximum(np.where(np.isnan(x), 0.0, x), -6.0), 6.0)
    k = np.rint(z * 8.0)
    place, h, c = k.astype(np.int64) + 48, z - k * 0.125, erf_table()
    value = c[12][place]
    for n in range(11, -1, -1):
        value *= h
        value += c[n][place]
    lo, hi = np.where(x > 6.0, 1.0 - 4e-16, value - 1e-15), np.where(x < -6.0, -1.0 + 4e-16, value + 1e-15)
    lo, hi = np.where(x < -6.0, -1.0, np.maximum(lo, -1.0)), np.where(x > 6.0, 1.0, np.minimum(hi, 1.0))
    return np.where(np.isnan(x), np.nan, lo), np.where(np.isnan(x), np.nan, hi)


# -- ranges of polynomials of a function value ------------------------------------------------------------------------------


POLYNOMIAL = 1e-15  #: relative error of the functions that `between` is given: at most four rounded operations


def between(a: Range, value: Callable[[Array], Array], turns: Sequence[tuple[Range, float, int]]) -> Range:
    """The range of a function over ``a`` that is monotone between its turning points: the hull of the values at both ends and of those
    maxima (sign 1) and minima (sign -1) that ``a`` may hold. ``value`` computes it at floats up to `POLYNOMIAL` of the value; a turn is an
    enclosure of its place, an outer bound of its value, and its sign."""
    ends = value(np.stack([a.lo, a.hi]))
    slack = np.abs(ends)
    slack *= POLYNOMIAL
    slack += TINY
    return turned(a, ends, slack, turns)


def turned(a: Range, ends: Array, slack: Array, turns: Sequence[tuple[Range, float, int]]) -> Range:
    """The same from the values at both ends, stacked, that are known up to ``slack``."""
    low, high = ends - slack, ends + slack
    out = np.minimum(low[0], low[1]), np.maximum(high[0], high[1])
    for place, height, sign in turns:
        inside = (a.lo <= place.hi) & (a.hi >= place.lo)
        np.copyto(out[sign > 0], height, where=inside)
    return Range(*out)


def around(place: Fraction, slack: Fraction) -> Range:
    """An enclosure of a number that is known up to ``slack``."""
    return Range(Range.of(place - slack).lo, Range.of(place + slack).hi)


def logistic_slope(s: Array) -> Array:
    """s(1 - s)."""
    return s * (1.0 - s)


def logistic_bend(s: Array) -> Array:
    """s(1 - s)(1 - 2s)."""
    return s * (1.0 - s) * (1.0 - 2.0 * s)


def tangent_slope(t: Array) -> Array:
    """1 - t^2."""
    return (1.0 - t) * (1.0 + t)


def tangent_bend(t: Array) -> Array:
    """-2t(1 - t^2)."""
    return (-2.0 * t) * ((1.0 - t) * (1.0 + t))


def hyperbolic_tangent(a: Range) -> Range:
    """2 sigmoid(2z) - 1: doubling is exact, the difference rounded."""
    s = sigmoid(a, 2.0)
    return outward(2.0 * s.lo - 1.0, 2.0 * s.hi - 1.0)


# -- functions with several derivatives: values at points with absolute errors ---------------------------------------------------


def logistic_parts(z: Array) -> tuple[Array, Array, Array]:
    """s = 1/(1 + e^-z) and r = s(1 - s), up to 5e-14 of the value, and tanh |z/2| up to 5e-14: from e = e^-|z|, which is 0 beyond |z| = 700, where
    s, r and their products with z^2 are below 1e-290 anyway."""
    size = np.abs(z)
    e = np.where(size > 700.0, 0.0, exp_near(-np.fmin(size, 700.0)))
    inv = 1.0 / (1.0 + e)
    rest = e * inv
    return np.where(z >= 0, inv, rest), rest * inv, (1.0 - e) * inv


BALANCE_ERROR = 2e-13  #: of z phi' - phi (`ring.balance_range`)
SWISH_ERROR = 2e-13  #: |z| r < 0.3 and r |2 - |z| t| < 0.6, each factor up to 5e-14


def gaussian_parts(z: Array) -> tuple[Array, Array]:
    """Phi(z) up to 1.2e-15 and phi(z) = e^(-z^2/2)/sqrt(2 pi) up to 1e-14 + z^2 * 2.3e-16 of its value; beyond z^2/2 = 700 it is 0, where
    it and its products with z^2 are below 1e-290 anyway. The argument of erf is off by 2.3e-16 of itself, and |x erf'(x)| < 1/2."""
    low, high = erf_at(z * 0.7071067811865476)
    q = z * z
    q *= 0.5
    density = np.where(q > 700.0, 0.0, exp_near(-np.fmin(q, 700.0)) * 0.3989422804014327)
    return 0.5 + 0.25 * (low + high), density


def gaussian_errors(z: Array, density: Array, order: int) -> Array:
    """Bounds of the errors of z Phi, Phi + z phi and (2 - z^2) phi from `gaussian_parts`: z^4 phi(z) < 1, so the part of the error of phi that grows with
    z^2 is below 1e-15 in all three."""
    size = np.abs(z)
    if order == 0:
        return size * 3e-15 + TINY
    return (size if order == 1 else 2.0 + size * size) * density * 1.2e-14 + 4e-15


# -- stacked intervals: arrays of shape (2, N), the lower ends before the upper ends ------------------------------------------

AWAY = np.array([[-UNIT], [UNIT]])
FLOOR = 1e-284  #: FLOOR * UNIT = 2.3e-300 > TINY covers what is lost below the normal numbers


def rounded(x: Array, size: Array | None = None, count: int = 2) -> Array:
    """The ends moved outward in place: by 2.3e-16 |x| after one operation, by ``count`` * 1.15e-16 times ``size`` after a sum."""
    slack = np.abs(x) if size is None else size
    slack += FLOOR
    slack *= AWAY if count == 2 else AWAY * (count * 0.5)
    x += slack
    return x


def product(a: Array, b: Array) -> Array:
    p, q = a[0] * b, a[1] * b
    low = np.minimum(p, q)
    np.maximum(p, q, out=p)
    np.minimum(low[0], low[1], out=q[0])
    np.maximum(p[0], p[1], out=q[1])
    return rounded(q)


def product_nonnegative(a: Array, b: Array) -> Array:
    """a * b where b >= 0: the lower end of a decides for the lower end, the upper for the upper."""
    p, q = a * b[0], a * b[1]
    np.minimum(p[0], q[0], out=p[0])
    np.maximum(p[1], q[1], out=p[1])
    return rounded(p)


def squared(a: Array) -> Array:
    out = a * a
    near = np.maximum(a[0], -a[1])
    np.maximum(near, 0.0, out=near)
    np.maximum(out[0], out[1], out=out[1])
    np.multiply(near, near, out=out[0])
    rounded(out)
    np.maximum(out[0], 0.0, out=out[0])
    return out


def nearest(c: Fraction) -> float:
    """The double next to a coefficient; nan, which proves nothing, where it is so large or small that the bounds above fail."""
    return float(c) if not c or 1e-200 < abs(c) < 1e200 else float("nan")


def combined(parts: Sequence[tuple[float, Array]], constant: float, shape: tuple[int, int]) -> Array:
    """constant + sum of c * x. The coefficients are the doubles next to the exact ones."""
    total = np.full(shape, constant) if constant or not parts else None
    size = None if total is None else np.abs(total)
    for c, x in parts:
        term = x[::-1] * c if c < 0 else x * c
        if total is None or size is None:
            total, size = term, np.abs(term)
        else:
            total += term
            size += np.abs(term, out=term)
    assert total is not None
    return rounded(total, size, len(parts) + 4)


def cosine(a: Range) -> Range:
    return sine(a, 1.5707963267948966)


TWO_OVER_ROOT_PI = Range(1.1283791670955123, 1.1283791670955129, scalar=True)

SLACK = 1e-14  #: relative rounding of dot products of at most 40 terms, with room to spare
MARGIN = 1e-9  #: a test must hold by this much, so that the checker's other roundings agree
NEARLY_SINGULAR = 1e-12
SMALL_PIVOT = 1e-3


def middle_and_radius(lo: Array, hi: Array) -> tuple[Array, Array]:
    """m and r with [lo, hi] inside [m - r, m + r], with room for dot products."""
    m = (lo + hi) * 0.5
    r = np.maximum(hi - m, m - lo)
    r += np.abs(m) * SLACK + TINY
    return m, r
