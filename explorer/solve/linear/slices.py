"""Slices across the orbits of hidden rotations, on which the critical points of a linear network are alone.

With one ridge weight the critical points of rank r use r units of every hidden layer, after a rotation of O(n_h) that makes W_1 upper
triangular in r of its columns (the pivots) and W_2, ..., W_(H-1) upper triangular (QR). Where the diagonals do not vanish, the
coordinate subspace `zeros` meets the orbit transversally, so that a critical point of F on it is one of F, and the
inertia of the Hessian is the one on the subspace plus a zero for each dimension of the orbit (docs/linear.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import flint

from explorer.algebra.balls import ball
from explorer.algebra.exactify import enclosure_of, rational_in_box
from explorer.algebra.inertia import PRECISION, BoxInertia, inertia_in_box
from explorer.algebra.krawczyk import KrawczykProof, prove_root
from explorer.algebra.systems import PolynomialSystem
from explorer.homotopy.balanced import Layers
from explorer.point import AnyPoint, EnclosedPoint, Inertia, Point
from explorer.problem import DenseNetwork, Problem, Regularizer
from explorer.solve.classify import Target

ZERO = Fraction(0)


def widths_of(problem: Problem) -> tuple[int, ...]:
    assert isinstance(problem.network, DenseNetwork)
    return tuple(problem.network.widths)


def narrowed(problem: Problem, rank: int) -> Problem:
    """The problem with ``rank`` units in every hidden layer and the same ridge weight."""
    net, ridge = problem.network, problem.regularizer
    assert isinstance(net, DenseNetwork)
    assert ridge is not None
    widths = (net.widths[0], *(rank for _ in net.widths[1:-1]), net.widths[-1])
    small = replace(net, widths=widths)
    return replace(problem, network=small, regularizer=Regularizer("l2", ridge.weights[:1] * small.parameter_count))


def places(widths: Sequence[int]) -> dict[tuple[int, int, int], int]:
    """The number of the parameter (layer, row, column), layers from 0."""
    every = [(h, i, j) for h in range(len(widths) - 1) for i in range(widths[h + 1]) for j in range(widths[h])]
    return {place: k for k, place in enumerate(every)}


def zeros(widths: Sequence[int], pivots: Sequence[int]) -> tuple[int, ...]:
    """The parameters that vanish on the slice for points of rank ``len(pivots)``: as many as the orbit has dimensions."""
    at, rank = places(widths), len(pivots)
    below = [(0, i, c) for k, c in enumerate(pivots) for i in range(k + 1, widths[1])]
    for h in range(1, len(widths) - 2):
        below += [(h, i, k) for k in range(rank) for i in range(k + 1, widths[h + 1])]
    return tuple(sorted(at[p] for p in below))


def diagonal(widths: Sequence[int], pivots: Sequence[int]) -> tuple[int, ...]:
    """The parameters that must not vanish for the slice to be transversal."""
    at = places(widths)
    first = [(0, k, c) for k, c in enumerate(pivots)]
    return tuple(at[p] for p in [*first, *((h, k, k) for h in range(1, len(widths) - 2) for k in range(len(pivots)))])


def widened(problem: Problem, rank: int, point: AnyPoint) -> AnyPoint:
    """A point of the network with ``rank`` units per hidden layer in the network of ``problem``, whose other weights are 0."""
    widths = widths_of(problem)
    small = places((widths[0], *(rank for _ in widths[1:-1]), widths[-1]))
    at = [small.get(p) for p in places(widths)]
    if isinstance(point, Point):
        return Point(point.field, tuple((ZERO,) if k is None else point.coordinates[k] for k in at))
    return EnclosedPoint(*(tuple(ZERO if k is None else x[k] for k in at) for x in (point.lower, point.upper)))


def restricted(t: Target, dropped: Sequence[int]) -> PolynomialSystem:
    """The critical-point equations of F on the subspace on which the parameters ``dropped`` vanish."""
    out = set(dropped)
    kept = [k for k in range(len(t.loss.names)) if k not in out]
    terms = {tuple(e[k] for k in kept): c for e, c in t.loss.terms.items() if not any(e[k] for k in out)}
    return PolynomialSystem.gradient([t.loss.names[k] for k in kept], terms)


def proved(t: Target, near: Layers) -> AnyPoint | None:
    """The critical point of full rank that Krawczyk's test shows near ``near`` on its slice, whose diagonals it keeps away from 0.

    In the box the other coordinates are exactly 0: on that slice it holds one critical point.
    """
    widths = widths_of(t.problem)
    flat = [x for table in near.tables for row in table for x in row]
    dropped = zeros(widths, near.pivots)
    system, out = restricted(t, dropped), set(dropped)
    proof = prove_root(system, [x for k, x in enumerate(flat) if k not in out])
    if not isinstance(proof, KrawczykProof):
        return None
    lower, upper = [ZERO] * len(flat), [ZERO] * len(flat)
    kept = [k for k in range(len(flat)) if k not in out]
    exact = rational_in_box(system, proof.point.lower, proof.point.upper)
    for k, lo, hi in zip(kept, proof.point.lower, proof.point.upper, strict=True):
        lower[k], upper[k] = lo, hi
    if not all(lower[k] > 0 for k in diagonal(widths, near.pivots)):
        return None
    if exact is not None:
        known = dict(zip(kept, exact.coordinates, strict=True))
        return Point(exact.field, tuple(known.get(k, (ZERO,)) for k in range(len(flat))))
    return EnclosedPoint(tuple(lower), tuple(upper))


def across(t: Target, dropped: Sequence[int], point: AnyPoint) -> Inertia | None:
    """The inertia of the Hessian at a critical point of a slice: on the slice, in balls, and zeros along the orbit; None where the
    balls do not show that it is regular across."""
    out = set(dropped)
    box = enclosure_of(point) if isinstance(point, Point) else tuple(zip(point.lower, point.upper, strict=True))
    with flint.ctx.workprec(PRECISION):
        at = [ball(*ends) for k, ends in enumerate(box) if k not in out]
        found = inertia_in_box(restricted(t, dropped).jacobian_at_balls(at))
    if not isinstance(found, BoxInertia):
        return None
    return Inertia(found.inertia.positive, len(out), found.inertia.negative)
