"""Symmetric critical points as power series in s = k^(-1/2), k the number of units: solved at huge numbers of units, interpolated.

At k = 2^(2E)/j^2, j = 1, 2, ..., the node is s = j 2^-E; with many more bits than the nodes have, the interpolating polynomial has the
first coefficients of the series to (degree - index) E bits. All of it is a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np

from explorer import checker
from explorer.propose.continuation import followed
from explorer.propose.tied import Orbit, Shape

BITS = 1024  #: of the intervals at the nodes
EXPONENT = 30  #: E
DEGREE = 18


class Deep(checker.WideIntervals):
    """Intervals at a rational number k of units."""

    bits, unit = BITS, 1 << BITS
    zero, one = (0, 0), (unit, unit)

    def __init__(self, k: Fraction) -> None:
        super().__init__(checker.Meter(10**15))
        self.k = k

    def size(self, slope: int, offset: int) -> Any:
        return self.of(slope * self.k + offset)


def middle(ring: Any, value: Any) -> Fraction:
    return Fraction(value[0] + value[1], 2 * ring.unit)


class Family:
    """Class 0 has k - rest elements; ``rest`` and the shape otherwise are fixed."""

    def __init__(self, shape: Shape) -> None:
        self.shape, self.rest = shape, sum(shape.sizes[a] for a in shape.rows if a != 0)
        self.pairs = [(1, -self.rest), *((0, m) for m in shape.sizes[1:])]
        self.orbits: list[Orbit] = shape.orbits

    def exponents(self) -> list[int]:
        """The powers of k in the numbers of entries of the orbits; scales are s to that power."""
        grows = [int(a == 0) for a in range(len(self.pairs))]
        out = []
        for r, c, same in self.orbits:
            a, b = self.shape.rows[r], self.shape.columns[c]
            out.append(grows[a] if same else grows[a] + grows[b])
        return out

    def corrected(self, k: Fraction, entries: Sequence[Fraction], *, bits: int) -> list[Fraction]:
        """Newton's method at k, with a Hessian that is taken again while the steps are large."""
        ring = Deep(k)
        root = Fraction(isqrt(int(k) << 120), 1 << 60)
        scale = [1 / root**e for e in self.exponents()]
        inverse, now = None, list(entries)
        for step in range(200):
            tied = checker.Tied(
                ring,
                self.pairs,
                self.shape.rows,
                self.shape.columns,
                dict(zip(self.orbits, map(ring.of, now), strict=True)),
            )
            slopes = [
                s * middle(ring, ring.mul(tied.orbit_size(o), tied.slope(o)))
                for o, s in zip(self.orbits, scale, strict=True)
            ]
            largest = max(map(abs, slopes))
            if largest < Fraction(1, 2**bits):
                return now
            if inverse is None or largest > Fraction(1, 2**20) or step % 12 == 3:
                block = [
                    [float(a * middle(ring, v) * b) for v, b in zip(row, scale, strict=True)]
                    for row, a in zip(tied.trivial_block(), scale, strict=True)
                ]
                inverse = np.linalg.inv(np.array(block))
            move = inverse @ np.array([float(g / largest) for g in slopes])
            places = 2**BITS
            now = [
                Fraction(round((v - s * largest * Fraction(float(m))) * places), places)
                for v, s, m in zip(now, scale, move, strict=True)
            ]
        raise ArithmeticError("no convergence")

    def series(self, start: Sequence[Fraction], units: int) -> list[list[Fraction]]:
        """Coefficients of s^0, s^1, ... of every entry, from a minimum with ``units`` elements in class 0."""
        big = Shape((10**6, *self.shape.sizes[1:]), self.shape.rows, self.shape.columns)
        now = followed(big, units, start)
        if now is None:
            raise ArithmeticError("lost on the way to many units")
        k = Fraction(10**6 + self.rest)
        now, limit = self.corrected(k, now, bits=200), Fraction(2 ** (2 * EXPONENT))
        while k < limit:
            step = min(k * 16, limit)
            now, k = self.corrected(step, now, bits=200), step
        nodes, values = [], []
        for j in range(1, DEGREE + 2):
            now = self.corrected(limit / (j * j), now, bits=BITS - 240)
            nodes.append(Fraction(j, 2**EXPONENT))
            values.append(now)
        return [interpolated(nodes, [row[o] for row in values]) for o in range(len(self.orbits))]


def interpolated(nodes: Sequence[Fraction], values: Sequence[Fraction]) -> list[Fraction]:
    """Coefficients of the interpolating polynomial (Newton's divided differences), in exact arithmetic."""
    table, n = list(values), len(nodes)
    for level in range(1, n):
        for i in range(n - 1, level - 1, -1):
            table[i] = (table[i] - table[i - 1]) / (nodes[i] - nodes[i - level])
    out = [Fraction(0)]
    for node, value in zip(reversed(nodes), reversed(table), strict=True):
        out = [
            (out[i - 1] if i else Fraction(0)) - (node * out[i] if i < len(out) else Fraction(0))
            for i in range(len(out) + 1)
        ]
        out[0] += value
    return out[:n]
