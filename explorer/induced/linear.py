"""Linear algebra over an exact field, as much as induced models need: rank, membership in a span, weighted least squares."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from explorer.algebra.fields import FieldArithmetic
from explorer.point import Element

Vector = Sequence[Element]
Rows = Sequence[Vector]


def pivots(a: FieldArithmetic, columns: Rows) -> list[int]:
    """Indices of columns that form a basis of the span of all ``columns`` (greedy from the left)."""
    basis: list[tuple[int, list[Element]]] = []  # (position of the leading 1, reduced column)
    chosen = []
    for k, column in enumerate(columns):
        rest = _reduced(a, list(column), basis)
        lead = next((i for i, v in enumerate(rest) if not a.is_zero(v)), None)
        if lead is not None:
            inverse = a.inverse(rest[lead])
            basis.append((lead, [a.mul(inverse, v) for v in rest]))
            chosen.append(k)
    return chosen


def rank(a: FieldArithmetic, columns: Rows) -> int:
    """The dimension of the span of ``columns``."""
    return len(pivots(a, columns))


def combination(a: FieldArithmetic, columns: Rows, target: Vector) -> list[Element] | None:
    """Coefficients with sum_k c_k columns[k] = target (0 at columns that are not pivots), or None."""
    chosen = pivots(a, columns)
    solved = solve(a, [[columns[k][i] for k in chosen] for i in range(len(target))], target)
    if solved is None:
        return None
    out = [a.zero] * len(columns)
    for k, value in zip(chosen, solved, strict=True):
        out[k] = value
    return out


def solve(a: FieldArithmetic, rows: Rows, right: Vector) -> list[Element] | None:
    """The solution x of rows x = right, for linearly independent columns; None if there is none."""
    table = [[*row, b] for row, b in zip(rows, right, strict=True)]
    width = len(table[0]) - 1 if table else 0
    done = 0
    for column in range(width):
        pivot = next((i for i in range(done, len(table)) if not a.is_zero(table[i][column])), None)
        if pivot is None:
            raise ZeroDivisionError("the columns are linearly dependent")
        table[done], table[pivot] = table[pivot], table[done]
        inverse = a.inverse(table[done][column])
        table[done] = [a.mul(inverse, v) for v in table[done]]
        for i, row in enumerate(table):
            if i != done and not a.is_zero(row[column]):
                factor = row[column]
                table[i] = [a.sub(v, a.mul(factor, p)) for v, p in zip(row, table[done], strict=True)]
        done += 1
    if any(not a.is_zero(row[-1]) for row in table[done:]):
        return None
    return [row[-1] for row in table[:done]]


def least_squares(a: FieldArithmetic, columns: Rows, target: Vector, weights: Sequence[Fraction]) -> Element:
    """min over c of sum_i weights_i (sum_k c_k columns[k]_i - target_i)^2, exactly, by the normal equations on a basis."""
    scale = [a.from_fraction(w) for w in weights]
    chosen = [columns[k] for k in pivots(a, columns)]
    weighted = [[a.mul(w, v) for w, v in zip(scale, column, strict=True)] for column in chosen]
    right = [dot(a, column, target) for column in weighted]
    total = dot(a, [a.mul(w, v) for w, v in zip(scale, target, strict=True)], target)
    if not chosen:
        return total
    solved = solve(a, [[dot(a, left, column) for column in chosen] for left in weighted], right)
    assert solved is not None  # a Gram matrix of independent columns is invertible
    return a.sub(total, dot(a, solved, right))


def dot(a: FieldArithmetic, left: Vector, right: Vector) -> Element:
    """sum_i left_i right_i."""
    out = a.zero
    for x, y in zip(left, right, strict=True):
        if not a.is_zero(x) and not a.is_zero(y):
            out = a.add(out, a.mul(x, y))
    return out


def _reduced(a: FieldArithmetic, column: list[Element], basis: list[tuple[int, list[Element]]]) -> list[Element]:
    for lead, pivot in basis:
        if not a.is_zero(column[lead]):
            factor = column[lead]
            column = [a.sub(v, a.mul(factor, p)) for v, p in zip(column, pivot, strict=True)]
    return column
