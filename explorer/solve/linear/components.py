"""Orbits of critical points of linear networks with one ridge weight as components: value, inertia and kind from one point each.

Isometries carry value and Hessian to every other point of an orbit. Inertias are exact, or from balls on a transversal slice
(slices.py), which is quicker and enough where the Hessian is regular across the orbit.
"""

from __future__ import annotations

from dataclasses import replace

from explorer.algebra.fields import arithmetic
from explorer.budget import Deadline
from explorer.model.polynomial import loss_polynomial
from explorer.point import Inertia, Point
from explorer.problem import DenseNetwork, Problem, Regularizer
from explorer.solve.classify import Target, classify
from explorer.solve.linear.hessian import LinearGeometry
from explorer.solve.linear.ridge import Orbit
from explorer.solve.linear.slices import across
from explorer.solve.results import Component, Kind


def component(
    problem: Problem, orbit: Orbit, deadline: Deadline, *, t: Target | None = None, known: Inertia | None = None
) -> Component:
    """The orbit with its value and kind. ``t``: the problem with its loss polynomial, for orbits with a slice; ``known``: the inertia, where
    it is."""
    deadline.check("the Hessian at a point of an orbit")
    sample, found = orbit.sample, known
    if found is None and t is not None and orbit.dropped is not None:
        found = across(t, orbit.dropped, sample)
    if isinstance(sample, Point):
        at = LinearGeometry(problem, sample, deadline=deadline)
        found, value = found or at.inertia, at.value
        if not at.is_critical or found.zero < orbit.dimension:
            raise AssertionError("the closed form for equal ridge weights contradicts the gradient or the Hessian")
    else:
        assert t is not None
        value = t.value(sample)
    kind, because = _kind(problem, orbit, found, deadline)
    points: tuple[Point, ...] = ()
    if not orbit.dimension and isinstance(sample, Point):
        mirrored = _negated(sample)
        points = (sample,) if mirrored == sample else (sample, mirrored)
    return Component(
        dimension=orbit.dimension,
        sample=sample,
        value=value,
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


def lies_lowest(problem: Problem, rank: int, found: Inertia | None) -> bool:
    """Whether a critical point of this rank is known as a global minimum by its Hessian alone: two layers, a hidden unit to spare, and
    no negative eigenvalue. Then the error has no singular value above the ridge weight, and docs/linear.md shows the rest."""
    net = problem.network
    assert isinstance(net, DenseNetwork)
    return found is not None and not found.negative and net.depth == 2 and net.widths[1] > rank


def _kind(problem: Problem, orbit: Orbit, found: Inertia | None, deadline: Deadline) -> tuple[Kind, str]:
    """Never a maximum: F is a convex quadratic plus lambda theta^2 in each parameter, so its Hessian has a positive diagonal."""
    if found is None:
        return (
            Kind.UNDECIDED,
            "the enclosure of the Hessian does not decide the signs of its eigenvalues across the orbit",
        )
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
    if orbit.rank is not None and lies_lowest(problem, orbit.rank, found):
        return Kind.MINIMUM if orbit.dimension else Kind.STRICT_MINIMUM, (
            f"no negative eigenvalue, but more zero ones than the dimension of the orbit ({flat}): a singular value of the error equals the "
            "ridge weight and none is above it, so that the product minimises the convex function loss + 2 lambda (nuclear norm)"
        )
    small = _one_unit_per_layer(problem, orbit.sample) if isinstance(orbit.sample, Point) else None
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
