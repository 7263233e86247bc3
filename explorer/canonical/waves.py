"""The numbers of exact Fourier analysis: polynomials in P = 1/pi over a cyclotomic field Q(zeta), zeta = e^(2 pi i / n).

pi is transcendental (Lindemann), so such a polynomial is zero only if all its coefficients are; and a matrix of them has
the rank that it has over Q(zeta)(P). Elements are tuples of flint polynomials modulo the n-th cyclotomic polynomial.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any, TypeAlias

from flint import acb, arb, fmpq, fmpq_poly, fmpz_poly

Wave: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class WaveRing:
    """Q(e^(2 pi i / order))[1/pi]; the order is a multiple of 4, so i is in it."""

    order: int

    @classmethod
    def for_points(cls, points: Iterable[Fraction]) -> WaveRing:
        """The smallest such ring in which e^(2 pi i k x) lies for all integers k and all x in ``points``."""
        return cls(lcm(4, *(x.denominator for x in points)))

    @cached_property
    def modulus(self) -> Any:
        return fmpq_poly([fmpq(int(c)) for c in fmpz_poly.cyclotomic(self.order).coeffs()])

    @property
    def zero(self) -> Wave:
        return ()

    def constant(self, value: Fraction) -> Wave:
        return self.trimmed([fmpq_poly([fmpq(value.numerator, value.denominator)])])

    def root(self, turn: Fraction) -> Wave:
        """e^(2 pi i turn)."""
        power = int(turn * self.order) % self.order
        return self.trimmed([fmpq_poly([0] * power + [1]) % self.modulus])

    def trimmed(self, parts: Sequence[Any]) -> Wave:
        end = len(parts)
        while end and parts[end - 1] == 0:
            end -= 1
        return tuple(parts[:end])

    def add(self, *summands: Wave) -> Wave:
        size = max((len(s) for s in summands), default=0)
        parts = [fmpq_poly([0])] * size
        for s in summands:
            parts = [p + s[k] if k < len(s) else p for k, p in enumerate(parts)]
        return self.trimmed(parts)

    def neg(self, a: Wave) -> Wave:
        return tuple(-c for c in a)

    def mul(self, a: Wave, b: Wave) -> Wave:
        if not a or not b:
            return ()
        parts = [fmpq_poly([0])] * (len(a) + len(b) - 1)
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                parts[i + j] = parts[i + j] + x * y
        return self.trimmed([p % self.modulus for p in parts])

    def scaled(self, a: Wave, factor: Fraction, *, powers: int = 0) -> Wave:
        """``factor`` P^``powers`` a."""
        q = fmpq(factor.numerator, factor.denominator)
        return self.trimmed([fmpq_poly([0])] * powers + [c * q for c in a])

    def over_i(self, a: Wave) -> Wave:
        """a / i."""
        return self.mul(a, self.root(Fraction(3, 4)))

    def is_zero(self, a: Wave) -> bool:
        return not a

    def rational(self, a: Wave) -> Fraction | None:
        """The value where it is rational as written, None otherwise."""
        if not a:
            return Fraction(0)
        if len(a) > 1 or a[0].degree() > 0:
            return None
        return Fraction(int(a[0][0].p), int(a[0][0].q))

    def enclose(self, a: Wave) -> acb:
        """A ball around the complex number (for display, and for strict inequalities)."""
        zeta = _root_of_unity(self.order)
        power, total = 1 / arb.pi(), acb(0)
        for c in reversed(a):
            inner = acb(0)
            for q in reversed(c.coeffs()):
                inner = inner * zeta + arb(q)
            total = total * power + inner
        return total

    # -- rank ----------------------------------------------------------------------------------------------------------

    def rank(self, rows: Sequence[Sequence[Wave]]) -> int:
        """The rank of a matrix over the field of fractions: the largest one at more values of P than a minor has degree."""
        if not rows or not rows[0]:
            return 0
        full = min(len(rows), len(rows[0]))
        degree = sum(max(max(len(row[c]) - 1, 0) for row in rows) for c in range(len(rows[0])))
        best = 0
        for value in range(1, degree + 2):
            best = max(best, self._rank_at(rows, value))
            if best == full:
                break
        return best

    def _rank_at(self, rows: Sequence[Sequence[Wave]], value: int) -> int:
        def at(a: Wave) -> Any:
            out = fmpq_poly([0])
            for c in reversed(a):
                out = out * value + c
            return out

        left = [[at(a) for a in row] for row in rows]
        rank = 0
        for column in range(len(left[0])):
            pivot = next((i for i in range(rank, len(left)) if left[i][column] != 0), None)
            if pivot is None:
                continue
            left[rank], left[pivot] = left[pivot], left[rank]
            inverse = self._inverse(left[rank][column])
            for i in range(rank + 1, len(left)):
                if left[i][column] != 0:
                    factor = (left[i][column] * inverse) % self.modulus
                    left[i] = [(a - factor * b) % self.modulus for a, b in zip(left[i], left[rank], strict=True)]
            rank += 1
        return rank

    def _inverse(self, a: Any) -> Any:
        common, inverse, _ = a.xgcd(self.modulus)
        return inverse / common[0]


def _root_of_unity(order: int) -> acb:
    turn = arb(2) / order
    return acb(turn.cos_pi(), turn.sin_pi())
