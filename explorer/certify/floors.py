"""Lower bounds of the loss that are not 0: least squares over the features, and the rank of linear networks (rule ``floor``)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations_with_replacement
from math import comb, prod

from flint import fmpq_mat

from explorer.algebra.balls import to_fmpq, to_fraction
from explorer.algebra.roots import integer_polynomial, real_roots, refine
from explorer.certify.encode import Step, number
from explorer.errors import NotCertifiable
from explorer.model.activations import pieces_of
from explorer.problem import DenseNetwork, Problem
from explorer.solve.radius import homogeneity

MAX_FEATURES = 5_000
BITS = 40  #: irrational eigenvalues are bounded from below up to 2^-BITS


def floor_step(problem: Problem, *, rank: bool | None = None) -> Step:
    """The sharpest of the two proofs that applies (``rank``: insist on one). `NotCertifiable` without a network and squared loss."""
    net, data, loss = problem.network, problem.data, problem.loss
    if not isinstance(net, DenseNetwork) or data is None or loss is None or loss.kind != "squared":
        raise NotCertifiable("floor", expected="a network and the squared loss", got="another problem")
    value, fits = _least_squares(features(problem), [list(y) for y in zip(*data.targets, strict=True)], loss.weights)
    acts = (*net.activations, net.output)
    linear = not any(net.bias) and all(homogeneity(a) == 1 and _single(a) for a in acts)
    if rank is False or not linear or min(net.widths) >= len(fits):
        return {"rule": "floor", "proof": "least-squares", "value": number(value)}
    trailing = _smallest(fits)[: len(fits) - min(net.widths)]
    total = value + sum(trailing, Fraction(0))
    return {"rule": "floor", "proof": "rank", "value": number(total), "eigenvalues": [number(v) for v in trailing]}


def _single(a: object) -> bool:
    p = pieces_of(a)  # type: ignore[arg-type]
    return p is not None and not p.breaks


def features(problem: Problem) -> list[list[Fraction]]:
    """Vectors whose span holds every output of the network on the samples (docs/certificate.md, rule floor)."""
    net, data = problem.network, problem.data
    assert isinstance(net, DenseNetwork)
    assert data is not None
    acts, inputs, width = (*net.activations, net.output), data.inputs, net.widths[0]
    if all(map(_single, acts)):
        own = [homogeneity(a) for a in acts]
        exact = not any(net.bias) and None not in own
        degree = prod(d or 1 for d in own) if exact else prod(_degree(a) for a in acts)
        if degree <= 64 and width <= 64 and comb(width + degree, degree) <= MAX_FEATURES:
            orders = [degree] if exact else list(range(degree + 1))
            chosen = [some for k in orders for some in combinations_with_replacement(range(width), k)]
            return [[prod((x[k] for k in some), start=Fraction(1)) for x in inputs] for some in chosen]
    return [[Fraction(x == other) for x in inputs] for other in sorted(set(inputs))]


def _degree(a: object) -> int:
    p = pieces_of(a)  # type: ignore[arg-type]
    assert p is not None
    return max(len(p.polynomials[0]) - 1, 0)


def _least_squares(
    columns: Sequence[Sequence[Fraction]], targets: Sequence[Sequence[Fraction]], weights: Sequence[Fraction]
) -> tuple[Fraction, list[list[Fraction]]]:
    """The squared distance of the targets from the span, and the Gram matrix of their projections."""
    basis: list[tuple[list[Fraction], Fraction]] = []

    def inner(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
        return sum((c * u * v for c, u, v in zip(weights, a, b, strict=True)), Fraction(0))

    def rest(vector: Sequence[Fraction]) -> list[Fraction]:
        left = list(vector)
        for other, size in basis:
            factor = inner(left, other) / size
            left = [u - factor * v for u, v in zip(left, other, strict=True)]
        return left

    for column in columns:
        left = rest(column)
        if any(left):
            basis.append((left, inner(left, left)))
    rests = [rest(y) for y in targets]
    fits = [[a - b for a, b in zip(y, r, strict=True)] for y, r in zip(targets, rests, strict=True)]
    return sum((inner(r, r) for r in rests), Fraction(0)), [[inner(a, b) for b in fits] for a in fits]


def _smallest(matrix: list[list[Fraction]]) -> list[Fraction]:
    """The eigenvalues in increasing order: exact where rational, else a rational number shortly below."""
    poly = fmpq_mat([[to_fmpq(v) for v in row] for row in matrix]).charpoly()
    out: list[Fraction] = []
    for root in real_roots([to_fraction(c) for c in poly.coeffs()]):
        low = root.rational
        if low is None:
            low = refine(integer_polynomial(root.polynomial), root.interval, BITS)[0]
        out += [low] * root.multiplicity
    return sorted(out)
