"""Units of degree D > 1 (requ) with several incoming weights and l2: the critical points with all units active, cell by cell.

F is once differentiable, so inside the cell of each unit's fan the gradient is that of one polynomial, and a critical point on a
kink solves the systems of the cells around it. On one kink the kind is decided by the two Hessians: where one of them is negative in
some direction d, d or -d points to its side, and F falls; F is strictly convex in v. A unit is active iff v is not 0 (u . L u = D m v^2 at critical points, by Euler's
formula), so z v = 1 joins the gradient equations: points with zero units, which belong to smaller networks, do not come up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import flint

from explorer.algebra.solver import Dimension, RealRoot, solve_zero_dimensional
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline
from explorer.model.polynomial import cell_polynomial
from explorer.point import AnyPoint, EnclosedPoint, Point
from explorer.problem import Problem
from explorer.solve.classify import PRECISION, Target
from explorer.solve.fans import Face, Fan
from explorer.solve.finite import from_solution
from explorer.solve.layer import Layer, layer_of, linear
from explorer.solve.results import Component, Coverage, CriticalSet, Kind, Trust
from explorer.solve.ridge_points import Numbers

ONE = Fraction(1)


def active_cells(problem: Problem, deadline: Deadline) -> Iterator[CriticalSet]:
    """The critical points of ``problem`` with all units active, one choice of cells after the other; a list is incomplete
    where its system was not solved or a point is not seen to be inside or outside its cells."""
    layer = layer_of(problem)
    assert layer is not None
    fan = layer.fan(deadline)
    live = [f for f in fan.faces if all(f.signs) and not f.dead]
    for cells in product(live, repeat=layer.units):
        deadline.check("solving in the cells of the incoming weights")
        yield _inside_cells(layer, fan, cells, deadline)


def _inside_cells(layer: Layer, fan: Fan, cells: Sequence[Face], deadline: Deadline) -> CriticalSet:
    problem, names = layer.problem, layer.problem.parameters
    t = Target(problem, cell_polynomial(problem, _sample(layer, cells)).polynomial)
    extended = (*names, *(f"z{j + 1}" for j in range(layer.units)))
    gradient = [{(*e, *[0] * layer.units): c for e, c in equation} for equation in t.gradient.equations]
    zero = (0,) * len(extended)
    joined = [
        {tuple(int(k in (layer.outgoing(j), len(names) + j)) for k in range(len(extended))): ONE, zero: -ONE}
        for j in range(layer.units)
    ]
    solution = solve_zero_dimensional(PolynomialSystem.of(extended, [*gradient, *joined]), deadline)
    if solution.dimension not in (Dimension.FINITE, Dimension.EMPTY):
        why = f"the system of a choice of cells was not solved: {solution.reason}"
        return CriticalSet(problem, (), Coverage(False, "cells of the units' fans", Trust.COMPUTED, why))
    roots: list[RealRoot] = []
    walls: list[Component] = []
    doubt = ""
    for root in solution.roots:
        point = shortened(root.point, len(names))
        with flint.ctx.workprec(PRECISION):
            sides = _sides(layer, fan, cells, Numbers.of(point))
        if -1 in sides:
            continue
        if set(sides) <= {1}:
            roots.append(replace(root, point=point))
        elif sorted(sides, key=str) == [0, *[1] * (len(sides) - 1)]:
            j, k = divmod(sides.index(0), len(fan.normals))
            if cells[j].signs[k] > 0:  # the cell on the other side has the same point
                walls.append(_on_wall(t, layer, _sample(layer, _across(fan, cells, j, k)), point, fan.normals[k], j))
        else:
            doubt = "a critical point lies where kinks meet, or its box does not decide: it is not classified"
    found = from_solution(t, replace(solution, system=t.gradient, roots=tuple(roots)), deadline, symmetric=False)
    found = replace(found, components=(*found.components, *walls))
    return replace(found, coverage=replace(found.coverage, complete=False, reason=doubt)) if doubt else found


def _sample(layer: Layer, cells: Sequence[Face]) -> list[Fraction]:
    """Parameters with the units inside these cells."""
    out = [ONE] * len(layer.problem.parameters)
    for j, cell in enumerate(cells):
        for k, x in zip(layer.incoming(j), cell.sample, strict=True):
            out[k] = x
    return out


def _across(fan: Fan, cells: Sequence[Face], j: int, k: int) -> list[Face]:
    """The cells with unit j on the other side of hyperplane k."""
    signs = tuple(-s if i == k else s for i, s in enumerate(cells[j].signs))
    other = next(f for f in fan.faces if f.signs == signs)
    return [other if i == j else c for i, c in enumerate(cells)]


def _on_wall(
    t: Target, layer: Layer, beyond: Sequence[Fraction], point: AnyPoint, normal: Sequence[Fraction], j: int
) -> Component:
    """A critical point on one kink: the Hessians of the two sides decide, unless one is singular and none is negative."""
    other = Target(layer.problem, cell_polynomial(layer.problem, beyond).polynomial)
    sides = [t.hessian_inertia(point), other.hessian_inertia(point)]
    if any(h is not None and h.negative for h in sides):
        kind, why = Kind.SADDLE, "the Hessian of one side has a negative eigenvalue; every output weight raises F"
    elif all(h is not None and not h.zero for h in sides):
        kind, why = Kind.STRICT_MINIMUM, "the Hessians of both sides are positive definite"
    else:
        kind, why = Kind.UNDECIDED, "the Hessian of one side is singular"
    names = [layer.problem.parameters[k] for k in layer.incoming(j)]
    return Component(
        dimension=0,
        sample=point,
        value=t.value(point),
        inertia=None,
        kind=kind,
        is_global=None,
        because=why,
        points=(point,),
        equations=(f"{linear(names, normal)} = 0",),
        description="a point on a kink, where the second derivatives of F jump",
    )


def _sides(layer: Layer, fan: Fan, cells: Sequence[Face], at: Numbers) -> list[int | None]:
    """For every hyperplane and unit: 1 on the side of its cell, -1 on the other one, 0 on the kink, None undecided."""
    out: list[int | None] = []
    for j, cell in enumerate(cells):
        u: list[Any] = [at.values[k] for k in layer.incoming(j)]
        out += [at.sign(at.linear(n, u), s) for n, s in zip(fan.normals, cell.signs, strict=True)]
    return out


def shortened(point: AnyPoint, size: int) -> AnyPoint:
    """The first coordinates."""
    if isinstance(point, EnclosedPoint):
        return EnclosedPoint(point.lower[:size], point.upper[:size])
    assert isinstance(point, Point)
    return Point(point.field, point.coordinates[:size])
