"""Multivariate polynomials over Q for the case splits: FLINT's ``fmpq_mpoly`` with the few operations that they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from flint import Ordering, fmpq, fmpq_mpoly_ctx

from explorer.algebra.roots import integer_polynomial, sturm_total

Poly: TypeAlias = Any  # flint.fmpq_mpoly, which carries no type information
Terms: TypeAlias = Mapping[tuple[int, ...], Fraction]
Signs: TypeAlias = Mapping[int, int]


def context(names: Sequence[str]) -> Any:
    """The polynomial ring Q[names]."""
    return fmpq_mpoly_ctx.get(tuple(names), Ordering.degrevlex)


def from_terms(ring: Any, terms: Terms) -> Poly:
    return ring.from_dict({e: fmpq(c.numerator, c.denominator) for e, c in terms.items()})


def to_terms(p: Poly) -> dict[tuple[int, ...], Fraction]:
    return {tuple(map(int, e)): fraction(c) for e, c in p.to_dict().items()}


def fraction(c: Any) -> Fraction:
    c = fmpq(c)
    return Fraction(int(c.p), int(c.q))


def factors(p: Poly) -> list[Poly]:
    """The distinct irreducible non-constant factors over Q, simplest first; the empty list for a nonzero constant."""
    found = [f for f, _ in p.factor()[1] if not f.is_constant()]
    return sorted(found, key=lambda f: (len(f), f.total_degree(), str(f)))


def even_power_factors(p: Poly) -> bool:
    """Whether p is a nonnegative constant times a product of even powers: then p >= 0 everywhere."""
    constant, found = p.factor()
    return constant >= 0 and all(multiplicity % 2 == 0 for _, multiplicity in found)


def contains(polys: Iterable[Poly], p: Poly) -> bool:
    return any(q == p or q == -p for q in polys)


def variables(p: Poly) -> tuple[int, ...]:
    return tuple(i for i, degree in enumerate(p.degrees()) if degree > 0)


def coefficients_in(p: Poly, i: int) -> list[Poly]:
    """c_0, c_1, ... with p = sum c_j x_i^j and x_i in no c_j."""
    ring = p.context()
    parts: list[dict[tuple[int, ...], Any]] = [{} for _ in range(p.degrees()[i] + 1)]
    for e, c in p.to_dict().items():
        parts[e[i]][(*e[:i], 0, *e[i + 1 :])] = c
    return [ring.from_dict(part) for part in parts]


def substitute(p: Poly, i: int, numerator: Poly, denominator: Poly) -> Poly:
    """denominator^deg * p with x_i = numerator/denominator, deg the degree of p in x_i."""
    cs = coefficients_in(p, i)
    total, power = cs[-1], p.context().constant(1)
    for c in reversed(cs[:-1]):
        power = power * denominator
        total = total * numerator + c * power
    return total


def univariate(p: Poly, i: int) -> list[Fraction]:
    """The coefficients, low to high, of p, a polynomial in x_i alone."""
    out = [Fraction(0)] * (p.degrees()[i] + 1)
    for e, c in p.to_dict().items():
        out[e[i]] = fraction(c)
    return out


def sign_on(p: Poly, signs: Signs) -> int | None:
    """The sign of p where every x_i has the sign ``signs[i]`` (+1 or -1; absent: any real), if it is one and the same
    by inspection: every term of one sign and one of them never zero, or one variable and no real root. None: not decided.
    """
    terms = p.to_dict()
    if not terms:
        return 0
    seen, solid = set(), False
    for e, c in terms.items():
        sign = 1 if c > 0 else -1
        for i, k in enumerate(e):
            if k % 2:
                sign *= signs.get(i, 0)
        seen.add(sign)
        solid = solid or all(k == 0 or i in signs for i, k in enumerate(e))
    if solid and len(seen) == 1 and 0 not in seen:
        return seen.pop()
    used = variables(p)
    if len(used) == 1 and used[0] not in signs:
        cs = univariate(p, used[0])
        if sturm_total(integer_polynomial(cs)) == 0:
            return 1 if cs[0] > 0 else -1
    return None


def sum_of_even_terms(p: Poly) -> list[Poly] | None:
    """The terms of p if all have even exponents and coefficients of one sign: over the reals p = 0 iff each one is 0."""
    ring, terms = p.context(), p.to_dict()
    same = len({c > 0 for c in terms.values()}) == 1
    if len(terms) < 2 or not same or any(k % 2 for e in terms for k in e):
        return None
    return [ring.from_dict({e: c}) for e, c in terms.items()]


def at_rationals(p: Poly, values: Mapping[int, Fraction]) -> Poly:
    """p with some variables replaced by rational numbers."""
    names = p.context().names()
    return p.subs({names[i]: fmpq(v.numerator, v.denominator) for i, v in values.items()})


def determinant_sequence(matrix: Sequence[Sequence[Poly]]) -> list[Poly]:
    """c_0, ..., c_(d-1) of det(lambda I - M) = lambda^d + c_(d-1) lambda^(d-1) + ... + c_0 (Faddeev and LeVerrier)."""
    d = len(matrix)
    ring = matrix[0][0].context()
    zero, one = ring.constant(0), ring.constant(1)
    work = [[one if i == j else zero for j in range(d)] for i in range(d)]
    cs: list[Poly] = [zero] * d
    for k in range(1, d + 1):
        product = [[sum((matrix[i][m] * work[m][j] for m in range(d)), zero) for j in range(d)] for i in range(d)]
        cs[d - k] = sum((product[i][i] for i in range(d)), zero) * fmpq(-1, k)
        work = [[product[i][j] + (cs[d - k] if i == j else zero) for j in range(d)] for i in range(d)]
    return cs
