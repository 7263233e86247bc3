"""Symmetric critical points of student-teacher losses, found by Newton's method in floats in the few entries of the orbits.

Gradient and Hessian come from the checker's `Tied` over the ring `Floats`; what is found is a guess.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from explorer import checker

Vector: TypeAlias = NDArray[np.float64]
#: at -> (gradient, Hessian)
Derivatives: TypeAlias = Callable[[Vector], tuple[Vector, Vector]]
Orbit: TypeAlias = tuple[int, int, bool]


class Floats:
    """The ring interface of the checker over floats; a class of a k + b elements is counted with a real k."""

    zero, one, pi = 0.0, 1.0, math.pi

    class Meter:
        def spend(self, cost: int, bits: int = 0) -> None:
            """Floats are not counted."""

    def __init__(self, k: float = 0.0) -> None:
        self.k, self.meter = k, Floats.Meter()

    def of(self, q: Fraction) -> float:
        return float(q)

    def size(self, slope: int, offset: int) -> float:
        return slope * self.k + offset

    def add(self, a: float, b: float) -> float:
        return a + b

    def sub(self, a: float, b: float) -> float:
        return a - b

    def mul(self, a: float, b: float) -> float:
        return a * b

    def square(self, a: float) -> float:
        return a * a

    def scale(self, a: float, q: Any) -> float:
        return a * float(q)

    def inverse(self, a: float) -> float:
        return 1 / a

    def square_root(self, a: float) -> float:
        return math.sqrt(a)

    def total(self, values: Any) -> float:
        return sum(values, 0.0)

    def angle(self, c: float) -> tuple[float, float]:
        c = min(max(c, -1.0), 1.0)
        return math.sqrt(1 - c * c), math.pi - math.acos(c)


def newton(
    function: Derivatives, start: Sequence[float] | Vector, *, steps: int = 60, descend: bool = False
) -> Vector | None:
    """A zero of the gradient near ``start``, or None. With ``descend`` eigenvalues are taken by absolute value and steps are
    bounded, so that the method goes downhill and away from saddles."""
    at = np.array(start)
    for _ in range(steps):
        try:
            gradient, hessian = function(at)
            if descend:
                values, vectors = np.linalg.eigh(hessian)
                move = -vectors @ (vectors.T @ gradient / np.maximum(np.abs(values), 1e-3))
                move /= max(1.0, float(np.linalg.norm(move)) / 0.5)
            else:
                move = -np.linalg.solve(hessian, gradient)
        except (ArithmeticError, ValueError, np.linalg.LinAlgError):
            return None
        at = at + move
        if not np.all(np.isfinite(at)) or np.linalg.norm(at) > 1e4:
            return None
        if np.linalg.norm(move) < 1e-9 * max(1.0, float(np.linalg.norm(at))):
            return at
    return None


@dataclass(frozen=True)
class Shape:
    """Classes of indices by size, and the class of every orbit of rows (students) and columns (inputs = teacher units)."""

    sizes: tuple[int, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    @property
    def students(self) -> int:
        return sum(self.sizes[a] for a in self.rows)

    @property
    def units(self) -> int:
        return sum(self.sizes[a] for a in self.columns)

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        return [(0, m) for m in self.sizes]

    def tied(self, ring: Any, entries: Sequence[Any]) -> Any:
        """The checker's evaluator with these entries, one per orbit."""
        return checker.Tied(ring, self.pairs, self.rows, self.columns, dict(zip(self.orbits, entries, strict=True)))

    @cached_property
    def orbits(self) -> list[Orbit]:
        ring = checker.Intervals(checker.Meter())
        return list(checker.Tied(ring, self.pairs, self.rows, self.columns, {}).orbits())

    @cached_property
    def counts(self) -> list[int]:
        """The number of entries of W in every orbit."""
        out = []
        for r, c, same in self.orbits:
            a, b = self.sizes[self.rows[r]], self.sizes[self.columns[c]]
            one_class = self.rows[r] == self.columns[c]
            out.append(a if same else a * (b - 1) if one_class else a * b)
        return out

    @cached_property
    def scale(self) -> list[Fraction]:
        """About 1/sqrt(count): in these units the reduced Hessian has the eigenvalues of the full one."""
        return [Fraction(2**40, math.isqrt(n << 80)) for n in self.counts]

    # -- search ----------------------------------------------------------------------------------------------------

    def derivatives(self, at: Vector) -> tuple[Vector, Vector]:
        """Gradient and Hessian of F in the scaled variables, in floats."""
        unit = np.array([float(s) for s in self.scale])
        tied = self.tied(Floats(), [float(v) for v in at * unit])
        gradient = np.array([tied.slope(o) for o in self.orbits]) / unit
        hessian = np.array(tied.trivial_block()) * np.outer(unit, unit)
        return gradient, (hessian + hessian.T) / 2

    def starts(self, seed: int, count: int) -> Iterator[list[float]]:
        """Matrices near the teacher, with noise of the size of one unit in the scaled variables."""
        draw = random.Random(seed)
        unit = [float(s) for s in self.scale]
        for _ in range(count):
            near = draw.random() < 0.75
            yield [
                (near and same) / u + draw.gauss(0, 1) * (min(1 / u, 1.5) if near else 1)
                for (_, _, same), u in zip(self.orbits, unit, strict=True)
            ]

    def minima(self, *, seed: int = 0, starts: int = 30) -> Iterator[list[Fraction]]:
        """Entries of matrices that look like strict local minima with a positive value, in the order in which they are found."""
        seen: list[float] = []
        for start in self.starts(seed, starts):
            found = newton(self.derivatives, start, steps=80, descend=True)
            if found is None:
                continue
            unit = np.array([float(s) for s in self.scale])
            entries = [float(v) for v in found * unit]
            try:
                tied = self.tied(Floats(), entries)
                value, blocks = tied.value(), [block for _, _, block in tied.blocks()]
            except ArithmeticError:
                continue
            new = all(abs(value - other) > 1e-6 * abs(other) for other in seen)
            if new and value * max(self.sizes) > 1e-6 and all(_definite(block) for block in blocks):
                seen.append(value)
                yield [Fraction(v) for v in entries]

    def correction(self, start: Sequence[Fraction]) -> Callable[[Sequence[Fraction]], list[Fraction]]:
        """The map from scaled gradients to scaled Newton steps, with the Hessian at ``start``; tiny gradients keep their digits."""
        _, hessian = self.derivatives(np.array([float(v / s) for v, s in zip(start, self.scale, strict=True)]))
        inverse = np.linalg.inv(hessian)

        def move(slopes: Sequence[Fraction]) -> list[Fraction]:
            largest = max(map(abs, slopes))
            step = -inverse @ np.array([float(g / largest) for g in slopes])
            return [Fraction(float(v)) * largest for v in step]

        return move


def lower_bound(block: Sequence[Sequence[Fraction]]) -> Fraction:
    """Three quarters of the least eigenvalue."""
    matrix = np.array([[float(v) for v in row] for row in block])
    return Fraction(int(np.linalg.eigvalsh((matrix + matrix.T) / 2)[0] * 3 * 2**18), 2**20)


def _definite(block: Sequence[Sequence[float]]) -> bool:
    found = np.array(block)
    return bool(not len(found) or np.linalg.eigvalsh((found + found.T) / 2)[0] > 0)
