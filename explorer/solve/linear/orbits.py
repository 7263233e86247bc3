"""Linear networks with one ridge weight for all parameters: the critical set as orbits of the orthogonal groups of the layers.

F = sum_i c_i |y_i - W_H ... W_1 x_i|^2 + lambda (|W_1|^2 + ... + |W_H|^2), lambda > 0, is invariant under O(n_h) of every hidden
layer, a group of isometries. A critical point is balanced, W_(h+1)^T W_(h+1) = W_h W_h^T, so that W_h = Q_h S Q_(h-1)^T with one
diagonal S > 0 for all layers and orthonormal columns: the other equations concern Q_0, S and Q_H alone, and the remaining Q_h
are free. The lemmas, with proofs: docs/linear.md. ridge.py has the orbits for one input or one output, white.py those
of two layers on whitened inputs.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.problem import DenseNetwork, Problem
from explorer.solve import bounds
from explorer.solve.linear.closed_form import is_deep_linear
from explorer.solve.linear.components import component
from explorer.solve.linear.ranks import by_ranks
from explorer.solve.linear.ridge import Orbit, rank_one
from explorer.solve.linear.white import whitened
from explorer.solve.results import Component, Coverage, CriticalSet, Trust
from explorer.solve.values import settle_globals

METHOD = "closed form for equal ridge weights"
BY_RANKS = "orbits of equal ridge weights, rank by rank"


def ridge_weight(problem: Problem) -> Fraction | None:
    """The ridge weight of a linear network without biases with the same positive weight on every parameter, else None."""
    ridge = problem.regularizer
    if ridge is None or ridge.kind != "l2" or not is_deep_linear(replace(problem, regularizer=None)):
        return None
    weight = ridge.weights[0]
    return weight if weight > 0 and all(w == weight for w in ridge.weights) else None


def by_orbits(problem: Problem, deadline: Deadline) -> CriticalSet | None:
    """The whole critical set; None where no orbit can have a dimension; `Unsupported` says which data are not covered."""
    weight, net = ridge_weight(problem), problem.network
    if weight is None:
        return None
    assert isinstance(net, DenseNetwork)
    if min(net.widths[0], net.widths[-1]) == 1:
        if max(net.widths[1:-1]) == 1:
            return None
        return _closed(problem, rank_one(problem, weight, deadline), "the product has rank at most 1", deadline)
    try:
        orbits = whitened(problem, weight, deadline)
        if orbits is None:
            return None
        why = "the inputs are white, so that the product is made of singular vectors of Syx"
        return _closed(problem, orbits, why, deadline)
    except Unsupported as refused:
        if max(net.widths[1:-1]) == 1:  # the points of one unit per layer are isolated: the finite engines list them
            raise
        white = refused.sentence()
    try:
        found = by_ranks(problem, weight, deadline)
    except Unsupported as refused:
        raise Unsupported(refused.subject, expected=refused.expected, got=f"{refused.got}; {white}") from None
    how = "; ".join(found.how)
    complete = not found.missing
    reason = (
        f"every critical point is the origin or on one of {len(found.components) - 1} orbits of the orthogonal groups of the hidden layers, each "
        f"proved ({how}; docs/linear.md)"
        if complete
        else f"{'; '.join(found.missing)} (what is listed: {how})"
    )
    return _settled(problem, found.components, Coverage(complete, BY_RANKS, Trust.COMPUTED, reason))


def _closed(problem: Problem, orbits: list[Orbit], why: str, deadline: Deadline) -> CriticalSet:
    components = [component(problem, o, deadline) for o in orbits]
    reason = (
        f"every critical point is the origin or on one of {len(components) - 1} orbits of the orthogonal groups of the hidden layers "
        "(with one ridge weight for all parameters a critical point is balanced, which leaves equations for the singular values and "
        f"the outer singular vectors, solved exactly: {why}; docs/linear.md)"
    )
    return _settled(problem, components, Coverage(True, METHOD, Trust.COMPUTED, reason))


def _settled(problem: Problem, components: list[Component], coverage: Coverage) -> CriticalSet:
    settled, best, because = settle_globals(
        components,
        floor=bounds.value_floor(problem),
        floor_because=bounds.nonnegative(problem),
        coercive=bounds.coercive(problem),
        complete=coverage.complete,
    )
    settled = tuple(sorted(settled, key=lambda c: (-c.dimension, c.value.lower, c.description)))
    return CriticalSet(problem, settled, coverage, best, because)
