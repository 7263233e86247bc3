"""The critical points of rank r of a linear network with one ridge weight as solutions of one matrix equation.

R = W_1^T W_1 = V S^2 V^T decides the orbit: with N = Sxy Syx, C = Sxx and H layers a positive semidefinite R belongs to critical points iff

(C R^H C + lambda (C R + R C) - N) R^(H-2) K^T + lambda^2 K^T = 0 for a basis K (r x d) of its row space

(docs/linear.md). K is unique in reduced row echelon form, so that its pivot columns cut the set of all R = K^T T K, T symmetric, into cells:
one polynomial system in T and the free entries of K for each, without signs and rotations. `solve_outputs` has another equation, for an odd
number of layers and r outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

from flint import Ordering, fmpq_mat, fmpq_mpoly_ctx, fmpq_poly

from explorer.algebra.balls import ball, bounds, to_fmpq, to_fraction
from explorer.algebra.fields import from_poly, to_poly
from explorer.algebra.groebner import quick
from explorer.algebra.inertia import inertia
from explorer.algebra.msolve import find_msolve, propose
from explorer.algebra.parametrization import immediate
from explorer.algebra.solver import Dimension, RealRoot, SystemSolution, solve_zero_dimensional
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline
from explorer.point import Inertia, NumberField, Point

Matrix = list[list[Any]]
Bounds = tuple[Fraction, Fraction]
Gram = tuple[tuple[Bounds, ...], ...]
#: with more cells of pivots no rank is attempted
MAX_CELLS = 40
UNTOLD = "a solution could not be told from one of lower rank"


@dataclass(frozen=True)
class Cell:
    """The solutions R of one cell. ``grams``: enclosures of the real ones that are positive semidefinite of rank r, row by row."""

    solution: SystemSolution
    grams: tuple[Gram, ...]
    roots: tuple[RealRoot, ...]  #: (T, K) of each of them
    trouble: str = ""


def cells(size: int, rank: int) -> list[tuple[int, ...]]:
    """The possible pivot columns of a row space of dimension ``rank``, the generic ones first."""
    return list(combinations(range(size), rank))


def solve_cell(
    sxx: fmpq_mat, syx: fmpq_mat, weight: Fraction, depth: int, pivots: Sequence[int], deadline: Deadline
) -> Cell:
    """All R whose row space has these pivot columns."""
    found = _cell(cell_system(sxx, syx, weight, depth, pivots), pivots, sxx.nrows(), deadline)
    if found.solution.dimension is Dimension.POSITIVE or found.trouble == UNTOLD:
        # points of lower rank solve the equations as well, where a singular value of their error equals the ridge weight
        found = _cell(cell_system(sxx, syx, weight, depth, pivots, regular=True), pivots, sxx.nrows(), deadline)
    return found


def _cell(system: PolynomialSystem, pivots: Sequence[int], size: int, deadline: Deadline) -> Cell:
    solution = _solved(system, deadline)
    if solution.dimension not in (Dimension.FINITE, Dimension.EMPTY) or not solution.complete:
        return Cell(solution, (), (), solution.reason or solution.dimension.value)
    grams, roots = list[Gram](), list[RealRoot]()
    for root in solution.roots:
        sign = _definite(root, len(pivots))
        if sign is None:
            return Cell(solution, (), (), UNTOLD)
        if sign:
            flat = [ball(*ends) for ends in root.enclosure]
            r = _gram(flat, pivots, size, zero=ball(Fraction(0)), one=ball(Fraction(1)))
            grams.append(tuple(tuple(bounds(x) for x in row) for row in r))
            roots.append(root)
    return Cell(solution, tuple(grams), tuple(roots))


def cell_system(
    sxx: fmpq_mat,
    syx: fmpq_mat,
    weight: Fraction,
    depth: int,
    pivots: Sequence[int],
    *,
    regular: bool = False,
) -> PolynomialSystem:
    """The matrix equation in the entries of T (upper half, row by row), the free ones of K and, where ``regular``, e = 1/det T."""
    size, rank = sxx.nrows(), len(pivots)
    names = [f"t{i}_{j}" for i in range(rank) for j in range(i, rank)]
    names += [f"k{i}_{j}" for i, c in enumerate(pivots) for j in range(c + 1, size) if j not in pivots]
    names += ["e"] if regular else []
    ring = fmpq_mpoly_ctx.get(names, Ordering.degrevlex)
    unknown = dict(zip(names, ring.gens(), strict=True))
    lam = ring.constant(weight.numerator) / ring.constant(weight.denominator)

    def lifted(m: fmpq_mat) -> Matrix:
        return [[ring.constant(m[i, j]) for j in range(m.ncols())] for i in range(m.nrows())]

    t = [[unknown[f"t{min(i, j)}_{max(i, j)}"] for j in range(rank)] for i in range(rank)]
    k = [
        [ring.constant(int(j == c)) if j in pivots else unknown.get(f"k{i}_{j}", ring.constant(0)) for j in range(size)]
        for i, c in enumerate(pivots)
    ]
    c, n, turned = lifted(sxx), lifted(syx.transpose() * syx), [list(row) for row in zip(*k, strict=True)]
    right = _times(t, k)  # R = K^T T K = turned right

    def by_r(m: Matrix) -> Matrix:
        return _times(turned, _times(right, m))

    start = turned
    for _ in range(depth - 2):
        start = by_r(start)
    high = _times(c, start)
    for _ in range(depth):
        high = by_r(high)
    high = _times(c, high)
    first, second, last = _times(c, by_r(start)), by_r(_times(c, start)), _times(n, start)
    equations = [
        high[i][j] + lam * (first[i][j] + second[i][j]) - last[i][j] + lam * lam * turned[i][j]
        for i in range(size)
        for j in range(rank)
    ]
    if regular:
        equations.append(unknown["e"] * _determinant(t) - 1)
    return _system(names, equations)


def solve_outputs(sxx: fmpq_mat, syx: fmpq_mat, weight: Fraction, depth: int, deadline: Deadline) -> Cell:
    """All R of rank m, the number of outputs, for an odd number of layers, from W = U S V^T, which is unique, with R = W^T W: the equations

    L^k W C + lambda L^-k W = B, L = W W^T, k = (H - 1)/2, for W alone (docs/linear.md); of lower degree, and one system for all cells.
    """
    rank, size = syx.nrows(), syx.ncols()
    names = [f"w{i}_{j}" for i in range(rank) for j in range(size)] + ["e"]
    ring = fmpq_mpoly_ctx.get(names, Ordering.degrevlex)
    *entries, e = ring.gens()
    w = [entries[i * size : (i + 1) * size] for i in range(rank)]
    lam = ring.constant(weight.numerator) / ring.constant(weight.denominator)
    gram = _times(w, [list(c) for c in zip(*w, strict=True)])
    inverse = [[(-1) ** (i + j) * e * _minor(gram, j, i, ring.constant(1)) for j in range(rank)] for i in range(rank)]
    high = _times(w, [[ring.constant(sxx[i, j]) for j in range(size)] for i in range(size)])
    low = w
    for _ in range((depth - 1) // 2):
        high, low = _times(gram, high), _times(inverse, low)
    equations = [high[i][j] + lam * low[i][j] - ring.constant(syx[i, j]) for i in range(rank) for j in range(size)]
    equations.append(e * _determinant(gram) - 1)
    solution = _solved(_system(names, equations), deadline)
    if solution.dimension not in (Dimension.FINITE, Dimension.EMPTY) or not solution.complete:
        return Cell(solution, (), (), solution.reason or solution.dimension.value)
    grams = []
    for root in solution.roots:  # W W^T is positive definite at every real one, as its determinant is not 0
        flat = [ball(*ends) for ends in root.enclosure[:-1]]
        rows = [flat[i * size : (i + 1) * size] for i in range(rank)]
        r = _times([list(c) for c in zip(*rows, strict=True)], rows)
        grams.append(tuple(tuple(bounds(x) for x in row) for row in r))
    return Cell(solution, tuple(grams), solution.roots)


def _minor(m: Matrix, i: int, j: int, one: Any) -> Any:
    """The determinant without row i and column j."""
    rest = [[*row[:j], *row[j + 1 :]] for k, row in enumerate(m) if k != i]
    return _determinant(rest) if rest else one


def _system(names: Sequence[str], equations: Sequence[Any]) -> PolynomialSystem:
    return PolynomialSystem.of(
        names,
        [{tuple(int(x) for x in m): to_fraction(v) for m, v in p.to_dict().items()} for p in equations if p != 0],
    )


def meeting(gram: Sequence[Sequence[Bounds]], box: Sequence[Sequence[Bounds]]) -> bool:
    """Whether two enclosures of matrices share a point."""
    return all(
        a <= d and c <= b
        for r, s in zip(gram, box, strict=True)
        for (a, b), (c, d) in zip(r, s, strict=True)
    )  # fmt: skip


def _solved(system: PolynomialSystem, deadline: Deadline) -> SystemSolution:
    """Without the exact second computation of the general engine, which takes a hundred times as long; multiple points excepted."""
    proposal = immediate(system) or quick(system)
    binary = None if proposal is not None else find_msolve()
    if binary is not None:
        proposal = propose(system, binary, deadline)
        found = proposal.parametrization
        if proposal.dimension is Dimension.UNDECIDED or (
            found is not None and found.eliminating.degree() != proposal.multiplicity
        ):
            proposal = None
    return solve_zero_dimensional(system, deadline, proposal=proposal)


def _definite(root: RealRoot, rank: int) -> bool | None:
    """Whether T is positive definite, by its leading minors in balls; None where a minor may be 0."""
    flat = iter([ball(*ends) for ends in root.enclosure])
    t = [[None] * rank for _ in range(rank)]
    for i in range(rank):
        for j in range(i, rank):
            t[i][j] = t[j][i] = next(flat)
    decided = True
    for k in range(1, rank + 1):
        minor = _determinant([row[:k] for row in t[:k]])
        if minor < 0:
            return False
        decided = decided and bool(minor > 0)
    return True if decided else None


def _gram(flat: Sequence[Any], pivots: Sequence[int], size: int, *, zero: Any, one: Any) -> Matrix:
    """R = K^T T K from the entries of T and the free ones of K, in any ring."""
    rank, at = len(pivots), iter(flat)
    t: Matrix = [[zero] * rank for _ in range(rank)]
    for i in range(rank):
        for j in range(i, rank):
            t[i][j] = t[j][i] = next(at)
    k: Matrix = [[one if j == c else zero for j in range(size)] for c in pivots]
    for i, c in enumerate(pivots):
        for j in range(c + 1, size):
            if j not in pivots:
                k[i][j] = next(at)
    return _times([list(x) for x in zip(*k, strict=True)], _times(t, k))


def excess(
    point: Point, pivots: Sequence[int], sxx: fmpq_mat, syx: fmpq_mat, weight: Fraction, deadline: Deadline
) -> Inertia:
    """Two layers: the inertia of lambda^2 - E^T E = C R^2 C + lambda (C R + R C) + lambda^2 - N, exactly, where ``point`` is (T, K): its
    negative part counts the singular values of the error E above the ridge weight, its nullity those that equal it."""
    q = fmpq_poly([to_fmpq(c) for c in point.field.polynomial]) if isinstance(point.field, NumberField) else None

    def reduced(m: Matrix) -> Matrix:
        return m if q is None else [[x % q for x in row] for row in m]

    def lifted(m: fmpq_mat) -> Matrix:
        return [[fmpq_poly([m[i, j]]) for j in range(m.ncols())] for i in range(m.nrows())]

    flat, size = [to_poly(x) for x in point.coordinates], sxx.nrows()
    r = reduced(_gram(flat, pivots, size, zero=fmpq_poly([0]), one=fmpq_poly([1])))
    c, n, lam = lifted(sxx), lifted(syx.transpose() * syx), to_fmpq(weight)
    cr = _times(c, r)
    square = reduced(_times(cr, [list(row) for row in zip(*cr, strict=True)]))  # C R R C, as R and C are symmetric
    table = [
        [
            from_poly(square[i][j] + lam * (cr[i][j] + cr[j][i]) + (lam * lam if i == j else 0) - n[i][j])
            for j in range(size)
        ]
        for i in range(size)
    ]
    return inertia(table, point.field, deadline=deadline)


def _times(x: Matrix, y: Matrix) -> Matrix:
    return [[sum((a * b for a, b in zip(row[1:], c[1:], strict=True)), row[0] * c[0]) for c in zip(*y, strict=True)] for row in x]  # fmt: skip


def _determinant(m: Matrix) -> Any:
    """By the first row (at most a few rows)."""
    if len(m) == 1:
        return m[0][0]
    total = m[0][0] * _determinant([row[1:] for row in m[1:]])
    for j in range(1, len(m)):
        minor = m[0][j] * _determinant([[*row[:j], *row[j + 1 :]] for row in m[1:]])
        total = total - minor if j % 2 else total + minor
    return total
