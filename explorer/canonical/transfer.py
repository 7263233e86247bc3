"""When full rank passes from the truncated derivatives to the true ones, and the rate of gradient descent it gives.

G has one column df(x_t)/dw per sample, G_N the same for the Fourier partial sums (G_N = H E^T). All comparisons by balls or
exact fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import arb, fmpq

from explorer.canonical.cells import cells
from explorer.canonical.disparity import on_cells, ring_of
from explorer.canonical.fourier import coefficient, partial_sum
from explorer.canonical.slopes import gradient_step, jacobian, loss_value
from explorer.canonical.truncated import data_on_the_line
from explorer.errors import Unsupported
from explorer.point import AnyPoint
from explorer.problem import DenseNetwork, Problem

Rows = list[list[arb]]


def truncated_jacobian(problem: Problem, point: AnyPoint, top: int) -> Rows:
    """One row per sample: S_N of df/dw_m at x_t, N = 2 ``top`` + 1, as balls."""
    data, found = data_on_the_line(problem), cells(problem, point)
    ring = ring_of(found, [x for x, _, _ in data])
    out: Rows = [[] for _ in data]
    for m in range(len(problem.parameters)):
        series = {k: coefficient(ring, on_cells(found, m), k) for k in range(-top, top + 1)}
        for row, (x, _, _) in zip(out, data, strict=True):
            row.append(ring.enclose(partial_sum(ring, series, x)).real)
    return out


def defect_below_margin(problem: Problem, point: AnyPoint, top: int) -> bool | None:
    """Whether |G - G_N| < sigma_min(G_N), with the Frobenius norm on the left; None where the balls do not decide.

    Proved by positive definiteness of G_N G_N^T - |G - G_N|_F^2 I (rows are samples).
    """
    rows, own = truncated_jacobian(problem, point, top), jacobian(problem, point)
    defect = arb(0)
    for row, exact in zip(rows, own, strict=True):
        for a, b in zip(row, exact, strict=True):
            gap = a - arb(fmpq(b.numerator, b.denominator))
            defect += gap * gap
    gram = [[sum((a * b for a, b in zip(u, v, strict=True)), arb(0)) for v in rows] for u in rows]
    shifted = [[g - defect if i == j else g for j, g in enumerate(row)] for i, row in enumerate(gram)]
    return _positive_definite(shifted)


def _positive_definite(matrix: Rows) -> bool | None:
    left = [list(row) for row in matrix]
    for k in range(len(left)):
        pivot = left[k][k]
        if not pivot > 0:
            return False if pivot <= 0 else None
        for i in range(k + 1, len(left)):
            factor = left[i][k] / pivot
            left[i] = [a - factor * b for a, b in zip(left[i], left[k], strict=True)]
    return True


@dataclass(frozen=True)
class Rate:
    """Gradient descent with step h on a model that is affine in its parameters: losses of the iterates, and 1 - 2 h c^2."""

    step: Fraction
    margin: Fraction
    losses: tuple[Fraction, ...]

    @property
    def factor(self) -> Fraction:
        return 1 - 2 * self.step * self.margin

    @property
    def holds(self) -> bool:
        return all(b <= self.factor * a for a, b in zip(self.losses, self.losses[1:], strict=False))


def affine_descent(problem: Problem, point: AnyPoint, *, steps: int = 5) -> Rate:
    """Exact iterates of gradient descent for a linear model, with c^2 <= sigma_min(G)^2 and h <= 1/L from the Gram matrix.

    sigma_min^2 >= det K (T - 1)^(T-1) / tr(K)^(T-1) by the means of the other eigenvalues, and L <= 2 tr K, K = G G^T. Unit
    weights. `Unsupported` for models that are not affine in the parameters, or where rank G < T.
    """
    net, loss = problem.network, problem.loss
    if not isinstance(net, DenseNetwork) or net.depth != 1 or net.output.kind != "linear" or net.widths[-1] != 1:
        raise Unsupported("network", expected="a model that is affine in its parameters", got="another")
    if loss is None or loss.kind != "squared" or set(loss.weights) != {1} or problem.regularizer is not None:
        raise Unsupported("objective", expected="the squared loss with unit weights", got="another")
    rows = jacobian(problem, point)
    gram = [[sum((a * b for a, b in zip(u, v, strict=True)), Fraction(0)) for v in rows] for u in rows]
    trace, determinant, size = sum((gram[i][i] for i in range(len(gram))), Fraction(0)), _determinant(gram), len(gram)
    if determinant == 0:
        raise Unsupported("derivatives at the data", expected="rank T", got="a smaller rank")
    margin = determinant * (Fraction(size - 1) / trace) ** (size - 1) if size > 1 else trace
    step, losses, here = 1 / (2 * trace), [loss_value(problem, point)], point
    for _ in range(steps):
        here = gradient_step(problem, here, step)
        losses.append(loss_value(problem, here))
    return Rate(step, margin, tuple(losses))


def _determinant(matrix: list[list[Fraction]]) -> Fraction:
    left, out = [list(row) for row in matrix], Fraction(1)
    for k in range(len(left)):
        pivot = next((i for i in range(k, len(left)) if left[i][k]), None)
        if pivot is None:
            return Fraction(0)
        if pivot != k:
            left[k], left[pivot], out = left[pivot], left[k], -out
        out *= left[k][k]
        for i in range(k + 1, len(left)):
            factor = left[i][k] / left[k][k]
            left[i] = [a - factor * b for a, b in zip(left[i], left[k], strict=True)]
    return out
