"""The tangent lemma: proofs that a critical point with a singular Hessian is a local minimum (rule ``flat-minimum``).

The loss is convex in the outputs f, so F(q) - F(p) >= Phi(q) - Phi(p) with Phi(q) = sum_i g_i . f(x_i; q) and g_i the
slopes of the loss at p: it is enough that p is a local minimum of Phi (no regularizer). Two finite criteria:

``units``: one hidden layer, linear output. Phi = sum_(k,j) v_kj psi_k(u_j) with psi_k(u) = sum_i g_ik phi(u . x_i). If
for every unit psi_k(u_j) = 0, grad psi_k(u_j) = 0 for all outputs k and sum_k v_kj Hess psi_k(u_j) > 0 on the span of
the inputs (extended by 1 where there is a hidden bias), and sum_i g_ik = 0 where there is an output bias, then Phi >= 0
near p. (Ding, Li and Sun 2019 use such points; the criterion is derived in docs/certificate.md.)

``first-layer-zero``: W_1 = 0, sum_i g_ik = 0, sum_i g_ik x_i = 0, and the Hessian of Phi in W_1 is positive definite on
the span of the inputs: then Phi(q) = (1/2) <W, Hess W> + o(|W|^2), uniformly in all other parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from explorer.algebra.fields import arithmetic
from explorer.errors import Unsupported
from explorer.model import losses
from explorer.model.jets import Where, outputs
from explorer.model.rings import ExactRing
from explorer.point import Element, Field, Ln2Ring, Point, RationalField
from explorer.problem import DenseNetwork, Problem


def tangent_lemma(problem: Problem, point: Point) -> str | None:
    """``units`` or ``first-layer-zero`` when that criterion proves ``point`` a local minimum, else None.

    The point must be critical; any activation that is exact and C^2 there will do.
    """
    net = problem.network
    if not isinstance(net, DenseNetwork) or problem.regularizer is not None or net.depth < 2:
        return None
    try:
        functional = _functional(problem, point)
    except Unsupported:
        return None
    if net.depth == 2 and net.output.kind == "linear" and _units(problem, net, functional):
        return "units"
    return "first-layer-zero" if _first_layer_zero(problem, net, point, functional) else None


@dataclass(frozen=True)
class _Functional:
    """Slopes g[i][k] and the derivatives of Phi at the point, as ring elements (Hessian for i <= j, absent: 0)."""

    ring: ExactRing
    slopes: list[list[Any]]
    gradient: dict[int, Any]
    hessian: dict[tuple[int, int], Any]

    def is_zero(self, value: Any) -> bool:
        return self.ring.sign(value) == 0

    def second(self, i: int, j: int) -> Any:
        return self.hessian.get((min(i, j), max(i, j)), self.ring.constant(Fraction(0)))

    def definite(self, indices: Sequence[Sequence[int]], basis: Sequence[Sequence[Fraction]]) -> bool:
        """Whether the Hessian in the listed rows of parameters is positive definite on rows in the span of ``basis``."""
        vectors = [(row, b) for row in indices for b in basis]
        ring = self.ring
        matrix = []
        for row, b in vectors:
            line = []
            for other, c in vectors:
                parts = [
                    ring.mul(ring.constant(x * y), self.second(i, j))
                    for i, x in zip(row, b, strict=True)
                    for j, y in zip(other, c, strict=True)
                    if x and y
                ]
                line.append(ring.to_element(ring.total(parts)))
            matrix.append(line)
        return bool(matrix) and _positive_definite(matrix, ring.field)


def _positive_definite(matrix: Sequence[Sequence[Element]], field: Field) -> bool:
    """Whether all eigenvalues are positive: the coefficients of det(lambda I - M) alternate strictly (Descartes).

    Faddeev and LeVerrier's recursion divides by integers only, so it also serves the ring Q[ln 2].
    """
    a = arithmetic(field)
    d = len(matrix)
    work = [[a.one if i == j else a.zero for j in range(d)] for i in range(d)]
    for k in range(1, d + 1):
        product = []
        for i in range(d):
            row = []
            for j in range(d):
                total = a.zero
                for m in range(d):
                    total = a.add(total, a.mul(matrix[i][m], work[m][j]))
                row.append(total)
            product.append(row)
        trace = a.zero
        for i in range(d):
            trace = a.add(trace, product[i][i])
        c = a.mul(trace, a.from_fraction(Fraction(-1, k)))
        if a.sign(c) != (-1) ** k:
            return False
        work = [[a.add(product[i][j], c) if i == j else product[i][j] for j in range(d)] for i in range(d)]
    return True


def _functional(problem: Problem, point: Point) -> _Functional:
    net, data, loss = problem.network, problem.data, problem.loss
    assert isinstance(net, DenseNetwork)
    assert data is not None
    assert loss is not None
    softplus = loss.kind == "logistic" or any(a.kind == "softplus" for a in net.activations)
    ring = ExactRing(Ln2Ring() if softplus and isinstance(point.field, RationalField) else point.field)
    theta = [ring.from_element(c) for c in point.coordinates]
    row = losses.row(loss)
    slopes: list[list[Any]] = []
    gradient: dict[int, list[Any]] = {}
    hessian: dict[tuple[int, int], list[Any]] = {}
    for i, weight in enumerate(loss.weights):
        slopes.append([])
        for f, y in zip(outputs(problem, ring, theta, i, 2), data.targets[i], strict=True):
            scale, shift = row.argument(y)
            z = ring.total([ring.mul(ring.constant(scale), f.value), ring.constant(shift)])
            slope = ring.derivatives(row.outer, z, 1, Where("loss", sample=i + 1))[1]
            if slope is None:
                raise Unsupported("the slope of the loss", got="a number outside the field")
            g = ring.mul(ring.constant(scale * weight), slope)
            slopes[-1].append(g)
            for k, v in f.gradient.items():
                gradient.setdefault(k, []).append(ring.mul(g, v))
            for ij, v in f.hessian.items():
                hessian.setdefault(ij, []).append(ring.mul(g, v))
    return _Functional(
        ring, slopes, {k: ring.total(v) for k, v in gradient.items()}, {k: ring.total(v) for k, v in hessian.items()}
    )


def _units(problem: Problem, net: DenseNetwork, phi: _Functional) -> bool:
    assert problem.data is not None
    n, units, outs = net.widths[0], net.widths[1], net.widths[2]
    first_bias = units * n
    second = first_bias + (units if net.bias[0] else 0)
    zero = phi.ring.constant(Fraction(0))
    if net.bias[1] and not _sums_vanish(phi, [Fraction(1)] * len(phi.slopes)):
        return False
    rows = [[*x, *([Fraction(1)] if net.bias[0] else [])] for x in problem.data.inputs]
    basis = _basis(rows)
    for j in range(units):
        own = [j * n + c for c in range(n)] + ([first_bias + j] if net.bias[0] else [])
        for k in range(outs):
            v = second + k * units + j
            # d Phi / d v_kj = psi_k(u_j) and d^2 Phi / d v_kj d u_j = grad psi_k(u_j)
            if not phi.is_zero(phi.gradient.get(v, zero)) or any(not phi.is_zero(phi.second(v, i)) for i in own):
                return False
        if not phi.definite([own], basis):
            return False
    return True


def _first_layer_zero(problem: Problem, net: DenseNetwork, point: Point, phi: _Functional) -> bool:
    assert problem.data is not None
    n, units = net.widths[0], net.widths[1]
    if any(any(c) for c in point.coordinates[: units * n]):
        return False
    if not _sums_vanish(phi, [Fraction(1)] * len(phi.slopes)):
        return False
    if any(not _sums_vanish(phi, [x[c] for x in problem.data.inputs]) for c in range(n)):
        return False
    return phi.definite([[j * n + c for c in range(n)] for j in range(units)], _basis(problem.data.inputs))


def _sums_vanish(phi: _Functional, weights: Sequence[Fraction]) -> bool:
    """Whether sum_i weights_i g_ik = 0 for every output k."""
    ring = phi.ring
    return all(
        phi.is_zero(ring.total([ring.mul(ring.constant(w), g[k]) for w, g in zip(weights, phi.slopes, strict=True)]))
        for k in range(len(phi.slopes[0]))
    )


def _basis(rows: Sequence[Sequence[Fraction]]) -> list[list[Fraction]]:
    """A basis of the span of rational vectors, in reduced form."""
    found: list[tuple[int, list[Fraction]]] = []
    for row in rows:
        rest = list(row)
        for pivot, b in found:
            if rest[pivot]:
                factor = rest[pivot] / b[pivot]
                rest = [x - factor * y for x, y in zip(rest, b, strict=True)]
        leading = next((k for k, x in enumerate(rest) if x), None)
        if leading is not None:
            found.append((leading, rest))
    return [b for _, b in found]
