"""Taylor expansion of a polynomial at a point or along a family, over any exact ring of coefficients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, prod
from typing import Any

from explorer.algebra.fields import arithmetic
from explorer.budget import Deadline
from explorer.point import Field
from explorer.solve.polynomials import Poly, Terms

#: curves are followed up to this order, so expansions stop there
MAX_ORDER = 8


@dataclass(frozen=True)
class Ring:
    """Exact operations on coefficients. ``sign`` gives -1, 0, 1, or None where the sign is not one and the same."""

    constant: Callable[[Fraction], Any]
    add: Callable[[Any, Any], Any]
    mul: Callable[[Any, Any], Any]
    is_zero: Callable[[Any], bool]
    sign: Callable[[Any], int | None]


def field_ring(field: Field) -> Ring:
    """The coefficients at one point: the elements of its field."""
    a = arithmetic(field)
    return Ring(a.from_fraction, a.add, a.mul, a.is_zero, a.sign)


def polynomial_ring(ring: Any, sign: Callable[[Poly], int | None]) -> Ring:
    """The coefficients along a family: polynomials in its parameters, with the ``sign`` that they have there."""
    from flint import fmpq

    def constant(c: Fraction) -> Poly:
        return ring.constant(fmpq(c.numerator, c.denominator))

    return Ring(constant, lambda a, b: a + b, lambda a, b: a * b, lambda a: a.is_zero(), sign)


Expansion = dict[tuple[int, ...], Any]


def expand(
    terms: Terms, base: Sequence[Any], ring: Ring, deadline: Deadline, *, scale: Any = None, order: int = MAX_ORDER
) -> Expansion:
    """The coefficients of h^j, 1 <= |j| <= ``order``, in F(base + h); with ``scale`` D, of D^M F(base/D + h), M even.

    (So a family base/D keeps polynomial coefficients, and every coefficient the sign of the true one where D != 0.)
    """
    top = max((sum(e) for e in terms), default=0)
    even = top + top % 2
    powers: dict[tuple[int, int], Any] = {}

    def power(k: int, n: int) -> Any:
        if n == 0:
            return ring.constant(Fraction(1))
        if (k, n) not in powers:
            powers[k, n] = ring.mul(power(k, n - 1), scale if k < 0 else base[k])
        return powers[k, n]

    out: Expansion = {}
    for e, c in terms.items():
        deadline.check("expanding the loss around a critical point")
        for j in _below(e, order):
            factor = Fraction(prod(comb(n, m) for n, m in zip(e, j, strict=True))) * c
            value = ring.constant(factor)
            for k, (n, m) in enumerate(zip(e, j, strict=True)):
                if n > m:
                    value = ring.mul(value, power(k, n - m))
            if scale is not None:
                value = ring.mul(value, power(-1, even - sum(e) + sum(j)))
            out[j] = ring.add(out[j], value) if j in out else value
    return {j: v for j, v in sorted(out.items()) if not ring.is_zero(v)}


def _below(e: tuple[int, ...], order: int) -> list[tuple[int, ...]]:
    """All j <= e with 1 <= |j| <= order."""
    found: list[tuple[int, ...]] = [()]
    for n in e:
        found = [(*j, m) for j in found for m in range(min(n, order - sum(j)) + 1)]
    return [j for j in found if any(j)]


def along(
    expansion: Mapping[tuple[int, ...], Any], weights: Sequence[int], units: Sequence[Fraction], ring: Ring
) -> tuple[int, Any] | None:
    """(m, c): the first nonzero coefficient of F(p + h(s)) - F(p) = c s^m + ..., for the curve h_k = units_k s^weights_k.

    Weight 0 means that parameter k stays. None: nothing up to `MAX_ORDER`.
    """
    by_order: dict[int, list[tuple[tuple[int, ...], Any]]] = {}
    for j, c in expansion.items():
        if any(n and not w for n, w in zip(j, weights, strict=True)):
            continue
        m = sum(n * w for n, w in zip(j, weights, strict=True))
        if m <= MAX_ORDER:
            by_order.setdefault(m, []).append((j, c))
    for m in sorted(by_order):
        total = ring.constant(Fraction(0))
        for j, c in by_order[m]:
            u = prod((u**n for u, n in zip(units, j, strict=True) if n), start=Fraction(1))
            total = ring.add(total, ring.mul(ring.constant(u), c))
        if not ring.is_zero(total):
            return m, total
    return None
