"""Critical points of regularised relu-like layers: a solved system as a point with active units, Clarke's condition, one-sided slopes.

The criterion stands in fans_ridge.py and, with its proof, in docs/piecewise.md. Signs are exact in the field of the point; over a box
they may be undecided, and then the component says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import Any

import flint

from explorer.algebra.balls import ball, bounds, sign_of
from explorer.algebra.feasible import Vector, affine_solutions
from explorer.point import AnyPoint, EnclosedPoint, Point, RationalField
from explorer.solve.classify import BITS, PRECISION
from explorer.solve.pieces.fans import Face, Fan, dot
from explorer.solve.pieces.layer import ZERO, Layer, Weights
from explorer.solve.results import Value
from explorer.solve.scalars import enclosure
from explorer.solve.taylor import Ring, field_ring


@dataclass(frozen=True)
class Numbers:
    """The coordinates of a point and arithmetic with them: exact, or in balls (call within the working precision)."""

    ring: Ring
    values: list[Any]

    @classmethod
    def of(cls, point: AnyPoint) -> Numbers:
        if isinstance(point, Point):
            return cls(field_ring(point.field), list(point.coordinates))
        assert isinstance(point, EnclosedPoint)
        ring = Ring(
            ball,
            lambda a, b: a + b,
            lambda a, b: a * b,
            lambda a: bool(a == 0),
            lambda a: sign_of(a) or (0 if a == 0 else None),
        )
        return cls(ring, [ball(lo, hi) for lo, hi in zip(point.lower, point.upper, strict=True)])

    def linear(self, coefficients: Sequence[Fraction], values: Sequence[Any]) -> Any:
        out = self.ring.constant(ZERO)
        for c, v in zip(coefficients, values, strict=True):
            if c:
                out = self.ring.add(out, self.ring.mul(self.ring.constant(c), v))
        return out

    def sign(self, value: Any, times: int = 1) -> int | None:
        found = self.ring.sign(value)
        return None if found is None else found * times

    def product_sum(self, a: Sequence[Any], b: Sequence[Any]) -> Any:
        out = self.ring.constant(ZERO)
        for x, y in zip(a, b, strict=True):
            out = self.ring.add(out, self.ring.mul(x, y))
        return out


@dataclass(frozen=True)
class Shift:
    """u_``place`` + ``by`` and the output bias - ``constant`` v ``by``: a move that changes no output (ridge_shift.py); the system was
    solved with ``coordinate`` of the type 0."""

    place: int
    coordinate: int
    constant: Fraction
    by: Fraction


@dataclass(frozen=True)
class ActiveUnit:
    """One unit of a type: u in an open face, ``s`` its coordinates in the face's basis (before a shift), v of the given sign, as
    elements of the point's ring."""

    face: Face
    sign: int
    weights: Weights
    s: list[Any]
    u: list[Any]
    v: Any
    shift: Shift | None = None


@dataclass(frozen=True)
class Active:
    """A critical point with one unit of each type and zero units only besides; ``nonsingular``: F on the faces is strictly
    convex there to second order."""

    layer: Layer
    numbers: Numbers
    point: AnyPoint
    units: tuple[ActiveUnit, ...]
    bias: Any
    nonsingular: bool

    @classmethod
    def none(cls, layer: Layer, bias: Fraction) -> Active:
        at = Point(RationalField(), ((bias,),))
        return cls(layer, Numbers.of(at), at, (), (bias,), True)

    @classmethod
    def of(
        cls,
        layer: Layer,
        types: Sequence[tuple[Face, int, Weights, Shift | None]],
        point: AnyPoint,
        *,
        nonsingular: bool,
    ) -> Active:
        with flint.ctx.workprec(PRECISION):
            numbers = Numbers.of(point)
            units, start = [], 0
            bias = numbers.values[-1] if layer.output_bias else numbers.ring.constant(ZERO)
            for face, sign, weights, shift in types:
                s = numbers.values[start : start + face.dimension]
                u = [numbers.linear([b[k] for b in face.basis], s) for k in range(layer.size)]
                v = numbers.values[start + face.dimension]
                if shift is not None:
                    u[shift.place] = numbers.ring.add(u[shift.place], numbers.ring.constant(shift.by))
                    bias = numbers.linear([Fraction(1), -shift.constant * shift.by], [bias, v])
                units.append(ActiveUnit(face, sign, weights, s, u, v, shift))
                start += face.dimension + 1
            return cls(layer, numbers, point, tuple(units), bias, nonsingular)

    @cached_property
    def g(self) -> list[Any]:
        """2 c_i (f_i - y_i)."""
        add, mul, constant = self.numbers.ring.add, self.numbers.ring.mul, self.numbers.ring.constant
        out = []
        for i, (c, y) in enumerate(zip(self.layer.weights, self.layer.targets, strict=True)):
            f = add(self.bias, constant(-y))
            for unit in self.units:
                f = add(f, mul(unit.v, self.numbers.linear(unit.face.rows[i], unit.u)))
            out.append(mul(constant(2 * c), f))
        return out

    @cached_property
    def value(self) -> Value:
        """F, one object for all components of this point: sum_i g_i^2 / (4 c_i) and the regularizer."""
        mul, constant = self.numbers.ring.mul, self.numbers.ring.constant
        parts = [mul(constant(1 / (4 * c)), mul(x, x)) for c, x in zip(self.layer.weights, self.g, strict=True)]
        for unit in self.units:
            weighted = zip((*unit.weights.incoming, unit.weights.outgoing), (*unit.u, unit.v), strict=True)
            parts += [mul(constant(w), mul(x, x)) for w, x in weighted]
        r = self.layer.problem.regularizer
        if self.layer.output_bias and r is not None:
            parts.append(mul(constant(r.weights[-1]), mul(self.bias, self.bias)))
        total = self.numbers.linear([Fraction(1)] * len(parts), parts)
        if isinstance(self.point, Point):
            lo, hi = enclosure(total, self.point.field)
            return Value(lo, hi, total, self.point.field)
        lo, hi = bounds(total)
        return Value(Fraction(floor(lo * 2**BITS), 2**BITS), Fraction(ceil(hi * 2**BITS), 2**BITS))

    def slope(self, unit: ActiveUnit, face: Face, direction: Vector) -> Any:
        """The derivative of F when only u moves along ``direction``, with the outputs of ``face``."""
        h = self.numbers.linear([dot(row, direction) for row in face.rows], self.g)
        # in the coordinates of the face, whose coefficients are exact zeros where L u is orthogonal to the direction (a box would not tell)
        weighted = [2 * w * x for w, x in zip(unit.weights.incoming, direction, strict=True)]
        decay = self.numbers.linear([dot(weighted, b) for b in unit.face.basis], unit.s)
        return self.numbers.ring.add(self.numbers.ring.mul(unit.v, h), decay)


# -- Clarke's condition and the kind ------------------------------------------------------------------------------------


def clarke(active: Active, fan: Fan, unit: ActiveUnit) -> bool | None:
    """Whether 0 is in the convex hull of the gradients in the cells around the unit's face (across it: along it they vanish)."""
    hyperplanes = [n for n, s in zip(fan.normals, unit.face.signs, strict=True) if not s]
    across = active.layer.size - unit.face.dimension
    if not across:
        return True
    chosen: list[Vector] = []  # the normals of independent hyperplanes complete the span of the face
    for n in hyperplanes:
        if len(chosen) < across and _independent([*chosen, n]):
            chosen.append(n)
    gradients = [[active.slope(unit, cell, n) for n in chosen] for cell in fan.cells(unit.face)]
    signs = [[active.numbers.sign(x) for x in row] for row in gradients]
    if any(all(s == 0 for s in row) for row in signs):
        return True
    if across == 1:
        flat = [row[0] for row in signs]
        return True if {1, -1} <= set(flat) else None if None in flat else False
    return _around(active.numbers, gradients) if across == 2 else None


def _independent(rows: Sequence[Vector]) -> bool:
    q = flint.fmpq_mat(len(rows), len(rows[0]), [flint.fmpq(v.numerator, v.denominator) for row in rows for v in row])
    return int(q.rank()) == len(rows)


def _around(numbers: Numbers, plane: Sequence[Sequence[Any]]) -> bool | None:
    """Whether 0 is in the convex hull of nonzero vectors of the plane: in that of two or three of them (Caratheodory)."""
    ring = numbers.ring
    size = range(len(plane))
    minus = ring.constant(Fraction(-1))

    def cross(a: Sequence[Any], b: Sequence[Any]) -> int | None:
        return numbers.sign(ring.add(ring.mul(a[0], b[1]), ring.mul(minus, ring.mul(a[1], b[0]))))

    turn = {(i, j): cross(plane[i], plane[j]) if i != j else 0 for i in size for j in size}
    if any(all(turn[i, j] == 1 for j in size if j != i) for i in size):
        return False  # all in an open half-plane: left of one of them
    for i in size:
        for j in size:
            if turn[i, j] == 0 and numbers.sign(numbers.product_sum(plane[i], plane[j])) == -1:
                return True
            if any(turn[i, j] == turn[j, k] == turn[k, i] == 1 for k in size):
                return True
    return None if None in turn.values() else False


def _across(face: Face, direction: Vector) -> Vector:
    """The direction less its orthogonal projection on the face's span, along which the slopes are 0."""
    gram = [(*(dot(a, b) for b in face.basis), -dot(a, direction)) for a in face.basis]
    solved = affine_solutions(face.dimension, gram)
    assert solved is not None  # a basis has a regular Gram matrix
    along = face.at(solved[0])
    return tuple(x - y for x, y in zip(direction, along, strict=True))


@dataclass(frozen=True)
class Verdict:
    """``low``: F does not fall (None: undecided); ``strict``: and rises in every direction."""

    low: bool | None
    strict: bool


def leaving(active: Active, fan: Fan, unit: ActiveUnit) -> Verdict:
    """What F does to first order when an active unit leaves its face: the slopes along the faces of one dimension more."""
    signs = [
        active.numbers.sign(active.slope(unit, ray, _across(unit.face, ray.sample))) for ray in fan.rays(unit.face)
    ]
    if -1 in signs:
        return Verdict(False, False)
    return Verdict(None if None in signs else True, all(s == 1 for s in signs))
