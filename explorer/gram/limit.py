"""The limit Gram matrix of ReLU units, H_ij = E[x_i.x_j 1{w.x_i >= 0, w.x_j >= 0}], w ~ N(0, I), for unit inputs.

P(w.x >= 0, w.y >= 0) is (pi - angle)/(2 pi), so H_ij = rho (pi - arccos rho)/(2 pi) with rho = x_i.x_j (Du et al. 2019,
Theorem 3.1). It is rational where the angle is 0, 60, 90, 120 or 180 degrees; elsewhere Arb encloses it. Eigenvalues are
bracketed by bisection: whether H - c I is definite is decided by elimination, exactly or over balls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product

import flint
from flint import acb, arb, fmpq_mat

from explorer.algebra.balls import ball, to_fmpq
from explorer.errors import Unsupported

Vector = tuple[Fraction, ...]
Matrix = tuple[tuple[Fraction, ...], ...]

#: cosine -> entry of H, where both are rational (Niven: no other rational angle has a rational cosine)
KNOWN = {
    Fraction(1): Fraction(1, 2),
    Fraction(1, 2): Fraction(1, 6),
    Fraction(0): Fraction(0),
    Fraction(-1, 2): Fraction(-1, 12),
    Fraction(-1): Fraction(0),
}
MAX_SAMPLES = 24
BITS = 160  # of the balls
DEPTH = 44  # halvings of [-trace, trace]


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def is_unit(inputs: Sequence[Vector]) -> bool:
    return all(dot(x, x) == 1 for x in inputs)


def limit_gram(inputs: Sequence[Vector]) -> Matrix | None:
    """H for unit inputs with rational entries; None where an angle makes an entry irrational."""
    cosines = [[dot(x, y) for y in inputs] for x in inputs]
    if any(c not in KNOWN for row in cosines for c in row):
        return None
    return tuple(tuple(KNOWN[c] for c in row) for row in cosines)


def entry_ball(cosine: Fraction) -> arb:
    """rho (pi - arccos rho)/(2 pi) as a ball, at the current precision."""
    if cosine in KNOWN:
        return ball(KNOWN[cosine])
    c = ball(cosine)
    return c * (arb.pi() - c.acos()) / (2 * arb.pi())


def entry_by_integral(cosine: Fraction) -> arb:
    """The same number from the Gaussian integral rho int_0^oo phi(t) Phi(rho t/sqrt(1 - rho^2)) dt, enclosed; |rho| < 1."""
    with flint.ctx.workprec(BITS):
        c = ball(cosine)
        slope = c / (1 - c * c).sqrt() / arb(2).sqrt()

        def density(t: acb, _: bool) -> acb:
            return (-t * t / 2).exp() * (1 + (slope * t).erf()) / 2

        inner = acb.integral(density, 0, 16).real / (2 * arb.pi()).sqrt()
        tail = (-arb(128)).exp()  # P(z > 16) < e^(-16^2/2)
        return c * inner.union(inner + tail)


@dataclass(frozen=True)
class Least:
    """The smallest eigenvalue: between ``lower`` and ``upper``, equal to ``exact`` where it is known to be rational."""

    lower: Fraction
    upper: Fraction
    exact: Fraction | None = None

    @property
    def text(self) -> str:
        if self.exact is not None:
            return str(self.exact)
        return f"between {_decimal(self.lower)} and {_decimal(self.upper)}"


def _decimal(value: Fraction) -> str:
    digits = f"{abs(int(value * 10**9)):010d}"
    return f"{'-' if value < 0 else ''}{digits[:-9]}.{digits[-9:]}"


@lru_cache(maxsize=64)
def lambda_0(inputs: tuple[Vector, ...]) -> Least:
    """The smallest eigenvalue of H for unit inputs; `Unsupported` for too many samples or inputs of other lengths."""
    if not is_unit(inputs) or len(inputs) > MAX_SAMPLES:
        raise Unsupported("the limit Gram matrix", expected=f"at most {MAX_SAMPLES} inputs of length 1")
    exact = limit_gram(inputs)
    if exact is not None:
        return least_eigenvalue(exact)
    with flint.ctx.workprec(BITS):
        rows = [[entry_ball(dot(x, y)) for y in inputs] for x in inputs]
        return _bisected(rows, Fraction(len(inputs)))


@lru_cache(maxsize=256)
def least_eigenvalue(matrix: Matrix) -> Least:
    """The smallest eigenvalue of a symmetric rational matrix, exact where it is rational."""
    n = len(matrix)
    whole = fmpq_mat(n, n, [to_fmpq(v) for row in matrix for v in row])
    for root in sorted(_rational_roots(whole)):
        if is_psd(matrix, root):
            return Least(root, root, root)
    bound = max(sum((abs(v) for v in row), Fraction(1)) for row in matrix)
    with flint.ctx.workprec(BITS):
        return _bisected([[ball(v) for v in row] for row in matrix], bound)


def _rational_roots(matrix: fmpq_mat) -> list[Fraction]:
    polynomial = matrix.charpoly()
    _, factors = polynomial.numer().factor()
    return [Fraction(-int(f[0]), int(f[1])) for f, _ in factors if f.degree() == 1]


def is_psd(matrix: Matrix, floor: Fraction = Fraction(0)) -> bool:
    """Whether matrix - floor * identity is positive semidefinite, by exact elimination."""
    rows = [[to_fmpq(v - (floor if i == j else 0)) for j, v in enumerate(row)] for i, row in enumerate(matrix)]
    for k, pivot in enumerate(rows):
        if pivot[k] < 0 or (pivot[k] == 0 and any(v != 0 for v in pivot[k + 1 :])):
            return False
        for row in rows[k + 1 :] if pivot[k] != 0 else ():
            factor = row[k] / pivot[k]
            for j in range(k + 1, len(rows)):
                row[j] -= factor * pivot[j]
    return True


def _bisected(rows: list[list[arb]], bound: Fraction) -> Least:
    low, high = -bound, bound
    for _ in range(DEPTH):
        middle = (low + high) / 2
        sign = _definite(rows, middle)
        if sign == 0:  # an eigenvalue of H or of a leading block is too near: try beside it
            middle += (high - low) / 32
            sign = _definite(rows, middle)
        if sign == 0:
            break
        low, high = (middle, high) if sign > 0 else (low, middle)
    return Least(low, high)


def _definite(rows: list[list[arb]], floor: Fraction) -> int:
    """1: rows - floor I is positive definite; -1: it has a negative eigenvalue; 0: not decided by these balls."""
    work = [[v - ball(floor) if i == j else v for j, v in enumerate(row)] for i, row in enumerate(rows)]
    for k, pivot in enumerate(work):
        if pivot[k] < 0:
            return -1  # the pivots before were positive: a congruence with a negative diagonal entry
        if not pivot[k] > 0:
            return 0
        for row in work[k + 1 :]:
            factor = row[k] / pivot[k]
            for j in range(k + 1, len(work)):
                row[j] = row[j] - factor * pivot[j]
    return 1


def definite_with(inputs: Sequence[Vector], kernel: Sequence[Vector]) -> bool:
    """Whether H + sum_k c_k c_k^T is shown to be positive definite: then H has no kernel beyond the span of the c_k."""
    n = range(len(inputs))
    added = [[sum((c[i] * c[j] for c in kernel), Fraction(0)) for j in n] for i in n]
    exact = limit_gram(inputs)
    if exact is not None:
        total = fmpq_mat(len(inputs), len(inputs), [to_fmpq(exact[i][j] + added[i][j]) for i, j in product(n, n)])
        return total.det() != 0
    with flint.ctx.workprec(BITS):
        rows = [[entry_ball(dot(x, y)) + ball(added[i][j]) for j, y in enumerate(inputs)] for i, x in enumerate(inputs)]
        return _definite(rows, Fraction(0)) > 0


def short_lower(value: Fraction, bits: int = 30) -> Fraction:
    """The largest multiple of 2^-bits that is not above ``value``."""
    return Fraction((value.numerator << bits) // value.denominator, 1 << bits)
