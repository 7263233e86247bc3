"""Units with v = 0 beside active ones: where they may rest, and whether F falls when they move. Proofs: docs/piecewise.md.

v = 0 makes L u = 0 and h(u) = 0. With L > 0 only u = 0 is left; where some incoming weights are free (a hidden bias mostly) u runs
through the faces' parts in ker L on which h vanishes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import flint

from explorer.algebra.feasible import Vector
from explorer.point import Point
from explorer.solve.pieces.fans import Face, Fan, dot
from explorer.solve.pieces.layer import ZERO, Layer, Weights, free_part
from explorer.solve.pieces.ridge_points import Active, ActiveUnit, Numbers, Verdict, clarke, leaving
from explorer.solve.scalars import element_text


@dataclass(frozen=True)
class Rest:
    """A unit that adds nothing: u in the part of ``face`` with L u = 0 (``sample`` + span(``basis``), open) and on it h = 0.

    ``sign`` of v: 0 in general; on a face without outputs v may also have a sign where its output weight is free (None: any v).
    ``level``: where h is not 0 on the whole part, the point u of it, in the field of g, on the ray on which h = 0."""

    face: Face
    weights: Weights
    sample: Vector
    basis: tuple[Vector, ...]
    sign: int | None = 0
    level: tuple[Any, ...] | None = None

    @property
    def dimension(self) -> int:
        return len(self.basis) + (self.sign != 0) - (self.level is not None)

    def place(self, numbers: Numbers) -> list[Any]:
        """u."""
        return [numbers.ring.constant(x) for x in self.sample] if self.level is None else list(self.level)

    def unit(self, numbers: Numbers) -> ActiveUnit:
        """The same as a unit with v = +-1 (L u = 0: no coordinate of u enters the slopes)."""
        nothing = [numbers.ring.constant(ZERO)] * self.face.dimension
        size = numbers.ring.constant(Fraction(self.sign or 0))
        return ActiveUnit(self.face, self.sign or 0, self.weights, nothing, self.place(numbers), size)


def rests_of(active: Active, fan: Fan, weights: Weights) -> tuple[list[Rest], list[str]]:
    """Where units with these weights may rest, and what was not decided."""
    found: list[Rest] = []
    doubts: list[str] = []
    for face in fan.faces:
        if (place := free_part(active.layer, fan, face, weights)) is None:
            continue
        if face.dead and not weights.outgoing:
            found += _idle(active, fan, Rest(face, weights, *place), doubts)
            continue
        heights = [_value(active, face, b) for b in place[1]]
        signs = [_height(active, face, b) for b in place[1]]
        if not any(s != 0 for s in signs):
            found.append(Rest(face, weights, *place))
        elif None in signs or len(signs) > 2:
            doubts.append("where h = 0 for a unit with v = 0 and free incoming weights was not decided")
        elif len(signs) == 2:
            inside = _level(active, fan, Rest(face, weights, *place), heights)
            if inside is None:
                doubts.append("where h = 0 for a unit with v = 0 and free incoming weights was not decided")
            found += inside or []
    return found, doubts


def _idle(active: Active, fan: Fan, rest: Rest, doubts: list[str]) -> list[Rest]:
    """The places on a face without outputs of a unit whose output weight is free: any v in an open cell; else v = 0 and the signs of v
    that are critical in the sense of Clarke."""
    if all(rest.face.signs):
        return [replace(rest, sign=None)]
    out = [rest]
    for sign in (1, -1):
        idle = replace(rest, sign=sign)
        met = clarke(active, fan, idle.unit(active.numbers))
        if met is None:
            doubts.append("Clarke's condition was not decided for a unit that puts nothing out")
        elif met:
            out.append(idle)
    return out


def _level(active: Active, fan: Fan, rest: Rest, heights: Sequence[Any]) -> list[Rest] | None:
    """The ray h = 0 in a part of two dimensions, if it is inside: along h_2 b_1 - h_1 b_2 or the opposite. None where a box does not tell,
    or would be what is known of the ray."""
    numbers, exact = active.numbers, isinstance(active.point, Point)
    one, two = rest.basis
    unsure = False
    for way in (1, -1):
        u = tuple(
            numbers.linear([Fraction(way) * x, Fraction(-way) * y], [heights[1], heights[0]])
            for x, y in zip(one, two, strict=True)
        )
        sides = [(numbers.linear(n, u), s) for n, s in zip(fan.normals, rest.face.signs, strict=True) if s]
        signs = [numbers.sign(x, s) for x, s in sides]
        if all(s == 1 for s in signs) and exact:
            return [replace(rest, level=u)]
        unsure = unsure or all(s in (1, None) for s in signs)
    return None if unsure else []


def _value(active: Active, face: Face, u: Vector) -> Any:
    """h(u), h linear as on the face."""
    return active.numbers.linear([dot(r, u) for r in face.rows], active.g)


def _height(active: Active, face: Face, u: Vector) -> int | None:
    """The sign of h(u), h linear as on the face."""
    row = [dot(r, u) for r in face.rows]
    if active.layer.output_bias and not active.layer.bias_weight and len(set(row)) == 1:
        return 0  # the g_i sum to 0
    return active.numbers.sign(active.numbers.linear(row, active.g))


def resting(active: Active, fan: Fan, rest: Rest) -> Verdict:
    """What F does when a resting unit moves: h(u) must be 0 nearby where L u = 0, and elsewhere h'(d)^2 <= 4 m d . L d. On the span
    of a face that quotient is largest where M d = h', if h' = 0 on ker M, and it counts if such a d or -d points into the face."""
    numbers, weights = active.numbers, rest.weights
    if rest.level is not None:
        return Verdict(False, False)  # h is not 0 nearby where L is: v = eps s of the other sign
    if rest.sign is None:
        return Verdict(True, False)  # a dead cell: nothing but u . L u changes
    if rest.sign:
        return leaving(active, fan, rest.unit(numbers))
    strict, unsure = not rest.basis and all(weights.incoming) and bool(weights.outgoing), False
    moving = False
    for face in fan.above(rest.face):
        if face.dead:
            continue
        slope = [numbers.linear([row[k] for row in face.columns], active.g) for k in range(face.dimension)]
        kernel = weights.kernel(face)
        flat = [_height(active, face, face.at(k)) for k in kernel]
        if face is not rest.face and (place := free_part(active.layer, fan, face, weights)) is not None:
            free = [_height(active, face, b) for b in place[1]]
            if any(free):
                return Verdict(False, False)  # h is not 0 at some u nearby with L u = 0
            unsure = unsure or None in free
        if not weights.outgoing:  # against v h no square of v: any h that is not 0 counts
            signs = [numbers.sign(x) for x in slope]
            moving, unsure = moving or any(signs), unsure or None in signs
            continue
        if any(flat):
            continue  # no largest quotient inside the face
        if None in flat:
            strict, unsure = False, True
            continue
        peak = _peak(numbers, weights.matrix(face), slope)
        size = numbers.product_sum(slope, peak)
        gap = numbers.sign(
            numbers.ring.add(numbers.ring.constant(4 * weights.outgoing), numbers.linear([Fraction(-1)], [size]))
        )
        if gap == 1 or (inside := _points_inside(numbers, fan, rest, face, peak, kernel)) is False:
            continue
        strict = False
        if gap == -1 and inside:
            if rest.face.dead or _absorbed(active, rest):
                return Verdict(False, False)
            unsure = True  # moving v alone moves the outputs: that square may win
        unsure = unsure or gap is None or inside is None
    if moving:
        falls = not any(weights.incoming) or rest.face.dead or _absorbed(active, rest)
        return Verdict(False if falls else None, False)
    return Verdict(None if unsure else True, strict)


def _absorbed(active: Active, rest: Rest) -> bool:
    """Whether a free output bias can undo what the unit adds to the outputs."""
    values = {dot(row, rest.sample) for row in rest.face.rows}
    return active.layer.output_bias and not active.layer.bias_weight and len(values) == 1


def _peak(numbers: Numbers, matrix: Sequence[Sequence[Fraction]], slope: Sequence[Any]) -> list[Any]:
    """A solution x of M x = slope, for a slope in the image of M."""
    chosen: list[int] = []  # a principal block of full rank: M is positive semidefinite
    for k in range(len(matrix)):
        block = [[matrix[i][j] for j in (*chosen, k)] for i in (*chosen, k)]
        if _fmpq(block).det():
            chosen.append(k)
    out = [numbers.ring.constant(ZERO)] * len(matrix)
    if chosen:
        inverse = _fmpq([[matrix[i][j] for j in chosen] for i in chosen]).inv()
        for i, k in enumerate(chosen):
            row = [Fraction(int(inverse[i, j].p), int(inverse[i, j].q)) for j in range(len(chosen))]
            out[k] = numbers.linear(row, [slope[j] for j in chosen])
    return out


def _fmpq(rows: Sequence[Sequence[Fraction]]) -> flint.fmpq_mat:
    return flint.fmpq_mat(len(rows), len(rows), [flint.fmpq(v.numerator, v.denominator) for row in rows for v in row])


def _points_inside(
    numbers: Numbers, fan: Fan, rest: Rest, face: Face, peak: Sequence[Any], kernel: Sequence[Vector]
) -> bool | None:
    """Whether peak + k or -peak + k points from the rest's face into ``face`` for some k in the span of ``kernel`` (one vector at most)."""
    sides = [(n, s) for n, s, zero in zip(fan.normals, face.signs, rest.face.signs, strict=True) if s and not zero]
    if not sides:
        return True
    if len(kernel) > 1:
        return None
    heights = [numbers.linear([s * dot(n, b) for b in face.basis], peak) for n, s in sides]
    steps = [s * dot(n, face.at(kernel[0])) if kernel else ZERO for n, s in sides]
    found: list[bool | None] = []
    for way in (1, -1):
        # way a_i + t b_i > 0 for all i: t > -way a_i / b_i where b_i > 0, t < way a_i / |b_i| where b_i < 0
        signs = [numbers.sign(a, way) for a, b in zip(heights, steps, strict=True) if not b]
        signs += [
            numbers.sign(numbers.linear([1 / b, 1 / -c], [a, d]), way)
            for a, b in zip(heights, steps, strict=True)
            if b > 0
            for d, c in zip(heights, steps, strict=True)
            if c < 0
        ]
        found.append(False if any(s is not None and s <= 0 for s in signs) else None if None in signs else True)
    return True if True in found else None if None in found else False


def rest_texts(layer: Layer, fan: Fan, j: int, rest: Rest, active: Active) -> tuple[list[str], list[str]]:
    """(equations, inequalities) of a resting unit j."""
    names = layer.problem.parameters
    v = names[layer.outgoing(j)]
    out = [f"{v} = 0"] if rest.sign == 0 else []
    signed = [f"{v} {'>' if rest.sign > 0 else '<'} 0"] if rest.sign else []
    if not rest.basis:
        return [*(f"{names[k]} = 0" for k in layer.incoming(j)), *out], signed
    zero = [f"{names[k]} = 0" for k, w in zip(layer.incoming(j), rest.weights.incoming, strict=True) if w]
    same, sides = layer.face_texts(j, rest.face, fan)
    if rest.level is not None:
        assert isinstance(active.point, Point)
        units = [tuple(Fraction(int(i == k)) for i in range(layer.size)) for k in range(layer.size)]
        heights = [element_text(_value(active, rest.face, e), active.point.field) for e in units]
        form = " + ".join(f"({h})*{names[k]}" for h, k in zip(heights, layer.incoming(j), strict=True) if h != "0")
        out.append(f"{form} = 0")
    return [*zero, *out, *(e for e in same if e not in zero)], [*sides, *signed]
