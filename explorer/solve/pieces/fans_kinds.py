"""What a stratum of `fans_free` is: local minimum, local maximum or saddle, unit by unit, exactly. Proofs: docs/piecewise.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from explorer.algebra.feasible import Affine, Vector, strictly_feasible
from explorer.solve import bounds
from explorer.solve.pieces.fans import Face, Fan, dot
from explorer.solve.pieces.layer import ZERO, Layer, Weights
from explorer.solve.results import Kind


@dataclass(frozen=True)
class State:
    """Where one unit is: an open face and the ``sign`` of v_j (None: any). ``live``: v_j is not 0 and the outputs move with u_j.
    ``sample`` and ``basis``: of the part of the face with L u = 0. ``level``: the equation h(u) = 0 on the face, where it is not
    trivial (only for v_j = 0; the sample satisfies it)."""

    face: Face
    weights: Weights
    sign: int | None
    live: bool
    sample: Vector
    basis: tuple[Vector, ...]
    level: Vector | None = None


def attained(layer: Layer) -> str:
    """Why min F is attained (and so at a critical point), or the empty string: no reason is known."""
    if (reason := bounds.coercive(layer.problem)) or any(any(layer.weights_of(j).incoming) for j in range(layer.units)):
        return reason
    if layer.pieces is not None:
        ends = (layer.pieces.polynomials[0], layer.pieces.polynomials[-1])
        if any(len(p) > 1 for p in ends):
            return ""
        return "the products p_j run through closed cones: bounded units leave no output behind at infinity"
    if any(layer.weights_of(j).outgoing for j in range(layer.units)):
        return ""
    return "the outputs that the network can take form a finite union of closed polyhedral cones (plus a line)"


def kind_of(layer: Layer, fan: Fan, g: Vector, states: Sequence[State], *, smooth: bool) -> tuple[Kind, str]:
    """The kind of every point of the stratum; undecided only for a unit with L not 0, v = 0 and outputs that are not 0."""
    below = [_bounded_below(layer, fan, g, s) for s in states]
    high = not layer.output_bias and all(_bounded_above(fan, g, s) for s in states)
    if all(below):
        words = "no unit lowers F: v h' >= 0 to all sides where v is not 0, and h = 0 nearby where v = 0"
        return Kind.MINIMUM, words + ("; F is constant near this point" if high else "")
    if high:
        return (
            Kind.MAXIMUM,
            "every move that changes an output lowers F to first order, and without one F stays the same",
        )
    if False not in below:
        return Kind.UNDECIDED, (
            "a unit with v = 0 moves the outputs with v, and h with the regularized weights: which wins is not decided"
        )
    if smooth and not any(any(s.weights.incoming) for s in states):
        return Kind.STRICT_SADDLE, "a unit with v = 0 and h not 0 nearby: F changes like dv h, which takes both signs"
    return Kind.SADDLE, "one unit alone lowers F to one side, and another move raises it (one-sided derivatives)"


def _slopes(layer: Layer, fan: Fan, g: Vector, s: State) -> list[Fraction]:
    """The one-sided derivatives of h when u leaves its face, up to positive factors: along the faces of one dimension more."""

    def h(face: Face) -> Fraction:
        return sum((c * dot(row, face.sample) for c, row in zip(g, face.rows, strict=True)), ZERO)

    if layer.pieces is None:  # h(u) = 0, and h is linear from u on
        return [h(ray) for ray in fan.rays(s.face)]
    return [h(ray) - ray.sample[-1] / s.face.sample[-1] * h(s.face) for ray in fan.rays(s.face)]


def _bounded_below(layer: Layer, fan: Fan, g: Vector, s: State) -> bool | None:
    if s.sign is None:
        return True
    if s.sign:
        return all(s.sign * h >= 0 for h in _slopes(layer, fan, g, s))
    if s.level is not None:
        return False
    gradient = [sum((c * row[k] for c, row in zip(g, s.face.rows, strict=True)), ZERO) for k in range(len(s.sample))]
    if not any(_slopes(layer, fan, g, s)) and not any(dot(gradient, b) for b in s.face.basis):
        return True
    if not any(s.weights.incoming) or s.face.dead or _falls_freely(layer, fan, g, s):
        return False
    return None


def _falls_freely(layer: Layer, fan: Fan, g: Vector, s: State) -> bool:
    """Whether h is not 0 somewhere near u where L is."""
    free = [(*(Fraction(int(i == k)) for i in range(layer.space)), ZERO) for k, w in enumerate(s.weights.incoming) if w]
    for cell in fan.cells(s.face):
        level: Affine = (
            *(sum((c * row[k] for c, row in zip(g, cell.rows, strict=True)), ZERO) for k in range(layer.space)),
            ZERO,
        )
        # the closure of the cell meets ker L near u in a cone; h is not 0 on it iff it is positive or negative somewhere in it
        for way in (1, -1):
            if _meets(layer, fan, cell, free, tuple(way * x for x in level)):
                return True
    return False


def _meets(layer: Layer, fan: Fan, cell: Face, equations: Sequence[Affine], positive: Affine) -> bool:
    """Whether some face of the closed cell has a point with the equations and ``positive`` > 0."""
    for face in fan.faces:
        if all(s in (0, t) for s, t in zip(face.signs, cell.signs, strict=True)):
            same = [(*n, ZERO) for n, s in zip(fan.normals, face.signs, strict=True) if not s]
            sides = [(*(s * x for x in n), ZERO) for n, s in zip(fan.normals, face.signs, strict=True) if s]
            if strictly_feasible(layer.space, [*equations, *same], [*sides, positive]) is not None:
                return True
    return False


def _bounded_above(fan: Fan, g: Vector, s: State) -> bool:
    if not s.face.dead or s.weights.outgoing:
        return False
    if any(w and b[k] for b in s.face.basis for k, w in enumerate(s.weights.incoming)):
        return False  # regularized weights raise F along the face
    moving = [
        ray
        for ray in fan.rays(s.face)
        if any(dot(row, ray.sample) for row in ray.rows)
        or any(w and x for w, x in zip(s.weights.incoming, ray.sample, strict=False))
    ]
    if s.sign is None or not moving:
        return not moving
    return bool(s.sign) and all(
        s.sign * sum((c * dot(row, ray.sample) for c, row in zip(g, ray.rows, strict=True)), ZERO) < 0 for ray in moving
    )
