"""Exact Fourier coefficients on [0, 1]: c_k = integral of g(x) e^(-2 pi i k x), g polynomial on cells with rational ends.

By parts, with w = -2 pi i k: integral of g e^(w x) = [g e^(w x)/w - g' e^(w x)/w^2 + ...], and 1/w = i P / (2 k), P = 1/pi.
Jiang 2019, eq. (4); normalisation as there (period 1, no factor in front).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

from explorer.canonical.waves import Wave, WaveRing
from explorer.model.pieces import Coefficients, derivative, value

#: a function on [0, 1]: (low, high, coefficients) per cell
OnCells = Sequence[tuple[Fraction, Fraction, Coefficients]]


def frequencies(top: Sequence[int]) -> list[tuple[int, ...]]:
    """The box |k_i| <= top_i in lexicographic order; N = prod (2 top_i + 1) entries."""
    return list(product(*(range(-n, n + 1) for n in top)))


def coefficient(ring: WaveRing, g: OnCells, k: int) -> Wave:
    """c_k of g."""
    parts = [wave_integral(ring, low, high, c, Fraction(k)) for low, high, c in g]
    return ring.add(*parts)


def wave_integral(ring: WaveRing, low: Fraction, high: Fraction, g: Coefficients, k: Fraction) -> Wave:
    """The integral of g(x) e^(-2 pi i k x) over [low, high], k any rational number whose phases at the ends lie in the ring."""
    if k == 0:
        terms = (c * (high ** (e + 1) - low ** (e + 1)) / (e + 1) for e, c in enumerate(g))
        return ring.constant(sum(terms, Fraction(0)))
    ends = {x: ring.root(-k * x) for x in (low, high)}
    out, sign, order = ring.zero, 1, 1
    factor = ring.root(Fraction(1, 4))  # i^order
    while any(g):
        jump = ring.add(ring.scaled(ends[high], value(g, high)), ring.neg(ring.scaled(ends[low], value(g, low))))
        term = ring.mul(jump, factor)
        out = ring.add(out, ring.scaled(term, sign / (2 * k) ** order, powers=order))
        factor, sign, order = ring.mul(factor, ring.root(Fraction(1, 4))), -sign, order + 1
        g = derivative(g)
    return out


def partial_sum(ring: WaveRing, coefficients: dict[int, Wave], x: Fraction) -> Wave:
    """S_N(x) = sum_k c_k e^(2 pi i k x); x must be one of the points of the ring."""
    return ring.add(*(ring.mul(c, ring.root(k * x)) for k, c in coefficients.items()))


def series_limit(found: OnCells, x: Fraction) -> Fraction:
    """lim S_N g(x) for g continuous on [0, 1]: g(x) inside, the mean of g(0) and g(1) at both ends (Dirichlet, Jordan)."""

    def at(y: Fraction) -> Fraction:
        return next(value(c, y) for low, high, c in found if low <= y <= high)

    return (at(Fraction(0)) + at(Fraction(1))) / 2 if x in (0, 1) else at(x)


def tail(ring: WaveRing, g: OnCells, top: int) -> Wave:
    """The mean square error of the partial sum with |k| <= top: integral of g^2 - sum |c_k|^2 (Parseval), exactly."""
    whole = Fraction(0)
    for low, high, c in g:
        square = [Fraction(0)] * (2 * len(c) - 1)
        for i, a in enumerate(c):
            for j, b in enumerate(c):
                square[i + j] += a * b
        whole += sum((q * (high ** (e + 1) - low ** (e + 1)) / (e + 1) for e, q in enumerate(square)), Fraction(0))
    kept = [ring.mul(coefficient(ring, g, k), coefficient(ring, g, -k)) for k in range(-top, top + 1)]
    return ring.add(ring.constant(whole), *(ring.neg(c) for c in kept))
