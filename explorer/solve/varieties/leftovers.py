"""Points of cells that no split applies to: over a finite system, or one sample of a hypersurface."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from flint import fmpq

from explorer.algebra.fields import arithmetic
from explorer.algebra.roots import real_roots
from explorer.algebra.solver import Dimension, solve_zero_dimensional
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline
from explorer.point import AnyPoint, NumberField, Point, RationalField
from explorer.solve.polynomials import Poly, at_rationals, to_terms, univariate, variables
from explorer.solve.varieties.decompose import Cell


def subsystem(equations: Sequence[Poly], free: Sequence[int], ring: Any) -> PolynomialSystem:
    names = ring.names()
    picked = [{tuple(e[i] for i in free): c for e, c in to_terms(p).items()} for p in equations]
    return PolynomialSystem.of([names[i] for i in free], picked)


def univariate_points(cell: Cell) -> list[AnyPoint]:
    """The points over the real roots of the equations in the one free parameter, exactly, in the field of the root."""
    (i,) = cell.free
    common = cell.equations[0]
    for e in cell.equations[1:]:
        common = common.gcd(e)
    out: list[AnyPoint] = []
    if common.is_constant():
        return out
    for root in real_roots(univariate(common, i)):
        if root.rational is not None:
            kind: RationalField | NumberField = RationalField()
            alpha: tuple[Fraction, ...] = (root.rational,)
        else:
            kind = NumberField(tuple(Fraction(c) for c in root.polynomial), root.interval)
            alpha = (Fraction(0), Fraction(1))
        a = arithmetic(kind)
        at = Point(kind, tuple(alpha if k == i else a.zero for k in range(cell.ring.nvars())))

        def value(p: Poly, at: Point = at, names: tuple[str, ...] = tuple(cell.ring.names())) -> tuple[Fraction, ...]:
            return PolynomialSystem.of(names, [to_terms(p)]).at(at)[0]

        if any(a.is_zero(value(q)) for q in cell.nonzero):
            continue
        out.append(Point(kind, tuple(a.mul(value(n), a.inverse(value(d))) for n, d in cell.coordinates())))
    return out


def zero_dimensional_points(cell: Cell, deadline: Deadline, doubts: list[str]) -> list[AnyPoint] | None:
    """The points over a finite system in several free parameters, or None if it is not known to be finite.

    ``doubts`` grows by what may be missing or superfluous.
    """
    ring = cell.ring
    graph = [d * ring.gen(i) - n for i, n, d in cell.solved]
    system = PolynomialSystem.of(ring.names(), [to_terms(p) for p in (*cell.equations, *graph)])
    solution = solve_zero_dimensional(system, deadline)
    if solution.dimension is Dimension.EMPTY:
        return []
    if solution.dimension is not Dimension.FINITE:
        return None
    if not solution.complete:
        doubts.append(solution.reason or "a finite subsystem was not solved completely")
    out: list[AnyPoint] = []
    for root in solution.roots:
        if isinstance(root.point, Point):
            check = PolynomialSystem.of(ring.names(), [to_terms(q) for q in cell.nonzero] or [{(0,) * ring.nvars(): 1}])
            a = arithmetic(root.point.field)
            if any(a.is_zero(v) for v in check.at(root.point)):
                continue
        elif cell.nonzero:
            doubts.append("a critical point known only by a box may belong to another piece")
        out.append(root.point)
    return out


def sample_of_hypersurface(cell: Cell, e: Poly) -> Point | None:
    """A real point of the hypersurface at which its equation has a nonzero gradient and nothing excluded vanishes."""
    for i in variables(e):
        rest = [k for k in cell.free if k != i]
        for values in product(
            (Fraction(0), Fraction(1), Fraction(-1), Fraction(1, 2), Fraction(2)), repeat=min(len(rest), 4)
        ):
            fixed = dict(zip(rest, [*values, *[Fraction(1)] * (len(rest) - len(values))], strict=True))
            cut_down = at_rationals(e, fixed)
            if i not in variables(cut_down):
                continue
            line = Cell(
                cell.ring,
                tuple(
                    sorted(
                        [
                            *((k, _const(cell, v), cell.ring.constant(1)) for k, v in fixed.items()),
                            *((j, at_rationals(n, fixed), at_rationals(d, fixed)) for j, n, d in cell.solved),
                        ],
                        key=lambda s: s[0],
                    )
                ),
                (cut_down,),
                tuple(at_rationals(q, fixed) for q in (*cell.nonzero, e.derivative(i))),
            )
            if any(d.is_zero() for _, _, d in line.solved):
                continue
            for point in univariate_points(line):
                if isinstance(point, Point):
                    return point
    return None


def _const(cell: Cell, v: Fraction) -> Poly:
    return cell.ring.constant(fmpq(v.numerator, v.denominator))
