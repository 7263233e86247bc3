"""Truncated Laurent series in s with coefficients in Q(pi), exact, with the absolute precision of each one kept.

A series is None (exactly zero) or (v, [c_0, ..., c_{n-1}]), c_0 not 0 unless n = 0, for c_0 s^v + ... + c_{n-1} s^(v+n-1) + O(s^(v+n)).
`SeriesInPi` has the methods that the evaluator of symmetric student-teacher losses asks of a ring (`explorer.checker.Tied`);
k = s^-2 is the number of units there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias

from explorer.algebra.rational_functions import ONE, ZERO, RationalFunction

Series: TypeAlias = tuple[int, list[RationalFunction]] | None


class SeriesInPi:
    """The ring, with ``length`` coefficients of a series at most. `ArithmeticError` where a root or an angle leaves it."""

    class Meter:
        def spend(self, cost: int, bits: int = 0) -> None:
            """Work is bounded by the length of the series."""

    def __init__(self, length: int) -> None:
        self.length, self.meter = length, SeriesInPi.Meter()
        self.zero: Series = None
        self.one, self.pi = self.monomial(0, ONE), self.monomial(0, RationalFunction.of(1, 1))

    def monomial(self, power: int, c: RationalFunction) -> Series:
        """c s^power, exact as far as a series can be."""
        return (power, [c] + [ZERO] * (self.length - 1)) if c else None

    def polynomial(self, coefficients: Sequence[RationalFunction]) -> Series:
        """Coefficients of s^0, s^1, ...; nothing follows them."""
        return self.total(self.monomial(e, c) for e, c in enumerate(coefficients))

    def of(self, q: Fraction | int) -> Series:
        return self.monomial(0, RationalFunction.of(q))

    def size(self, slope: int, offset: int) -> Series:
        return self.add(self.monomial(-2, RationalFunction.of(slope)), self.of(offset))

    def trimmed(self, v: int, c: list[RationalFunction]) -> Series:
        start = next((i for i, x in enumerate(c) if x), len(c))
        return v + start, c[start:][: self.length]

    def add(self, a: Series, b: Series) -> Series:
        if a is None or b is None:
            return b if a is None else a
        (p, c), (q, d) = (a, b) if a[0] <= b[0] else (b, a)
        end = min(p + len(c), q + len(d))
        return self.trimmed(p, [c[i - p] + d[i - q] if i >= q else c[i - p] for i in range(p, end)])

    def neg(self, a: Series) -> Series:
        return None if a is None else (a[0], [-x for x in a[1]])

    def sub(self, a: Series, b: Series) -> Series:
        return self.add(a, self.neg(b))

    def mul(self, a: Series, b: Series) -> Series:
        if a is None or b is None:
            return None
        n = min(len(a[1]), len(b[1]))
        out = [ZERO] * n
        for i, x in enumerate(a[1][:n]):
            for j in range(n - i if x else 0):
                if b[1][j]:
                    out[i + j] = out[i + j] + x * b[1][j]
        return self.trimmed(a[0] + b[0], out)

    def square(self, a: Series) -> Series:
        return self.mul(a, a)

    def scale(self, a: Series, q: Fraction | int) -> Series:
        factor = RationalFunction.of(q)
        return None if a is None or not q else (a[0], [x * factor for x in a[1]])

    def total(self, values: Iterable[Series]) -> Series:
        out: Series = None
        for value in values:
            out = self.add(out, value)
        return out

    def leading(self, a: Series) -> tuple[int, list[RationalFunction]]:
        if a is None or not a[1]:
            raise ArithmeticError("division by, or a root of, a series without a known leading coefficient")
        return a

    def inverse(self, a: Series) -> Series:
        v, c = self.leading(a)
        out = [ONE / c[0]]
        for k in range(1, len(c)):
            out.append(-out[0] * _sum(c[i] * out[k - i] for i in range(1, k + 1)))
        return -v, out

    def square_root(self, a: Series) -> Series:
        """The root with a positive leading coefficient (that of a leading power of s with an even exponent)."""
        v, c = self.leading(a)
        if v % 2:
            raise ArithmeticError("a square root of an odd power")
        out = [c[0].root()]
        half = ONE / (out[0] + out[0])
        for k in range(1, len(c)):
            out.append(half * (c[k] - _sum(out[i] * out[k - i] for i in range(1, k))))
        return v // 2, out

    def angle(self, c: Series) -> tuple[Series, Series]:
        """(sin t, pi - t) for cos t = c, whose limit is 0, 1 or -1: with the limit t_0 of t, t = t_0 + arcsin(sin t cos t_0 - cos t sin t_0)."""
        sine = self.square_root(self.sub(self.one, self.square(c)))
        v, first = (1, ZERO) if c is None or c[0] > 0 else (c[0], c[1][0])
        if v < 0 or first not in (ZERO, ONE, -ONE):
            raise ArithmeticError("an angle whose limit is not 0, a right one or a straight one")
        if not first:
            return sine, self.add(self.scale(self.pi, Fraction(1, 2)), self.arcsin(c))
        beyond = self.arcsin(self.scale(sine, -1 if first == ONE else 1))
        return sine, self.add(self.pi if first == ONE else None, beyond)

    def arcsin(self, z: Series) -> Series:
        if z is None:
            return None
        out: Series = z
        power, n, factor = out, 1, Fraction(1)
        while power is not None and power[0] + 2 * z[0] < z[0] + len(z[1]):
            power = self.mul(self.mul(power, z), z)
            factor, n = factor * n * n / ((n + 1) * (n + 2)), n + 2
            out = self.add(out, self.scale(power, factor))
        return out


def coefficient(a: Series, power: int) -> RationalFunction:
    """That of s^power; `ArithmeticError` where the series is not known so far."""
    if a is None or power < a[0]:
        return ZERO
    if power >= a[0] + len(a[1]):
        raise ArithmeticError("a series is not known so far")
    return a[1][power - a[0]]


def _sum(values: Iterable[RationalFunction]) -> RationalFunction:
    out = ZERO
    for value in values:
        out = out + value
    return out
