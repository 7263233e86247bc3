"""Polynomial systems over the rationals as plain frozen data, with evaluation over fields and over balls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from explorer.point import Element, Point

Exponents: TypeAlias = tuple[int, ...]
Polynomial: TypeAlias = tuple[tuple[Exponents, Fraction], ...]  #: terms sorted by exponents, no zero coefficient


def polynomial(terms: Mapping[Exponents, Fraction | int]) -> Polynomial:
    """A polynomial from a mapping exponents -> coefficient; zero terms are dropped."""
    raise NotImplementedError


@dataclass(frozen=True)
class PolynomialSystem:
    """Equations p_1 = ... = p_m = 0 in the unknowns ``names``."""

    names: tuple[str, ...]
    equations: tuple[Polynomial, ...]

    @classmethod
    def of(cls, names: Sequence[str], equations: Iterable[Mapping[Exponents, Fraction | int]]) -> PolynomialSystem:
        """The system from mappings exponents -> coefficient."""
        raise NotImplementedError

    @classmethod
    def gradient(cls, names: Sequence[str], loss: Mapping[Exponents, Fraction | int]) -> PolynomialSystem:
        """The critical-point equations of a polynomial: its partial derivatives, in the order of ``names``."""
        raise NotImplementedError

    def derivative(self, equation: int, unknown: int) -> Polynomial:
        raise NotImplementedError

    def at(self, point: Point) -> tuple[Element, ...]:
        """The value of every equation at an exact point."""
        raise NotImplementedError

    def jacobian_at(self, point: Point) -> tuple[tuple[Element, ...], ...]:
        """The Jacobian matrix (row = equation) at an exact point."""
        raise NotImplementedError

    def vanishes_at(self, point: Point) -> bool:
        """Whether every equation is exactly zero at ``point``."""
        raise NotImplementedError

    def at_balls(self, x: Sequence[Any]) -> list[Any]:
        """Enclosures of the equations over the box of `flint.arb` balls ``x`` (flint.ctx.prec is the caller's)."""
        raise NotImplementedError

    def jacobian_at_balls(self, x: Sequence[Any]) -> list[list[Any]]:
        """Enclosures of the Jacobian over the box ``x``."""
        raise NotImplementedError
