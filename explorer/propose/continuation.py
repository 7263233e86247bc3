"""Following a symmetric critical point while the number of units grows, also through real numbers of units."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from explorer import checker
from explorer.propose.tied import Floats, Shape, Vector, newton

FACTOR = 3  #: by which the number of units grows in one step, at most


def followed(shape: Shape, units: int, start: Sequence[Fraction]) -> list[Fraction] | None:
    """The entries at the sizes of ``shape``, from ``start`` at the same symmetry with ``units`` elements in class 0.

    Entries behave like powers of the size of class 0; a power law through the last two solutions predicts the next one.
    None where Newton's method loses the point."""
    last = shape.sizes[0]
    log: list[tuple[float, Vector]] = [(np.log(units), np.array([float(v) for v in start]))]
    while True:
        at = log[-1][0]
        step = min(np.log(FACTOR) if len(log) > 1 else np.log(FACTOR) / 4, np.log(last) - at)
        end = step >= np.log(last) - at
        size = float(last) if end else float(np.exp(at + step))
        guess = log[-1][1]
        if len(log) > 1:
            (x, u), (y, v) = log[-2], log[-1]
            safe = (u * v > 0) & (u != v)
            ratio = np.where(safe, v / np.where(safe, u, v), 1)
            guess = v * np.clip(ratio ** (step / (y - x)), 1 / FACTOR, FACTOR)
        found = corrected(shape, size, guess)
        if found is None:
            return None
        log.append((float(np.log(size)), found))
        if end:
            return [Fraction(float(v)) for v in found]


def corrected(shape: Shape, size: float, guess: Vector) -> Vector | None:
    """Newton's method for the entries with a real number of elements in class 0."""
    pairs = [(1, 0), *shape.pairs[1:]]
    ring = Floats(size)
    counter = checker.Tied(ring, pairs, shape.rows, shape.columns, {})
    root = np.sqrt([counter.orbit_size(o) for o in shape.orbits])

    def derivatives(at: Vector) -> tuple[Vector, Vector]:
        entries = dict(zip(shape.orbits, [float(v) for v in at / root], strict=True))
        tied = checker.Tied(ring, pairs, shape.rows, shape.columns, entries)
        gradient = np.array([tied.slope(o) for o in shape.orbits]) * root
        return gradient, np.array(tied.trivial_block()) / np.outer(root, root)

    found = newton(derivatives, guess * root, steps=20)
    return None if found is None else found / root


def downward(shape: Shape, units: int, start: Sequence[Fraction]) -> list[Fraction] | None:
    """The entries at the sizes of ``shape``, from ``start`` at the same symmetry with ``units`` (more) elements in class 0, one
    element less at a time; None where Newton's method loses the point."""
    now = np.array([float(v) for v in start])
    for size in range(units - 1, shape.sizes[0] - 1, -1):
        found = corrected(shape, float(size), now)
        if found is None:
            return None
        now = found
    return [Fraction(float(v)) for v in now]
