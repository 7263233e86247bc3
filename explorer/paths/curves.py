"""Curves in parameter space as plain exact data: polynomial pieces on [0, 1], and curves in powers of t and ln t.

A term is (coefficient, exponents): (c, (e,)) stands for c t^e and (c, (e, l)) for c t^e (ln t)^l; the coefficient is an
element of the curve's field (`explorer.point`). Parameters stand in the problem's order; no terms means 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from explorer.algebra.fields import arithmetic
from explorer.point import Element, Field, Point

Term: TypeAlias = tuple[Element, tuple[int, ...]]
Terms: TypeAlias = tuple[Term, ...]
Piece: TypeAlias = tuple[Terms, ...]
ZERO: Element = (Fraction(0),)


@dataclass(frozen=True)
class Leg:
    """One piece of a path with the reason for it, in words: the loss is constant, falls, or stays below a level."""

    piece: Piece
    because: str


@dataclass(frozen=True)
class PiecewisePath:
    """A continuous path from ``start`` to ``end``, made of polynomial pieces on [0, 1] over the field of ``start``.

    ``level`` is None where F is meant to be non-increasing; otherwise F <= level is meant along the whole path.
    """

    start: Point
    end: Point
    legs: tuple[Leg, ...]
    level: Fraction | None = None

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return tuple(leg.piece for leg in self.legs)


@dataclass(frozen=True)
class EscapeCurve:
    """theta(t) for t >= ``since`` > 0 with |theta(t)| -> infinity; F is meant to fall (not rise) to ``limit`` on it."""

    field: Field
    curve: Piece
    since: Fraction
    limit: Fraction
    because: str

    @property
    def start(self) -> Point:
        """theta(since). ln t is known exactly at t = 1 only, so a curve with logarithms starts there."""
        a = arithmetic(self.field)
        coordinates = []
        for terms in self.curve:
            total = a.zero
            for c, (e, *logs) in terms:
                if not any(logs):
                    total = a.add(total, a.mul(c, a.from_fraction(self.since**e)))
            coordinates.append(total)
        return Point(self.field, tuple(coordinates))


def line(a: Sequence[Element], b: Sequence[Element], field: Field) -> Piece:
    """The straight piece from ``a`` to ``b``."""
    arith = arithmetic(field)
    out: list[Terms] = []
    for x, y in zip(a, b, strict=True):
        slope = arith.sub(y, x)
        terms = [(x, (0,))] if any(x) else []
        out.append((*terms, *([(slope, (1,))] if any(slope) else [])))
    return tuple(out)


def powers(coefficients: Sequence[Fraction], exponents: Sequence[int]) -> Piece:
    """theta_k = c_k t^(e_k) over the rationals."""
    return tuple((((c,), (e, 0)),) if c else () for c, e in zip(coefficients, exponents, strict=True))


def rational_terms(terms: Mapping[tuple[int, ...], Fraction] | Iterable[tuple[tuple[int, ...], Fraction]]) -> Terms:
    """Terms over the rationals from exponents -> coefficient, sorted, without zeros."""
    pairs = terms.items() if isinstance(terms, Mapping) else terms
    return tuple(((c,), e) for e, c in sorted(pairs) if c)
