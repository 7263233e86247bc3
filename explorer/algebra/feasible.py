"""Linear equations and strict linear inequalities over Q: all solutions of the former, a point of both, exactly.

An affine function of x in Q^n is a row of n coefficients and a constant, last. Why a simplex method of our own: the systems
here have a handful of unknowns, the answer must be a proof, and a floating-point program gives none.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import fmpq, fmpq_mat

from explorer.algebra.balls import to_fmpq, to_fraction

Affine = tuple[Fraction, ...]
Vector = tuple[Fraction, ...]

ZERO = fmpq(0)


def echelon(n: int, equations: Sequence[Affine]) -> list[Affine]:
    """The same equations in reduced row echelon form, without zero rows."""
    if not equations:
        return []
    matrix = fmpq_mat(len(equations), n + 1, [to_fmpq(v) for row in equations for v in row])
    reduced, rank = matrix.rref()
    return [tuple(to_fraction(fmpq(reduced[i, j])) for j in range(n + 1)) for i in range(rank)]


def affine_solutions(n: int, equations: Sequence[Affine]) -> tuple[Vector, tuple[Vector, ...]] | None:
    """(one solution, a basis of the directions) of {row . (x, 1) = 0}, in reduced form; None when there is none."""
    zero = Fraction(0)
    rows = echelon(n, equations)
    pivots = [next(j for j, v in enumerate(row) if v) for row in rows]
    if n in pivots:
        return None
    at = [zero] * n
    for row, p in zip(rows, pivots, strict=True):
        at[p] = -row[n]
    basis = []
    for free in (j for j in range(n) if j not in pivots):
        v = [Fraction(int(j == free)) for j in range(n)]
        for row, p in zip(rows, pivots, strict=True):
            v[p] = -row[free]
        basis.append(tuple(v))
    return tuple(at), tuple(basis)


def value(row: Affine, x: Sequence[Fraction]) -> Fraction:
    """The affine function at x."""
    return sum((a * b for a, b in zip(row, x, strict=False) if a), row[-1])


def strictly_feasible(n: int, equations: Sequence[Affine], positive: Sequence[Affine]) -> Vector | None:
    """A point with all ``equations`` 0 and all ``positive`` > 0 (each as large as 1 where possible), or None: there is none.

    Maximises t <= 1 under row . (x, 1) >= t by the simplex method with Bland's rule (Bland 1977), which ends.
    """
    solved = affine_solutions(n, equations)
    if solved is None:
        return None
    at, basis = solved
    gaps = []
    moves = [[to_fmpq(v) for v in b] for b in basis]
    for row in positive:
        exact = [to_fmpq(v) for v in row[:n]]
        gaps.append(
            (to_fmpq(value(row, at)), [sum((a * b for a, b in zip(exact, v, strict=True) if a), ZERO) for v in moves])
        )
    if any(h <= 0 and not any(g) for h, g in gaps):
        return None
    live = [(h, g) for h, g in gaps if any(g)]
    z = _simplex(live, len(basis)) if live else [ZERO] * len(basis)
    if z is None:
        return None
    scale = [to_fraction(c) for c in z]
    return tuple(x + sum((c * v[k] for c, v in zip(scale, basis, strict=True)), Fraction(0)) for k, x in enumerate(at))


def _simplex(gaps: Sequence[tuple[fmpq, list[fmpq]]], m: int) -> list[fmpq] | None:
    """z with h + g . z > 0 for all (h, g). Variables: 0..m-1 the free z, m the free t, m+1.. the slacks h + g . z - t, 1 - t."""
    zero, one = ZERO, fmpq(1)
    rows = [[h, *g, -one] for h, g in gaps] + [[one, *[zero] * m, -one]]
    nonbasic = list(range(m + 1))
    basic = [m + 1 + i for i in range(len(rows))]

    def pivot(r: int, c: int) -> None:
        factor = rows[r][c + 1]
        solved = [-v / factor for v in rows[r]]
        solved[c + 1] = 1 / factor
        rows[r] = solved
        for i, row in enumerate(rows):
            if i != r and row[c + 1]:
                k = row[c + 1]
                row[c + 1] = zero
                rows[i] = [a + k * b if b else a for a, b in zip(row, solved, strict=True)]
        basic[r], nonbasic[c] = nonbasic[c], basic[r]

    pivot(min(range(len(rows)), key=lambda i: rows[i][0]), m)
    while True:
        goal = rows[basic.index(m)]
        entering = None
        for c in sorted(range(m + 1), key=lambda c: nonbasic[c]):
            if goal[c + 1] > 0 or (goal[c + 1] < 0 and nonbasic[c] < m):
                entering = c
                break
        if entering is None:
            break
        way = 1 if goal[entering + 1] > 0 else -1
        limits = [
            (-row[0] / (way * row[entering + 1]), basic[i], i)
            for i, row in enumerate(rows)
            if basic[i] > m and way * row[entering + 1] < 0
        ]
        pivot(min(limits)[2], entering)  # t <= 1, so there is a limit
    if rows[basic.index(m)][0] <= 0:
        return None
    return [rows[basic.index(k)][0] if k in basic else zero for k in range(m)]


__all__ = ["Affine", "Vector", "affine_solutions", "echelon", "strictly_feasible", "value"]
