"""Exact inertia of symmetric matrices: over a field, and uniformly over a box of matrices (Sylvester's law)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from explorer.point import Element, Field, Inertia


@dataclass(frozen=True)
class BoxInertia:
    """S^T H S is strictly diagonally dominant for every H in the box; ``congruence`` is S, row by row, dyadic."""

    inertia: Inertia
    congruence: tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True)
class Undecided:
    """No answer, and why."""

    reason: str


def inertia(matrix: Sequence[Sequence[Element]], field: Field) -> Inertia:
    """Inertia of a symmetric matrix over ``field`` by symmetric elimination with 1x1 and 2x2 pivots."""
    raise NotImplementedError


def inertia_in_box(matrix: Sequence[Sequence[Any]]) -> BoxInertia | Undecided:
    """The common inertia of all symmetric matrices in a box of `flint.arb` entries (nonsingular ones only)."""
    raise NotImplementedError
