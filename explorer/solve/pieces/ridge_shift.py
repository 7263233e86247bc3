"""Free hidden biases beside a free output bias: a unit whose bias moves all its outputs alike shares that constant with the output bias.

Where e_r is the kernel of L on the span of a type's face and moves all outputs of the unit by the same ``constant`` there, F on the faces
does not change under u -> u + t e_r, c -> c - t constant v (if c is not regularized). The system is solved with one coordinate of the
type 0, which picks one t; then t runs through the open interval that the signs of the face allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any

from explorer.algebra.balls import bounds
from explorer.algebra.systems import PolynomialSystem
from explorer.point import AnyPoint, Point
from explorer.solve.pieces.fans import Face, Fan, dot
from explorer.solve.pieces.layer import ZERO, Layer, Weights
from explorer.solve.pieces.ridge_points import Numbers, Shift
from explorer.solve.scalars import enclosure

BITS = (16, 64, 256, 1024)


def shift_of(layer: Layer, face: Face, weights: Weights) -> Shift | None:
    """The direction in which a type may move with the output bias, if there is one."""
    kernel = weights.kernel(face)
    if not layer.output_bias or layer.bias_weight or len(kernel) != 1:
        return None
    direction = face.at(kernel[0])
    outputs = {dot(row, direction) for row in face.rows}
    used = [k for k, x in enumerate(direction) if x]
    if len(used) != 1 or len(outputs) != 1:
        return None
    k = used[0]
    coordinate = next(i for i, x in enumerate(kernel[0]) if x)
    return Shift(k, coordinate, outputs.pop() / direction[k], ZERO)


def pinned(system: PolynomialSystem, shifts: Sequence[Shift | None]) -> PolynomialSystem:
    """The system with the chosen coordinate of every moving type 0."""
    equations = [dict(p) for p in system.equations]
    for a, shift in enumerate(shifts):
        if shift is not None:
            name = f"s{a}_{shift.coordinate}"
            equations.append({tuple(int(n == name) for n in system.names): Fraction(1)})
    return PolynomialSystem.of(system.names, equations)


def amount(fan: Fan, face: Face, shift: Shift, numbers: Numbers, s: Sequence[Any], point: AnyPoint) -> Fraction | None:
    """A rational t with u + t e_r in the face, or None where a box does not tell. ``holds`` has said that there is one."""
    ends: dict[int, list[Any]] = {1: [], -1: []}
    for a, b in _gaps(fan, face, shift, numbers, s):
        if b:
            ends[1 if b > 0 else -1].append(numbers.linear([-1 / b], [a]))
    return between(ends[1], ends[-1], point)


def between(lower: Sequence[Any], upper: Sequence[Any], point: AnyPoint) -> Fraction | None:
    """A rational number above all ``lower`` and below all ``upper`` (there is one), or None where a box does not tell."""
    for bits in BITS:
        low = [_ends(x, point, bits)[1] for x in lower]
        high = [_ends(x, point, bits)[0] for x in upper]
        if not low or not high:
            return Fraction(ceil(max(low)) + 1) if low else Fraction(floor(min(high)) - 1) if high else ZERO
        if max(low) < min(high):
            return (max(low) + min(high)) / 2
    return None


def holds(fan: Fan, face: Face, shift: Shift, numbers: Numbers, s: Sequence[Any]) -> list[int | None]:
    """Signs that are all 1 iff u + t e_r is in the face for some t: each lower end below each upper one."""
    gaps = _gaps(fan, face, shift, numbers, s)
    signs = [numbers.sign(a) for a, b in gaps if not b]
    for a, b in gaps:
        for d, e in gaps:
            if b > 0 > e:
                signs.append(numbers.sign(numbers.linear([1 / b, -1 / e], [a, d])))
    return signs


def _gaps(fan: Fan, face: Face, shift: Shift, numbers: Numbers, s: Sequence[Any]) -> list[tuple[Any, Fraction]]:
    """(a, b) with a + b t > 0 on the face's side of each hyperplane."""
    return [
        (numbers.linear([side * dot(n, v) for v in face.basis], s), side * n[shift.place])
        for n, side in zip(fan.normals, face.signs, strict=True)
        if side
    ]


def _ends(x: Any, point: AnyPoint, bits: int) -> tuple[Fraction, Fraction]:
    return enclosure(x, point.field, bits=bits) if isinstance(point, Point) else bounds(x)
