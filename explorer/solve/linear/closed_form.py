"""Deep linear networks of any width in closed form: every critical stratum, its value and its kind.

F(W) = sum_i c_i |y_i - W_H ... W_1 x_i|^2. With Sxx = sum c x x^T regular, Syx = sum c y x^T of full rank d_y <= d_x and
Sigma = Syx Sxx^-1 Sxy with eigenvalues l_1 > ... > l_dy (unit eigenvectors u_i), a critical point with a product of rank r
has W_H ... W_1 = P_S Syx Sxx^-1, P_S = sum_{i in S} u_i u_i^T, |S| = r <= r_max = min width, and the value
tr Syy - sum_{i in S} l_i (Baldi and Hornik, Neural Networks 2 (1989)). Its kind: E. M. Achour, F. Malgouyres and
S. Gerchinovitz, "The loss landscape of deep linear neural networks: a second-order analysis", JMLR 25 (2024), Theorem 1:
S = {1..r}, r = r_max: global minimum; S != {1..r}: strict saddle; S = {1..r}, r < r_max: non-strict saddle where the point
is tightened, strict saddle otherwise. A point is tightened if for every pair i > j one of W_{i-1}...W_{j+1} and
W_{j-1}...W_1 Sxy W_H...W_{i+1} has rank r (empty products are identities). With H = 2 no point of rank r < r_max is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations, pairwise
from math import comb

import flint
from flint import fmpq_mat

from explorer.algebra.balls import ball, to_fmpq, to_fraction
from explorer.algebra.roots import AlgebraicNumber, integer_polynomial, is_squarefree, real_roots, refine, sturm_count
from explorer.errors import Invalid, Unsupported
from explorer.point import Point
from explorer.problem import DenseNetwork, Problem
from explorer.solve.boxes.balls import rounded
from explorer.solve.results import Coverage, Trust, Value

GLOBAL, STRICT, NON_STRICT = "global minimum", "strict saddle", "non-strict saddle"


@dataclass(frozen=True)
class LinearStratum:
    """The critical points whose product projects onto the eigenvectors with numbers in ``subset`` (from 1, l_1 largest).

    ``kinds`` are the kinds that occur on it (each of them does). ``dimension`` is known for the largest rank and for two
    layers; else None (the stratum is then a union of pieces of several dimensions).
    """

    subset: tuple[int, ...]
    value: Value
    kinds: tuple[str, ...]
    dimension: int | None

    @property
    def rank(self) -> int:
        return len(self.subset)


@dataclass(frozen=True)
class LinearPoint:
    """What one critical point is: the rank of the product, its subset of eigenvectors, and its kind."""

    rank: int
    subset: tuple[int, ...]
    tightened: bool
    kind: str


@dataclass(frozen=True)
class DeepLinear:
    """The landscape of one deep linear network: ``eigenvalues`` in decreasing order, and everything that follows."""

    problem: Problem
    widths: tuple[int, ...]
    eigenvalues: tuple[AlgebraicNumber, ...]
    total: Fraction  #: tr Syy, the value at product 0

    @property
    def depth(self) -> int:
        return len(self.widths) - 1

    @property
    def largest_rank(self) -> int:
        return min(self.widths)

    @property
    def count(self) -> int:
        """The number of strata (r, S)."""
        return sum(comb(self.widths[-1], r) for r in range(self.largest_rank + 1))

    @property
    def global_value(self) -> Value:
        return self.value(range(1, self.largest_rank + 1))

    @property
    def coverage(self) -> Coverage:
        return Coverage(
            True,
            "closed form for deep linear networks",
            Trust.COMPUTED,
            f"every critical point belongs to one of {self.count} strata (rank r, set of r eigenvectors): the inputs span the "
            "input space and the eigenvalues are positive and distinct, both decided exactly (Baldi and Hornik 1989; "
            "Achour, Malgouyres and Gerchinovitz 2024, Theorem 1)",
        )

    def value(self, subset: Sequence[int]) -> Value:
        """tr Syy - sum of the eigenvalues in ``subset``: exact where it is seen to be rational, else enclosed."""
        return value_of(self.total, [self.eigenvalues[k - 1] for k in subset])

    def stratum(self, subset: Sequence[int]) -> LinearStratum:
        """The stratum of one set of eigenvector numbers."""
        s = tuple(sorted(subset))
        if len(set(s)) != len(s) or len(s) > self.largest_rank or not all(1 <= k <= self.widths[-1] for k in s):
            raise Invalid(
                "subset",
                expected=f"at most {self.largest_rank} different numbers from 1 to {self.widths[-1]}",
                got=str(s),
            )
        return LinearStratum(s, self.value(s), self._kinds(s), self._dimension(len(s)))

    def strata(self) -> Iterator[LinearStratum]:
        """All strata by rank; there are `count` of them, so take what you need."""
        for r in range(self.largest_rank + 1):
            for s in combinations(range(1, self.widths[-1] + 1), r):
                yield self.stratum(s)

    def _kinds(self, s: tuple[int, ...]) -> tuple[str, ...]:
        if s != tuple(range(1, len(s) + 1)):
            return (STRICT,)
        if len(s) == self.largest_rank:
            return (GLOBAL,)
        return (STRICT,) if self.depth == 2 else (STRICT, NON_STRICT)

    def _dimension(self, r: int) -> int | None:
        w = self.widths
        if r == self.largest_rank:
            # all W with that product are critical, and these fibres fill the W with a product of rank r, which are open
            return sum(a * b for a, b in pairwise(w)) - r * (w[0] + w[-1] - r)
        if self.depth == 2:
            # W_2 = U_S A with A of rank r; W_1 is a solution of A W_1 = U_S^T Syx Sxx^-1 plus rows in the kernel of U_Q^T Syx
            return r * w[1] + (w[1] - r) * (w[0] - w[2] + r)
        return None

    # -- one point -------------------------------------------------------------------------------------------------

    def classify(self, point: Point) -> LinearPoint:
        """Rank, subset and kind of an exact rational critical point. `Invalid` if the gradient does not vanish there."""
        if not point.is_rational:
            raise Unsupported("point", expected="rational weights", got="others")
        layers = self._layers([c[0] for c in point.coordinates])
        sxx, syx, _ = self._moments
        product = _product(layers, self.widths, 0, self.depth)
        error = product * sxx - syx
        for h in range(self.depth):
            after = _product(layers, self.widths, h + 1, self.depth)
            before = _product(layers, self.widths, 0, h)
            if any(v != 0 for v in (after.transpose() * error * before.transpose()).entries()):
                raise Invalid("point", expected="a critical point", got=f"a gradient that is not 0 in layer {h + 1}")
        r = product.rank()
        subset = self._subset(product * syx.transpose())
        tightened = self._tightened(layers, r)
        kinds = self._kinds(subset)
        kind = kinds[0] if len(kinds) == 1 else NON_STRICT if tightened else STRICT
        return LinearPoint(r, subset, tightened, kind)

    def _layers(self, theta: Sequence[Fraction]) -> list[fmpq_mat]:
        out, start = [], 0
        for cols, rows in pairwise(self.widths):
            out.append(fmpq_mat(rows, cols, [to_fmpq(v) for v in theta[start : start + rows * cols]]))
            start += rows * cols
        if start != len(theta):
            raise Invalid("point", expected=f"{start} coordinates", got=f"{len(theta)}")
        return out

    @cached_property
    def _moments(self) -> tuple[fmpq_mat, fmpq_mat, Fraction]:
        return moments(self.problem)

    def _subset(self, projected: fmpq_mat) -> tuple[int, ...]:
        """The numbers of the eigenvalues of P_S Sigma that are not 0."""
        coefficients = [to_fraction(c) for c in projected.charpoly().coeffs()]
        while coefficients[0] == 0:
            coefficients = coefficients[1:]
        found = real_roots(coefficients)
        return tuple(k for k, n in enumerate(self.eigenvalues, start=1) if any(_same(n, m) for m in found))

    def _tightened(self, layers: Sequence[fmpq_mat], r: int) -> bool:
        _, syx, _ = self._moments
        for j in range(1, self.depth):
            for i in range(j + 1, self.depth + 1):
                inner = _product(layers, self.widths, j, i - 1)
                if inner.rank() == r:
                    continue
                before = _product(layers, self.widths, 0, j - 1)
                after = _product(layers, self.widths, i, self.depth)
                if (before * syx.transpose() * after).rank() != r:
                    return False
        return True


def value_of(total: Fraction, chosen: Sequence[AlgebraicNumber]) -> Value:
    """``total`` minus the sum of the eigenvalues ``chosen``: exact where it is seen to be rational, else enclosed."""
    exact = total - sum((n.rational for n in chosen if n.rational is not None), Fraction(0))
    irrational = [n for n in chosen if n.rational is None]
    rest = []
    for p in sorted({n.polynomial for n in irrational}):
        members = [n for n in irrational if n.polynomial == p]
        if len(members) == len(p) - 1:  # a full set of conjugates: minus the second coefficient over the first
            exact -= Fraction(-p[-2], p[-1])
        else:
            rest += members
    if not rest:
        return Value.rational(exact)
    with flint.ctx.workprec(192):
        out = ball(exact)
        for n in rest:
            out -= ball(*refine(integer_polynomial(n.polynomial), n.interval, 160))
    return rounded(out)


def deep_linear(problem: Problem) -> DeepLinear:
    """The closed form for ``problem``; `Unsupported` with the reason where one of its assumptions fails."""
    net = problem.network
    if not is_deep_linear(problem):
        raise Unsupported(
            "deep linear closed form",
            expected="a linear network with two or more layers, no bias, squared loss, no regularizer",
            got="another problem",
        )
    assert isinstance(net, DenseNetwork)
    if net.widths[-1] > net.widths[0]:
        raise Unsupported("deep linear closed form", expected="d_y <= d_x", got=f"{net.widths[-1]} > {net.widths[0]}")
    sxx, syx, total = moments(problem)
    if sxx.rank() < net.widths[0]:
        raise Unsupported(
            "deep linear closed form", expected="inputs that span the input space", got=f"rank {sxx.rank()}"
        )
    sigma = syx * sxx.inv() * syx.transpose()
    characteristic = integer_polynomial([to_fraction(c) for c in sigma.charpoly().coeffs()])
    if not is_squarefree(characteristic) or characteristic[0] == 0:
        raise Unsupported(
            "deep linear closed form",
            expected="positive and distinct eigenvalues of Syx Sxx^-1 Sxy",
            got="a multiple eigenvalue" if characteristic[0] else "the eigenvalue 0",
        )
    eigenvalues = tuple(reversed(real_roots([Fraction(int(c)) for c in characteristic.coeffs()])))
    return DeepLinear(problem, net.widths, eigenvalues, total)


def is_deep_linear(problem: Problem) -> bool:
    net = problem.network
    return (
        isinstance(net, DenseNetwork)
        and net.depth >= 2
        and all(a.kind == "linear" for a in (*net.activations, net.output))
        and not any(net.bias)
        and problem.regularizer is None
        and problem.loss is not None
        and problem.loss.kind == "squared"
    )


def moments(problem: Problem) -> tuple[fmpq_mat, fmpq_mat, Fraction]:
    """Sxx, Syx and tr Syy, weighted by c_i."""
    data, loss = problem.data, problem.loss
    assert data is not None
    assert loss is not None
    x = fmpq_mat([[to_fmpq(v) for v in row] for row in data.inputs])
    y = fmpq_mat([[to_fmpq(v) for v in row] for row in data.targets])
    weighted = fmpq_mat(
        [[to_fmpq(v * c) for v in row] for row, c in zip(data.inputs, loss.weights, strict=True)]
    ).transpose()
    total = sum((c * v * v for row, c in zip(data.targets, loss.weights, strict=True) for v in row), Fraction(0))
    return weighted * x, (weighted * y).transpose(), total


def _product(layers: Sequence[fmpq_mat], widths: Sequence[int], low: int, high: int) -> fmpq_mat:
    """W_high ... W_(low+1); the identity of size widths[low] where it is empty."""
    n = widths[low]
    out = fmpq_mat(n, n, [int(i == j) for i in range(n) for j in range(n)])
    for w in layers[low:high]:
        out = w * out
    return out


def _same(a: AlgebraicNumber, b: AlgebraicNumber) -> bool:
    """Whether two roots of irreducible polynomials are equal: the hull of their isolating intervals holds one root."""
    if a.polynomial != b.polynomial:
        return False
    low, high = min(a.interval[0], b.interval[0]), max(a.interval[1], b.interval[1])
    return a.rational is not None or sturm_count(integer_polynomial(a.polynomial), low, high) == 1
