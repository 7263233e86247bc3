"""Exponential-class activations on rational data become rational functions: t = exp(m g w) with g the gcd of the inputs.

For a unit with incoming parameters w_k (inputs x_ik, and 1 for a bias) put t_k = exp(m g_k w_k), where g_k > 0 generates
the group that the x_ik span and m = 2 for tanh, else 1. Then n_ik = x_ik / g_k are integers, exp(m z_i) = a_i / b_i for
monomials a_i, b_i in t, and phi(z_i) = P_i / D, phi'(z_i) = Q_i / D^2, phi''(z_i) = R_i / D^3 with polynomials over Q.
w -> t is a diffeomorphism onto t > 0, so critical points correspond, and at critical points the Hessians are congruent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import gcd, lcm

import flint
from flint import arb, fmpq_poly

from explorer.algebra.balls import ball, to_fmpq
from explorer.errors import Unsupported
from explorer.point import Element
from explorer.solve.polynomials import Poly, context, fraction, from_terms

#: activations that are rational in exp(z), with the factor m
KINDS = {"sigmoid": 1, "tanh": 2, "exp": 1}
MAX_EXPONENT = 64


@dataclass(frozen=True)
class Substitution:
    """The numerators of phi, phi', phi'' at the samples: P_i / D, Q_i / D^2, R_i / D^3 (D > 0 for t > 0)."""

    kind: str
    gaps: tuple[Fraction, ...]
    exponents: tuple[tuple[int, ...], ...]
    ring: object
    denominator: Poly
    values: tuple[Poly, ...]
    slopes: tuple[Poly, ...]
    bends: tuple[Poly, ...]

    @property
    def unknowns(self) -> int:
        return len(self.gaps)

    @property
    def odd(self) -> bool:
        """Whether phi(-z) = -phi(z), so that a unit with -w and -v is the same function."""
        return self.kind == "tanh"

    def parameter(self, k: int, low: Fraction, high: Fraction, *, bits: int = 256) -> arb:
        """An enclosure of w_k = ln(t_k) / (m g_k) for t_k in [low, high], low > 0."""
        with flint.ctx.workprec(bits):
            return ball(low, high).log() / ball(KINDS[self.kind] * self.gaps[k])

    def exact_parameter(self, k: int, t: Fraction) -> Element | None:
        """w_k in Q[ln 2] where t_k is a power of 2, else None."""
        power = t.numerator.bit_length() - t.denominator.bit_length()
        if t != Fraction(2) ** power:
            return None
        return (Fraction(0), power / (KINDS[self.kind] * self.gaps[k])) if power else (Fraction(0),)


def substitution(kind: str, rows: Sequence[Sequence[Fraction]], names: Sequence[str]) -> Substitution:
    """The substitution for one unit with input rows ``rows`` (one per sample, 1 appended for a bias)."""
    if kind not in KINDS:
        raise Unsupported(
            "critical set",
            expected="an activation that is a rational function of exp(z): sigmoid, tanh or exp",
            got=f"{kind}, whose gradient is not algebraic after t = exp(w)",
        )
    gaps = []
    for k, column in enumerate(zip(*rows, strict=True)):
        if not any(column):
            raise Unsupported(
                "critical set", expected="inputs that are not all 0", got=f"input coordinate {k + 1} is 0"
            )
        scale = lcm(*(x.denominator for x in column))
        gaps.append(Fraction(reduce(gcd, (int(x * scale) for x in column)), scale))
    exponents = tuple(tuple(int(x / g) for x, g in zip(row, gaps, strict=True)) for row in rows)
    if max(abs(n) for row in exponents for n in row) > MAX_EXPONENT:
        raise Unsupported("critical set", expected=f"integer exponents up to {MAX_EXPONENT}", got="larger ones")
    ring = context(names)

    def monomial(e: Sequence[int]) -> Poly:
        return from_terms(ring, {tuple(e): Fraction(1)})

    above = [monomial([max(n, 0) for n in row]) for row in exponents]
    below = [monomial([max(-n, 0) for n in row]) for row in exponents]
    each = [b if kind == "exp" else a + b for a, b in zip(above, below, strict=True)]
    denominator = ring.constant(1)
    for d in each:
        denominator = denominator * d // denominator.gcd(d)
    values, slopes, bends = [], [], []
    for a, b, d in zip(above, below, each, strict=True):
        rest = denominator // d
        if kind == "exp":
            top = (a, a * b, a * b * b)
        elif kind == "sigmoid":
            top = (a, a * b, a * b * (b - a))
        else:
            top = (a - b, 4 * a * b, -8 * a * b * (a - b))
        values.append(top[0] * rest)
        slopes.append(top[1] * rest**2)
        bends.append(top[2] * rest**3)
    return Substitution(kind, tuple(gaps), exponents, ring, denominator, tuple(values), tuple(slopes), tuple(bends))


def dot(weights: Sequence[Fraction | int], left: Sequence[Poly], right: Sequence[Poly] | None = None) -> Poly:
    """sum_i weights_i left_i right_i."""
    terms = left if right is None else [a * b for a, b in zip(left, right, strict=True)]
    return sum((p * to_fmpq(Fraction(w)) for w, p in zip(weights, terms, strict=True)), terms[0] * 0)


def univariate(p: Poly) -> fmpq_poly:
    """A polynomial in one unknown as ``fmpq_poly``."""
    coefficients = [Fraction(0)] * (p.degrees()[0] + 1 if p != 0 else 1)
    for (e,), c in p.to_dict().items():
        coefficients[int(e)] = fraction(c)
    return fmpq_poly([to_fmpq(c) for c in coefficients])


def at_infinity(sub: Substitution, *, side: int) -> tuple[Fraction, ...]:
    """The direction (not normalised) that the vector phi(z_i) tends to as w -> side * infinity, for one unknown; exact.

    Where the vector itself tends to 0 or infinity this is the limit of its direction.
    """
    n = [row[0] * side for row in sub.exponents]
    if sub.kind == "tanh":
        return tuple(Fraction((k > 0) - (k < 0)) for k in n)
    if sub.kind == "sigmoid" and max(n) >= 0:
        return tuple(Fraction(1) if k > 0 else Fraction(1, 2) if k == 0 else Fraction(0) for k in n)
    return tuple(Fraction(int(k == max(n))) for k in n)
