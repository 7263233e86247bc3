"""The truncated objective Q_N(w) = sum_t c_t (S_N f_w(x_t) - y_t)^2, its gradient in the coefficients, and the chain rule.

grad_w Q_N = H grad_theta Q_N holds exactly; grad_w Q does not factor so (Jiang 2019, eqs. (8)-(9)). All numbers are exact
in Q(zeta)[1/pi]; theta_k and dQ_N/dtheta_k are complex, with theta_{-k} the conjugate of theta_k.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from explorer.canonical.cells import Cell, cells, on_the_line
from explorer.canonical.disparity import on_cells, ring_of
from explorer.canonical.fourier import coefficient, partial_sum, series_limit
from explorer.canonical.waves import Wave, WaveRing
from explorer.errors import Unsupported
from explorer.point import AnyPoint
from explorer.problem import Problem


@dataclass(frozen=True)
class Truncated:
    """Q_N at one point: S_N f at the data, its value, dQ_N/dtheta_k (k from -top to top) and grad_w Q_N by the chain rule."""

    top: int
    ring: WaveRing
    sums: tuple[Wave, ...]
    value: Wave
    canonical_gradient: tuple[Wave, ...]
    gradient: tuple[Wave, ...]

    @property
    def stationary_in_coefficients(self) -> bool:
        return not any(self.canonical_gradient)


def data_on_the_line(problem: Problem) -> list[tuple[Fraction, Fraction, Fraction]]:
    """(x_t, y_t, c_t) of a problem with scalar inputs in [0, 1], scalar output, squared loss and no regularizer."""
    on_the_line(problem)
    data, loss = problem.data, problem.loss
    if data is None or loss is None or loss.kind != "squared" or problem.regularizer is not None:
        raise Unsupported("problem", expected="the squared loss and no regularizer", got="another objective")
    if any(not 0 <= x[0] <= 1 for x in data.inputs):
        raise Unsupported("data.inputs", expected="inputs in [0, 1]", got="others")
    return [(x[0], y[0], c) for x, y, c in zip(data.inputs, data.targets, loss.weights, strict=True)]


def truncated(problem: Problem, point: AnyPoint, top: int) -> Truncated:
    """Q_N, N = 2 ``top`` + 1, and its derivatives at ``point``, exactly. Raises what `cells` raises."""
    data, found = data_on_the_line(problem), cells(problem, point)
    ring = ring_of(found, [x for x, _, _ in data])
    band = range(-top, top + 1)
    theta = {k: coefficient(ring, on_cells(found), k) for k in band}
    sums = [partial_sum(ring, theta, x) for x, _, _ in data]
    residuals = [ring.add(s, ring.constant(-y)) for s, (_, y, _) in zip(sums, data, strict=True)]
    value = ring.add(*(ring.scaled(ring.mul(r, r), c) for r, (_, _, c) in zip(residuals, data, strict=True)))
    slopes = [ring.scaled(r, 2 * c) for r, (_, _, c) in zip(residuals, data, strict=True)]

    def by_coefficient(k: int) -> Wave:
        return ring.add(*(ring.mul(s, ring.root(k * x)) for s, (x, _, _) in zip(slopes, data, strict=True)))

    canonical = {k: by_coefficient(k) for k in band}
    gradient = []
    for m in range(len(problem.parameters)):
        row = [ring.mul(coefficient(ring, on_cells(found, m), k), canonical[k]) for k in band]
        gradient.append(ring.add(*row))
    return Truncated(top, ring, tuple(sums), value, tuple(canonical[k] for k in band), tuple(gradient))


def limit_value(problem: Problem, point: AnyPoint) -> Fraction:
    """lim Q_N for N -> infinity: f at inner inputs, the mean of f(0) and f(1) at the inputs 0 and 1."""
    found = on_cells(cells(problem, point))
    return sum((c * (series_limit(found, x) - y) ** 2 for x, y, c in data_on_the_line(problem)), Fraction(0))


def ends(found: tuple[Cell, ...]) -> tuple[Fraction, Fraction]:
    """f(0) and f(1)."""
    first, last = found[0], found[-1]
    return first.value[0], sum((c * last.high**e for e, c in enumerate(last.value)), Fraction(0))
