"""Polynomial systems over the rationals as plain frozen data, with evaluation over fields and over balls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any, Generic, TypeAlias, TypeVar

from flint import arb, fmpq, fmpz

from explorer.algebra.fields import arithmetic
from explorer.algebra.signs import even_sets
from explorer.errors import Invalid
from explorer.point import Element, Point

Exponents: TypeAlias = tuple[int, ...]
Polynomial: TypeAlias = tuple[tuple[Exponents, Fraction], ...]  #: terms sorted by exponents, no zero coefficient
_Cleared: TypeAlias = tuple[dict[Exponents, int], int]  #: integer terms and the denominator
T = TypeVar("T")


def polynomial(terms: Mapping[Exponents, Fraction | int]) -> Polynomial:
    """A polynomial from a mapping exponents -> coefficient; zero terms are dropped."""
    return tuple((tuple(e), Fraction(c)) for e, c in sorted(terms.items()) if c != 0)


def derivative(p: Polynomial, unknown: int) -> Polynomial:
    """The partial derivative of ``p`` with respect to the unknown of that number."""
    return polynomial(
        {(*e[:unknown], e[unknown] - 1, *e[unknown + 1 :]): c * e[unknown] for e, c in p if e[unknown] > 0}
    )


def total_degree(p: Polynomial) -> int:
    """The total degree; -1 for the zero polynomial."""
    return max((sum(e) for e, _ in p), default=-1)


class Evaluator(Generic[T]):
    """Values of polynomials at one vector, over any ring given by its operations.

    Monomials are built by multiplication and remembered: they repeat across a Jacobian, and ``arb**n`` is NaN on a ball
    that contains 0.
    """

    def __init__(
        self,
        values: Sequence[T],
        *,
        constant: Callable[[Fraction], T],
        add: Callable[[T, T], T],
        mul: Callable[[T, T], T],
        zero: Sequence[int] = (),
    ) -> None:
        """``zero``: numbers of values that are 0, so that terms with them need no arithmetic."""
        self.values, self.constant, self.add, self.mul, self.zero = list(values), constant, add, mul, zero
        self.monomials: dict[Exponents, T] = {(0,) * len(self.values): constant(Fraction(1))}

    def monomial(self, exponents: Exponents) -> T:
        if (known := self.monomials.get(exponents)) is not None:
            return known
        k = max(i for i, e in enumerate(exponents) if e)
        rest = (*exponents[:k], exponents[k] - 1, *exponents[k + 1 :])
        lower = self.monomial(rest)
        value = self.monomials[exponents] = self.mul(lower, self.values[k]) if any(rest) else self.values[k]
        return value

    def __call__(self, p: Iterable[tuple[Exponents, Fraction]]) -> T:
        total = self.constant(Fraction(0))
        for exponents, coefficient in p:
            if any(exponents[k] for k in self.zero):
                continue
            total = self.add(total, self.mul(self.constant(coefficient), self.monomial(exponents)))
        return total


@dataclass(frozen=True)
class PolynomialSystem:
    """Equations p_1 = ... = p_m = 0 in the unknowns ``names``."""

    names: tuple[str, ...]
    equations: tuple[Polynomial, ...]

    def __post_init__(self) -> None:
        n = len(self.names)
        if n < 1 or len(set(self.names)) != n:
            raise Invalid("system.names", expected="at least one, distinct", got=str(self.names)[:80])
        if any(len(e) != n or min(e) < 0 for p in self.equations for e, _ in p):
            raise Invalid("system.equations", expected=f"{n} non-negative exponents per term")

    @classmethod
    def of(cls, names: Sequence[str], equations: Iterable[Mapping[Exponents, Fraction | int]]) -> PolynomialSystem:
        """The system from mappings exponents -> coefficient."""
        return cls(tuple(names), tuple(polynomial(e) for e in equations))

    @classmethod
    def gradient(cls, names: Sequence[str], loss: Mapping[Exponents, Fraction | int]) -> PolynomialSystem:
        """The critical-point equations of a polynomial: its partial derivatives, in the order of ``names``."""
        p = polynomial(loss)
        return cls(tuple(names), tuple(derivative(p, k) for k in range(len(names))))

    @property
    def is_square(self) -> bool:
        return len(self.equations) == len(self.names)

    @cached_property
    def jacobian(self) -> tuple[tuple[Polynomial, ...], ...]:
        """The Jacobian matrix of polynomials, row = equation."""
        return tuple(tuple(derivative(p, k) for k in range(len(self.names))) for p in self.equations)

    @cached_property
    def _cleared(self) -> tuple[_Cleared, ...]:
        """Every equation as integer terms over a common denominator."""
        cleared = []
        for p in self.equations:
            scale = lcm(*(c.denominator for _, c in p))
            cleared.append(({e: c.numerator * (scale // c.denominator) for e, c in p}, scale))
        return tuple(cleared)

    def integer_equations(self) -> tuple[tuple[tuple[Exponents, int], ...], ...]:
        """The nonzero equations with denominators cleared (the same zeros)."""
        return tuple(tuple(terms.items()) for terms, _ in self._cleared if terms)

    @cached_property
    def sign_changes(self) -> tuple[tuple[int, ...], ...]:
        """Sets of unknowns whose signs can be changed at once so that every equation stays the same up to its sign; a basis of all of them."""
        parities = (
            [a - b for a, b in zip(e, p[0][0], strict=True)] for p in self.equations for e, _ in p[1:]
        )  # all terms of an equation change sign, or none
        return tuple(even_sets(parities, len(self.names)))

    def _exact(self, point: Point) -> Evaluator[Element]:
        a = arithmetic(point.field)
        if len(point.coordinates) != len(self.names):
            raise Invalid("point", expected=f"{len(self.names)} coordinates", got=f"{len(point.coordinates)}")
        zero = [k for k, x in enumerate(point.coordinates) if x == a.zero]
        return Evaluator(point.coordinates, constant=a.from_fraction, add=a.add, mul=a.mul, zero=zero)

    def at(self, point: Point) -> tuple[Element, ...]:
        """The value of every equation at an exact point."""
        value = self._exact(point)
        return tuple(value(p) for p in self.equations)

    def jacobian_at(self, point: Point) -> tuple[tuple[Element, ...], ...]:
        """The Jacobian matrix (row = equation) at an exact point."""
        value = self._exact(point)
        entries = [value((e, Fraction(c, scale)) for e, c in p.items()) for p, scale in self._derivatives[0]]
        return tuple(tuple(row) for row in self._rows(entries))

    def vanishes_at(self, point: Point) -> bool:
        """Whether every equation is exactly zero at ``point``."""
        a, value = arithmetic(point.field), self._exact(point)
        return all(a.is_zero(value(p)) for p in self.equations)

    @cached_property
    def _plan(self) -> _Plan:
        return _Plan.of(len(self.names), self._cleared, divided=True)

    @cached_property
    def _derivatives(self) -> tuple[list[_Cleared], bool]:
        """The entries of the Jacobian, row by row; of a symmetric one (then True) only the upper half."""
        j = [[_slope(p, k) for k in range(len(self.names))] for p in self._cleared]
        symmetric = self.is_square and all(_equal(row[i], j[i][k]) for k, row in enumerate(j) for i in range(k))
        return [p for k, row in enumerate(j) for p in row[k * symmetric :]], symmetric

    @cached_property
    def _slopes(self) -> _Plan:
        return _Plan.of(len(self.names), self._derivatives[0])

    def _rows(self, entries: Iterable[T]) -> list[list[T]]:
        """The whole matrix from the entries of `_derivatives`."""
        left, rows, symmetric = iter(entries), list[list[T]](), self._derivatives[1]
        for k in range(len(self.equations)):
            done = [rows[i][k] for i in range(k)] if symmetric else []
            rows.append(done + [next(left) for _ in range(len(self.names) - len(done))])
        return rows

    def at_balls(self, x: Sequence[Any]) -> list[Any]:
        """Enclosures of the equations over the box of `flint.arb` balls ``x`` (flint.ctx.prec is the caller's)."""
        return self._plan(x)

    def jacobian_at_balls(self, x: Sequence[Any]) -> list[list[Any]]:
        """Enclosures of the Jacobian over the box ``x``."""
        return self._rows(self._slopes(x))


def _slope(p: _Cleared, unknown: int) -> _Cleared:
    """The partial derivative."""
    terms, scale = p
    return {(*e[:unknown], k - 1, *e[unknown + 1 :]): c * k for e, c in terms.items() if (k := e[unknown])}, scale


def _equal(p: _Cleared, q: _Cleared) -> bool:
    (left, scale), (right, other) = p, q
    if scale == other:
        return left == right
    return left.keys() == right.keys() and all(c * other == right[e] * scale for e, c in left.items())


@dataclass(frozen=True)
class _Plan:
    """Polynomials prepared for many evaluations in balls: every monomial once, as an earlier one times an unknown."""

    steps: tuple[tuple[int, int], ...]  #: (number of the earlier monomial, unknown); number 0 is the monomial 1
    sums: tuple[
        tuple[tuple[tuple[int, fmpz | fmpq], ...], int], ...
    ]  #: for each polynomial the numbers of its monomials with the coefficients, over the denominator that follows

    @classmethod
    def of(cls, unknowns: int, polynomials: Sequence[_Cleared], *, divided: bool = False) -> _Plan:
        """``divided``: every coefficient by itself, for narrower enclosures; else each sum, which is faster."""
        numbers = {(0,) * unknowns: 0}
        steps: list[tuple[int, int]] = []

        def number(e: Exponents) -> int:
            if (known := numbers.get(e)) is not None:
                return known
            k = max(i for i, power in enumerate(e) if power)
            steps.append((number((*e[:k], e[k] - 1, *e[k + 1 :])), k))
            return numbers.setdefault(e, len(steps))

        if divided:
            sums = tuple((tuple((number(e), fmpq(c, scale)) for e, c in p.items()), 1) for p, scale in polynomials)
        else:
            sums = tuple((tuple((number(e), fmpz(c)) for e, c in p.items()), scale) for p, scale in polynomials)
        return cls(tuple(steps), sums)

    def __call__(self, x: Sequence[Any]) -> list[Any]:
        values = [arb(1)]
        for earlier, k in self.steps:
            values.append(values[earlier] * x[k] if earlier else x[k])
        out = []
        for p, scale in self.sums:
            total = arb(0)
            for k, c in p:
                total += values[k] * c
            out.append(total if scale == 1 else total / scale)
        return out
