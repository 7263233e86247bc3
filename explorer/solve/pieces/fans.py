"""The fan of one hidden unit: the faces of the hyperplanes x_i . u = 0 in the space of its incoming weights, over Q.

One hidden layer of units phi(z) = a z (z >= 0), b z (z <= 0), a != b, has its kinks exactly there (with a hidden bias x_i is
extended by 1). On each open face the outputs of the unit are linear in u: phi(x_i . u) = (rows u)_i.
Breaks other than 0 (hard tanh): the hyperplanes x_i . u = b t in the space of (u, t), and the half-space t > 0, which stands for t = 1; the
outputs are linear in (u, t) on its faces, t phi(x_i . u / t) = (rows (u, t))_i.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from explorer.algebra.feasible import Vector, affine_solutions, strictly_feasible
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.model.pieces import Pieces

MAX_FACES = 400
ZERO = Fraction(0)


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True) if x), ZERO)


@dataclass(frozen=True)
class Face:
    """A relatively open face: ``signs`` of the hyperplanes' forms, a ``sample`` in it, a ``basis`` of its linear span,
    ``rows`` with phi(x_i . u) = rows_i . u on it."""

    number: int
    signs: tuple[int, ...]
    sample: Vector
    basis: tuple[Vector, ...]
    rows: tuple[Vector, ...]

    @property
    def dimension(self) -> int:
        return len(self.basis)

    def at(self, s: Sequence[Fraction]) -> Vector:
        """The vector with these coordinates in the basis."""
        return tuple(dot(s, [b[k] for b in self.basis]) for k in range(len(self.sample)))

    @cached_property
    def dead(self) -> bool:
        """Whether the unit's outputs are 0 on the whole face."""
        return not any(any(row) for row in self.columns)

    @cached_property
    def columns(self) -> tuple[Vector, ...]:
        """rows restricted to the span: entry (i, k) belongs to basis vector k."""
        return tuple(tuple(dot(row, b) for b in self.basis) for row in self.rows)


@dataclass(frozen=True)
class Fan:
    """All faces, by dimension downward; ``normals`` are the distinct hyperplanes, in the order of the signs."""

    normals: tuple[Vector, ...]
    faces: tuple[Face, ...]

    def above(self, face: Face) -> tuple[Face, ...]:
        """The faces whose closure contains ``face``, itself among them."""
        return tuple(f for f in self.faces if all(s in (0, t) for s, t in zip(face.signs, f.signs, strict=True)))

    def cells(self, face: Face) -> tuple[Face, ...]:
        """The open cells around ``face``."""
        return tuple(f for f in self.above(face) if all(f.signs))

    def rays(self, face: Face) -> tuple[Face, ...]:
        """The faces around ``face`` of one dimension more: every cell around it is spanned by these and the face."""
        return tuple(f for f in self.above(face) if f.dimension == face.dimension + 1)


def fan(inputs: Sequence[Vector], slopes: tuple[Fraction, Fraction], deadline: Deadline) -> Fan:
    """The fan of the inputs (already extended by 1 where there is a bias) for the slopes (left, right) of the activation."""
    size = len(inputs[0])
    normals: list[Vector] = []
    place: list[tuple[int, int] | None] = []
    for x in inputs:
        lead = next((v for v in x if v), None)
        if lead is None:
            place.append(None)
            continue
        unit = tuple(v / lead for v in x)
        if unit not in normals:
            normals.append(unit)
        place.append((normals.index(unit), 1 if lead > 0 else -1))
    return _arranged(size, normals, (), lambda signs: _rows(inputs, place, signs, slopes), deadline)


def affine_fan(inputs: Sequence[Vector], pieces: Pieces, deadline: Deadline) -> Fan:
    """The fan in (u, t), t > 0, of a continuous piecewise linear activation with any breaks; t is the first normal."""
    size = len(inputs[0]) + 1
    normals: list[Vector] = [tuple(Fraction(int(k == size - 1)) for k in range(size))]
    places: list[
        list[tuple[int, int]] | None
    ] = []  # for each input and break: the hyperplane, and its side with x . u > b
    for x in inputs:
        lead = next((v for v in x if v), None)
        if lead is None:
            places.append(None)
            continue
        own = []
        for b in pieces.breaks:
            unit = tuple(v / lead for v in (*x, -b))
            if unit not in normals:
                normals.append(unit)
            own.append((normals.index(unit), 1 if lead > 0 else -1))
        places.append(own)

    def rows(signs: Sequence[int]) -> tuple[Vector, ...]:
        out = []
        for x, own in zip(inputs, places, strict=True):
            k = pieces.index(ZERO)[0] if own is None else sum(signs[n] * side > 0 for n, side in own)
            constant, slope = (*pieces.polynomials[k], ZERO)[:2]
            out.append((*(slope * v for v in x), constant))
        return tuple(out)

    return _arranged(size, normals, (1,), rows, deadline)


def _arranged(
    size: int,
    normals: Sequence[Vector],
    fixed: tuple[int, ...],
    rows: Callable[[Sequence[int]], tuple[Vector, ...]],
    deadline: Deadline,
) -> Fan:
    """All faces of the hyperplanes on which the first ones have the signs ``fixed``."""
    patterns: list[tuple[int, ...]] = [fixed]
    for k in range(len(fixed), len(normals)):
        deadline.check("enumerating the faces of a unit")
        patterns = [
            (*p, s) for p in patterns for s in (1, 0, -1) if _sample(size, normals[: k + 1], (*p, s)) is not None
        ]
        if len(patterns) > MAX_FACES:
            raise Unsupported("activation cells", expected=f"at most {MAX_FACES} faces of one unit", got="more")
    found = []
    for signs in patterns:
        sample = _sample(size, normals, signs)
        assert sample is not None
        solved = affine_solutions(size, [(*n, ZERO) for n, s in zip(normals, signs, strict=True) if s == 0])
        assert solved is not None
        found.append((signs, sample, solved[1], rows(signs)))
    found.sort(key=lambda f: (-len(f[2]), tuple(-s for s in f[0])))
    return Fan(tuple(normals), tuple(Face(k, *parts) for k, parts in enumerate(found)))


def _sample(size: int, normals: Sequence[Vector], signs: Sequence[int]) -> Vector | None:
    pairs = list(zip(normals, signs, strict=True))
    equations = [(*n, ZERO) for n, s in pairs if s == 0]
    return strictly_feasible(size, equations, [(*(s * v for v in n), ZERO) for n, s in pairs if s])


def _rows(
    inputs: Sequence[Vector],
    place: Sequence[tuple[int, int] | None],
    signs: Sequence[int],
    slopes: tuple[Fraction, Fraction],
) -> tuple[Vector, ...]:
    return tuple(_row(x, where, signs, slopes) for x, where in zip(inputs, place, strict=True))


def _row(x: Vector, where: tuple[int, int] | None, signs: Sequence[int], slopes: tuple[Fraction, Fraction]) -> Vector:
    if where is None or not (side := signs[where[0]] * where[1]):
        return (ZERO,) * len(x)
    slope = slopes[side > 0]
    return tuple(slope * v for v in x)
