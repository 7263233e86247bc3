"""Linear relations among the features of the last hidden layer: everywhere, near a point, or at no generic point.

A relation is c != 0 with sum_i c_i h(x_i) = 0, h(x) the outputs of the last hidden layer: the rank of the feature matrix is then below
the number of samples. The checker's rules ``feature-null`` and ``feature-null-near`` prove what `relation` and `relation_near` find.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product

from explorer.budget import Deadline
from explorer.model.activations import pieces_of, row
from explorer.network import Activation
from explorer.paths.features import Layer
from explorer.paths.walks import enriched
from explorer.point import Point
from explorer.probes.flat import dependence, features, rank
from explorer.problem import DenseNetwork, Problem

Vector = tuple[Fraction, ...]


def relation(problem: Problem) -> Vector | None:
    """A relation at all parameters: a repeated input, or polynomial units of one scalar input and enough samples."""
    net, data = problem.network, problem.data
    if not isinstance(net, DenseNetwork) or data is None or net.depth < 2:
        return None
    first: dict[Vector, int] = {}
    for i, x in enumerate(data.inputs):
        if x in first:
            return tuple(Fraction((k == first[x]) - (k == i)) for k in range(len(data)))
        first[x] = i
    p = pieces_of(net.activations[0])
    if net.depth != 2 or net.widths[0] != 1 or p is None or not p.is_polynomial:
        return None
    used = [k for k, c in enumerate(p.polynomials[0]) if c or net.bias[0]]
    return dependence([tuple(x**k for k in used) for (x,) in data.inputs])


def relation_near(problem: Problem, point: Point) -> Vector | None:
    """A relation at all parameters near a rational point where every pre-activation is strictly inside a piece of degree <= 1."""
    net, data = problem.network, problem.data
    if not isinstance(net, DenseNetwork) or data is None or net.depth != 2 or not point.is_rational:
        return None
    p, cols = pieces_of(net.activations[0]), net.widths[0]
    if p is None:
        return None
    flat = [c[0] for c in point.coordinates]
    rows: list[list[Fraction]] = [[] for _ in data.inputs]
    for r, (i, x) in product(range(net.widths[1]), enumerate(data.inputs)):
        z = sum((a * b for a, b in zip(flat[r * cols : (r + 1) * cols], x, strict=True)), Fraction(0))
        z += flat[net.widths[1] * cols + r] if net.bias[0] else 0
        piece = p.polynomials[sum(z > b for b in p.breaks)]
        if z in p.breaks or any(piece[2:]):
            return None
        a, b = (*piece, Fraction(0))[:2]
        rows[i] += [a, *([b] if net.bias[0] else []), *(b * v for v in x)]
    return dependence([tuple(r) for r in rows])


def full_rank_point(problem: Problem, deadline: Deadline) -> Point | None:
    """Parameters of a one-hidden-layer network at which the features have rank min(width, samples), if the search finds some."""
    net, data = problem.network, problem.data
    if not isinstance(net, DenseNetwork) or data is None or net.depth != 2 or problem.loss is None:
        return None
    squared = replace(problem, loss=replace(problem.loss, kind="squared"), regularizer=None)
    layer, _ = enriched(Layer.of(squared, Point.rational([0] * len(problem.parameters))), [], deadline)
    point = layer.point()
    return point if feature_rank(problem, point) == min(net.widths[1], len(data)) else None


def feature_rank(problem: Problem, point: Point) -> int:
    """The rank of the matrix of the last hidden layer's outputs; `Unsupported` unless they are rational."""
    net = problem.network
    return rank(features(problem, point, net.depth - 1)) if isinstance(net, DenseNetwork) and net.depth > 1 else 0


def is_analytic(activation: Activation) -> bool:
    """Real analytic on the whole line."""
    return row(activation).family == "analytic" or _polynomial(activation)


def _polynomial(activation: Activation) -> bool:
    p = pieces_of(activation)
    return p is not None and p.is_polynomial


def vanishing_orders(activation: Activation, count: int) -> list[int] | None:
    """The k < ``count`` with phi^(k)(0) = 0; None where phi is not ``count`` - 1 times differentiable at 0, or it is not known.

    sin, erf, gelu and elu vanish at 0, which decides every question that is asked here.
    """
    if pieces_of(activation) is not None:
        return _orders_of_pieces(activation, count)
    if activation.kind in ("sin", "erf", "gelu", "elu"):
        return [0]
    exact = row(activation).exact
    if exact is None:
        return None
    values = exact(activation, Fraction(0), count - 1)
    return None if any(v is None for v in values) else [k for k, v in enumerate(values) if v is not None and not any(v)]


def _orders_of_pieces(activation: Activation, count: int) -> list[int] | None:
    p = pieces_of(activation)
    assert p is not None
    if any(b == 0 and k < count - 1 for b, k in zip(p.breaks, p.smoothness, strict=True)):
        return None
    piece: Sequence[Fraction] = p.polynomials[sum(b < 0 for b in p.breaks)]
    return [k for k in range(count) if k >= len(piece) or piece[k] == 0]
