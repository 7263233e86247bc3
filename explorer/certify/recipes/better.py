"""A lower point for a sub-optimal sigmoid network: an interpolating one where it is short, else one freed unit.

*Freed unit.* When all units share their input weights, moving the whole output weight to the first unit changes no output.
The second unit is then free: with activations a on the inputs and output weight e the residual r becomes r + e a, and the
loss |r|^2 + 2 e <r, a> + e^2 |a|^2 is below |r|^2 for every e strictly between 0 and -2 <r, a>/|a|^2. So any input weight
with <r, a> != 0 serves, and e may be rounded to a short fraction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations, pairwise
from typing import TypeAlias

import flint
from flint import arb, fmpq_mat

from explorer.algebra.balls import ball, dyadic_value, to_fmpq, to_fraction
from explorer.certify.enclosure import enclose_loss
from explorer.certify.encode import trimmed
from explorer.certify.recipes.residual import dot
from explorer.certify.recipes.units import Grid, Unit
from explorer.point import Ln2Ring, Point
from explorer.problem import Problem

Bounds: TypeAlias = tuple[Fraction, Fraction]
INTERPOLATE_UP_TO = 3  #: samples
LONG = 10**30


def interpolating(grid: Grid, targets: Sequence[Fraction], width: int, *, bias: bool) -> tuple[Unit, ...] | None:
    """A network of zero loss with short numbers, from a small search over input weights; None if there is none."""
    n = len(targets)
    if n > min(width, INTERPOLATE_UP_TO):
        return None
    shapes = [(w, b) for w in range(-2, 4) for b in (range(-1, 2) if bias else (0,)) if w or b <= 0]
    columns = {shape: [to_fmpq(v) for v in grid.features(*shape)] for shape in shapes}
    right = fmpq_mat(n, 1, [to_fmpq(y) for y in targets])
    best: tuple[tuple[int, ...], tuple[Unit, ...]] | None = None
    for chosen in combinations(shapes, n):
        try:
            outputs = fmpq_mat(n, n, [columns[shape][i] for i in range(n) for shape in chosen]).solve(right).entries()
        except ZeroDivisionError:  # singular
            continue
        size = sum(int(abs(v.p) * v.q) for v in outputs)
        rank = (size, *(abs(w) + abs(b) for w, b in chosen))
        if size < LONG and (best is None or rank < best[0]):
            best = (rank, tuple(Unit(*shape, to_fraction(v)) for shape, v in zip(chosen, outputs, strict=True)))
    if best is None:
        return None
    return best[1] + (Unit(0, 0, Fraction(0)),) * (width - n)


def freed_unit(
    grid: Grid, units: Sequence[Unit], residual: Sequence[Fraction], shapes: Iterable[tuple[int, int]]
) -> tuple[Unit, ...] | None:
    """Equal ``units`` merged into the first, and the second moved to that of ``shapes`` which lowers the loss most."""
    best: tuple[Fraction, tuple[int, int], Fraction] | None = None
    for shape in shapes:
        a = grid.features(*shape)
        slope, size = dot(residual, a), dot(a, a)
        if slope == 0:
            continue
        exact = -slope / size
        output = next((e for k in range(40) if 0 < (e := exact.limit_denominator(2**k)) / exact < 2), None)
        if output is None:
            continue
        change = 2 * output * slope + output * output * size
        if best is None or change < best[0]:
            best = (change, shape, output)
    if best is None:
        return None
    _, (weight, bias), output = best
    merged = Unit(units[0].weight, units[0].bias, sum((u.output for u in units), Fraction(0)))
    rest = tuple(Unit(u.weight, u.bias, Fraction(0)) for u in units[2:])
    return (merged, Unit(weight, bias, output), *rest)


def other_unit(
    grid: Grid, targets: Sequence[Fraction], level: Fraction, shapes: Iterable[tuple[int, int]]
) -> tuple[Unit, ...] | None:
    """A network of one unit with loss below ``level``: the best output weight of one of ``shapes``, rounded; or None."""
    for weight, bias in shapes:
        a = grid.features(weight, bias)
        exact = dot(targets, a) / dot(a, a)
        for k in range(20):
            found = (Unit(weight, bias, exact.limit_denominator(2**k)),)
            if grid.loss(found, targets) < level:
                return found
    return None


def rough_unit(
    problem: Problem, grid: Grid, units: Sequence[Unit], residual: Sequence[Fraction]
) -> tuple[Point, Bounds] | None:
    """A freed unit (or, alone, another one) whose pre-activations are no integer multiples of ln 2; F by bounds.

    For biased networks, whose local minimum needs no such multiples: the step sigma(b - w x) is as wide as the gap
    between inputs with a residual. Activations are rounded to propose an output weight; the bounds of F decide.
    """
    assert problem.data is not None  # a network has data
    level, targets = dot(residual, residual), [row[0] for row in problem.data.targets]
    kinks = sorted(x for x, e in zip(grid.inputs, residual, strict=True) if e)
    gap = min(b - a for a, b in pairwise(kinks))
    for centre in kinks:
        for weight in (1 / gap, -1 / gap, 4 / gap):
            a = [_rounded_sigmoid(weight * (x - centre)) for x in grid.inputs]
            alone = len(units) == 1
            exact = (dot(targets, a) if alone else -dot(residual, a)) / dot(a, a)
            output = exact.limit_denominator(64)
            moved = ((Fraction(0), weight), (Fraction(0), -weight * centre), (output,))
            first = ((Fraction(0),), (Fraction(0), Fraction(-1)), (sum((u.output for u in units), Fraction(0)),))
            rows = [moved] if alone else [first, moved, *[((Fraction(0),),) * 3] * (len(units) - 2)]
            point = Point(Ln2Ring(), tuple(trimmed(row[k]) for k in range(3) for row in rows))
            bounds = enclose_loss(problem, point)
            if bounds[1] < level:
                return point, bounds
    return None


def _rounded_sigmoid(multiple: Fraction) -> Fraction:
    """sigma(multiple * ln 2), rounded: a proposal only."""
    clipped = max(min(multiple, Fraction(40)), Fraction(-40))
    with flint.ctx.workprec(64):
        s = 1 / (1 + (-ball(clipped) * arb(2).log()).exp())
        return dyadic_value(s.mid()).limit_denominator(10**6)
