"""Arithmetic for the elements of `explorer.point`: the rationals, Q(alpha) and the ring Q[ln 2].

An element is a tuple of Fractions, the coefficients (low to high) of a polynomial in the field's generator. Elements
leave this module in canonical form: never empty, no trailing zero unless the element is ``(0,)``, and in Q(alpha)
shorter than the defining polynomial. Zero and sign are *decided*, never estimated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import Protocol

import flint
from flint import arb, fmpq_poly, fmpz_poly

from explorer.algebra.balls import ball, bounds, sign_of, to_fmpq, to_fraction
from explorer.algebra.roots import (
    Interval,
    coefficient_tuple,
    integer_polynomial,
    is_squarefree,
    refine,
    sign_at,
    sturm_count,
)
from explorer.errors import Invalid, Unsupported
from explorer.point import Element, Field, Ln2Ring, NumberField, RationalField

ZERO: Element = (Fraction(0),)
ONE: Element = (Fraction(1),)


class FieldArithmetic(Protocol):
    """The operations of one field. ``inverse`` raises ZeroDivisionError at zero and Unsupported where it leaves the ring."""

    @property
    def field(self) -> Field: ...
    @property
    def zero(self) -> Element: ...
    @property
    def one(self) -> Element: ...
    def from_fraction(self, value: Fraction | int) -> Element: ...
    def add(self, a: Element, b: Element) -> Element: ...
    def sub(self, a: Element, b: Element) -> Element: ...
    def mul(self, a: Element, b: Element) -> Element: ...
    def neg(self, a: Element) -> Element: ...
    def inverse(self, a: Element) -> Element: ...
    def is_zero(self, a: Element) -> bool: ...
    def sign(self, a: Element) -> int:
        """-1, 0 or 1."""
        ...

    def enclose(self, a: Element, bits: int = 64) -> Interval:
        """Rational lo <= a <= hi with hi - lo <= 2^-bits."""
        ...

    def approximate(self, a: Element) -> float:
        """A float for display only."""
        ...


def arithmetic(field: Field) -> FieldArithmetic:
    """The arithmetic of ``field``."""
    if isinstance(field, RationalField):
        return RationalArithmetic(field)
    if isinstance(field, Ln2Ring):
        return Ln2Arithmetic(field)
    return number_field_arithmetic(field)


@lru_cache(maxsize=64)
def number_field_arithmetic(field: NumberField) -> NumberFieldArithmetic:
    """The arithmetic of Q(alpha); `Invalid` unless alpha is well defined (soundness: squarefree, one root, honest ends)."""
    modulus = integer_polynomial(field.polynomial)
    low, high = field.interval
    if modulus.degree() < 1 or not is_squarefree(modulus):
        raise Invalid("number field", expected="a squarefree polynomial of degree at least 1", got=str(modulus)[:60])
    if not low < high or sign_at(modulus, low) == 0 or sign_at(modulus, high) == 0:
        raise Invalid("number field", expected="an open interval whose ends are not roots", got=f"({low}, {high})")
    if (count := sturm_count(modulus, low, high)) != 1:
        raise Invalid("number field", expected="exactly one root in the interval", got=f"{count} roots")
    return NumberFieldArithmetic(field, modulus)


@dataclass(frozen=True)
class RationalArithmetic:
    """The rationals; elements have length 1."""

    field: RationalField
    zero: Element = ZERO
    one: Element = ONE

    def from_fraction(self, value: Fraction | int) -> Element:
        return (Fraction(value),)

    def add(self, a: Element, b: Element) -> Element:
        return (a[0] + b[0],)

    def sub(self, a: Element, b: Element) -> Element:
        return (a[0] - b[0],)

    def mul(self, a: Element, b: Element) -> Element:
        return (a[0] * b[0],)

    def neg(self, a: Element) -> Element:
        return (-a[0],)

    def inverse(self, a: Element) -> Element:
        return (1 / a[0],)

    def is_zero(self, a: Element) -> bool:
        return a[0] == 0

    def sign(self, a: Element) -> int:
        return (a[0] > 0) - (a[0] < 0)

    def enclose(self, a: Element, bits: int = 64) -> Interval:
        return a[0], a[0]

    def approximate(self, a: Element) -> float:
        return _float(a[0])


class _PolynomialArithmetic:
    """What Q(alpha) and Q[ln 2] share: elements are polynomials in one generator."""

    zero: Element = ZERO
    one: Element = ONE

    def from_fraction(self, value: Fraction | int) -> Element:
        return (Fraction(value),)

    def add(self, a: Element, b: Element) -> Element:
        if len(a) < len(b):
            a, b = b, a
        return _trim([*(x + y for x, y in zip(a, b, strict=False)), *a[len(b) :]])

    def sub(self, a: Element, b: Element) -> Element:
        return self.add(a, self.neg(b))

    def neg(self, a: Element) -> Element:
        return tuple(-c for c in a)


@dataclass(frozen=True)
class NumberFieldArithmetic(_PolynomialArithmetic):
    """Q(alpha). The defining polynomial need not be irreducible: a nonzero residue may vanish at alpha."""

    field: NumberField
    modulus: fmpz_poly

    def element(self, p: fmpq_poly) -> Element:
        """The canonical element of a polynomial in alpha."""
        return from_poly(p % fmpq_poly(self.modulus))

    def mul(self, a: Element, b: Element) -> Element:
        if len(a) == 1 or len(b) == 1:
            (c,), other = (a, b) if len(a) == 1 else (b, a)
            return ZERO if c == 0 else _trim([c * x for x in other])
        return self.element(to_poly(a) * to_poly(b))

    def inverse(self, a: Element) -> Element:
        if self.is_zero(a):
            raise ZeroDivisionError("the element is zero at alpha")
        p, m = to_poly(a), fmpq_poly(self.modulus)
        g, s, _ = p.xgcd(m)
        if g.degree() > 0:  # a zero divisor that is not zero at alpha: alpha is a root of the cofactor m / g
            m = m / g
            g, s, _ = p.xgcd(m)
        return from_poly((s / g[0]) % m)

    def is_zero(self, a: Element) -> bool:
        if len(a) == 1:
            return a[0] == 0
        g = to_poly(a).gcd(fmpq_poly(self.modulus)).numer()
        if g.degree() < 1:
            return False
        low, high = self.field.interval  # g divides the squarefree modulus: at most one, simple, root inside
        return sign_at(g, low) * sign_at(g, high) < 0

    def sign(self, a: Element) -> int:
        if len(a) == 1:
            return (a[0] > 0) - (a[0] < 0)
        if self.is_zero(a):
            return 0
        return _sign_by_balls(lambda bits: self._ball(a, bits))

    def _ball(self, a: Element, bits: int) -> arb:
        low, high = _refined(self.field, bits)
        with flint.ctx.workprec(bits + 64):
            return _evaluate(a, ball(low, high))

    def enclose(self, a: Element, bits: int = 64) -> Interval:
        return _enclose_by_balls(lambda b: self._ball(a, b), bits)

    def approximate(self, a: Element) -> float:
        return _display(self, a)


@dataclass(frozen=True)
class Ln2Arithmetic(_PolynomialArithmetic):
    """Q[T], T = ln 2. ln 2 is transcendental (Lindemann 1882), so an element is zero only if all its coefficients are."""

    field: Ln2Ring

    def mul(self, a: Element, b: Element) -> Element:
        return from_poly(to_poly(a) * to_poly(b))

    def inverse(self, a: Element) -> Element:
        if len(a) > 1:
            raise Unsupported(
                "the ring Q[ln 2]",
                expected="division by a rational",
                got="division by a polynomial in ln 2",
                remedy="its inverse is not in the ring; use intervals",
            )
        return (1 / a[0],)

    def is_zero(self, a: Element) -> bool:
        return not any(a)

    def sign(self, a: Element) -> int:
        if len(a) == 1:
            return (a[0] > 0) - (a[0] < 0)
        return 0 if self.is_zero(a) else _sign_by_balls(lambda bits: self._ball(a, bits))

    def _ball(self, a: Element, bits: int) -> arb:
        with flint.ctx.workprec(bits + 64):
            return _evaluate(a, arb(2).log())

    def enclose(self, a: Element, bits: int = 64) -> Interval:
        return _enclose_by_balls(lambda b: self._ball(a, b), bits)

    def approximate(self, a: Element) -> float:
        return _display(self, a)


def to_poly(a: Element) -> fmpq_poly:
    return fmpq_poly([to_fmpq(c) for c in a])


def from_poly(p: fmpq_poly) -> Element:
    return tuple(to_fraction(c) for c in p.coeffs()) or ZERO


def _trim(coefficients: list[Fraction]) -> Element:
    while len(coefficients) > 1 and coefficients[-1] == 0:
        coefficients.pop()
    return tuple(coefficients)


def _evaluate(a: Element, x: arb) -> arb:
    total = arb(0)
    for c in reversed(a):
        total = total * x + ball(c)
    return total


@lru_cache(maxsize=4096)
def _refined(field: NumberField, bits: int) -> Interval:
    return refine(integer_polynomial(field.polynomial), field.interval, bits)


def _sign_by_balls(enclosure: Callable[[int], arb]) -> int:
    """The sign of a number that is known not to be zero: precision doubles until the ball excludes 0."""
    bits = 64
    while (s := sign_of(enclosure(bits))) == 0:
        bits *= 2
    return s


def _enclose_by_balls(enclosure: Callable[[int], arb], bits: int) -> Interval:
    work = bits + 32
    while True:
        low, high = bounds(enclosure(work))
        if high - low <= Fraction(1, 2**bits):
            return low, high
        work *= 2


def _display(arithmetic: FieldArithmetic, a: Element) -> float:
    if arithmetic.is_zero(a):
        return _float(Fraction(0))
    bits = 64
    while True:
        low, high = arithmetic.enclose(a, bits)
        if low * high > 0 and high - low <= min(abs(low), abs(high)) / 2**54:
            return _float((low + high) / 2)
        bits *= 2


def _float(value: Fraction) -> float:
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def minimal_polynomial(element: Element, field: Field) -> tuple[tuple[int, ...], Interval]:
    """Minimal polynomial over Q of one coordinate (primitive integers, low to high, positive leading coefficient) and an
    open isolating interval with rational end points (a rational p/q gives (-p, q) and an interval around it).

    `Unsupported` in Q[ln 2] unless the element is rational (its other elements are transcendental).
    """
    if len(element) == 1:
        value = element[0]
        return (-value.numerator, value.denominator), (value - 1, value + 1)
    if isinstance(field, Ln2Ring):
        raise Unsupported("a number in Q[ln 2]", expected="an algebraic number", got="a transcendental one")
    arith = number_field_arithmetic(field) if isinstance(field, NumberField) else None
    if arith is None:
        raise Invalid("element", expected="one coefficient for a rational", got=f"{len(element)}")
    # the characteristic polynomial of multiplication by the element has its conjugates as roots
    factors = [f for f, _ in _multiplication_matrix(element, arith).charpoly().numer().factor()[1]]
    bits = 8
    while True:
        low, high = arith.enclose(element, bits)
        low, high = Fraction(floor(low * 2**bits) - 1, 2**bits), Fraction(ceil(high * 2**bits) + 1, 2**bits)
        if all(sign_at(f, low) != 0 and sign_at(f, high) != 0 for f in factors):
            holding = [f for f in factors if sturm_count(f, low, high)]
            if len(holding) == 1 and sturm_count(holding[0], low, high) == 1:
                return coefficient_tuple(integer_polynomial([int(c) for c in holding[0].coeffs()])), (low, high)
        bits *= 2


def _multiplication_matrix(element: Element, arith: NumberFieldArithmetic) -> flint.fmpq_mat:
    n, m, p = arith.modulus.degree(), fmpq_poly(arith.modulus), to_poly(element)
    rows = []
    for k in range(n):
        image = (p * fmpq_poly([0] * k + [1])) % m
        rows.append([image[j] for j in range(n)])
    return flint.fmpq_mat(rows)
