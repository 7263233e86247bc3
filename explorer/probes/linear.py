"""Linear networks on data as matrices: products of weights, ranks of the data, rank factorisations, least squares."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from flint import fmpq, fmpq_mat

from explorer.algebra.roots import integer_polynomial, is_squarefree
from explorer.errors import Unsupported
from explorer.point import Point
from explorer.problem import DenseNetwork, Problem
from explorer.solve.linear.closed_form import is_deep_linear, moments


@dataclass(frozen=True)
class LinearData:
    """Sxx = sum c x x^T, Syx = sum c y x^T and tr Syy of a deep linear network's data, with its widths."""

    widths: tuple[int, ...]
    sxx: fmpq_mat
    syx: fmpq_mat
    total: Fraction

    @property
    def bottleneck(self) -> int:
        return min(self.widths)

    @property
    def inputs_full_rank(self) -> bool:
        """rank X = d_x, for the matrix X whose columns are the inputs."""
        return bool(self.sxx.rank() == self.widths[0])

    @property
    def correlation_full_rank(self) -> bool:
        """rank X Y^T = min(d_x, d_y)."""
        return bool(self.syx.rank() == min(self.widths[0], self.widths[-1]))

    @property
    def distinct_singular_values(self) -> bool:
        """Whether Y X^T (X X^T)^-1 X has d_y different singular values (zeros counted); needs full row rank of X."""
        sigma = self.syx * self.sxx.inv() * self.syx.transpose()
        return bool(is_squarefree(integer_polynomial([_fraction(c) for c in sigma.charpoly().coeffs()])))

    def least_squares(self) -> fmpq_mat:
        """The matrix R that minimises sum c |y - R x|^2; needs full row rank of X."""
        return self.syx * self.sxx.inv()

    def is_least_squares(self, product: fmpq_mat) -> bool:
        """Whether the product solves the normal equations, so that the convex problem in R has its minimum there."""
        return bool(product * self.sxx == self.syx)


def linear_data(problem: Problem) -> LinearData:
    """`Unsupported` unless the problem is a linear network (no bias) with the squared loss and no regularizer."""
    if not is_deep_linear(problem):
        raise Unsupported(
            "the network", expected="a linear network without biases, squared loss", got="another problem"
        )
    assert isinstance(problem.network, DenseNetwork)
    return LinearData(problem.network.widths, *moments(problem))


def targets_full_rank(problem: Problem) -> bool:
    """rank Y = d_y."""
    data = problem.data
    assert data is not None
    return bool(_matrix([list(row) for row in data.targets]).rank() == len(data.targets[0]))


def product(problem: Problem, point: Point) -> fmpq_mat:
    """W_L ... W_1 at a rational point."""
    if not point.is_rational:
        raise Unsupported("the point", expected="rational weights", got="others")
    widths, start = linear_data(problem).widths, 0
    out = fmpq_mat(widths[0], widths[0], [int(i == j) for i in range(widths[0]) for j in range(widths[0])])
    for cols, rows in pairwise(widths):
        w = fmpq_mat(rows, cols, [_fmpq(c[0]) for c in point.coordinates[start : start + rows * cols]])
        out, start = w * out, start + rows * cols
    return out


def factored(matrix: fmpq_mat, widths: tuple[int, ...]) -> Point | None:
    """Weights of these widths whose product is ``matrix`` (rank factorisation, padded with zeros); None if its rank is too large."""
    reduced, r = matrix.rref()
    if r > min(widths):
        return None
    pivots = [next(k for k in range(matrix.ncols()) if reduced[s, k] != 0) for s in range(r)]
    theta: list[Fraction] = []
    for layer, (cols, rows) in enumerate(pairwise(widths)):
        for i in range(rows):
            for j in range(cols):
                if layer == 0 and layer == len(widths) - 2:
                    entry = matrix[i, j]
                elif layer == 0:
                    entry = reduced[i, j] if i < r else fmpq(0)
                elif layer == len(widths) - 2:
                    entry = matrix[i, pivots[j]] if j < r else fmpq(0)
                else:
                    entry = fmpq(int(i == j and i < r))
                theta.append(_fraction(entry))
    return Point.rational(theta)


def _matrix(rows: list[list[Fraction]]) -> fmpq_mat:
    return fmpq_mat(len(rows), len(rows[0]), [_fmpq(v) for row in rows for v in row])


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def _fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))
