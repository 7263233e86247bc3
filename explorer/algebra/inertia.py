"""Exact inertia of symmetric matrices: over a field, and uniformly over a box of matrices (Sylvester's law)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
from flint import arb, arb_mat, fmpz_mat

from explorer.algebra.balls import magnitude, nearest
from explorer.algebra.fields import arithmetic
from explorer.budget import Deadline
from explorer.errors import Invalid
from explorer.point import Element, Field, Inertia

PRECISION = 256  #: working bits of the box test; the independent checker's fixed-point intervals have as many
PROPOSED = 160  #: bits of the diagonalisation that proposes a congruence


@dataclass(frozen=True)
class BoxInertia:
    """S^T H S is strictly diagonally dominant for every H in the box; S is ``scaled``, row by row, times 2^-``bits``."""

    inertia: Inertia
    scaled: tuple[tuple[int, ...], ...]
    bits: int

    @property
    def congruence(self) -> tuple[tuple[Fraction, ...], ...]:
        unit = Fraction(1, 2**self.bits)
        return tuple(tuple(c * unit for c in row) for row in self.scaled)


@dataclass(frozen=True)
class Undecided:
    """No answer, and why."""

    reason: str


def inertia(matrix: Sequence[Sequence[Element]], field: Field, *, deadline: Deadline | None = None) -> Inertia:
    """Inertia of a symmetric matrix over ``field`` by symmetric elimination with 1x1 and 2x2 pivots.

    A nonzero diagonal entry is a 1x1 pivot; when the remaining diagonal is zero, a nonzero a_ij gives the 2x2 pivot
    [[0, a], [a, 0]] with one positive and one negative eigenvalue (Bunch and Parlett 1971). Only exact zero tests decide.
    """
    a = arithmetic(field)
    rows = [list(row) for row in matrix]
    _check_square(rows)
    if any(not a.is_zero(a.sub(rows[i][j], rows[j][i])) for i in range(len(rows)) for j in range(i)):
        raise Invalid("matrix", expected="a symmetric matrix", got="an unsymmetric one")
    signs = {-1: 0, 1: 0}
    left = list(range(len(rows)))
    while left:
        if deadline is not None:
            deadline.check("the exact inertia of a Hessian")
        pivot = next((i for i in left if not a.is_zero(rows[i][i])), None)
        if pivot is not None:
            signs[a.sign(rows[pivot][pivot])] += 1
            left.remove(pivot)
            inverse = a.inverse(rows[pivot][pivot])
            for i in left:
                if a.is_zero(rows[i][pivot]):
                    continue
                factor = a.mul(rows[i][pivot], inverse)
                for j in left:
                    if j >= i:
                        rows[i][j] = rows[j][i] = a.sub(rows[i][j], a.mul(factor, rows[pivot][j]))
            continue
        pair = next(((i, j) for i in left for j in left if i < j and not a.is_zero(rows[i][j])), None)
        if pair is None:
            break
        p, q = pair
        signs[1] += 1
        signs[-1] += 1
        left = [i for i in left if i not in pair]
        inverse = a.inverse(rows[p][q])
        for k, i in enumerate(left):
            to_p, to_q = a.mul(rows[i][p], inverse), a.mul(rows[i][q], inverse)
            for j in left[k:]:
                change = a.add(a.mul(to_p, rows[q][j]), a.mul(to_q, rows[p][j]))
                rows[i][j] = rows[j][i] = a.sub(rows[i][j], change)
    return Inertia(signs[1], len(left), signs[-1])


def inertia_in_box(matrix: Sequence[Sequence[Any]], *, bits: int = 64) -> BoxInertia | Undecided:
    """The common inertia of all symmetric matrices in a box of `flint.arb` entries (nonsingular ones only).

    A rational congruence S is made from the diagonalisation of the midpoint, scaled and rounded to about ``bits`` bits; then S^T H S is computed in balls and must be strictly diagonally dominant by rows. Dominance makes it
    invertible, so S is too and Sylvester's law gives the inertia of every H in the box.
    """
    n = len(matrix)
    _check_square(matrix)
    if not all(x.is_finite() for row in matrix for x in row):
        return Undecided("an entry of the matrix has no finite enclosure")
    with flint.ctx.workprec(PROPOSED):
        scaled = _diagonalise([[matrix[min(i, j)][max(i, j)].mid() for j in range(n)] for i in range(n)], bits)
    if scaled is None:
        return Undecided("the matrix at the centre of the box is singular")
    with flint.ctx.workprec(PRECISION):
        s = arb_mat(fmpz_mat(scaled)) * arb((1, -bits))  # exact
        h = arb_mat([[matrix[min(i, j)][max(i, j)] for j in range(n)] for i in range(n)])
        d = (s.transpose() * h * s).tolist()
        signs = {-1: 0, 1: 0}
        for i, row in enumerate(d):
            off = sum((abs(x).abs_upper() for j, x in enumerate(row) if j != i), arb(0))
            if row[i] > off:
                signs[1] += 1
            elif -row[i] > off:
                signs[-1] += 1
            else:
                return Undecided("no diagonally dominant congruence found: the box is too wide or nearly singular")
    return BoxInertia(Inertia(signs[1], 0, signs[-1]), tuple(tuple(row) for row in scaled), bits)


def _check_square(matrix: Sequence[Sequence[Any]]) -> None:
    if any(len(row) != len(matrix) for row in matrix):
        raise Invalid("matrix", expected="a square matrix", got="rows of other lengths")


def _diagonalise(m: list[list[arb]], bits: int) -> list[list[int]] | None:
    """2^bits S with S^T M S nearly diagonal, its entries scaled to about 1 and rounded to integers, by complete pivoting on
    midpoints; None when M is singular. It only proposes.

    Where an off-diagonal entry b dominates the diagonal, the basis vectors e_i, e_j are replaced by e_i + e_j, e_i - e_j,
    which puts about +-2b on the diagonal (Bunch and Parlett's 2x2 pivot as two 1x1 pivots).
    """
    n = len(m)
    columns = [[arb(int(i == j)) for i in range(n)] for j in range(n)]
    left = list(range(n))
    while left:
        i = max(left, key=lambda k: abs(m[k][k]))
        off, p, q = max(((abs(m[a][b]), a, b) for a in left for b in left if a < b), default=(arb(0), i, i))
        if 2 * abs(m[i][i]) < off:
            _rotate(m, columns, p, q, n)
            i = p if abs(m[p][p]) >= abs(m[q][q]) else q
        if m[i][i] == 0:
            return None
        left.remove(i)
        for k in left:
            factor = (m[k][i] / m[i][i]).mid()
            if factor != 0:
                columns[k] = [(x - factor * y).mid() for x, y in zip(columns[k], columns[i], strict=True)]
                for j in left:
                    m[k][j] = (m[k][j] - factor * m[i][j]).mid()
    scaled = []
    for k, column in enumerate(columns):
        finer = bits - magnitude(m[k][k]) // 2
        scaled.append([nearest(x, finer) for x in column])
    return [[scaled[j][i] for j in range(n)] for i in range(n)]


def _rotate(m: list[list[arb]], columns: list[list[arb]], p: int, q: int, n: int) -> None:
    columns[p], columns[q] = (
        [(x + y).mid() for x, y in zip(columns[p], columns[q], strict=True)],
        [(x - y).mid() for x, y in zip(columns[p], columns[q], strict=True)],
    )
    for j in range(n):
        m[p][j], m[q][j] = (m[p][j] + m[q][j]).mid(), (m[p][j] - m[q][j]).mid()
    for j in range(n):
        m[j][p], m[j][q] = (m[j][p] + m[j][q]).mid(), (m[j][p] - m[j][q]).mid()
