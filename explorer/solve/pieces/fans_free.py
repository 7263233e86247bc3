"""Every critical point of one hidden layer of piecewise linear units, in closed form: polyhedra.

Without regularizer, or with one under which no unit has both of its products to lose (`Layer.flat`). Put p_j = v_j u_j where v_j is
not 0 (p_j = v_j (u_j, 1) for units with other breaks than 0). On a product of faces F is a convex quadratic in (p, c), so the
outputs at its critical points, and with them g_i = 2 c_i (f_i - y_i), are the same rational numbers all along; a unit with v_j = 0 or
with outputs 0 only has to satisfy h(u_j) = 0, h(u) = sum_i g_i phi(x_i . u). So a critical stratum is a choice of a face and of
the sign of v_j for every unit, cut out by linear equations in p and u: a convex set, and Clarke's condition (0 in the convex hull of
the gradients of the cells around: v_j = 0, or 0 in the hull of the gradients of h around u_j) holds on all of it or nowhere.

Weights L_j on u_j: m_j v_j^2 = u_j . L_j u_j at critical points, so L_j u_j = 0 if m_j = 0, and v_j = 0 if L_j = 0 (homogeneous units).

Kinds, exactly: F(q) - F(p) = sum_j (change of v_j h(u_j) + its weights) + sum_i c_i (change of f_i)^2. With h' the one-sided derivative of
h at u_j, p is a local minimum iff for every unit v_j h' >= 0 in all directions (v_j not 0), or h = 0 near u_j (v_j = 0): otherwise
that unit alone descends, to first order or, for v_j = 0, as -|dv| |h'| s against squares of order dv^2. It is a local maximum iff
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
from explorer.solve.pieces.fans import Face, Fan, dot
from explorer.solve.pieces.fans_kinds import State, attained, kind_of
from explorer.solve.pieces.layer import MAX_STRATA, ZERO, Layer, Weights, free_part, gathered, linear
from explorer.solve.results import Component, CriticalSet, Value


@dataclass(frozen=True)
class Fit:
    """Live units with the critical outputs: p = ``at`` + span(``directions``) in the coordinates of the faces, c last if any."""

    states: tuple[State, ...]
    g: Vector
    loss: Fraction
    sample: tuple[Vector, ...]
    bias: Fraction
    dimension: int


def polyhedral(layer: Layer, deadline: Deadline) -> CriticalSet:
    """All Clarke-critical points of a `Layer.flat`, or those found before the budget or `MAX_STRATA` strata stopped it (the
    coverage says so)."""
    fan = layer.fan(deadline)
    components: list[Component] = []
    doubts: list[str] = []
    try:
        for component in _strata(layer, fan, deadline):
            components.append(component)
            if len(components) > MAX_STRATA:
                raise Unsupported("critical strata", expected=f"at most {MAX_STRATA}", got="more")
    except ExplorerError as stopped:
        doubts.append(f"strata are missing: {stopped.sentence()}")
    reason = (
        f"{len(fan.faces)} faces per unit; on every product of faces the critical points are polyhedra in v_j u_j, and Clarke's "
        "condition holds on all of such a polyhedron or nowhere"
    )
    return gathered(layer, components, doubts, reason, attained(layer))


def _strata(layer: Layer, fan: Fan, deadline: Deadline) -> Iterator[Component]:
    units = [layer.weights_of(j) for j in range(layer.units)]
    groups = list(dict.fromkeys(units))
    live = [
        State(f, w, sign, True, *place)
        for w in groups
        for f in fan.faces
        if not f.dead and (layer.pieces is not None or not w.outgoing) and (place := free_part(layer, fan, f, w))
        for sign in (1, -1)
    ]
    known: dict[tuple[tuple[int, Weights], ...], Outputs | None] = {}
    passive: dict[Vector, list[State]] = {}
    for count in range(layer.units + 1):
        for states in combinations_with_replacement(live, count):
            deadline.check("solving on products of faces")
            if any(sum(s.weights == w for s in states) > units.count(w) for w in groups[1:]):
                continue
            fit = _fit(layer, fan, states, known)
            if fit is None:
                continue
            if fit.g not in passive:
                passive[fit.g] = [s for w in groups for s in _passive(layer, fan, w, fit.g)]
            for rest in combinations_with_replacement(passive[fit.g], layer.units - count):
                chosen = (*states, *rest)
                if any(sum(s.weights == w for s in chosen) != units.count(w) for w in groups):
                    continue
                for order in _orders([chosen.index(s) for s in chosen]):
                    deadline.check("listing critical strata")
                    if all(chosen[k].weights == w for k, w in zip(order, units, strict=True)):
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


def _fit(
    layer: Layer, fan: Fan, states: tuple[State, ...], known: dict[tuple[tuple[int, Weights], ...], Outputs | None]
) -> Fit | None:
    """The critical outputs on the faces of the live units, if the signs and Clarke's condition allow them."""
    key = tuple((s.face.number, s.weights) for s in states)
    if key not in known:
        known[key] = _outputs(layer, states)
    if (outputs := known[key]) is None:
        return None
    at, directions, g, loss = outputs
    if not all(_clarke(layer, fan, s.face, g) for s in states):
        return None
    positive: list[Affine] = []
    size, start = len(at), 0
    for s in states:
        for n, side in zip(fan.normals, s.face.signs, strict=True):
            if side:
                row = [ZERO] * (size + 1)
                row[start : start + len(s.basis)] = [(s.sign or 0) * side * dot(n, b) for b in s.basis]
                positive.append(tuple(row))
        start += len(s.basis)
    inside = [(*(dot_basis(row, v) for v in directions), value(row, at)) for row in positive]
    found = strictly_feasible(len(directions), (), inside)
    if found is None:
        return None
    p = [a + sum((t * v[k] for t, v in zip(found, directions, strict=True)), ZERO) for k, a in enumerate(at)]
    sample, start = [], 0
    for s in states:
        local = p[start : start + len(s.basis)]
        sample.append(tuple(dot(local, [b[k] for b in s.basis]) for k in range(layer.space)))
        start += len(s.basis)
    bias = p[-1] if layer.output_bias else ZERO
    return Fit(states, g, loss, tuple(sample), bias, len(directions))


def dot_basis(row: Affine, v: Vector) -> Fraction:
    """The linear part of an affine form along a direction."""
    return dot(row[:-1], v)


Outputs = tuple[Vector, tuple[Vector, ...], Vector, Fraction]


def _outputs(layer: Layer, states: Sequence[State]) -> Outputs | None:
    """(p, directions, g, F) of the convex quadratic on the faces; g is the same at all its critical points. None: it has none
    with L u = 0. The equations are those of all directions in the spans of the faces, more than the unknowns where L is not 0."""
    columns = [_outputs_along(s.face, b) for s in states for b in s.basis]
    tests = [_outputs_along(s.face, b) for s in states for b in s.face.basis]
    decay = [[ZERO] * len(columns) for _ in tests]
    if layer.pieces is not None:  # v is the last coordinate of p
        start = 0
        for s in states:
            for i, a in enumerate(s.face.basis):
                decay[start + i][start : start + len(s.basis)] = [
                    2 * s.weights.outgoing * a[-1] * b[-1] for b in s.basis
                ]
            start += len(s.basis)
    if layer.output_bias:
        columns.append([Fraction(1)] * len(layer.targets))
        tests.append(columns[-1])
        decay = [*([*row, ZERO] for row in decay), [*[ZERO] * (len(columns) - 1), 2 * layer.bias_weight]]
    size = len(columns)
    twice = [2 * c for c in layer.weights]
    equations = [
        (*(sum((w * a * b for w, a, b in zip(twice, one, two, strict=True)), more)
           for two, more in zip(columns, extra, strict=True)),
         -sum((w * a * y for w, a, y in zip(twice, one, layer.targets, strict=True)), ZERO))
        for one, extra in zip(tests, decay, strict=True)
    ]  # fmt: skip
    solved = affine_solutions(size, equations)
    if solved is None:
        return None
    at, directions = solved
    outputs = [sum((c[i] * x for c, x in zip(columns, at, strict=True)), ZERO) for i in range(len(layer.targets))]
    raised = layer.bias_weight * at[-1] ** 2 if layer.output_bias else ZERO
    start = 0
    for s in states if layer.pieces is not None else ():
        raised += s.weights.outgoing * dot([b[-1] for b in s.basis], at[start : start + len(s.basis)]) ** 2
        start += len(s.basis)
    return at, directions, layer.gradient_weights(outputs), layer.loss(outputs) + raised


def _outputs_along(face: Face, direction: Vector) -> list[Fraction]:
    return [dot(row, direction) for row in face.rows]


def _clarke(layer: Layer, fan: Fan, face: Face, g: Vector) -> bool:
    """Whether 0 is in the convex hull of the gradients of h in the cells around the face (Gordan's alternative)."""
    if all(face.signs) or layer.degree > 1:
        return True
    rows = [_gradient(cell, g)[: layer.size] for cell in fan.cells(face)]
    return strictly_feasible(layer.size, (), [(*row, ZERO) for row in rows]) is None


def _gradient(face: Face, g: Vector) -> Vector:
    """The gradient of h on the span of an open face, as a row."""
    return tuple(sum((c * row[k] for c, row in zip(g, face.rows, strict=True)), ZERO) for k in range(len(face.sample)))


def _passive(layer: Layer, fan: Fan, weights: Weights, g: Vector) -> Iterator[State]:
    """The states of units that do not move the outputs to first order in v u: v = 0 and h(u) = 0, or outputs 0."""
    for face in fan.faces:
        if (place := free_part(layer, fan, face, weights)) is None:
            continue
        if face.dead:
            if weights.outgoing:
                yield State(face, weights, 0, False, *place)
                continue
            if all(face.signs):
                yield State(face, weights, None, False, *place)
                continue
            yield State(face, weights, 0, False, *place)
            if _clarke(layer, fan, face, g):
                yield State(face, weights, 1, False, *place)
                yield State(face, weights, -1, False, *place)
            continue
        level = _gradient(face, g)
        if not any(dot(level, b) for b in place[1]):
            yield State(face, weights, 0, False, *place)
        elif (sample := _on_level(layer, fan, face, weights, level)) is not None:
            yield State(face, weights, 0, False, sample, place[1], level)


def _on_level(layer: Layer, fan: Fan, face: Face, weights: Weights, level: Vector) -> Vector | None:
    pairs = list(zip(fan.normals, face.signs, strict=True))
    equations = [(*n, ZERO) for n, s in pairs if not s] + [(*level, ZERO)]
    equations += [
        tuple(Fraction(int(i == k)) for i in range(layer.space + 1)) for k, w in enumerate(weights.incoming) if w
    ]
    return strictly_feasible(layer.space, equations, [(*(s * v for v in n), ZERO) for n, s in pairs if s])


# -- components -------------------------------------------------------------------------------------------------------


def _component(layer: Layer, fan: Fan, fit: Fit, states: Sequence[State]) -> Component:
    point = [ZERO] * len(layer.problem.parameters)
    equations: list[str] = []
    inequalities: list[str] = []
    dimension, left = fit.dimension, list(zip(fit.states, fit.sample, strict=True))
    for j, s in enumerate(states):
        u, v = _placed(layer, s, left)
        for k, x in zip(layer.incoming(j), u, strict=True):
            point[k] = x
        point[layer.outgoing(j)] = v
        same, sides = layer.face_texts(j, s.face, fan)
        inequalities += sides
        name = layer.problem.parameters[layer.outgoing(j)]
        if s.sign:
            inequalities.append(f"{name} {'>' if s.sign > 0 else '<'} 0")
        decayed = [
            f"{layer.problem.parameters[k]} = 0"
            for k, w in zip(layer.incoming(j), s.weights.incoming, strict=True)
            if w
        ]
        equations += decayed
        if s.live:
            dimension += layer.pieces is None
            continue
        equations += [e for e in same if e not in decayed]
        if s.sign == 0:
            equations.append(f"{name} = 0")
        if s.level is not None:
            form = linear([layer.problem.parameters[k] for k in layer.incoming(j)], s.level[: layer.size])
            equations.append(f"{form} = {text(-sum(s.level[layer.size :], ZERO))}")
        dimension += len(s.basis) - (layer.pieces is not None) - (s.level is not None) + (s.sign != 0)
    if layer.output_bias:
        point[-1] = fit.bias
    equations += _live_equations(layer, fan, states)
    smooth = all(all(s.face.signs) for s in states)
    kind, words = kind_of(layer, fan, fit.g, states, smooth=smooth)
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


def _placed(layer: Layer, s: State, left: list[tuple[State, Vector]]) -> tuple[Vector, Fraction]:
    """(u, v) of a sample of the state; the samples of live units are used up in turn."""
    if not s.live:
        t = s.sample[-1] if layer.pieces is not None else Fraction(1)
        return tuple(x / t for x in s.sample[: layer.size]), Fraction(1 if s.sign is None else s.sign)
    number = next(k for k, (t, _) in enumerate(left) if t == s)
    p = left.pop(number)[1]
    if layer.pieces is not None:
        return tuple(x / p[-1] for x in p[:-1]), p[-1]
    sign = s.sign or 1
    if layer.degree > 1:  # p = v sgn(u) |u|^D with |u| = 1
        return s.sample, sign * abs(p[0])
    return tuple(sign * x for x in p), Fraction(sign)


def _live_equations(layer: Layer, fan: Fan, states: Sequence[State]) -> list[str]:
    """The linear equations in p_j = v_j u_j (in u_j alone where only its direction is bound) and the output bias."""
    live = [(j, s) for j, s in enumerate(states) if s.live]
    size = len(live) * layer.space + layer.output_bias
    if not size:
        return []
    names: list[str] = []
    for j, _ in live:
        v = layer.problem.parameters[layer.outgoing(j)]
        u = [layer.problem.parameters[k] for k in layer.incoming(j)]
        names += [f"{v}*{w}" + (f"^{layer.degree}" if layer.degree > 1 else "") for w in u]
        names += [v] if layer.pieces is not None else []
    if layer.output_bias:
        names.append(layer.problem.parameters[-1])
    columns = [
        [row[k] * (1 if layer.degree == 1 else s.face.signs[0] ** (layer.degree + 1)) for row in s.face.rows]
        for _, s in live
        for k in range(layer.space)
    ]
    if layer.output_bias:
        columns.append([Fraction(1)] * len(layer.targets))
    tests: list[
        tuple[list[Fraction], list[Fraction]]
    ] = []  # outputs along a direction, and the derivative of the weights
    bound: list[Affine] = []
    for place, (_, s) in enumerate(live):
        first = place * layer.space
        own = columns[first : first + layer.space]
        for b in s.face.basis:
            decay = [ZERO] * size
            if layer.pieces is not None:
                decay[first + layer.size] = 2 * s.weights.outgoing * b[-1]
            tests.append(([dot(b, [c[i] for c in own]) for i in range(len(layer.targets))], decay))
        walls = [n for n, side in zip(fan.normals, s.face.signs, strict=True) if not side]
        walls += [
            tuple(Fraction(int(i == k)) for i in range(layer.space)) for k, w in enumerate(s.weights.incoming) if w
        ]
        for n in walls:
            block = [ZERO] * (size + 1)
            block[first : first + layer.space] = n
            bound.append(tuple(block))
    if layer.output_bias:
        tests.append((columns[-1], [*[ZERO] * (size - 1), 2 * layer.bias_weight]))
    for test, decay in tests:
        scaled = [2 * c * t for c, t in zip(layer.weights, test, strict=True)]
        bound.append((*(dot(scaled, c) + d for c, d in zip(columns, decay, strict=True)), -dot(scaled, layer.targets)))
    out = []
    for row in echelon(size, bound):
        blocks = {k // layer.space for k, c in enumerate(row[:-1]) if c}
        if not row[-1] and len(blocks) == 1 and (place := blocks.pop()) < len(live) and layer.degree == 1:
            own_names = [layer.problem.parameters[k] for k in layer.incoming(live[place][0])]
            block = list(row[place * layer.space : (place + 1) * layer.space])
            out.append(f"{linear(own_names, block[: layer.size])} = {text(-sum(block[layer.size :], ZERO))}")
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
