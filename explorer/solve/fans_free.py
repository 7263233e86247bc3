"""Every critical point of one hidden layer of relu-like units without regularizer, in closed form: polyhedra.

Put p_j = v_j u_j where v_j is not 0. On a product of faces F is a convex quadratic in (p, c), so the outputs at its critical
points, and with them g_i = 2 c_i (f_i - y_i), are the same rational numbers all along; a unit with v_j = 0 or with outputs 0
only has to satisfy h(u_j) = 0, h(u) = sum_i g_i phi(x_i . u). So a critical stratum is a choice of a face and of the sign of v_j
for every unit, cut out by linear equations in p and u: a convex set, and Clarke's condition (0 in the convex hull of the gradients
of the cells around: v_j = 0, or 0 in the hull of the gradients of h around u_j) holds on all of it or nowhere.

Kinds, exactly: F(q) - F(p) = sum_j (change of v_j h(u_j)) + sum_i c_i (change of f_i)^2. With h' the one-sided derivative of h at u_j,
p is a local minimum iff for every unit v_j h' >= 0 in all directions (v_j not 0), or h = 0 near u_j (v_j = 0): otherwise that
unit alone descends, to first order or, for v_j = 0, as -|dv| |h'| s against a square of order dv^2. It is a local maximum iff
no output moves to first order without F falling at that order. Derivation: docs/piecewise.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement

from explorer.algebra.feasible import Affine, Vector, affine_solutions, echelon, strictly_feasible, value
from explorer.budget import Deadline
from explorer.errors import ExplorerError, Unsupported
from explorer.exact import text
from explorer.model.polynomial import cell_polynomial
from explorer.point import Inertia, Point
from explorer.solve.classify import Target
from explorer.solve.fans import Face, Fan, dot
from explorer.solve.layer import MAX_STRATA, ZERO, Layer, gathered, linear, slope_along
from explorer.solve.results import Component, CriticalSet, Kind, Value

ATTAINED = "the outputs that the network can take form a finite union of closed polyhedral cones (plus a line)"


@dataclass(frozen=True)
class State:
    """Where one unit is: an open face and the ``sign`` of v_j (None: any). ``live``: v_j is not 0 and the outputs move with u_j.
    ``level``: the equation h(u) = 0 on the face, where it is not trivial (only for v_j = 0)."""

    face: Face
    sign: int | None
    live: bool
    level: Vector | None = None


@dataclass(frozen=True)
class Fit:
    """Live units with the critical outputs: p = ``at`` + span(``directions``) in the coordinates of the faces, c last if any."""

    states: tuple[State, ...]
    g: Vector
    loss: Fraction
    sample: tuple[Vector, ...]
    bias: Fraction
    dimension: int


def without_regularizer(layer: Layer, deadline: Deadline) -> CriticalSet:
    """All Clarke-critical points, or those found before the budget or `MAX_STRATA` strata stopped it (the coverage says so)."""
    fan = layer.fan(deadline)
    live = [State(f, s, True) for f in fan.faces if not f.dead for s in (1, -1)]
    components: list[Component] = []
    doubts: list[str] = []
    try:
        for component in _strata(layer, fan, live, deadline):
            components.append(component)
            if len(components) > MAX_STRATA:
                raise Unsupported("critical strata", expected=f"at most {MAX_STRATA}", got="more")
    except ExplorerError as stopped:
        doubts.append(f"strata are missing: {stopped.sentence()}")
    reason = (
        f"{len(fan.faces)} faces per unit; on every product of faces the critical points are polyhedra in v_j u_j, and Clarke's "
        "condition holds on all of such a polyhedron or nowhere"
    )
    return gathered(layer, components, doubts, reason, ATTAINED)


def _strata(layer: Layer, fan: Fan, live: Sequence[State], deadline: Deadline) -> Iterator[Component]:
    known: dict[tuple[int, ...], Outputs] = {}
    passive: dict[Vector, list[State]] = {}
    for count in range(layer.units + 1):
        for states in combinations_with_replacement(live, count):
            deadline.check("solving on products of faces")
            fit = _fit(layer, fan, states, known)
            if fit is None:
                continue
            if fit.g not in passive:
                passive[fit.g] = list(_passive(layer, fan, fit.g))
            for rest in combinations_with_replacement(passive[fit.g], layer.units - count):
                chosen = (*states, *rest)
                for order in _orders([chosen.index(s) for s in chosen]):
                    deadline.check("listing critical strata")
                    yield _component(layer, fan, fit, [chosen[k] for k in order])


def _orders(items: list[int]) -> Iterator[list[int]]:
    """The distinct orders of the items from the smallest to the largest, one at a time: ten units have three million of them."""
    order = sorted(items)
    while True:
        yield list(order)
        last = next((k for k in range(len(order) - 2, -1, -1) if order[k] < order[k + 1]), None)
        if last is None:
            return
        other = next(k for k in range(len(order) - 1, last, -1) if order[k] > order[last])
        order[last], order[other] = order[other], order[last]
        order[last + 1 :] = reversed(order[last + 1 :])


# -- where the outputs are critical -----------------------------------------------------------------------------------


def _fit(layer: Layer, fan: Fan, states: tuple[State, ...], known: dict[tuple[int, ...], Outputs]) -> Fit | None:
    """The critical outputs on the faces of the live units, if the signs and Clarke's condition allow them."""
    key = tuple(s.face.number for s in states)
    if key not in known:
        known[key] = _outputs(layer, [s.face for s in states])
    at, directions, g, loss = known[key]
    if not all(_clarke(layer, fan, s.face, g) for s in states):
        return None
    positive: list[Affine] = []
    size, start = len(at), 0
    for s in states:
        for n, side in zip(fan.normals, s.face.signs, strict=True):
            if side:
                row = [ZERO] * (size + 1)
                row[start : start + s.face.dimension] = [(s.sign or 0) * side * dot(n, b) for b in s.face.basis]
                positive.append(tuple(row))
        start += s.face.dimension
    inside = [(*(dot_basis(row, v) for v in directions), value(row, at)) for row in positive]
    found = strictly_feasible(len(directions), (), inside)
    if found is None:
        return None
    p = [a + sum((t * v[k] for t, v in zip(found, directions, strict=True)), ZERO) for k, a in enumerate(at)]
    sample, start = [], 0
    for s in states:
        local = p[start : start + s.face.dimension]
        sample.append(tuple(dot(local, [b[k] for b in s.face.basis]) for k in range(layer.size)))
        start += s.face.dimension
    bias = p[-1] if layer.output_bias else ZERO
    return Fit(states, g, loss, tuple(sample), bias, len(directions))


def dot_basis(row: Affine, v: Vector) -> Fraction:
    """The linear part of an affine form along a direction."""
    return dot(row[:-1], v)


Outputs = tuple[Vector, tuple[Vector, ...], Vector, Fraction]


def _outputs(layer: Layer, faces: Sequence[Face]) -> Outputs:
    """(p, directions, g, F) of the convex quadratic on the spans of the faces; g is the same at all its critical points."""
    columns = [[row[k] for row in f.columns] for f in faces for k in range(f.dimension)]
    if layer.output_bias:
        columns.append([Fraction(1)] * len(layer.targets))
    size = len(columns)
    twice = [2 * c for c in layer.weights]
    equations = [
        (*(sum((w * a * b for w, a, b in zip(twice, one, two, strict=True)), ZERO) for two in columns),
         -sum((w * a * y for w, a, y in zip(twice, one, layer.targets, strict=True)), ZERO))
        for one in columns
    ]  # fmt: skip
    solved = affine_solutions(size, equations)
    assert solved is not None  # the normal equations of a least-squares problem
    at, directions = solved
    outputs = [sum((c[i] * x for c, x in zip(columns, at, strict=True)), ZERO) for i in range(len(layer.targets))]
    return at, directions, layer.gradient_weights(outputs), layer.loss(outputs)


def _clarke(layer: Layer, fan: Fan, face: Face, g: Vector) -> bool:
    """Whether 0 is in the convex hull of the gradients of h in the cells around the face (Gordan's alternative)."""
    if all(face.signs) or layer.degree > 1:
        return True
    rows = [_gradient(cell, g) for cell in fan.cells(face)]
    return strictly_feasible(layer.size, (), [(*row, ZERO) for row in rows]) is None


def _gradient(face: Face, g: Vector) -> Vector:
    """The gradient of h on the span of an open face, as a row."""
    return tuple(sum((c * row[k] for c, row in zip(g, face.rows, strict=True)), ZERO) for k in range(len(face.sample)))


def _passive(layer: Layer, fan: Fan, g: Vector) -> Iterator[State]:
    """The states of units that do not move the outputs to first order in v u: v = 0 and h(u) = 0, or outputs 0."""
    for face in fan.faces:
        if face.dead:
            if all(face.signs):
                yield State(face, None, False)
                continue
            yield State(face, 0, False)
            if _clarke(layer, fan, face, g):
                yield State(face, 1, False)
                yield State(face, -1, False)
            continue
        level = _gradient(face, g)
        if not any(dot(level, b) for b in face.basis):
            yield State(face, 0, False)
        elif _on_level(layer, fan, face, level) is not None:
            yield State(face, 0, False, level)


def _on_level(layer: Layer, fan: Fan, face: Face, level: Vector) -> Vector | None:
    pairs = list(zip(fan.normals, face.signs, strict=True))
    equations = [(*n, ZERO) for n, s in pairs if not s] + [(*level, ZERO)]
    return strictly_feasible(layer.size, equations, [(*(s * v for v in n), ZERO) for n, s in pairs if s])


# -- components -------------------------------------------------------------------------------------------------------


def _component(layer: Layer, fan: Fan, fit: Fit, states: Sequence[State]) -> Component:
    point = [ZERO] * len(layer.problem.parameters)
    equations: list[str] = []
    inequalities: list[str] = []
    dimension, left = fit.dimension, list(zip(fit.states, fit.sample, strict=True))
    for j, s in enumerate(states):
        u, v = _placed(layer, fan, s, left)
        for k, x in zip(layer.incoming(j), u, strict=True):
            point[k] = x
        point[layer.outgoing(j)] = v
        same, sides = layer.face_texts(j, s.face, fan)
        inequalities += sides
        name = layer.problem.parameters[layer.outgoing(j)]
        if s.sign:
            inequalities.append(f"{name} {'>' if s.sign > 0 else '<'} 0")
        if s.live:
            dimension += 1
            continue
        equations += same
        if s.sign == 0:
            equations.append(f"{name} = 0")
        if s.level is not None:
            equations.append(f"{linear([layer.problem.parameters[k] for k in layer.incoming(j)], s.level)} = 0")
        dimension += s.face.dimension - (s.level is not None) + (s.sign != 0)
    if layer.output_bias:
        point[-1] = fit.bias
    equations += _live_equations(layer, fan, states)
    smooth = all(all(s.face.signs) for s in states)
    kind, words = _kind(layer, fan, fit.g, states, smooth=smooth)
    sample = Point.rational(point)
    inertia, steady = (None, True) if not smooth else _inertia(layer, point, states)
    what = f"a connected piece of dimension {dimension}" if dimension else "a point"
    what += "" if smooth else ", where F is not twice differentiable (critical in the sense of Clarke)"
    return Component(
        dimension=dimension,
        sample=sample,
        value=Value.rational(fit.loss),
        inertia=inertia,
        kind=kind,
        is_global=None,
        because=words,
        points=() if dimension else (sample,),
        isolated=None if dimension else False,
        equations=(*equations, *inequalities),
        description=what if steady else f"{what}; the inertia is that of the sample",
    )


def _placed(layer: Layer, fan: Fan, s: State, left: list[tuple[State, Vector]]) -> tuple[Vector, Fraction]:
    """(u, v) of a sample of the state; the samples of live units are used up in turn."""
    if not s.live:
        on_level = None if s.level is None else _on_level(layer, fan, s.face, s.level)
        return on_level or s.face.sample, Fraction(1 if s.sign is None else s.sign)
    number = next(k for k, (t, _) in enumerate(left) if t == s)
    p = left.pop(number)[1]
    sign = s.sign or 1
    if layer.degree > 1:  # p = v sgn(u) |u|^D with |u| = 1
        return s.face.sample, sign * abs(p[0])
    return tuple(sign * x for x in p), Fraction(sign)


def _live_equations(layer: Layer, fan: Fan, states: Sequence[State]) -> list[str]:
    """The linear equations in p_j = v_j u_j (in u_j alone where only its direction is bound) and the output bias."""
    live = [(j, s.face) for j, s in enumerate(states) if s.live]
    size = len(live) * layer.size + layer.output_bias
    if not size:
        return []
    names: list[str] = []
    for j, _ in live:
        v = layer.problem.parameters[layer.outgoing(j)]
        u = [layer.problem.parameters[k] for k in layer.incoming(j)]
        names += [f"{v}*{w}" + (f"^{layer.degree}" if layer.degree > 1 else "") for w in u]
    if layer.output_bias:
        names.append(layer.problem.parameters[-1])
    columns = [
        [row[k] * (1 if layer.degree == 1 else face.signs[0] ** (layer.degree + 1)) for row in face.rows]
        for _, face in live
        for k in range(layer.size)
    ]
    if layer.output_bias:
        columns.append([Fraction(1)] * len(layer.targets))
    tests: list[list[Fraction]] = []
    bound: list[Affine] = []
    for place, (_, face) in enumerate(live):
        own = columns[place * layer.size : (place + 1) * layer.size]
        tests += [[dot(b, [c[i] for c in own]) for i in range(len(layer.targets))] for b in face.basis]
        for n, side in zip(fan.normals, face.signs, strict=True):
            if not side:
                block = [ZERO] * (size + 1)
                block[place * layer.size : (place + 1) * layer.size] = n
                bound.append(tuple(block))
    if layer.output_bias:
        tests.append(columns[-1])
    for test in tests:
        scaled = [2 * c * t for c, t in zip(layer.weights, test, strict=True)]
        bound.append((*(dot(scaled, c) for c in columns), -dot(scaled, layer.targets)))
    out = []
    for row in echelon(size, bound):
        blocks = {k // layer.size for k, c in enumerate(row[:-1]) if c}
        if not row[-1] and len(blocks) == 1 and (place := blocks.pop()) < len(live) and layer.degree == 1:
            own_names = [layer.problem.parameters[k] for k in layer.incoming(live[place][0])]
            out.append(f"{linear(own_names, row[place * layer.size : (place + 1) * layer.size])} = 0")
        else:
            out.append(f"{linear(names, row[:-1])} = {text(-row[-1])}")
    return out


def _inertia(layer: Layer, point: Sequence[Fraction], states: Sequence[State]) -> tuple[Inertia | None, bool]:
    """The inertia at a sample inside cells, and whether it is the same on the whole stratum.

    In (v, p) the Hessian in the live units is constant; a unit with v = 0 and h not 0 on its cell adds a hyperbolic plane
    and nothing else; only a unit with v = 0 and h = 0 on its cell adds a rank-one square that moves along the stratum.
    """
    loss = cell_polynomial(layer.problem, point).polynomial
    moving = any(s.sign == 0 and s.level is None for s in states)
    return Target(layer.problem, loss).hessian_inertia(Point.rational(point)), not moving


# -- kinds ------------------------------------------------------------------------------------------------------------


def _kind(layer: Layer, fan: Fan, g: Vector, states: Sequence[State], *, smooth: bool) -> tuple[Kind, str]:
    """The kind of every point of the stratum, by the criterion above (it always decides)."""
    low = all(_bounded_below(fan, g, s) for s in states)
    high = not layer.output_bias and all(_bounded_above(fan, g, s) for s in states)
    if low:
        words = "no unit lowers F: v h' >= 0 to all sides where v is not 0, and h = 0 nearby where v = 0"
        return Kind.MINIMUM, words + ("; F is constant near this point" if high else "")
    if high:
        return (
            Kind.MAXIMUM,
            "every move that changes an output lowers F to first order, and without one F stays the same",
        )
    if smooth:
        return Kind.STRICT_SADDLE, "a unit with v = 0 and h not 0 nearby: F changes like dv h, which takes both signs"
    return Kind.SADDLE, "one unit alone lowers F to one side, and another move raises it (one-sided derivatives)"


def _bounded_below(fan: Fan, g: Vector, s: State) -> bool:
    if s.sign is None:
        return True
    slopes = [slope_along(ray, g) for ray in fan.rays(s.face)]
    if s.sign:
        return all(s.sign * h >= 0 for h in slopes)
    return s.level is None and not any(slopes)


def _bounded_above(fan: Fan, g: Vector, s: State) -> bool:
    if not s.face.dead:
        return False
    moving = [ray for ray in fan.rays(s.face) if any(dot(row, ray.sample) for row in ray.rows)]
    return not moving or (bool(s.sign) and all((s.sign or 0) * slope_along(ray, g) < 0 for ray in moving))
