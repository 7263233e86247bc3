"""Residuals whose zeroth and first moments vanish and whose second moment matrix is definite, or the quadric that forbids them.

For inputs x_1 ... x_n in R^d call r *admissible* if sum r_i = 0 and sum r_i x_i = 0, and put S(r) = sum r_i x_i x_i^T. At a
point with first weight matrix 0 the tangent lemma needs an admissible r with S(r) positive definite. It exists if and only
if the inputs do not lie on a common quadric x^T A x + b^T x + c = 0 with A positive semidefinite, A != 0:

*Proof.* The matrices S(r) of admissible r form a linear space L of symmetric matrices. L misses the open cone of positive
definite matrices exactly if a hyperplane separates them, that is if some A >= 0, A != 0 has <A, S(r)> = 0 for all
admissible r (the separating functional is >= 0 on the cone and, L being a linear space, 0 on L). Now <A, S(r)> = sum r_i
x_i^T A x_i vanishes for all r orthogonal to 1 and to the coordinates exactly if (x_i^T A x_i)_i is a combination of them.

Inputs in an affine subspace are first described by coordinates of that subspace. Without hidden biases some of the rows
(1, x) may be absent; then b or c is absent from the quadric, and the space is the linear span.
(The idea of such residuals: Ding, Li, Sun, arXiv 1911.01413; the criterion is this project's.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

from explorer.certify.recipes.cones import definite_or_separator, is_definite
from explorer.certify.recipes.linear import Matrix, Row, combination, independent_columns, kernel, solution
from explorer.certify.recipes.residual import dot, primitive
from explorer.exact import text


@dataclass(frozen=True)
class Quadric:
    """All inputs satisfy x^T A x + b^T x + c = 0 with ``a`` positive semidefinite and not 0."""

    a: Matrix
    b: Row
    c: Fraction

    def __str__(self) -> str:
        d = len(self.b)
        terms = [(self.a[i][j] * (1 if i == j else 2), f"x{i + 1}^2" if i == j else f"x{i + 1} x{j + 1}") for i in range(d) for j in range(i, d)]  # fmt: skip
        terms += [(v, f"x{i + 1}") for i, v in enumerate(self.b)] + [(self.c, "1")]
        shown = [text(v) if name == "1" else name if v == 1 else f"{text(v)} {name}" for v, name in terms if v]
        return f"{' + '.join(shown).replace('+ -', '- ')} = 0"


def definite_residual(
    inputs: Sequence[Row], *, ones: bool = True, linear: bool = True, affine: bool = True
) -> Row | Quadric | None:
    """An integer r orthogonal to the rows 1 (``ones``) and x (``linear``) with sum r_i x_i x_i^T positive definite on the span
    of the differences x_i - x_1 (``affine``) or of the x_i; or the quadric that excludes it; None if not decided (d >= 3).
    """
    shifted = [tuple(a - b for a, b in zip(x, inputs[0], strict=True)) for x in inputs] if affine else list(inputs)
    columns = independent_columns(shifted)
    if not columns:
        raise ValueError("inputs that do not vary")
    z = [tuple(x[k] for k in columns) for x in inputs]
    features = ([[Fraction(1)] * len(z)] if ones else []) + ([list(c) for c in zip(*z, strict=True)] if linear else [])
    basis = kernel(features, len(z))
    second = [_second_moments(r, z) for r in basis]
    found = _nice(basis, second)
    if found is not None:
        return tuple(primitive(found))
    definite, a = definite_or_separator(second, len(columns))
    if definite is not None:
        entries = [[m[i][j] for m in second] for i in range(len(columns)) for j in range(i, len(columns))]
        weights = solution(entries, [definite[i][j] for i in range(len(columns)) for j in range(i, len(columns))])
        assert weights is not None  # it lies in the span
        return tuple(primitive([dot(weights, column) for column in zip(*basis, strict=True)]))
    if a is None:
        return None
    values = [sum((a[i][j] * x[i] * x[j] for i, j in product(range(len(x)), repeat=2)), Fraction(0)) for x in z]
    fitted = solution([list(row) for row in zip(*features, strict=True)] if features else [[] for _ in z], values)
    assert fitted is not None  # A is orthogonal to every S(r)
    return _in_all_coordinates(a, [-v for v in fitted], columns, len(inputs[0]), ones=ones, linear=linear)


def _in_all_coordinates(
    a: Matrix, fitted: list[Fraction], columns: Sequence[int], d: int, *, ones: bool, linear: bool
) -> Quadric:
    zero = Fraction(0)
    whole, b = [[zero] * d for _ in range(d)], [zero] * d
    for i, p in enumerate(columns):
        for j, q in enumerate(columns):
            whole[p][q] = a[i][j]
        if linear:
            b[p] = fitted[i + ones]
    return Quadric(tuple(map(tuple, whole)), tuple(b), fitted[0] if ones else zero)


def second_moments(residual: Sequence[Fraction], inputs: Sequence[Row]) -> Matrix:
    """sum_i r_i x_i x_i^T."""
    return _second_moments(residual, inputs)


def _second_moments(residual: Sequence[Fraction], z: Sequence[Row]) -> Matrix:
    d = len(z[0])
    used = [(r, x) for r, x in zip(residual, z, strict=True) if r]
    rows = [[sum((r * x[i] * x[j] for r, x in used), Fraction(0)) for j in range(d)] for i in range(d)]
    return tuple(map(tuple, rows))


def _nice(basis: Sequence[Row], second: Sequence[Matrix]) -> Row | None:
    """The sum or difference of few kernel vectors, where that is enough; the smallest one."""
    best: tuple[Fraction, Row] | None = None
    for size in (1, 2) if len(basis) <= 12 else (1,):
        for chosen in combinations(range(len(basis)), size):
            for signs in product((1, -1), repeat=size):
                m = combination([second[k] for k in chosen], signs)
                if is_definite(m):
                    r = tuple(
                        sum((s * basis[k][i] for k, s in zip(chosen, signs, strict=True)), Fraction(0))
                        for i in range(len(basis[0]))
                    )
                    rank = sum(map(abs, primitive(r)), Fraction(0))
                    if best is None or rank < best[0]:
                        best = (rank, r)
        if best is not None:
            return best[1]
    return None
