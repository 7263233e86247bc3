"""Rational parametrisations of finitely many complex points, the common language of the engines that propose solutions.

Every solution is x_i = n_i(t) / v(t) at a root t of a squarefree polynomial w, t an integer linear form of the unknowns
that separates the solutions (Rouillier, "Solving zero-dimensional systems through the rational univariate
representation", AAECC 9 (1999)). A parametrisation is a proposal: `explorer.algebra.solver` verifies what it uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from flint import fmpq_poly, fmpz_poly, nmod_poly

from explorer.algebra.roots import integer_polynomial, squarefree_part
from explorer.algebra.systems import PolynomialSystem

PRIMES = (4611686018427387847, 4611686018427387817, 4611686018427387787)  #: below 2^62


class Dimension(Enum):
    """What the solution set over the complex numbers is."""

    EMPTY = "there is no complex solution"
    FINITE = "there are finitely many complex solutions"
    POSITIVE = "there are infinitely many complex solutions"
    UNDECIDED = "the dimension is not known"


@dataclass(frozen=True)
class Parametrization:
    """x_i = numerators[i](t) / denominator(t) at the roots t of ``eliminating`` (squarefree, primitive)."""

    eliminating: fmpz_poly
    denominator: fmpq_poly
    numerators: tuple[fmpq_poly, ...]


@dataclass(frozen=True)
class Proposal:
    """What an engine says about a system. ``multiplicity`` is the dimension of the quotient algebra."""

    dimension: Dimension
    method: str
    counts: Literal["exact", "modular", "unknown"]
    parametrization: Parametrization | None = None
    multiplicity: int | None = None
    reason: str = ""


def coprime(p: fmpq_poly, w: fmpz_poly) -> bool:
    """Whether p and w have no common complex root (decided modulo primes first: no common factor there is none over Q)."""
    numerator = p.numer()
    for prime in PRIMES:
        if w.leading_coefficient() % prime and (nmod_poly(numerator, prime).gcd(nmod_poly(w, prime))).degree() == 0:
            return True
    return bool(numerator.gcd(w).degree() == 0)


def immediate(system: PolynomialSystem) -> Proposal | None:
    """The answer where no engine is needed: no equation, a nonzero constant, or one unknown (a gcd)."""
    equations = system.integer_equations()
    if not equations:
        return Proposal(Dimension.POSITIVE, "no equation at all", "exact")
    if any(len(p) == 1 and not any(p[0][0]) for p in equations):
        return Proposal(Dimension.EMPTY, "an equation is a nonzero constant", "exact", multiplicity=0)
    if len(system.names) > 1:
        return None
    common = fmpz_poly([])
    for p in equations:
        dense = [0] * (max(e[0] for e, _ in p) + 1)
        for e, c in p:
            dense[e[0]] = c
        common = common.gcd(fmpz_poly(dense))
    common = integer_polynomial([int(c) for c in common.coeffs()])
    if common.degree() == 0:
        return Proposal(Dimension.EMPTY, "gcd of polynomials in one unknown", "exact", multiplicity=0)
    return Proposal(
        Dimension.FINITE,
        "gcd of polynomials in one unknown",
        "exact",
        Parametrization(squarefree_part(common), fmpq_poly([1]), (fmpq_poly([0, 1]),)),
        int(common.degree()),
    )
