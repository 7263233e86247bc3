"""The loss as a polynomial over Q, where it is one (globally, or on one activation cell)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from explorer.point import Point
from explorer.problem import Problem

#: exponent vector -> coefficient; no zero coefficients
Terms: TypeAlias = dict[tuple[int, ...], Fraction]


@dataclass(frozen=True)
class LossPolynomial:
    """F as a polynomial in the parameters ``names`` (problem order). ``terms`` maps exponent vectors to coefficients."""

    names: tuple[str, ...]
    terms: Terms

    @property
    def gradient(self) -> tuple[Terms, ...]:
        """The d partial derivatives."""
        raise NotImplementedError

    @property
    def hessian(self) -> tuple[tuple[Terms, ...], ...]:
        """The d x d second derivatives."""
        raise NotImplementedError

    @property
    def degree(self) -> int:
        raise NotImplementedError


@dataclass(frozen=True)
class CellPolynomial:
    """F on the open activation cell of a point: equal to ``polynomial`` where every ``inequalities`` member is > 0."""

    polynomial: LossPolynomial
    inequalities: tuple[Terms, ...]
    pattern: tuple[tuple[int, ...], ...]


def is_polynomial(problem: Problem) -> tuple[bool, str]:
    """Whether F is a polynomial of the parameters, and the reason in one sentence."""
    raise NotImplementedError


def loss_polynomial(problem: Problem, *, max_terms: int = 200_000) -> LossPolynomial:
    """F as a polynomial over Q. Raises `Unsupported` when F is not a polynomial or has more than ``max_terms`` terms."""
    raise NotImplementedError


def cell_polynomial(problem: Problem, point: Point | Sequence[Fraction], *, max_terms: int = 200_000) -> CellPolynomial:
    """The polynomial that equals F near a rational point strictly inside an activation cell (piecewise polynomial F)."""
    raise NotImplementedError
