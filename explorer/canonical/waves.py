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

from flint import acb, arb, fmpq, fmpq_poly, fmpz, fmpz_poly, nmod_mat

from explorer.errors import Unsupported

Wave: TypeAlias = tuple[Any, ...]
MAX_ORDER = 480
MAX_EXACT_ORDER = 24  #: elimination over larger fields takes seconds


@dataclass(frozen=True)
class WaveRing:
    """Q(e^(2 pi i / order))[1/pi]; the order is a multiple of 4, so i is in it."""

    order: int

    @classmethod
    def for_points(cls, points: Iterable[Fraction]) -> WaveRing:
        """The smallest such ring in which e^(2 pi i k x) lies for all integers k and all x in ``points``.

        `Unsupported` beyond `MAX_ORDER`, where the arithmetic would be slow.
        """
        order = lcm(4, *(x.denominator for x in points))
        if order > MAX_ORDER:
            raise Unsupported(
                "kinks and inputs",
                expected=f"a common denominator up to {MAX_ORDER}",
                got=f"{order}" if order < 10**12 else "a much larger one",
                remedy="use simpler numbers",
            )
        return cls(order)

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

    def rank(self, rows: Sequence[Sequence[Wave]], *, ceiling: int | None = None) -> int:
        """The rank of a matrix over the field of fractions; ``ceiling`` is a bound that is known from elsewhere.

        The rank of an image modulo a prime is a lower bound; where it meets the upper bound (the shape, ``ceiling``) it is
        the rank. Otherwise: the largest rank at more values of P than a minor has degree, by exact elimination, which is
        `Unsupported` in fields of large degree.
        """
        if not rows or not rows[0]:
            return 0
        full = min(len(rows), len(rows[0]), *([] if ceiling is None else [ceiling]))
        best = self._rank_modulo_a_prime(rows)
        if best >= full:
            return full
        if self.order > MAX_EXACT_ORDER:
            raise Unsupported(
                "rank",
                expected=f"full rank, or kinks and inputs with a common denominator up to {MAX_EXACT_ORDER}",
                got=f"a rank that seems to be {best} of {full}, denominator {self.order}",
                remedy="use simpler numbers",
            )
        degree = sum(max(max(len(row[c]) - 1, 0) for row in rows) for c in range(len(rows[0])))
        for value in range(1, degree + 2):
            best = max(best, self._rank_at(rows, value))
            if best == full:
                break
        return best

    def _rank_modulo_a_prime(self, rows: Sequence[Sequence[Wave]]) -> int:
        """The rank after zeta and P are mapped into a prime field: never more than the rank."""
        p, zeta = _prime_with_root(self.order)
        at_p = 982_451_653

        def image(a: Wave) -> int:
            out = 0
            for part in reversed(a):
                inner = 0
                for c in reversed(part.coeffs()):
                    inner = (inner * zeta + int(c.p) * pow(int(c.q), -1, p)) % p
                out = (out * at_p + inner) % p
            return out

        flat = [image(a) for row in rows for a in row]
        return int(nmod_mat(len(rows), len(rows[0]), flat, p).rank())

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


def _prime_with_root(order: int) -> tuple[int, int]:
    """A prime p = 1 modulo ``order`` of about 60 bits, and an element of that multiplicative order."""
    p = (1 << 60) // order * order + 1
    while not fmpz(p).is_prime():
        p += order
    factors = [int(q) for q, _ in fmpz(order).factor()]
    for base in range(2, 1000):
        root = pow(base, (p - 1) // order, p)
        if all(pow(root, order // q, p) != 1 for q in factors):
            return p, root
    raise AssertionError("a prime field has roots of unity of every order that divides p - 1")
