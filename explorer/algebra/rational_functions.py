"""The field Q(t) of rational functions, exact, by FLINT's integer polynomials.

With t = pi its elements are real numbers; pi is transcendental (Lindemann), so two of them are equal only if they are equal
as rational functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import arb, ctx, fmpz_poly
from flint.utils.flint_exceptions import DomainError


@dataclass(frozen=True, slots=True)
class RationalFunction:
    """above/below in lowest terms, the leading coefficient of ``below`` positive."""

    above: fmpz_poly
    below: fmpz_poly

    @classmethod
    def of(cls, value: Fraction | int, power: int = 0) -> RationalFunction:
        """value * t^power"""
        q, t = Fraction(value), [0] * abs(power)
        above, below = [*(t if power > 0 else []), q.numerator], [*(t if power < 0 else []), q.denominator]
        return quotient(fmpz_poly(above), fmpz_poly(below))

    def __bool__(self) -> bool:
        return not self.above.is_zero()

    def __add__(self, other: RationalFunction) -> RationalFunction:
        if self.below == other.below:
            return quotient(self.above + other.above, self.below)
        return quotient(self.above * other.below + other.above * self.below, self.below * other.below)

    def __neg__(self) -> RationalFunction:
        return RationalFunction(-self.above, self.below)

    def __sub__(self, other: RationalFunction) -> RationalFunction:
        return self + -other

    def __mul__(self, other: RationalFunction) -> RationalFunction:
        return quotient(self.above * other.above, self.below * other.below)

    def __truediv__(self, other: RationalFunction) -> RationalFunction:
        if not other:
            raise ZeroDivisionError("division by the zero function")
        return quotient(self.above * other.below, self.below * other.above)

    def root(self) -> RationalFunction:
        """The square root that is positive for large t; `ArithmeticError` if there is none in Q(t)."""
        try:
            above, below = self.above.sqrt(), self.below.sqrt()
        except DomainError:
            raise ArithmeticError("a square root that is no rational function") from None
        return quotient(above if above[above.degree()] > 0 else -above, below)

    def terms(self) -> tuple[tuple[int, Fraction], ...] | None:
        """Pairs (e, q) with sum q t^e, if there is no other denominator than a power of t."""
        degree = self.below.degree()
        scale = int(self.below[degree])
        if self.below != fmpz_poly([0] * degree + [scale]):
            return None
        return tuple((e - degree, Fraction(int(c), scale)) for e, c in enumerate(self.above.coeffs()) if c)

    def at_pi(self, bits: int) -> Fraction:
        """The value at t = pi, off by less than 2^-bits."""
        for precision in (2 * bits + 64, 4 * bits + 256, 16 * bits + 1024):
            with ctx.workprec(precision):
                pi = arb.pi()
                value = self.above(pi) / self.below(pi)
                if value.rad() * 2 ** (bits + 2) < 1:
                    return Fraction(int((value * 2 ** (bits + 2)).mid().floor().unique_fmpz()), 2 ** (bits + 2))
        raise ArithmeticError("the value at pi needs more precision")

    def text(self, t: str = "pi") -> str:
        """A readable form, powers of t from high to low."""
        above, below = written(self.above, t), written(self.below, t)
        if below == "1":
            return above
        return f"{f'({above})' if ' ' in above else above}/{f'({below})' if ' ' in below or '*' in below else below}"


ZERO, ONE = RationalFunction(fmpz_poly([]), fmpz_poly([1])), RationalFunction(fmpz_poly([1]), fmpz_poly([1]))


def quotient(above: fmpz_poly, below: fmpz_poly) -> RationalFunction:
    """above/below in lowest terms."""
    if above.is_zero():
        return ZERO
    common = above.gcd(below)
    if below[below.degree()] < 0:
        common = -common
    return RationalFunction(above // common, below // common)


def written(p: fmpz_poly, t: str) -> str:
    """An integer polynomial as text."""
    out = ""
    for e in range(p.degree(), -1, -1):
        c = int(p[e])
        if not c:
            continue
        power = "" if e == 0 else t if e == 1 else f"{t}^{e}"
        size = power if abs(c) == 1 and power else f"{abs(c)}*{power}" if power else str(abs(c))
        out += f" {'-' if c < 0 else '+'} {size}" if out else ("-" if c < 0 else "") + size
    return out or "0"


def solved(matrix: list[list[RationalFunction]], right: list[RationalFunction]) -> list[RationalFunction]:
    """The solution of a square linear system; `ZeroDivisionError` if the matrix is singular."""
    rows, n = [[*row, b] for row, b in zip(matrix, right, strict=True)], len(matrix)
    for k in range(n):
        pivot = next((i for i in range(k, n) if rows[i][k]), None)
        if pivot is None:
            raise ZeroDivisionError("a singular matrix")
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for i in range(n):
            if i != k and rows[i][k]:
                rows[i] = [u - rows[i][k] * v for u, v in zip(rows[i], rows[k], strict=True)]
    return [row[n] for row in rows]


def determinant(matrix: list[list[RationalFunction]]) -> RationalFunction:
    """By elimination; 0 for a singular matrix."""
    rows, n, out = [list(row) for row in matrix], len(matrix), ONE
    for k in range(n):
        pivot = next((i for i in range(k, n) if rows[i][k]), None)
        if pivot is None:
            return ZERO
        if pivot != k:
            rows[k], rows[pivot], out = rows[pivot], rows[k], -out
        out = out * rows[k][k]
        for i in range(k + 1, n):
            factor = rows[i][k] / rows[k][k]
            rows[i] = [u - factor * v for u, v in zip(rows[i], rows[k], strict=True)]
    return out
