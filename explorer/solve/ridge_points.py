"""Critical points of regularised relu-like layers: from a solved system to a component, with Clarke's condition and the kind.

The criterion stands in fans_ridge.py and, with its proof, in docs/piecewise.md. Signs are exact in the field of the point; over a box
they may be undecided, and then the component says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import Any

import flint

from explorer.algebra.balls import ball, bounds, sign_of
from explorer.algebra.feasible import Vector
from explorer.exact import text
from explorer.model.polynomial import cell_polynomial
from explorer.point import AnyPoint, EnclosedPoint, Inertia, Point, RationalField
from explorer.solve.classify import BITS, PRECISION, Target
from explorer.solve.fans import Face, Fan, dot
from explorer.solve.layer import ZERO, Layer, Weights, linear
from explorer.solve.results import Component, Kind, Value
from explorer.solve.scalars import element_text, enclosure
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
class ActiveUnit:
    """One unit of a type: u in an open face, v of the given sign, as elements of the point's ring."""

    face: Face
    sign: int
    weights: Weights
    u: list[Any]
    v: Any


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
        cls, layer: Layer, types: Sequence[tuple[Face, int, Weights]], point: AnyPoint, *, nonsingular: bool
    ) -> Active:
        with flint.ctx.workprec(PRECISION):
            numbers = Numbers.of(point)
            units, start = [], 0
            for face, sign, weights in types:
                s = numbers.values[start : start + face.dimension]
                u = [numbers.linear([b[k] for b in face.basis], s) for k in range(layer.size)]
                units.append(ActiveUnit(face, sign, weights, u, numbers.values[start + face.dimension]))
                start += face.dimension + 1
            bias = numbers.values[-1] if layer.output_bias else numbers.ring.constant(ZERO)
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
        decay = self.numbers.linear([2 * w * x for w, x in zip(unit.weights.incoming, direction, strict=True)], unit.u)
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


@dataclass(frozen=True)
class Verdict:
    """``low``: F does not fall (None: undecided); ``strict``: and rises in every direction."""

    low: bool | None
    strict: bool


def leaving(active: Active, fan: Fan, unit: ActiveUnit) -> Verdict:
    """What F does to first order when an active unit leaves its face: the slopes along the faces of one dimension more."""
    signs = [active.numbers.sign(active.slope(unit, ray, ray.sample)) for ray in fan.rays(unit.face)]
    if -1 in signs:
        return Verdict(False, False)
    return Verdict(None if None in signs else True, all(s == 1 for s in signs))


def resting(active: Active, fan: Fan, weights: Weights) -> Verdict:
    """What F does to second order when a zero unit moves: h(u)^2 against 4 m u . L u, whose quotient is largest where u is
    M^-1 times the gradient of h on some face's span and lies in that face (or its negative does)."""
    numbers, strict, unsure = active.numbers, True, False
    for face in fan.faces:
        if face.dead:
            continue
        slope = [numbers.linear([row[k] for row in face.columns], active.g) for k in range(face.dimension)]
        peak = [numbers.linear(line, slope) for line in weights.inverse(face)]
        size = numbers.product_sum(slope, peak)
        gap = numbers.sign(
            numbers.ring.add(numbers.ring.constant(4 * weights.outgoing), numbers.linear([Fraction(-1)], [size]))
        )
        if gap == 1:
            continue
        u = [numbers.linear([b[k] for b in face.basis], peak) for k in range(active.layer.size)]
        sides = [numbers.sign(numbers.linear(n, u), s) for n, s in zip(fan.normals, face.signs, strict=True) if s]
        if 0 in sides or {1, -1} <= set(sides):
            continue  # the peak is outside the face
        if gap == -1 and None not in sides:
            return Verdict(False, False)
        strict = False
        unsure = unsure or gap is None or None in sides
    return Verdict(None if unsure else True, strict)


# -- components -------------------------------------------------------------------------------------------------------


def component(
    layer: Layer, fan: Fan, units: Sequence[Weights], active: Active, home: Sequence[int | None], flips: Sequence[int]
) -> tuple[Component | None, list[str]]:
    """The component in which unit j has type ``home[j]`` (None: it is zero), with -u for u where ``flips[j]`` is -1 (|z| only), if it
    is critical, and what was not decided."""
    with flint.ctx.workprec(PRECISION):
        met = [clarke(active, fan, unit) for unit in active.units]
        if False in met:
            return None, []
        if None in met:
            return None, [
                "Clarke's condition was not decided where a point is known by a box or a face has more than two dimensions across"
            ]
        zero = sorted({units[j] for j, a in enumerate(home) if a is None}, key=str)
        verdicts = [leaving(active, fan, u) for u in active.units] + [resting(active, fan, w) for w in zero]
        return _described(layer, fan, units, active, home, flips, verdicts), []


def _described(
    layer: Layer,
    fan: Fan,
    units: Sequence[Weights],
    active: Active,
    home: Sequence[int | None],
    flips: Sequence[int],
    verdicts: Sequence[Verdict],
) -> Component:
    members = [[j for j, a in enumerate(home) if a == k] for k in range(len(active.units))]
    dimension = sum(len(m) - 1 for m in members)
    sample = _sample(layer, active, members, flips)
    smooth = None not in home and all(all(u.face.signs) for u in active.units)
    low = False if any(v.low is False for v in verdicts) else None if any(v.low is None for v in verdicts) else True
    strict = bool(low) and active.nonsingular and not dimension and all(v.strict for v in verdicts)
    ends = any(a is None and any(u.weights == units[j] for u in active.units) for j, a in enumerate(home))
    kind = (
        Kind.UNDECIDED if low is None else Kind.SADDLE if not low else Kind.STRICT_MINIMUM if strict else Kind.MINIMUM
    )
    alone = not dimension and not ends and active.nonsingular
    return Component(
        dimension=dimension,
        sample=sample,
        value=active.value,
        inertia=_inertia(layer, active, home, flips, sample) if smooth else None,
        kind=kind,
        is_global=None,
        because=_words(low, active, home),
        orbit=1 if alone and smooth else None,
        points=() if dimension else (sample,),
        isolated=False if ends and not dimension else True if alone and smooth else None,
        equations=tuple(_texts(layer, fan, active, members, home, flips)),
        description=_description(dimension, ends, smooth=smooth),
    )


def _inertia(
    layer: Layer, active: Active, home: Sequence[int | None], flips: Sequence[int], sample: AnyPoint
) -> Inertia | None:
    """The inertia inside the cells of the units, all of them active."""
    inside = [ZERO] * len(layer.problem.parameters)
    for j, a in enumerate(home):
        assert a is not None
        for k, x in zip(layer.incoming(j), active.units[a].face.sample, strict=True):
            inside[k] = flips[j] * x
    return Target(layer.problem, cell_polynomial(layer.problem, inside).polynomial).hessian_inertia(sample)


def _words(low: bool | None, active: Active, home: Sequence[int | None]) -> str:
    if low is None:
        return "the point is known by a box only, and the box does not decide how F changes across the kinks"
    if not low:
        return "one unit alone lowers F across its kinks, and every output weight raises it (it is regularized)"
    parts = ["F is convex in the products v u on the faces of the active units"] if active.units else []
    if any(not all(u.face.signs) for u in active.units):
        parts.append("it does not fall when they leave their faces")
    if None in home:
        parts.append("h(u)^2 <= 4 m u . L u for every zero unit")
    return "; ".join(parts)


def _description(dimension: int, ends: bool, *, smooth: bool) -> str:
    what = (
        f"a connected piece of dimension {dimension}: units of one direction share their product"
        if dimension
        else "a point"
    )
    what += " at the end of a family" if ends and not dimension else ""
    return what if smooth else f"{what}, where F is not twice differentiable (critical in the sense of Clarke)"


def shares(count: int) -> list[Fraction]:
    """A rational unit vector with positive entries."""
    out = [Fraction(1)]
    while len(out) < count:
        last = out.pop()
        out += [last * Fraction(3, 5), last * Fraction(4, 5)]
    return out


def _sample(layer: Layer, active: Active, members: Sequence[Sequence[int]], flips: Sequence[int]) -> AnyPoint:
    values: list[Any] = [active.numbers.ring.constant(ZERO)] * len(layer.problem.parameters)
    for unit, home in zip(active.units, members, strict=True):
        for share, j in zip(shares(len(home)), home, strict=True):
            for k, x in zip(layer.incoming(j), unit.u, strict=True):
                values[k] = active.numbers.linear([flips[j] * share], [x])
            values[layer.outgoing(j)] = active.numbers.linear([share], [unit.v])
    if layer.output_bias:
        values[-1] = active.bias
    if isinstance(active.point, Point):
        return Point(active.point.field, tuple(values))
    ends = [bounds(v) for v in values]
    return EnclosedPoint(tuple(lo for lo, _ in ends), tuple(hi for _, hi in ends))


def _texts(
    layer: Layer,
    fan: Fan,
    active: Active,
    members: Sequence[Sequence[int]],
    home: Sequence[int | None],
    flips: Sequence[int],
) -> list[str]:
    names = layer.problem.parameters
    out: list[str] = []
    sides: list[str] = []
    for unit, owners in zip(active.units, members, strict=True):
        for j in owners:
            face = replace(unit.face, signs=tuple(flips[j] * s for s in unit.face.signs))
            equations, inequalities = layer.face_texts(j, face, fan)
            out += equations
            sides += [*inequalities, f"{names[layer.outgoing(j)]} {'>' if unit.sign > 0 else '<'} 0"]
        lead = owners[0]
        for j in owners[1:]:
            out += [
                f"{names[k]}*{names[layer.outgoing(lead)]} {'-' if flips[j] == flips[lead] else '+'} "
                f"{names[m]}*{names[layer.outgoing(j)]} = 0"
                for k, m in zip(layer.incoming(j), layer.incoming(lead), strict=True)
            ]
        squares = [
            (
                " + ".join(f"{names[layer.outgoing(j)]}^2" for j in owners),
                active.numbers.product_sum([unit.v], [unit.v]),
            )
        ]
        squares += [
            (
                linear(
                    [f"{names[layer.outgoing(j)]}*{names[layer.incoming(j)[k]]}" for j in owners],
                    [Fraction(flips[j]) for j in owners],
                ),
                active.numbers.product_sum([unit.v], [unit.u[k]]),
            )
            for k in range(layer.size)
        ]
        out += [t for form, value in squares for t in _equal(active, form, value)]
    for j, a in enumerate(home):
        if a is None:
            out += [f"{names[k]} = 0" for k in (*layer.incoming(j), layer.outgoing(j))]
    if layer.output_bias:
        out += _equal(active, names[-1], active.bias)
    return [*out, *sides]


def _equal(active: Active, form: str, value: Any) -> list[str]:
    """'form = number', or where the number is known by a box only, two inequalities."""
    if isinstance(active.point, Point):
        return [f"{form} = {element_text(value, active.point.field)}"]
    lo, hi = (Fraction(round(b * 2**40) + way, 2**40) for b, way in zip(bounds(value), (-1, 1), strict=True))
    return [f"{form} > {text(lo)}", f"{form} < {text(hi)}"]
