"""Hyperplanes theta_k = 0 on which F is constant and large, between two points: F there, and a bound of F on one side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from explorer.algebra.fields import arithmetic
from explorer.errors import Unsupported
from explorer.model.kinds import is_polynomial
from explorer.model.polynomial import loss_polynomial
from explorer.point import Point
from explorer.problem import DenseNetwork, Problem


@dataclass(frozen=True)
class Hyperplane:
    """theta_k = 0 (``parameter`` k from 0), where F = ``level``; ``side`` is a lower bound of F on the side of the first point."""

    parameter: int
    level: Fraction
    side: Fraction | None


def hyperplane(problem: Problem, a: Point, b: Point) -> Hyperplane | None:
    """The highest such hyperplane strictly between ``a`` and ``b``; None where none of these is known."""
    found = []
    for k, (x, y) in enumerate(zip(a.coordinates, b.coordinates, strict=True)):
        signs = arithmetic(a.field).sign(x), arithmetic(b.field).sign(y)
        if signs[0] * signs[1] == -1:
            level = _level(problem, k)
            if level is not None:
                found.append(Hyperplane(k, level, _side(problem, k, signs[0])))
    return max(found, key=lambda h: h.level, default=None)


def _single(problem: Problem) -> DenseNetwork | None:
    """A 1-1-1 ReLU network without biases, squared loss, linear output, no regularizer."""
    net, loss = problem.network, problem.loss
    if not isinstance(net, DenseNetwork) or net.widths != (1, 1, 1) or any(net.bias) or problem.regularizer is not None:
        return None
    plain = net.output.kind == "linear" and net.activations[0].kind == "relu" and loss is not None
    return net if plain and loss is not None and loss.kind == "squared" else None


def _level(problem: Problem, k: int) -> Fraction | None:
    if is_polynomial(problem)[0]:
        try:
            terms = loss_polynomial(problem).terms
        except Unsupported:
            return None
        rest = {e: c for e, c in terms.items() if not e[k]}
        return sum(rest.values(), Fraction(0)) if all(not any(e) for e in rest) else None
    return None if _single(problem) is None else _squares(problem, lambda x: True)


def _side(problem: Problem, k: int, sign: int) -> Fraction | None:
    """One ReLU unit with weight of this sign: the samples with w x <= 0 have output 0."""
    return _squares(problem, lambda x: sign * x <= 0) if _single(problem) is not None and k == 0 else None


def _squares(problem: Problem, lost: Callable[[Fraction], bool]) -> Fraction:
    data, loss = problem.data, problem.loss
    assert data is not None
    assert loss is not None
    rows = zip(loss.weights, data.inputs, data.targets, strict=True)
    return sum((c * y[0] ** 2 for c, x, y in rows if lost(x[0])), Fraction(0))
