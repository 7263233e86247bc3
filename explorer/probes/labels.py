"""Labels that make a bad minimum at W = 0: residuals orthogonal to affine functions whose quadratic moments are the identity."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations_with_replacement

from explorer.paths.features import columns

Row = tuple[Fraction, ...]


def quadratic_monomials(inputs: Sequence[Row]) -> list[Row]:
    """1, x_a and x_a x_b (a <= b) on the inputs, one row per monomial."""
    d = len(inputs[0])
    rows: list[Row] = [tuple(Fraction(1) for _ in inputs)]
    rows += [tuple(x[a] for x in inputs) for a in range(d)]
    rows += [tuple(x[a] * x[b] for x in inputs) for a, b in combinations_with_replacement(range(d), 2)]
    return rows


def generic(inputs: Sequence[Row]) -> bool:
    """Whether the monomials of degree at most 2 are linearly independent on the inputs (no quadric contains them all)."""
    rows = quadratic_monomials(inputs)
    return len(columns(rows, order=range(len(rows)))[0]) == len(rows)


def residual(inputs: Sequence[Row]) -> Row | None:
    """e with sum e_i = 0, sum e_i x_i = 0 and sum e_i x_i x_i^T = I; None unless the inputs are `generic`."""
    rows, d = quadratic_monomials(inputs), len(inputs[0])
    n = len(inputs)
    squares = [int(a == b) for a, b in combinations_with_replacement(range(d), 2)]
    wanted: Row = (*([Fraction(0)] * (1 + d)), *map(Fraction, squares))
    vectors = [tuple(row[i] for row in rows) for i in range(n)]
    basis, found = columns([*vectors, wanted], order=range(n + 1))
    if n in basis or len(basis) < len(rows):
        return None
    e = [Fraction(0)] * n
    for s, c in zip(basis, found[n], strict=True):
        e[s] = c
    return tuple(e)
