"""A linear space of symmetric matrices either holds a positive definite one or is orthogonal to a semidefinite A != 0, not both.

Exact where the space or its complement has dimension at most 1, hence for all spaces of 2 x 2 matrices; beyond that a search in
rational numbers proposes, and exact tests decide; it may end without an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import count, product

from explorer.algebra.inertia import inertia
from explorer.certify.recipes.linear import Matrix, Row, combination, independent_columns, kernel
from explorer.point import Inertia, RationalField

#: steps of the search, first a few on either side; rounds of power iteration within each
PATIENCE, POWER = (6, 40), 4


def definite_or_separator(spanning: Sequence[Matrix], d: int) -> tuple[Matrix | None, Matrix | None]:
    """(a positive definite matrix of the span, None), or (None, a semidefinite A != 0 orthogonal to it), or (None, None)."""
    pairs = [(i, j) for i in range(d) for j in range(i, d)]
    rows = [[m[i][j] * (1 if i == j else 2) for i, j in pairs] for m in spanning]
    space = [spanning[k] for k in _independent(rows)]
    complement = [_symmetric(v, pairs, d) for v in kernel(rows, len(pairs))]
    if not complement:
        return identity(d), None
    if not space:
        return None, identity(d)
    if len(complement) == 1:
        a = _semidefinite_multiple(complement[0])
        return (None, a) if a is not None else (definite_orthogonal_to(complement[0]), None)
    if len(space) == 1:
        signed = _semidefinite_multiple(space[0])
        if signed is None:
            return None, definite_orthogonal_to(space[0])
        if is_definite(signed):
            return signed, None
        v = kernel(signed, d)[0]
        return None, _outer(v)
    for m in complement:
        if (a := _semidefinite_multiple(m)) is not None:
            return None, a
    for patience in PATIENCE:
        if (found := _seek(space, patience)) is not None:
            return found, None
        if (found := _seek(complement, patience)) is not None:
            return None, found
    return None, None


def identity(d: int) -> Matrix:
    return tuple(tuple(Fraction(int(i == j)) for j in range(d)) for i in range(d))


def is_definite(m: Matrix) -> bool:
    """Whether a symmetric matrix is positive definite."""
    return _inertia(m).positive == len(m)


def definite_orthogonal_to(s: Matrix) -> Matrix:
    """A positive definite X with <S, X> = 0, for S with eigenvalues of both signs: X = I + c v v^T with v^T S v of the sign of -tr S."""
    trace = sum((s[i][i] for i in range(len(s))), Fraction(0))
    if not trace:
        return identity(len(s))
    for size in count(1):  # the vectors v that serve form an open cone
        for v in product(range(-size, size + 1), repeat=len(s)):
            value = form(s, tuple(map(Fraction, v)))
            if value * trace < 0:
                return combination([identity(len(s)), _outer(tuple(map(Fraction, v)))], [1, -trace / value])
    raise AssertionError


def form(m: Matrix, v: Row) -> Fraction:
    """v^T m v."""
    return sum((m[i][j] * v[i] * v[j] for i, j in product(range(len(v)), repeat=2)), Fraction(0))


def _seek(space: Sequence[Matrix], patience: int) -> Matrix | None:
    """Corrections along the lowest eigenvector (roughly), projected onto the space, until the matrix is definite."""
    basis = _orthogonal(space)
    d = len(basis[0])
    weights = [_inner(b, identity(d)) / _inner(b, b) for b in basis]
    for _ in range(patience):
        x = combination(basis, weights)
        if is_definite(x):
            return x
        v = _lowest(x)
        square = _outer(v)
        moves = [_inner(b, square) / _inner(b, b) for b in basis]
        reach = sum((m * _inner(b, square) for m, b in zip(moves, basis, strict=True)), Fraction(0))
        if not reach:
            return None  # v v^T is orthogonal to the space: it holds nothing definite
        size = max((abs(c) for row in x for c in row), default=Fraction(1)) or Fraction(1)
        step = (size / 20 - form(x, v)) / reach
        weights = [(w + step * m).limit_denominator(10**4) for w, m in zip(weights, moves, strict=True)]
    return None


def _lowest(m: Matrix) -> Row:
    """A rounded unit vector near the lowest eigenvector, by power iteration on c I - m."""
    d = len(m)
    bound = sum((abs(c) for row in m for c in row), Fraction(0)) + 1
    v: Row = tuple(Fraction(1, k + 1) for k in range(d))
    for _ in range(POWER):
        for _ in range(4):
            v = tuple(bound * v[i] - sum((m[i][j] * v[j] for j in range(d)), Fraction(0)) for i in range(d))
        top = max(map(abs, v))
        v = tuple((c / top).limit_denominator(200) for c in v)
    return v


def _orthogonal(space: Sequence[Matrix]) -> list[Matrix]:
    """Gram-Schmidt without normalisation, rounded to smaller numbers by a common factor only."""
    out: list[Matrix] = []
    for m in space:
        for b in out:
            m = combination([m, b], [1, -_inner(m, b) / _inner(b, b)])
        out.append(m)
    return out


def _inner(a: Matrix, b: Matrix) -> Fraction:
    return sum((x * y for u, v in zip(a, b, strict=True) for x, y in zip(u, v, strict=True)), Fraction(0))


def _outer(v: Row) -> Matrix:
    return tuple(tuple(a * b for b in v) for a in v)


def _semidefinite_multiple(m: Matrix) -> Matrix | None:
    """m or -m, whichever is positive semidefinite; None if neither is."""
    found = _inertia(m)
    return m if not found.negative else combination([m], [-1]) if not found.positive else None


def _inertia(m: Matrix) -> Inertia:
    return inertia([[(v,) for v in row] for row in m], RationalField())


def _symmetric(v: Row, pairs: Sequence[tuple[int, int]], d: int) -> Matrix:
    rows = [[Fraction(0)] * d for _ in range(d)]
    for value, (i, j) in zip(v, pairs, strict=True):
        rows[i][j] = rows[j][i] = value
    return tuple(map(tuple, rows))


def _independent(rows: Sequence[Sequence[Fraction]]) -> list[int]:
    """Indices of a maximal independent sublist."""
    return independent_columns([list(column) for column in zip(*rows, strict=True)]) if rows else []
