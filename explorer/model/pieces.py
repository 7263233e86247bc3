"""Piecewise polynomial functions of one real variable over Q: breaks, smoothness, signs. Plain exact arithmetic.

Piece k holds on [breaks[k-1], breaks[k]]; coefficients run from low to high degree; neighbours agree at their break.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

from flint import fmpq, fmpq_poly

Coefficients = tuple[Fraction, ...]


def trim(c: Coefficients) -> Coefficients:
    """Without trailing zeros, but never empty."""
    n = len(c)
    while n > 1 and c[n - 1] == 0:
        n -= 1
    return tuple(c[:n]) or (Fraction(0),)


def derivative(c: Coefficients) -> Coefficients:
    return trim(tuple(k * a for k, a in enumerate(c))[1:])


def value(c: Coefficients, z: Fraction) -> Fraction:
    out = Fraction(0)
    for a in reversed(c):
        out = out * z + a
    return out


def reflect(c: Coefficients) -> Coefficients:
    """The coefficients of p(-z)."""
    return tuple(-a if k % 2 else a for k, a in enumerate(c))


@dataclass(frozen=True)
class Pieces:
    """A continuous piecewise polynomial; breaks where both sides are the same polynomial are dropped by `pieces`."""

    breaks: tuple[Fraction, ...]
    polynomials: tuple[Coefficients, ...]

    @property
    def is_polynomial(self) -> bool:
        return not self.breaks

    @property
    def is_zero(self) -> bool:
        return all(p == (0,) for p in self.polynomials)

    @cached_property
    def smoothness(self) -> tuple[int, ...]:
        """For each break the largest k such that the function is C^k there."""
        orders = []
        for b, left, right in zip(self.breaks, self.polynomials, self.polynomials[1:], strict=False):
            k = 0
            while True:
                left, right = derivative(left), derivative(right)
                if value(left, b) != value(right, b):
                    break
                k += 1
            orders.append(k)
        return tuple(orders)

    def derivative_pieces(self, order: int) -> tuple[Coefficients, ...]:
        out = self.polynomials
        for _ in range(order):
            out = tuple(derivative(p) for p in out)
        return out

    def interval(self, k: int) -> tuple[Fraction | None, Fraction | None]:
        """The ends of piece k (None: unbounded)."""
        return (self.breaks[k - 1] if k else None), (self.breaks[k] if k < len(self.breaks) else None)

    def index(self, z: Fraction) -> tuple[int, int | None]:
        """The piece that holds at ``z``, and the number of the break that ``z`` is, if it is one."""
        for k, b in enumerate(self.breaks):
            if z < b:
                return k, None
            if z == b:
                return k, k
        return len(self.breaks), None

    @property
    def parity(self) -> str | None:
        """ "even", "odd" or None; the zero function counts as even."""
        mirrored = Pieces(
            tuple(-b for b in reversed(self.breaks)), tuple(reflect(p) for p in reversed(self.polynomials))
        )
        if mirrored == self:
            return "even"
        negated = Pieces(mirrored.breaks, tuple(tuple(-a for a in p) for p in mirrored.polynomials))
        return "odd" if negated == self else None

    @property
    def homogeneous(self) -> int | None:
        """The k with phi(c z) = c^k phi(z) for all c > 0, or None (also for the zero function)."""
        degrees = {j for p in self.polynomials for j, a in enumerate(p) if a}
        return degrees.pop() if len(degrees) == 1 and set(self.breaks) <= {Fraction(0)} else None

    @property
    def nondecreasing(self) -> bool:
        return all(nonnegative_on(derivative(p), *self.interval(k)) for k, p in enumerate(self.polynomials))

    @property
    def convex(self) -> bool:
        """Second derivative >= 0 inside every piece, and slopes that do not drop at any break."""
        if not all(
            nonnegative_on(derivative(derivative(p)), *self.interval(k)) for k, p in enumerate(self.polynomials)
        ):
            return False
        slopes = self.derivative_pieces(1)
        return all(value(slopes[k], b) <= value(slopes[k + 1], b) for k, b in enumerate(self.breaks))

    @property
    def positive(self) -> bool:
        return all(
            nonnegative_on(p, *self.interval(k)) and not roots_in(p, *self.interval(k))
            for k, p in enumerate(self.polynomials)
        )

    @property
    def bounded(self) -> bool:
        return len(self.polynomials[0]) == 1 and len(self.polynomials[-1]) == 1


def pieces(breaks: tuple[Fraction, ...], polynomials: tuple[Coefficients, ...]) -> Pieces:
    """A `Pieces` in normal form: trailing zeros trimmed, breaks between equal polynomials dropped."""
    polys = [trim(polynomials[0])]
    kept: list[Fraction] = []
    for b, p in zip(breaks, polynomials[1:], strict=True):
        if trim(p) != polys[-1]:
            kept.append(b)
            polys.append(trim(p))
    return Pieces(tuple(kept), tuple(polys))


# -- signs of polynomials on intervals: Sturm's theorem --------------------------------------------------------------


def _poly(c: Coefficients) -> fmpq_poly:
    return fmpq_poly([fmpq(a.numerator, a.denominator) for a in c])


def _sturm_chain(p: fmpq_poly) -> list[fmpq_poly]:
    chain = [p, p.derivative()]
    while chain[-1] != 0:
        chain.append(-(chain[-2] % chain[-1]))
    return chain[:-1]


def _changes(chain: list[fmpq_poly], at: Fraction | None, *, side: int) -> int:
    """Sign changes of the chain at a point, or at -infinity (side -1) / +infinity (side +1)."""
    signs = []
    for q in chain:
        if at is None:
            s = q[q.degree()] * (side if q.degree() % 2 else 1)
        else:
            s = q(fmpq(at.numerator, at.denominator))
        if s != 0:
            signs.append(s > 0)
    return sum(a != b for a, b in pairwise(signs))


def roots_in(c: Coefficients, low: Fraction | None, high: Fraction | None) -> int:
    """The number of distinct real roots in the closed interval (None: unbounded). The zero polynomial: Invalid use, 1."""
    p = _poly(c)
    if p == 0:
        return 1
    if p.degree() < 1:
        return 0
    chain = _sturm_chain(p // p.gcd(p.derivative()))
    count = _changes(chain, low, side=-1) - _changes(chain, high, side=1)  # roots in (low, high]
    return count + (1 if low is not None and value(c, low) == 0 else 0)


def nonnegative_on(c: Coefficients, low: Fraction | None, high: Fraction | None) -> bool:
    """Whether the polynomial is >= 0 on the interval, by Sturm's theorem on the factors of odd multiplicity."""
    p = _poly(c)
    if p.degree() < 1:
        return p == 0 or p[0] > 0
    unit, factors = p.factor_squarefree()
    odd = fmpq_poly([unit])
    for q, multiplicity in factors:
        odd = odd * q if multiplicity % 2 else odd
    coefficients = tuple(Fraction(int(a.p), int(a.q)) for a in odd.coeffs())
    ends = [e for e in (low, high) if e is not None and value(coefficients, e) == 0]
    if roots_in(coefficients, low, high) > len(ends):
        return False
    inside = (
        (low + high) / 2
        if low is not None and high is not None
        else low + 1
        if low is not None
        else high - 1
        if high is not None
        else Fraction(0)
    )
    return value(coefficients, inside) > 0
