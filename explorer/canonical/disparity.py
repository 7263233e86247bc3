"""The disparity matrix H(w) of Jiang 2019, eqs. (8)-(9): row m holds the Fourier coefficients of df_w/dw_m, |k| <= n.

Scalar inputs, piecewise polynomial networks, rational points; entries exact in Q(zeta)[1/pi], rank exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from explorer.canonical.cells import Cell, cells
from explorer.canonical.fourier import coefficient
from explorer.canonical.slopes import rank as rational_rank
from explorer.canonical.waves import Wave, WaveRing
from explorer.model.pieces import Coefficients
from explorer.point import AnyPoint
from explorer.problem import Problem

MAX_FREQUENCY = 12


@dataclass(frozen=True)
class Disparity:
    """H at one point: ``rows`` (one per parameter, N = 2 ``top`` + 1 entries, k from -top to top) and its exact ``rank``."""

    top: int
    ring: WaveRing
    rows: tuple[tuple[Wave, ...], ...]
    rank: int

    @property
    def columns(self) -> int:
        return 2 * self.top + 1

    @property
    def has_full_rank(self) -> bool:
        """Full column rank N, which needs at least N parameters."""
        return self.rank == self.columns

    @property
    def zero_rows(self) -> tuple[int, ...]:
        """The parameters (by index) whose rows vanish."""
        return tuple(m for m, row in enumerate(self.rows) if not any(row))


def on_cells(found: Sequence[Cell], parameter: int | None = None) -> list[tuple[Fraction, Fraction, Coefficients]]:
    """f itself, or its derivative by one parameter (index from 0), cell by cell."""
    return [(c.low, c.high, c.value if parameter is None else c.slopes[parameter]) for c in found]


def ring_of(found: Sequence[Cell], extra: Sequence[Fraction] = ()) -> WaveRing:
    """The ring in which the coefficients of f lie, and its partial sums at the ``extra`` points."""
    return WaveRing.for_points([*(c.low for c in found), *extra])


def disparity(problem: Problem, point: AnyPoint, top: int) -> Disparity:
    """H at ``point`` with the frequencies |k| <= ``top``. Raises what `cells` raises."""
    return disparity_on(cells(problem, point), len(problem.parameters), top)


def disparity_on(found: Sequence[Cell], size: int, top: int) -> Disparity:
    ring = ring_of(found)
    rows = tuple(tuple(coefficient(ring, on_cells(found, m), k) for k in range(-top, top + 1)) for m in range(size))
    return Disparity(top, ring, rows, ring.rank(rows, ceiling=span_dimension(found, size)))


def largest_full_rank(problem: Problem, point: AnyPoint, *, least: int) -> Disparity | None:
    """H with the most columns N, ``least`` <= N <= M, that still has full column rank N; None where there is none.

    A submatrix of columns of a matrix of full column rank has it too, so the search goes up from the smallest N.
    """
    found, size = cells(problem, point), len(problem.parameters)
    best = None
    top = max(least // 2, 0)
    while 2 * top + 1 <= size and top <= MAX_FREQUENCY:
        h = disparity_on(found, size, top)
        if not h.has_full_rank:
            break
        best, top = h, top + 1
    return best


def smallest_deficient(problem: Problem, point: AnyPoint, *, least: int) -> Disparity | None:
    """H with the fewest columns N, ``least`` <= N <= M, and rank below N; None where there is none."""
    found, size = cells(problem, point), len(problem.parameters)
    top = max(least // 2, 0)
    while 2 * top + 1 <= size and top <= MAX_FREQUENCY:
        h = disparity_on(found, size, top)
        if not h.has_full_rank:
            return h
        top += 1
    return None


def same_rows(found: Sequence[Cell], size: int) -> bool:
    """Whether two parameters have the same derivative as a function of x, or one has the derivative 0."""
    rows = [tuple(c.slopes[m] for c in found) for m in range(size)]
    return len(set(rows)) < size or any(not any(any(g) for g in row) for row in rows)


def span_dimension(found: Sequence[Cell], size: int) -> int:
    """The dimension of the span of the derivatives df/dw_m as functions on [0, 1]: no rank of H can exceed it."""
    degree = max(len(g) for c in found for g in c.slopes)
    rows = tuple(
        tuple(q for c in found for q in (*c.slopes[m], *[Fraction(0)] * (degree - len(c.slopes[m]))))
        for m in range(size)
    )
    return rational_rank(rows)
