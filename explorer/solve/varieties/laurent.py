"""The parametrisation of a cell as the Laurent family that the rule ``morse-bott-minimum`` takes."""

from __future__ import annotations

from fractions import Fraction

from flint import fmpq

from explorer.algebra.fields import arithmetic
from explorer.point import Element, Point
from explorer.solve.polynomials import Poly, factors, fraction, variables
from explorer.solve.results import Family
from explorer.solve.varieties.decompose import Cell


def laurent_family(cell: Cell, point: Point) -> Family | None:
    """The graph of ``cell`` through ``point``, after a shift of each free parameter, or None where it is not Laurent.

    It is Laurent when the denominators are products of powers of t_i - c_i, one c_i per free parameter.
    """
    if not cell.is_graph or not cell.free:
        return None
    ring, free = cell.ring, cell.free
    shifts: dict[int, Fraction] = {}
    for _, denominator in cell.coordinates():
        for f in factors(denominator):
            used = variables(f)
            if len(used) != 1 or f.total_degree() != 1:
                return None
            i = used[0]
            slope, offset = _linear(f, i)
            c = -offset / slope
            if shifts.setdefault(i, c) != c:
                return None
    moved = [
        ring.gen(i) + fmpq(s.numerator, s.denominator) if (s := shifts.get(i)) else ring.gen(i)
        for i in range(ring.nvars())
    ]
    a = arithmetic(point.field)
    coordinates = []
    for numerator, denominator in cell.coordinates():
        top, bottom = numerator.compose(*moved), denominator.compose(*moved)
        ((low, scale),) = bottom.to_dict().items()  # one monomial, by the choice of the shifts
        row = []
        for e, c in top.to_dict().items():
            exponents = tuple(int(e[i] - low[i]) for i in free)
            row.append((a.from_fraction(fraction(c / scale)), exponents))
        coordinates.append(tuple(sorted(row, key=lambda term: term[1])))
    at = tuple(_minus(point.coordinates[i], shifts.get(i, Fraction(0)), point) for i in free)
    return Family(at, tuple(coordinates))


def _linear(f: Poly, i: int) -> tuple[Fraction, Fraction]:
    slope = offset = Fraction(0)
    for e, c in f.to_dict().items():
        if e[i]:
            slope = fraction(c)
        else:
            offset = fraction(c)
    return slope, offset


def _minus(value: Element, shift: Fraction, point: Point) -> Element:
    a = arithmetic(point.field)
    return a.sub(value, a.from_fraction(shift))
