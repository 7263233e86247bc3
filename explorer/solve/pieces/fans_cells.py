"""Units of degree D > 1 (requ) with several incoming weights and l2: the critical points with all units active, cell by cell.

F is once differentiable, so inside the cell of each unit's fan the gradient is that of one polynomial, and a critical point on a
kink solves the systems of the cells around it. Its kind is decided by their Hessians: all positive definite, a strict minimum; negative
on the span of a face of one dimension more than the point's, in some direction d: d or -d points into that face, and F falls (on one
kink these spans are everything); F is strictly convex in v. A unit is active iff v is not 0 (u . L u = D m v^2 at critical points, by Euler's
formula), so z v = 1 joins the gradient equations: points with zero units, which belong to smaller networks, do not come up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import flint

from explorer.algebra.feasible import Affine, affine_solutions
from explorer.algebra.fields import arithmetic
from explorer.algebra.inertia import inertia
from explorer.algebra.solver import Dimension, RealRoot, solve_zero_dimensional
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline
from explorer.model.polynomial import cell_polynomial
from explorer.point import AnyPoint, Element, EnclosedPoint, Point
from explorer.problem import Problem
from explorer.solve.classify import PRECISION, Target
from explorer.solve.finite import from_solution
from explorer.solve.pieces.fans import Face, Fan
from explorer.solve.pieces.layer import Layer, layer_of, linear
from explorer.solve.pieces.ridge_points import Numbers
from explorer.solve.results import Component, Coverage, CriticalSet, Kind, Trust

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
        elif set(sides) <= {0, 1}:
            around = _around(fan, cells, sides)
            if list(cells) == [c[0] for c in around]:  # the other cells around have the same point
                walls.append(_on_walls(t, layer, fan, around, point, sides))
        else:
            doubt = "a box does not decide on which side of a kink a critical point lies: it is not classified"
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


def _around(fan: Fan, cells: Sequence[Face], sides: Sequence[int | None]) -> list[list[Face]]:
    """For each unit the cells around its point; all of them are alive: a unit that is active has some output."""
    size = len(fan.normals)
    out = []
    for j, cell in enumerate(cells):
        zero = [not x for x in sides[j * size : (j + 1) * size]]
        out.append(
            [
                f
                for f in fan.faces
                if all(f.signs) and all(z or a == b for z, a, b in zip(zero, f.signs, cell.signs, strict=True))
            ]
        )
    return out


def _on_walls(
    t: Target,
    layer: Layer,
    fan: Fan,
    around: Sequence[Sequence[Face]],
    point: AnyPoint,
    sides: Sequence[int | None],
) -> Component:
    """A critical point on kinks; undecided where the Hessians of some cells are not positive definite, and no face shows why."""
    size = len(fan.normals)
    walls = [(j, fan.normals[k]) for j in range(layer.units) for k in range(size) if not sides[j * size + k]]
    kind, why = Kind.STRICT_MINIMUM, "the Hessians of all cells around are positive definite"
    for chosen in product(*around):
        target = Target(layer.problem, cell_polynomial(layer.problem, _sample(layer, chosen)).polynomial)
        found = target.hessian_inertia(point)
        if found is not None and not found.negative and not found.zero:
            continue
        assert isinstance(point, Point)  # a box is never seen to lie on a kink
        if any(_negative(target, layer, walls, one, point) for one in range(len(walls))):
            kind, why = (
                Kind.SADDLE,
                "the Hessian of one cell is negative along a face of it; every output weight raises F",
            )
            break
        kind, why = (
            Kind.UNDECIDED,
            "the Hessian of a cell is not positive definite, and not negative along its faces of one dimension more",
        )
    names = [[layer.problem.parameters[k] for k in layer.incoming(j)] for j in range(layer.units)]
    what = "a point on a kink" if len(walls) == 1 else f"a point where {len(walls)} kinks meet"
    return Component(
        dimension=0,
        sample=point,
        value=t.value(point),
        inertia=None,
        kind=kind,
        is_global=None,
        because=why,
        points=(point,),
        equations=tuple(f"{linear(names[j], n)} = 0" for j, n in walls),
        description=f"{what}, where the second derivatives of F jump",
    )


def _negative(
    t: Target,
    layer: Layer,
    walls: Sequence[tuple[int, Sequence[Fraction]]],
    one: int,
    point: Point,
) -> bool:
    """Whether the Hessian of these cells is negative somewhere on the space where all walls but ``one`` vanish, if that is more than
    where all of them do."""
    d = len(layer.problem.parameters)
    rows: list[Affine] = []
    for j, n in walls:
        wall = [Fraction(0)] * (d + 1)
        for k, x in zip(layer.incoming(j), n, strict=True):
            wall[k] = x
        rows.append(tuple(wall))
    wider, common = (affine_solutions(d, r) for r in ([*rows[:one], *rows[one + 1 :]], rows))
    assert wider is not None
    assert common is not None
    basis = wider[1]
    if len(basis) == len(common[1]):
        return False
    # d in this space: all other walls vanish on it, so d or -d is in the closed cells
    hessian = t.gradient.jacobian_at(point)
    a = arithmetic(point.field)
    matrix: list[list[Element]] = []
    for left in basis:
        row: list[Element] = []
        for right in basis:
            total = a.zero
            for i, k in product(range(d), repeat=2):
                if left[i] and right[k]:
                    total = a.add(total, a.mul(a.from_fraction(left[i] * right[k]), hessian[i][k]))
            row.append(total)
        matrix.append(row)
    return bool(inertia(matrix, point.field).negative)


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
