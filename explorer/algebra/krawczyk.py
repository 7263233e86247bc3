"""Existence and uniqueness of a root in a box: Krawczyk's test in ball arithmetic.

Source: R. Krawczyk, Computing 4 (1969); R. E. Moore, SIAM J. Numer. Anal. 14 (1977).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from explorer.algebra.inertia import Undecided
from explorer.algebra.systems import PolynomialSystem
from explorer.point import EnclosedPoint


@dataclass(frozen=True)
class KrawczykProof:
    """m - C F(m) + (I - C J(B))(B - m) lies inside B, m the centre of B: B holds exactly one root, a simple one."""

    point: EnclosedPoint
    preconditioner: tuple[tuple[Fraction, ...], ...]


def prove_root(system: PolynomialSystem, near: Sequence[Fraction]) -> KrawczykProof | Undecided:
    """A proof that the square ``system`` has exactly one root in a small dyadic box around ``near`` (refined by Newton)."""
    raise NotImplementedError


def prove_box(system: PolynomialSystem, box: EnclosedPoint) -> KrawczykProof | Undecided:
    """Krawczyk's test for a given box; the preconditioner is made here (for certificates of boxes from elsewhere)."""
    raise NotImplementedError
