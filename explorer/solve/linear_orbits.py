"""Linear networks with one ridge weight for all parameters: the critical set as orbits of the orthogonal groups of the layers.

F = sum_i c_i |y_i - W_H ... W_1 x_i|^2 + lambda (|W_1|^2 + ... + |W_H|^2), lambda > 0, is invariant under O(n_h) of every hidden
layer, a group of isometries. A critical point is balanced, W_(h+1)^T W_(h+1) = W_h W_h^T, so that W_h = Q_h S Q_(h-1)^T with one
diagonal S > 0 for all layers and orthonormal columns: the other equations concern Q_0, S and Q_H alone, and the remaining Q_h
are free. The lemmas, with proofs: docs/linear.md. linear_ridge.py has the orbits for one input or one output, linear_white.py those
of two layers on whitened inputs.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from explorer.algebra.fields import arithmetic
from explorer.budget import Deadline
from explorer.model.polynomial import loss_polynomial
from explorer.point import Inertia, Point
from explorer.problem import DenseNetwork, Problem, Regularizer
from explorer.solve import bounds
from explorer.solve.classify import Target, classify
from explorer.solve.deep_linear import is_deep_linear
from explorer.solve.linear_hessian import LinearGeometry
from explorer.solve.linear_ridge import Orbit, rank_one
from explorer.solve.linear_white import whitened
from explorer.solve.results import Component, Coverage, CriticalSet, Kind, Trust
from explorer.solve.values import settle_globals


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
        found, why = rank_one(problem, weight, deadline), "the product has rank at most 1"
    else:
        orbits = whitened(problem, weight, deadline)
        if orbits is None:
            return None
        found, why = orbits, "the inputs are white, so that the product is made of singular vectors of Syx"
    components = [component(problem, o, deadline) for o in found]
    reason = (
        f"every critical point is the origin or on one of {len(components) - 1} orbits of the orthogonal groups of the hidden layers "
        "(with one ridge weight for all parameters a critical point is balanced, which leaves equations for the singular values and "
        f"the outer singular vectors, solved exactly: {why}; docs/linear.md)"
    )
    settled, best, because = settle_globals(
        components,
        floor=bounds.value_floor(problem),
        floor_because=bounds.nonnegative(problem),
        coercive=bounds.coercive(problem),
        complete=True,
    )
    settled = tuple(sorted(settled, key=lambda c: (-c.dimension, c.value.lower, c.description)))
    return CriticalSet(
        problem, settled, Coverage(True, "closed form for equal ridge weights", Trust.COMPUTED, reason), best, because
    )


def component(problem: Problem, orbit: Orbit, deadline: Deadline) -> Component:
    """The orbit with its value and kind, from the exact Hessian at the sample: isometries carry both to every other point."""
    deadline.check("the Hessian at a point of an orbit")
    at = LinearGeometry(problem, orbit.sample, deadline=deadline)
    found = at.inertia
    if not at.is_critical or found.zero < orbit.dimension:
        raise AssertionError("the closed form for equal ridge weights contradicts the gradient or the Hessian")
    kind, because = _kind(problem, orbit, found, deadline)
    mirrored = _negated(orbit.sample)
    points = () if orbit.dimension else (orbit.sample,) if mirrored == orbit.sample else (orbit.sample, mirrored)
    return Component(
        dimension=orbit.dimension,
        sample=orbit.sample,
        value=at.value,
        inertia=found,
        kind=kind,
        is_global=None,
        because=because,
        orbit=len(points) or None,
        points=points,
        # finitely many disjoint compact orbits: a point that is an orbit by itself is alone
        isolated=True if points else None,
        equations=orbit.equations,
        description=orbit.description,
    )


def _kind(problem: Problem, orbit: Orbit, found: Inertia, deadline: Deadline) -> tuple[Kind, str]:
    """Never a maximum: F is a convex quadratic plus lambda theta^2 in each parameter, so its Hessian has a positive diagonal."""
    flat = f"{found.positive} positive, {found.zero} zero, {found.negative} negative eigenvalues"
    if found.negative:
        return Kind.STRICT_SADDLE, f"{flat}, at the sample and so on the whole orbit"
    if found.zero == orbit.dimension:
        if not orbit.dimension:
            return Kind.STRICT_MINIMUM, "the Hessian is positive definite"
        return Kind.MINIMUM, (
            f"Morse-Bott: the orbit is a compact manifold of dimension {orbit.dimension}, the nullity of the Hessian, which is "
            "positive definite across it"
        )
    assert isinstance(problem.network, DenseNetwork)
    small = _one_unit_per_layer(problem, orbit.sample) if problem.network.depth > 2 else None
    if small is not None:
        inner = classify(*small, deadline)
        if inner.kind is Kind.SADDLE:
            return Kind.SADDLE, f"a saddle already of the network with one unit in each hidden layer: {inner.because}"
    return Kind.UNDECIDED, f"the Hessian has more zero eigenvalues than the dimension of the orbit ({flat})"


def _one_unit_per_layer(problem: Problem, sample: Point) -> tuple[Target, Point] | None:
    """The point as one of the network that keeps the first unit of every hidden layer; None where other units are used."""
    net = problem.network
    assert isinstance(net, DenseNetwork)
    last, a, kept, start = net.depth - 1, arithmetic(sample.field), [], 0
    for h in range(net.depth):
        rows, cols = net.widths[h + 1], net.widths[h]
        places = [(i, j) for i in range(rows if h == last else 1) for j in range(1 if h else cols)]
        kept += [start + i * cols + j for i, j in places]
        start += rows * cols
    others = set(range(start)) - set(kept)
    if not all(a.is_zero(sample.coordinates[k]) for k in others):
        return None
    assert problem.regularizer is not None
    widths = (net.widths[0], *(1 for _ in net.widths[1:-1]), net.widths[-1])
    weights = tuple(problem.regularizer.weights[k] for k in kept)
    small = replace(problem, network=replace(net, widths=widths), regularizer=Regularizer("l2", weights))
    return Target(small, loss_polynomial(small)), Point(sample.field, tuple(sample.coordinates[k] for k in kept))


def _negated(p: Point) -> Point:
    return Point(p.field, tuple(tuple(-c for c in x) for x in p.coordinates))
