"""Value, gradient and Hessian of a linear network's loss at an exact point, as matrices: no polynomial is expanded.

F = tr Syy - 2 tr W Sxy + tr W Sxx W^T with W = W_H ... W_1, plus sum_k lambda_k theta_k^2 if there is an l2 regularizer. With L_h = W_H ... W_(h+1), R_h = W_(h-1) ... W_1 and E = W Sxx - Syx the
gradient in W_h is 2 L_h^T E R_h^T; half the second derivative in the entries (i, j) of W_h and (m, n) of W_k, h <= k, is
(L_h^T L_k)_im (R_h Sxx R_k^T)_jn + [h < k] (L_k^T E R_h^T)_mj (W_(k-1) ... W_(h+1))_ni.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from flint import fmpq_mat

from explorer.algebra.balls import to_fraction
from explorer.algebra.fields import FieldArithmetic, arithmetic
from explorer.algebra.inertia import inertia
from explorer.budget import Deadline
from explorer.point import Element, Inertia, Point
from explorer.problem import DenseNetwork, Problem
from explorer.solve.linear.closed_form import moments
from explorer.solve.results import Value
from explorer.solve.scalars import enclosure

Rows = list[list[Element]]


class LinearGeometry:
    """A linear network's loss at one exact point; every product of layers is computed once."""

    def __init__(self, problem: Problem, point: Point, *, deadline: Deadline | None = None) -> None:
        self.deadline = deadline
        net = problem.network
        assert isinstance(net, DenseNetwork)
        self.widths, self.field = net.widths, point.field
        self.a = arithmetic(point.field)
        sxx, syx, self.total = moments(problem)
        self.sxx, self.syx = lifted(self.a, sxx), lifted(self.a, syx)
        self.layers: list[Rows] = []
        start = 0
        for cols, rows in pairwise(self.widths):
            self.layers.append(
                [list(point.coordinates[start + i * cols : start + (i + 1) * cols]) for i in range(rows)]
            )
            start += rows * cols
        self.ridge = [Fraction(0)] * start if problem.regularizer is None else list(problem.regularizer.weights)
        self.point = point.coordinates
        depth = len(self.layers)
        self.between = {(h, h): self._one(self.widths[h]) for h in range(depth + 1)}  #: (h, k): W_k ... W_(h+1)
        for h in range(depth):
            for k in range(h, depth):
                self.between[h, k + 1] = self._times(self.layers[k], self.between[h, k])
        product = self._times(self.between[0, depth], self.sxx)
        self.error = [
            [self.a.sub(x, y) for x, y in zip(r, s, strict=True)] for r, s in zip(product, self.syx, strict=True)
        ]

    @property
    def value(self) -> Value:
        """F = tr Syy + <W, E - Syx>."""
        out = self.a.from_fraction(self.total)
        for r, e, s in zip(self.between[0, len(self.layers)], self.error, self.syx, strict=True):
            for x, y, z in zip(r, e, s, strict=True):
                out = self.a.add(out, self.a.mul(x, self.a.sub(y, z)))
        for w, x in zip(self.ridge, self.point, strict=True):
            if w:
                out = self.a.add(out, self.a.mul(self.a.from_fraction(w), self.a.mul(x, x)))
        return Value(*enclosure(out, self.field), out, self.field)

    @property
    def is_critical(self) -> bool:
        slopes = [x for h in range(len(self.layers)) for r in self._slope(h, h) for x in r]
        pulls = [self.a.mul(self.a.from_fraction(w), x) for w, x in zip(self.ridge, self.point, strict=True)]
        return all(self.a.is_zero(self.a.add(x, y)) for x, y in zip(slopes, pulls, strict=True))

    @property
    def inertia(self) -> Inertia:
        """The inertia of the Hessian, exactly."""
        a, depth = self.a, len(self.layers)
        places = [(h, i, j) for h in range(depth) for i in range(self.widths[h + 1]) for j in range(self.widths[h])]
        offset = [next(p for p, (h, _, _) in enumerate(places) if h == k) for k in range(depth)]
        table: Rows = [[a.zero] * len(places) for _ in places]
        for h in range(depth):
            for k in range(h, depth):
                left = self._times(_turned(self.between[h + 1, depth]), self.between[k + 1, depth])
                right = self._times(self._times(self.between[0, h], self.sxx), _turned(self.between[0, k]))
                bend, middle = self._slope(k, h), self.between[h + 1, k] if h < k else None
                for i in range(self.widths[h + 1]):
                    for j in range(self.widths[h]):
                        p = offset[h] + i * self.widths[h] + j
                        for m in range(self.widths[k + 1]):
                            for n in range(self.widths[k]):
                                x = a.mul(left[i][m], right[j][n])
                                if middle is not None:
                                    x = a.add(x, a.mul(bend[m][j], middle[n][i]))
                                q = offset[k] + m * self.widths[k] + n
                                if p == q:
                                    x = a.add(x, a.from_fraction(self.ridge[p]))
                                table[p][q] = table[q][p] = x
        return inertia(table, self.field, deadline=self.deadline)

    def _slope(self, k: int, h: int) -> Rows:
        """L^T E R^T with the layers after number k (from 0) and before number h."""
        inner = self._times(_turned(self.between[k + 1, len(self.layers)]), self.error)
        return self._times(inner, _turned(self.between[0, h]))

    def _one(self, n: int) -> Rows:
        return [[self.a.one if i == j else self.a.zero for j in range(n)] for i in range(n)]

    def _times(self, x: Rows, y: Rows) -> Rows:
        columns = list(zip(*y, strict=True))
        return [[dot(self.a, row, c) for c in columns] for row in x]


def _turned(x: Rows) -> Rows:
    return [list(c) for c in zip(*x, strict=True)]


def lifted(a: FieldArithmetic, m: fmpq_mat) -> Rows:
    """A rational matrix over the field."""
    return [[a.from_fraction(to_fraction(m[i, j])) for j in range(m.ncols())] for i in range(m.nrows())]


def dot(a: FieldArithmetic, u: Sequence[Element], v: Sequence[Element]) -> Element:
    out = a.zero
    for x, y in zip(u, v, strict=True):
        if not a.is_zero(x) and not a.is_zero(y):
            out = a.add(out, a.mul(x, y))
    return out
