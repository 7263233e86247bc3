"""Intervals in float64, many at a time, with operators: what determinants of many boxes are computed with.

The arithmetic is that of `arrays` (ends moved outward by more than every rounding error); numbers of `flint` balls enter by their ends, moved outward too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from explorer.solve.boxes import arrays as ia
from explorer.solve.boxes.arrays import Array, Range


class Batch:
    """Intervals [v[0], v[1]], arrays of shape (2, M); M = 1 is a constant."""

    __slots__ = ("v",)

    def __init__(self, v: Array) -> None:
        self.v = v

    @classmethod
    def constant(cls, value: Fraction) -> Batch:
        r = Range.of(value)
        return cls(np.array([[r.lo], [r.hi]]))

    @classmethod
    def numbers(cls, values: Array) -> Batch:
        """Floats as they are."""
        return cls(np.stack([values, values]))

    def __add__(self, other: Batch) -> Batch:
        return Batch(ia.rounded(self.v + other.v))

    def __neg__(self) -> Batch:
        return Batch(-self.v[::-1])

    def __sub__(self, other: Batch) -> Batch:
        return self + -other

    def __mul__(self, other: Batch) -> Batch:
        return Batch(ia.product(self.v, other.v))

    @property
    def signed(self) -> Array:
        """Where all numbers of the interval have one sign (nan: never)."""
        return (self.v[0] > 0) | (self.v[1] < 0)

    @property
    def mid(self) -> Array:
        return np.ldexp(self.v[0] + self.v[1], -1)


def ends(balls: Sequence[Sequence[arb]]) -> Array:
    """Floats around balls, shape (2, ...); nan where they are not finite or too large. Middle and radius are rounded once each, and then their difference and sum."""
    m = np.array([[v.mid() for v in row] for row in balls], dtype=np.float64)
    r = np.array([[v.rad() for v in row] for row in balls], dtype=np.float64)
    size = np.abs(m) + r
    r = r + size * (8 * ia.UNIT) + ia.TINY
    return np.where(size < 1 / ia.TINY, np.stack([m - r, m + r]), np.nan)


def floats(values: Iterable[Any]) -> Array:
    """The floats next to fractions or to the middles of balls: for proposals only."""
    return np.array([v.mid() if isinstance(v, arb) else v for v in values], dtype=np.float64)


def sum_of(terms: Any) -> Batch:
    total = None
    for t in terms:
        total = t if total is None else total + t
    assert total is not None
    return total
