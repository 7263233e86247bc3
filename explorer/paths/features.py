"""One hidden layer seen as features: exact activations of every unit on the samples, and linear algebra on them.

The network is f_k(x) = sum_j v_kj phi(w_j . x + b_j) + c_k. Hidden parameters are elements of the point's field; features and
output weights have to be rational, which is what the certificates' paths can carry (sigmoid at multiples of ln 2, and
polynomial or piecewise polynomial activations at rational points).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat

from explorer.errors import Unsupported
from explorer.model.activations import pieces_of
from explorer.model.jets import Where
from explorer.model.rings import ExactRing
from explorer.point import Element, Field, Ln2Ring, Point, RationalField
from explorer.problem import DenseNetwork, Problem

Row = tuple[Fraction, ...]


@dataclass(frozen=True)
class Layer:
    """The parameters of a one-hidden-layer network, unit by unit.

    ``hidden[j]`` holds the incoming weights of unit j, then its bias if there is one; ``outputs[k][j]`` = v_kj;
    ``biases[k]`` = c_k (empty without output bias).
    """

    problem: Problem
    field: Field
    hidden: tuple[tuple[Element, ...], ...]
    outputs: tuple[Row, ...]
    biases: Row

    @classmethod
    def of(cls, problem: Problem, point: Point) -> Layer:
        """The layer at ``point``; `Unsupported` for other networks and for irrational output weights."""
        net = one_hidden_layer(problem)
        d, m, k = net.widths
        rest = list(point.coordinates)
        weights = [tuple(rest[j * d : (j + 1) * d]) for j in range(m)]
        rest = rest[m * d :]
        if net.bias[0]:
            weights = [(*w, b) for w, b in zip(weights, rest[:m], strict=True)]
            rest = rest[m:]
        outer = [_rational(c) for c in rest]
        outputs = tuple(tuple(outer[i * m : (i + 1) * m]) for i in range(k))
        exact_at_ln2 = pieces_of(net.activations[0]) is None and isinstance(point.field, RationalField)
        field = Ln2Ring() if exact_at_ln2 else point.field
        return cls(problem, field, tuple(weights), outputs, tuple(outer[k * m :]))

    @property
    def network(self) -> DenseNetwork:
        return one_hidden_layer(self.problem)

    @property
    def units(self) -> int:
        return len(self.hidden)

    def point(self) -> Point:
        """The parameter vector in the problem's order."""
        d = self.network.widths[0]
        incoming = [c for unit in self.hidden for c in unit[:d]]
        biases = [unit[d] for unit in self.hidden if len(unit) > d]
        outer = [(v,) for row in self.outputs for v in row] + [(c,) for c in self.biases]
        return Point(self.field, (*incoming, *biases, *outer))

    def with_unit(self, j: int, parameters: tuple[Element, ...]) -> Layer:
        """The same layer with other hidden parameters of unit ``j``."""
        return replace(self, hidden=(*self.hidden[:j], parameters, *self.hidden[j + 1 :]))

    def features(self, parameters: tuple[Element, ...]) -> Row | None:
        """The activations of a unit on all samples; None where they are not known exactly or not rational."""
        net, data, ring = self.network, self.problem.data, ExactRing(self.field)
        assert data is not None  # a network has data
        d, out = net.widths[0], []
        for i, x in enumerate(data.inputs):
            parts = [ring.mul(ring.from_element(c), ring.constant(v)) for c, v in zip(parameters[:d], x, strict=True)]
            z = ring.total([*parts, *map(ring.from_element, parameters[d:])])
            try:
                value = ring.taylor(net.activations[0], z, 0, Where("the activation", 1, 0, i + 1))[0]
            except Unsupported:
                return None
            element = ring.to_element(value) if value is not None else (Fraction(0), Fraction(1))
            if len(element) > 1:
                return None
            out.append(element[0])
        return tuple(out)

    def table(self) -> tuple[Row, ...]:
        """The features of every unit; `Unsupported` where they are not rational."""
        rows = [self.features(unit) for unit in self.hidden]
        if any(row is None for row in rows):
            raise Unsupported(
                "the point",
                expected="rational activations of all units on all samples",
                got="one that is not known exactly",
                remedy="give a point with pre-activations at multiples of ln 2 (sigmoid, tanh, ...) or rational ones",
            )
        return tuple(row for row in rows if row is not None)

    def residuals(self) -> tuple[Row, ...]:
        """f_k(x_i) - y_ik, one row per output k."""
        table, data = self.table(), self.problem.data
        assert data is not None
        rows = []
        for k, v in enumerate(self.outputs):
            shift = self.biases[k] if self.biases else Fraction(0)
            rows.append(
                tuple(
                    sum((v[j] * table[j][i] for j in range(self.units)), shift) - data.targets[i][k]
                    for i in range(len(data))
                )
            )
        return tuple(rows)

    def loss(self) -> Fraction:
        """The squared loss sum_i c_i |f(x_i) - y_i|^2."""
        weights = self.problem.loss.weights  # type: ignore[union-attr]
        return sum((c * e * e for row in self.residuals() for c, e in zip(weights, row, strict=True)), Fraction(0))


def one_hidden_layer(problem: Problem) -> DenseNetwork:
    """The network, if these paths apply to it: one hidden layer, linear output, squared loss, no regularizer."""
    net = problem.network
    if not isinstance(net, DenseNetwork) or net.depth != 2 or net.output.kind != "linear":
        raise Unsupported("the network", expected="one hidden layer and a linear output", got="another one")
    if problem.loss is None or problem.loss.kind != "squared" or problem.regularizer is not None:
        raise Unsupported("the loss", expected="the squared loss without a regularizer", got="another one")
    return net


def columns(rows: Sequence[Row], *, order: Sequence[int]) -> tuple[list[int], list[list[Fraction]]]:
    """A basis among ``rows`` and every row in it: the first independent ones in ``order``, and coefficients.

    Returns (basis, c) with rows[j] = sum_s c[j][s] rows[basis[s]].
    """
    if not rows or not rows[0]:
        return [], [[] for _ in rows]
    n = len(rows[0])
    matrix = fmpq_mat(n, len(rows), [_fmpq(rows[j][i]) for i in range(n) for j in order])
    reduced, rank = matrix.rref()
    pivots: list[int] = []
    for s in range(rank):
        pivots.append(next(k for k in range(len(rows)) if reduced[s, k] != 0))
    found = {order[k]: [_fraction(reduced[s, k]) for s in range(rank)] for k in range(len(rows))}
    return [order[k] for k in pivots], [found[j] for j in range(len(rows))]


def least_squares(rows: Sequence[Row], target: Row, weights: Row) -> list[Fraction]:
    """The v that minimises sum_i c_i (sum_j v_j rows[j][i] - y_i)^2, for independent ``rows`` (normal equations)."""
    size = len(rows)
    if not size:
        return []
    gram = fmpq_mat(size, size, [_fmpq(_dot(a, b, weights)) for a in rows for b in rows])
    right = fmpq_mat(size, 1, [_fmpq(_dot(a, target, weights)) for a in rows])
    solved = gram.solve(right)
    return [_fraction(solved[j, 0]) for j in range(size)]


def _dot(a: Row, b: Row, weights: Row) -> Fraction:
    return sum((x * y * c for x, y, c in zip(a, b, weights, strict=True)), Fraction(0))


def _rational(element: Element) -> Fraction:
    if any(element[1:]):
        raise Unsupported("the point", expected="rational output weights", got="an irrational one")
    return element[0]


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def _fraction(value: Any) -> Fraction:
    return Fraction(int(value.p), int(value.q))
