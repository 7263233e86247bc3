"""Coordinates of critical points as numbers that are known by enclosures, and the part of a family of duplicated units inside a box.

A class of equal units has output weights v_j with sum V != 0. In the box of the v_j, on the cell of given signs of v_j / V, these are the points
of a polytope on which sum |v_j / V| s_j = 1: it is convex, so each piece inside the box is connected, and it is not empty where V lies strictly between the smallest
and the largest sum on that cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from explorer.point import Element

Bounds = tuple[Fraction, Fraction]


class Outside(Exception):
    """The piece does not meet the box."""


class Edge(Exception):
    """Whether the piece meets the box is not decided by the enclosures."""


@dataclass(frozen=True)
class Coordinate:
    """A parameter as a box and, where it is in Q[ln 2], exactly."""

    box: Bounds
    exact: Element | None = None

    def times(self, factor: Fraction) -> Coordinate:
        lo, hi = sorted((self.box[0] * factor, self.box[1] * factor))
        return Coordinate((lo, hi), None if self.exact is None else tuple(factor * c for c in self.exact))

    def plus(self, shift: Fraction) -> Coordinate:
        lo, hi = self.box
        return Coordinate(
            (lo + shift, hi + shift), None if self.exact is None else (self.exact[0] + shift, *self.exact[1:])
        )


AT_ZERO = Coordinate((Fraction(0), Fraction(0)), (Fraction(0),))


def inside(c: Bounds, side: Bounds) -> None:
    """Nothing if c lies inside the side, `Outside` if it lies beyond, else `Edge`."""
    if side[0] <= c[0] and c[1] <= side[1]:
        return
    if c[1] < side[0] or c[0] > side[1]:
        raise Outside
    raise Edge


def spread(
    total: Coordinate, proposed: Sequence[Coordinate], signs: Sequence[int], sides: Sequence[Bounds]
) -> list[Coordinate]:
    """Output weights v_j in their sides with sum ``total`` and the given signs of v_j / total: those proposed if they are inside, else others."""
    if all(a <= c.box[0] and c.box[1] <= b for c, (a, b) in zip(proposed, sides, strict=True)):
        return list(proposed)
    if len(signs) == 1:
        inside(total.box, sides[0])
    size = total if total.box[0] > 0 else total.times(Fraction(-1))
    lows, highs = [], []
    for s, (a, b) in zip(signs, sides if size is total else [(-b, -a) for a, b in sides], strict=True):
        low, high = (
            (max(a, Fraction(0)), b) if s > 0 else (a, min(b, Fraction(0))) if s < 0 else (Fraction(0), Fraction(0))
        )
        if (s and low >= high) or not a <= low <= high <= b:
            raise Outside
        lows.append(low)
        highs.append(high)
    least, most = sum(lows, Fraction(0)), sum(highs, Fraction(0))
    if size.box[1] < least or size.box[0] > most:
        raise Outside
    if not least < size.box[0] <= size.box[1] < most:
        raise Edge
    # v_j = low_j + (size - least)/(most - least) (high_j - low_j)
    out = []
    for low, high in zip(lows, highs, strict=True):
        slope = (high - low) / (most - least)
        v = size.times(slope).plus(low - least * slope)
        out.append(v if size is total else v.times(Fraction(-1)))
    return out
