"""Linear networks with two layers whose eigenvalues repeat: strata by how many directions of each eigenspace are used.

As in linear_strata, a critical point has W_2 W_1 = P Syx Sxx^-1 with an orthogonal projection P that commutes with
Sigma = Syx Sxx^-1 Sxy (P. Baldi and K. Hornik, Neural Networks 2, 1989; no distinctness is used there). With eigenspaces of
dimensions m_i, P is a sum of projections onto k_i-dimensional subspaces of them: a product of Grassmannians of dimension
sum k_i (m_i - k_i) on top of the stratum of a fixed P. The value is tr Syy - sum k_i l_i. It is global where the largest
eigenvalues are used as far as the width allows; every other critical point is a strict saddle (Z. Zhu, D. Soudry, Y. Eldar,
M. Wakin, The global optimization geometry of shallow linear neural networks, J. Math. Imaging Vis. 62, 2020, Theorem 3.1, which
needs Sxx regular only). Every orthogonal matrix commutes with a multiple of the identity: for the identity as target two
curves of the generic 2-1-2 network become a surface.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product

from flint import fmpq, fmpq_mat

from explorer.algebra.balls import to_fmpq, to_fraction
from explorer.algebra.roots import AlgebraicNumber, real_roots
from explorer.budget import Deadline
from explorer.point import Point
from explorer.problem import DenseNetwork
from explorer.solve.classify import Target
from explorer.solve.deep_linear import GLOBAL, DeepLinear, is_deep_linear, moments
from explorer.solve.linear_strata import MAX_STRATA, component
from explorer.solve.results import CriticalSet, Kind

Block = tuple[Fraction, list[list[Fraction]]]  #: an eigenvalue and an orthogonal basis of its eigenspace


def with_repeated_eigenvalues(t: Target, deadline: Deadline) -> CriticalSet | None:
    """The whole critical set where all eigenvalues are positive rational numbers and one of them repeats; else None."""
    net = t.problem.network
    if not is_deep_linear(t.problem) or not isinstance(net, DenseNetwork) or net.depth != 2:
        return None
    sxx, syx, total = moments(t.problem)
    if net.widths[-1] > net.widths[0] or sxx.rank() < net.widths[0]:
        return None
    fit = syx * sxx.inv()
    blocks = _blocks(fit * syx.transpose())
    if blocks is None or all(len(basis) == 1 for _, basis in blocks):
        return None
    numbers = tuple(_number(value) for value, basis in blocks for _ in basis)
    found = DeepLinear(t.problem, net.widths, numbers, total)
    components = []
    for counts in _choices(blocks, found.largest_rank):
        deadline.check("constructing critical points of a linear network")
        starts = [sum(len(basis) for _, basis in blocks[:i]) for i in range(len(blocks))]
        stratum = found.stratum([a + j + 1 for a, k in zip(starts, counts, strict=True) for j in range(k)])
        assert stratum.dimension is not None
        turned = sum(k * (len(basis) - k) for k, (_, basis) in zip(counts, blocks, strict=True))
        sample = _sample([u for k, (_, basis) in zip(counts, blocks, strict=True) for u in basis[:k]], fit, net.widths)
        kind = Kind.MINIMUM if stratum.kinds == (GLOBAL,) else Kind.STRICT_SADDLE
        inertia = t.hessian_inertia(sample)
        dimension = stratum.dimension + turned
        if (
            not t.gradient.vanishes_at(sample)
            or inertia is None
            or inertia.zero < dimension
            or (inertia.negative == 0) != (kind is Kind.MINIMUM)
        ):
            return None
        words = ", ".join(f"{k} of {len(basis)} for {value}" for k, (value, basis) in zip(counts, blocks, strict=True))
        described = (
            f"product of rank {stratum.rank}; directions used in the eigenspaces of Syx Sxx^-1 Sxy: {words}; dimension "
            f"{dimension}, {turned} of it by turning inside eigenspaces; not claimed connected"
        )
        components.append(replace(component(found, stratum, sample, dimension, kind, t), description=described))
        if len(components) > MAX_STRATA:
            return None
    components.sort(key=lambda c: (-c.dimension, c.value.lower, str(c.sample)))
    coverage = replace(
        found.coverage,
        reason=f"every critical point belongs to one of {len(components)} strata (directions used in each eigenspace): the "
        "inputs span the input space and the eigenvalues are positive, decided exactly (Baldi and Hornik 1989; Zhu, Soudry, "
        "Eldar and Wakin 2020)",
    )
    because = (
        "every local minimum of a linear network is global, and the infimum over matrices of bounded rank is attained"
    )
    return CriticalSet(t.problem, tuple(components), coverage, found.global_value, because)


def _blocks(sigma: fmpq_mat) -> list[Block] | None:
    """Rational eigenvalues in decreasing order with orthogonal bases; None unless all are rational and positive."""
    size = sigma.nrows()
    out: list[Block] = []
    for number in reversed(real_roots([to_fraction(c) for c in sigma.charpoly().coeffs()])):
        if number.rational is None or number.rational <= 0:
            return None
        shift = fmpq_mat(size, size, [to_fmpq(number.rational) * int(i == j) for i in range(size) for j in range(size)])
        out.append((number.rational, _orthogonal(_kernel(sigma - shift))))
    return out if sum(len(basis) for _, basis in out) == size else None


def _kernel(matrix: fmpq_mat) -> list[list[Fraction]]:
    reduced, rank = matrix.rref()
    n = matrix.ncols()
    pivots = [next(j for j in range(n) if reduced[i, j] != 0) for i in range(rank)]
    out = []
    for free in (j for j in range(n) if j not in pivots):
        v = [Fraction(int(j == free)) for j in range(n)]
        for i, p in enumerate(pivots):
            v[p] = -to_fraction(fmpq(reduced[i, free]))
        out.append(v)
    return out


def _orthogonal(vectors: list[list[Fraction]]) -> list[list[Fraction]]:
    """Gram and Schmidt without square roots."""
    out: list[list[Fraction]] = []
    for v in vectors:
        for u in out:
            scale = sum((a * b for a, b in zip(u, v, strict=True)), Fraction(0)) / sum((a * a for a in u), Fraction(0))
            v = [b - scale * a for a, b in zip(u, v, strict=True)]
        out.append(v)
    return out


def _number(value: Fraction) -> AlgebraicNumber:
    (found,) = real_roots([-value, Fraction(1)])
    return found


def _choices(blocks: list[Block], largest: int) -> Iterator[tuple[int, ...]]:
    for counts in product(*(range(len(basis) + 1) for _, basis in blocks)):
        if sum(counts) <= largest:
            yield counts


def _sample(chosen: list[list[Fraction]], fit: fmpq_mat, widths: tuple[int, ...]) -> Point:
    """W_2 = [u_1, u_2, ..., 0] and W_1 = [u_j^T fit / |u_j|^2; 0]."""
    n, hidden, m = widths
    first = [[Fraction(0)] * n for _ in range(hidden)]
    second = [[Fraction(0)] * hidden for _ in range(m)]
    for k, u in enumerate(chosen):
        square = sum((a * a for a in u), Fraction(0))
        for i in range(m):
            second[i][k] = u[i]
        for j in range(n):
            first[k][j] = sum((u[i] * to_fraction(fit[i, j]) for i in range(m)), Fraction(0)) / square
    return Point.rational([x for rows in (first, second) for row in rows for x in row])
