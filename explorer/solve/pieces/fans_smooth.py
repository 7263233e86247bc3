"""Units phi(z) homogeneous of degree D > 1 (requ, ...) with l2 regularizer: a choice of active units at a time.

F is once differentiable across w_j = 0, where the critical equation in v_j is 2 m v_j = 0; so a unit is active (w_j not 0) or zero.
Near a zero unit F(q) = F(active units of q) + l w^2 + m v^2 + O(|v| |w|^D) >= F(active units): the kind at a point with zero units is that of the
smaller network, a maximum excepted, which becomes a saddle. Active units: a polynomial system in each orthant of w for scalar inputs
without bias, and otherwise in the cells of the units' fans (fans_cells.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product

from explorer.algebra.fields import arithmetic
from explorer.budget import Deadline
from explorer.model.polynomial import cell_polynomial
from explorer.point import AnyPoint, EnclosedPoint, Point
from explorer.problem import DenseNetwork, Problem, Regularizer
from explorer.solve import bounds
from explorer.solve.pieces.fans_cells import active_cells
from explorer.solve.pieces.layer import ZERO, Layer, gathered
from explorer.solve.pieces.piecewise import Box, Range, in_box
from explorer.solve.results import Component, CriticalSet, Evidence, Kind, Value

ONE = Fraction(1)
KINK = "where the second derivatives of F in the zero units jump"
FREE: Range = (None, None)


def with_smooth_kinks(layer: Layer, deadline: Deadline) -> CriticalSet:
    """All critical points, orthant by orthant; the coverage says what a system left open."""
    components: list[Component] = []
    doubts: list[str] = []
    systems = 0
    for count in range(1, layer.units + 1):
        for active in combinations(range(layer.units), count):
            smaller = _smaller(layer, active)
            for found in _orthants(layer, active, deadline) if layer.size == 1 else active_cells(smaller, deadline):
                systems += 1
                components += [_lifted(layer, active, c) for c in found.components]
                if not found.coverage.complete:
                    doubts.append(found.coverage.reason)
    components.append(_without_units(layer))
    reason = f"{systems} systems: one for each choice of active units and of the cells of their incoming weights"
    return gathered(layer, components, doubts, reason, bounds.coercive(layer.problem))


def _orthants(layer: Layer, active: Sequence[int], deadline: Deadline) -> Iterator[CriticalSet]:
    """The critical points of the network of the active units, all of their w not 0, one orthant at a time."""
    smaller = _smaller(layer, active)
    others = len(smaller.parameters) - len(active)
    for signs in product((1, -1), repeat=len(active)):
        deadline.check("solving in the orthants of the incoming weights")
        loss = cell_polynomial(smaller, [*map(Fraction, signs), *[ONE] * others]).polynomial
        ranges: list[Range] = [(ZERO, None) if s > 0 else (None, ZERO) for s in signs]
        yield in_box(smaller, Box((*ranges, *[FREE] * others), loss), deadline)


def _smaller(layer: Layer, active: Sequence[int]) -> Problem:
    """The problem with these units only; parameters w, v[, c] in the same order."""
    net, r = layer.problem.network, layer.problem.regularizer
    assert isinstance(net, DenseNetwork)
    assert r is not None
    kept = _kept(layer, active)
    return replace(
        layer.problem,
        network=replace(net, widths=(net.widths[0], len(active), 1)),
        regularizer=Regularizer("l2", tuple(r.weights[k] for k in kept)),
    )


def _kept(layer: Layer, active: Sequence[int]) -> list[int]:
    """The parameters of these units and of the output bias, in the order of the smaller network."""
    net = layer.problem.network
    assert isinstance(net, DenseNetwork)
    n = net.widths[0]
    return [
        *(k for j in active for k in layer.incoming(j)[:n]),
        *(k for j in active for k in layer.incoming(j)[n:]),
        *(layer.outgoing(j) for j in active),
        *([len(layer.problem.parameters) - 1] if layer.output_bias else []),
    ]


def _without_units(layer: Layer) -> Component:
    """All units zero; the output bias, if there is one, is the ridge mean."""
    r = layer.problem.regularizer
    assert r is not None
    point = [ZERO] * len(layer.problem.parameters)
    if layer.output_bias:
        total = sum(layer.weights, r.weights[-1])
        point[-1] = sum((c * y for c, y in zip(layer.weights, layer.targets, strict=True)), ZERO) / total
    outputs = [point[-1] if layer.output_bias else ZERO] * len(layer.targets)
    bias = r.weights[-1] * point[-1] ** 2 if layer.output_bias else ZERO
    sample = Point.rational(point)
    return Component(
        dimension=0,
        sample=sample,
        value=Value.rational(layer.loss(outputs) + bias),
        inertia=None,
        kind=Kind.STRICT_MINIMUM,
        is_global=None,
        because="all units are zero: F is a positive definite quadratic form plus terms of higher order",
        points=(sample,),
        description=KINK,
    )


def _lifted(layer: Layer, active: Sequence[int], c: Component) -> Component:
    """A component of the smaller network as one of F, the other units zero."""
    names, kept = layer.problem.parameters, _kept(layer, active)
    zero = [j for j in range(layer.units) if j not in active]
    smaller = _smaller(layer, active).parameters
    texts = [_renamed(t, dict(zip(smaller, (names[k] for k in kept), strict=True))) for t in c.equations]
    out = replace(
        c,
        sample=_spread(layer, kept, c.sample),
        points=tuple(_spread(layer, kept, p) for p in c.points),
        equations=tuple(texts),
    )
    if not zero:
        return out
    kind = Kind.SADDLE if c.kind.is_saddle or c.kind.is_maximum else c.kind
    words = c.because + (
        "; nearby F is at least its value at the same active units"
        if not c.kind.is_maximum
        else "; the zero units raise F"
    )
    return replace(
        out,
        kind=kind,
        because=words,
        inertia=None,
        is_global=None,
        orbit=None,
        isolated=None if c.isolated else c.isolated,
        equations=(*texts, *(f"{names[k]} = 0" for j in zero for k in (*layer.incoming(j), layer.outgoing(j)))),
        description=f"{c.description or 'a point'}, {KINK}",
        evidence=Evidence(),
    )


def _spread(layer: Layer, kept: Sequence[int], point: AnyPoint) -> AnyPoint:
    """The point with zeros for the other parameters."""
    size = len(layer.problem.parameters)
    if isinstance(point, EnclosedPoint):
        lower, upper = [ZERO] * size, [ZERO] * size
        for k, lo, hi in zip(kept, point.lower, point.upper, strict=True):
            lower[k], upper[k] = lo, hi
        return EnclosedPoint(tuple(lower), tuple(upper))
    assert isinstance(point, Point)
    values = [arithmetic(point.field).zero] * size
    for k, v in zip(kept, point.coordinates, strict=True):
        values[k] = v
    return Point(point.field, tuple(values))


def _renamed(words: str, names: dict[str, str]) -> str:
    return re.sub(r"[A-Za-z_]\w*", lambda m: names.get(m.group(), m.group()), words)
