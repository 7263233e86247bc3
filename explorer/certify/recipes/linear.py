"""Small exact linear algebra for the recipes: kernels, solutions and combinations of rational matrices (by FLINT)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

from flint import fmpq_mat

from explorer.algebra.balls import to_fmpq, to_fraction

Row: TypeAlias = tuple[Fraction, ...]
Matrix: TypeAlias = tuple[Row, ...]


def _reduced(rows: Sequence[Sequence[Fraction]], columns: int) -> tuple[list[Row], list[int]]:
    """The nonzero rows of the reduced echelon form, and their pivots."""
    if not rows or not columns:
        return [], []
    form, rank = fmpq_mat(len(rows), columns, [to_fmpq(v) for row in rows for v in row]).rref()
    out = [tuple(to_fraction(form[i, j]) for j in range(columns)) for i in range(rank)]
    return out, [next(j for j, v in enumerate(row) if v) for row in out]


def kernel(rows: Sequence[Sequence[Fraction]], columns: int) -> list[Row]:
    """A basis of {v : <row, v> = 0 for all rows}, one vector per free column."""
    reduced, pivots = _reduced(rows, columns)
    basis = []
    for free in (j for j in range(columns) if j not in set(pivots)):
        v = [Fraction(0)] * columns
        v[free] = Fraction(1)
        for row, pivot in zip(reduced, pivots, strict=True):
            v[pivot] = -row[free]
        basis.append(tuple(v))
    return basis


def solution(rows: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> list[Fraction] | None:
    """One solution of the linear system (free unknowns 0); None if there is none."""
    columns = len(rows[0]) if rows else 0
    reduced, pivots = _reduced([[*row, b] for row, b in zip(rows, right, strict=True)], columns + 1)
    if columns in pivots:
        return None
    out = [Fraction(0)] * columns
    for row, pivot in zip(reduced, pivots, strict=True):
        out[pivot] = row[columns]
    return out


def independent_columns(rows: Sequence[Sequence[Fraction]]) -> list[int]:
    """The first columns that span all columns."""
    return _reduced(rows, len(rows[0]) if rows else 0)[1]


def rank(rows: Sequence[Sequence[Fraction]]) -> int:
    return len(independent_columns(rows))


def least_squares(columns: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> list[Fraction]:
    """Coefficients c with sum_k c_k column_k as near to ``right`` as possible (one choice where they are not unique)."""
    gram = [[sum((a * b for a, b in zip(u, v, strict=True)), Fraction(0)) for v in columns] for u in columns]
    moments = [sum((a * b for a, b in zip(u, right, strict=True)), Fraction(0)) for u in columns]
    found = solution(gram, moments)
    assert found is not None  # normal equations are solvable
    return found


def combination(matrices: Sequence[Matrix], weights: Sequence[Fraction | int]) -> Matrix:
    """sum_k weight_k matrix_k."""
    d = len(matrices[0])
    return tuple(
        tuple(sum((w * m[i][j] for w, m in zip(weights, matrices, strict=True)), Fraction(0)) for j in range(d))
        for i in range(d)
    )
