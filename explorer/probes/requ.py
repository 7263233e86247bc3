"""The local minima of the ReQU network with the cubic regularizer (Sun et al. 2020, eq. (8)) for orthogonal extended inputs.

Each label has one active unit, with one of the smallest weights; a configuration has the value sum_i c_i H(lambda/(c_i |y_i| |x~_i|^2)), H the
binary entropy and lambda the weight of the unit of that label (the checker's rule ``orthogonal-requ``).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, permutations

import flint
from flint import arb

from explorer.algebra.balls import ball
from explorer.problem import DenseNetwork, Problem

BITS = 160


def is_requ_network(problem: Problem) -> bool:
    """One hidden layer of ReQU units with biases, scalar output, logistic loss, the neuron-cubic regularizer, positive weights."""
    net, loss, r = problem.network, problem.loss, problem.regularizer
    return (
        isinstance(net, DenseNetwork) and loss is not None and r is not None and net.depth == 2 and net.widths[-1] == 1
        and net.activations[0].kind == "requ" and net.output.kind == "linear" and net.bias == (True, False)
        and loss.kind == "logistic" and r.kind == "neuron-cubic" and all(w > 0 for w in r.weights)
    )  # fmt: skip


def orthogonal_threshold(problem: Problem) -> Fraction | None:
    """min c_i |y_i| |x~_i|^2 / 2 where the extended inputs (x_i, 1) are pairwise orthogonal and no label is 0; else None."""
    data, loss = problem.data, problem.loss
    if data is None or loss is None or not is_requ_network(problem) or any(not y[0] for y in data.targets):
        return None
    if any(sum((u * v for u, v in zip(a, b, strict=True)), Fraction(1)) != 0 for a, b in combinations(data.inputs, 2)):
        return None
    return min(_scales(problem)) / 2


def _scales(problem: Problem) -> list[Fraction]:
    """c_i |y_i| |x~_i|^2."""
    assert problem.data is not None
    assert problem.loss is not None
    rows = zip(problem.loss.weights, problem.data.targets, problem.data.inputs, strict=True)
    return [c * abs(y[0]) * sum((v * v for v in x), Fraction(1)) for c, y, x in rows]


def values(problem: Problem) -> list[arb]:
    """The values of the local minima, one per way to give the smallest weights to the labels (the conditions are the caller's)."""
    assert problem.data is not None
    assert problem.loss is not None
    assert problem.regularizer is not None
    signs = sorted({y[0] > 0 for y in problem.data.targets})
    smallest = sorted(problem.regularizer.weights)[: len(signs)]
    out = []
    with flint.ctx.workprec(BITS):
        for order in permutations(smallest):
            weight = dict(zip(signs, order, strict=True))
            rows = zip(problem.loss.weights, _scales(problem), problem.data.targets, strict=True)
            out.append(sum((ball(c) * _entropy(weight[y[0] > 0] / s) for c, s, y in rows), arb(0)))
    return out


def _entropy(p: Fraction) -> arb:
    a, b = ball(p), ball(1 - p)
    return -(a * a.log() + b * b.log())
