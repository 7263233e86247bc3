"""Arithmetic for the elements of `explorer.point`: the rationals, Q(alpha) and the ring Q[ln 2].

An element is a tuple of Fractions, the coefficients (low to high) of a polynomial in the field's generator. Elements
leave this module in canonical form: never empty, no trailing zero unless the element is ``(0,)``, and in Q(alpha)
shorter than the defining polynomial. Zero and sign are *decided*, never estimated.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

from explorer.point import Element, Field


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

    def enclose(self, a: Element, bits: int = 64) -> tuple[Fraction, Fraction]:
        """Dyadic lo <= a <= hi with hi - lo <= 2^-bits * max(1, |a|)."""
        ...

    def approximate(self, a: Element) -> float:
        """A float for display only."""
        ...


def arithmetic(field: Field) -> FieldArithmetic:
    """The arithmetic of ``field``."""
    raise NotImplementedError


def minimal_polynomial(element: Element, field: Field) -> tuple[tuple[int, ...], tuple[Fraction, Fraction]]:
    """Minimal polynomial over Q of one coordinate (primitive integers, low to high, positive leading coefficient) and an
    open isolating interval with rational end points (a rational r gives (-p, q) and an interval around r).

    `Unsupported` in Q[ln 2] unless the element is rational (its other elements are transcendental).
    """
    raise NotImplementedError
